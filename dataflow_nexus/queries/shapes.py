"""What a record looks like for one request: its fields, and the relations embedded in it.

A shape holds no SQL. Both renderings are made from it, so they cannot differ in what they show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from dataflow_nexus.access.grants import UNRESTRICTED, Grant
from dataflow_nexus.exceptions import Invalid, LimitExceeded
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.registry import Exposed, ModelField, Relation


@dataclass(frozen=True, kw_only=True)
class Expand:
    """A relation that is embedded under its name: an object or null, or an array of objects."""

    relation: Relation
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class Shape:
    """``fields`` in field order, then ``expands`` in the order of the model's relations."""

    exposed: Exposed
    grant: Grant
    fields: tuple[ModelField, ...]
    expands: tuple[Expand, ...] = ()

    @cached_property
    def needs_python(self) -> bool:
        """Whether some value is one that a database can't render."""
        return any(
            field.kind.postgresql is None or _is_call(field) for field in self.fields
        ) or any(expand.shape.needs_python for expand in self.expands)

    @cached_property
    def conditional(self) -> bool:
        """Whether some field is shown on some rows only."""
        carriers = [expand.relation.field_name for expand in self.expands]
        names = [field.name for field in self.fields] + [name for name in carriers if name]
        return not all(self.grant.reads_everywhere(name) for name in names)

    @cached_property
    def calls(self) -> tuple[ModelField, ...]:
        """Fields computed by a Python callable."""
        return tuple(field for field in self.fields if _is_call(field))

    @cached_property
    def lists(self) -> tuple[ModelField, ...]:
        """Many-to-many fields, which show the keys of the records on the other side."""
        return tuple(field for field in self.fields if field.many)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that rendering reads, in field order; all of them where rules decide per row."""
        exposed = self.exposed
        if self.conditional:
            names = [str(item.column) for item in exposed.columns.values()]
            names += [str(item.column) for item in self.fields if item.in_database]
            return tuple(dict.fromkeys(names))
        names = [str(item.column) for item in self.fields if item.in_database]
        return tuple(dict.fromkeys([*names, *self.links]))

    @cached_property
    def links(self) -> tuple[str, ...]:
        """The columns by which lists of ids, related records and computed values are found."""
        names: list[str] = []
        for field in self.fields:
            relation = self.exposed.model._meta.get_field(field.name) if field.many else None
            if relation is not None:
                names += [remote.column for _, remote in near_columns(relation)]
        for expand in self.expands:
            pairs = (
                expand.relation.columns
                if expand.relation.through is None
                else expand.relation.through[1]
            )
            names += [local for local, _ in pairs]
        if self.calls:
            names += [str(item.column) for item in self.exposed.key]
        return tuple(names)

    @cached_property
    def statements(self) -> dict[Any, tuple[str, str]]:
        """What was compiled of this shape, by how it is asked for: kept as long as the shape."""
        return {}

    @cached_property
    def expanded(self) -> frozenset[str]:
        return frozenset(expand.relation.name for expand in self.expands)


def near_columns(many: Any) -> list[tuple[Any, Any]]:
    """``(through field, own field)`` of a many-to-many field: how its through table points back here."""
    through = many.remote_field.through._meta
    source = through.get_field(many.m2m_field_name())
    return list(source.related_fields)


def _is_call(field: ModelField) -> bool:
    return field.computed is not None and not field.in_database


def make_shape(
    scope: Scope, projection: Any = None, expand: Any = None, *, at: str = "expand"
) -> Shape:
    """The shape for ``fields`` and ``expand``. Raises ``Invalid`` for names that the grant does not show."""
    if projection is None and not expand:
        return full_shape(scope.exposed, scope.grant)
    tree = (
        expand
        if isinstance(expand, Mapping)
        else _tree(expand, scope.compilation.configuration.expand_depth)
    )
    expands = _expands(scope, tree, at)
    replaced = {item.relation.name for item in expands}
    fields = tuple(item for item in _projected(scope, projection) if item.name not in replaced)
    return Shape(exposed=scope.exposed, grant=scope.grant, fields=fields, expands=expands)


def full_shape(exposed: Exposed, grant: Grant) -> Shape:
    """Every readable field, nothing embedded. Made once where the grant shows everything."""
    if not grant.shows_all:
        return _full_shape(exposed, grant)
    if exposed not in _full:
        _full[exposed] = _full_shape(exposed, UNRESTRICTED)
    return _full[exposed]


_full: WeakKeyDictionary[Exposed, Shape] = WeakKeyDictionary()


def _full_shape(exposed: Exposed, grant: Grant) -> Shape:
    return Shape(
        exposed=exposed,
        grant=grant,
        fields=tuple(item for item in exposed.fields.values() if grant.reads(item.name)),
    )


def _projected(scope: Scope, projection: Any) -> Sequence[ModelField]:
    readable = [item for item in scope.exposed.fields.values() if scope.grant.reads(item.name)]
    if projection is None:
        return readable
    if not isinstance(projection, Sequence) or isinstance(projection, str):
        raise Invalid.field("fields", "type", '"fields" must be an array of field names')
    wanted: set[str] = set()
    for index, name in enumerate(projection):
        if not isinstance(name, str):
            raise Invalid.field(f"fields.{index}", "type", "a field name must be a string")
        if name == "id" and scope.find("id") is None and len(scope.exposed.key) > 1:
            wanted |= {scope.field(item.name, f"fields.{index}").name for item in scope.exposed.key}
            continue
        wanted.add(scope.field(name, f"fields.{index}").name)
    return [item for item in readable if item.name in wanted]


def _tree(expand: Any, depth: int) -> dict[str, Any]:
    """``["category", "items.product"]`` → ``{"category": {}, "items": {"product": {}}}``."""
    if expand is None:
        return {}
    if isinstance(expand, str):
        expand = [expand]
    if not isinstance(expand, Sequence):
        raise Invalid.field("expand", "type", '"expand" must be an array of relation paths')
    if len(expand) > 64:
        raise Invalid.field("expand", "too_large", "at most 64 paths can be expanded")
    tree: dict[str, Any] = {}
    for index, path in enumerate(expand):
        if not isinstance(path, str):
            raise Invalid.field(f"expand.{index}", "type", "a relation path must be a string")
        steps = path.split(".")
        if len(steps) > depth:
            message = f'"{path}" expands deeper than {depth} relations'
            raise LimitExceeded.depth(f"expand.{index}", message)
        branch = tree
        for name in steps:
            branch = branch.setdefault(name, {})
    return tree


def _expands(scope: Scope, tree: Mapping[str, Any], at: str) -> tuple[Expand, ...]:
    for name in tree:
        if scope.relation(name) is None:
            known = [name for name, item in scope.exposed.relations.items() if scope.follows(item)]
            raise unknown("relation", name, known, at=f"{at}.{name}")
    found: list[Expand] = []
    for name, relation in scope.exposed.relations.items():
        if name in tree:
            inner = scope.related(relation).scope
            found.append(
                Expand(
                    relation=relation, shape=make_shape(inner, None, tree[name], at=f"{at}.{name}")
                )
            )
    return tuple(found)
