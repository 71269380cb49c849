"""``order_by`` → sort terms that always end in the primary key, so that pages never repeat or lose rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL
from dataflow_nexus.registry import ModelField

SORTABLE = frozenset(
    {
        "integer",
        "decimal",
        "float",
        "boolean",
        "date",
        "datetime",
        "time",
        "duration",
        "string",
        "uuid",
        "text",
        "binary",
    }
)
_PLACES = {"nullsfirst": True, "nullslast": False}


@dataclass(frozen=True, kw_only=True)
class Term:
    """One sort key. ``spelled`` identifies it in cursors; without a wish nulls sort as if larger than any value."""

    value: SQL
    kind: str
    scale: int | None
    """Digits after the point of a decimal column."""
    spelled: str
    descending: bool
    nullable: bool
    nulls_first: bool

    def sql(self) -> SQL:
        text = self.value + (" DESC" if self.descending else " ASC")
        if not self.nullable:
            return text
        return text + (" NULLS FIRST" if self.nulls_first else " NULLS LAST")


def keyed(scope: Scope) -> bool:
    """Whether rows have a key that the grant always shows: without one there is no keyset."""
    key = scope.exposed.key
    return bool(key) and all(
        scope.find(item.name) and scope.grant.reads_everywhere(item.name) for item in key
    )


def compile_order(scope: Scope, order_by: Any, *, at: str = "order_by") -> list[Term]:
    """The sort terms of a list: what was asked for, then the key, or every sortable field where there is none.

    Raises ``Invalid`` for a name that is unknown, can't be sorted by, or comes twice.
    """
    terms, names = asked_order(scope, order_by, at=at)
    if keyed(scope):
        rest = [item for item in scope.exposed.key if item.name not in names]
    else:
        rest = [
            item
            for item in scope.exposed.fields.values()
            if item.name not in names
            and item.in_database
            and item.kind.name in SORTABLE
            and scope.grant.reads(item.name)
        ]
    return terms + [
        _of_field(scope, item, descending=False, place=None, spelled=item.name) for item in rest
    ]


def asked_order(
    scope: Scope, order_by: Any, *, at: str = "order_by"
) -> tuple[list[Term], set[str]]:
    """The sort terms that were asked for, with their names. Raises like ``compile_order``."""
    if isinstance(order_by, str):
        order_by = [order_by]
    if order_by is None:
        order_by = []
    if not isinstance(order_by, Sequence) or not all(isinstance(item, str) for item in order_by):
        raise Invalid.field(at, "type", f'"{at}" must be an array of field names')
    if len(order_by) > 16:
        raise Invalid.field(at, "too_large", "at most 16 sort keys")
    terms: list[Term] = []
    names: set[str] = set()
    for index, item in enumerate(order_by):
        for spelled in _each(scope, item.strip()):
            term, name = _term(scope, spelled, f"{at}.{index}")
            if name in names:
                raise Invalid.field(f"{at}.{index}", "duplicate", f'"{name}" is sorted by twice')
            names.add(name)
            terms.append(term)
    return terms, names


def _each(scope: Scope, item: str) -> list[str]:
    """The sort keys that one stands for: a composite ``id`` for each of its columns."""
    name, colon, place = item.removeprefix("-").partition(":")
    if name != "id" or not scope.exposed.composite_id or scope.find("id") is not None:
        return [item]
    sign = "-" if item.startswith("-") else ""
    return [f"{sign}{field.name}{colon}{place}" for field in scope.exposed.key]


def _term(scope: Scope, item: str, at: str) -> tuple[Term, str]:
    descending = item.startswith("-")
    name, _, place = item.removeprefix("-").partition(":")
    if place and place not in _PLACES:
        raise Invalid.field(at, "unknown", f'"{place}" must be nullsfirst or nullslast')
    field = scope.find(name)
    if field is None and "." in name.replace("__", "."):
        return _through(scope, name.replace("__", "."), descending, place, at), name
    if field is None:
        raise unknown("field", name, _sortable(scope), at=at)
    return _of_field(
        scope, field, descending=descending, place=place or None, spelled=field.name, at=at
    ), field.name


def _sortable(scope: Scope) -> list[str]:
    found = ((name, scope.find(name)) for name in scope.known())
    return [name for name, item in found if item is not None and item.in_database]


def _of_field(
    scope: Scope,
    field: ModelField,
    *,
    descending: bool,
    place: str | None,
    spelled: str,
    at: str = "order_by",
) -> Term:
    if not field.in_database or field.kind.name not in SORTABLE:
        raise Invalid.field(at, "not_sortable", f'"{field.name}" can\'t be sorted by')
    nullable = field.nullable or not scope.grant.reads_everywhere(field.name)
    return _made(
        scope.value(field),
        field,
        descending=descending,
        place=place,
        spelled=spelled,
        nullable=nullable,
    )


def _made(
    value: SQL,
    field: ModelField,
    *,
    descending: bool,
    place: str | None,
    spelled: str,
    nullable: bool,
) -> Term:
    return Term(
        value=value,
        kind=field.kind.name,
        scale=getattr(field.storage, "decimal_places", None),
        spelled=f"{'-' if descending else ''}{spelled}:{place or ''}",
        descending=descending,
        nullable=nullable,
        nulls_first=descending if place is None else _PLACES[place],
    )


def _through(scope: Scope, name: str, descending: bool, place: str, at: str) -> Term:
    """A field of a to-one relation, as a scalar subquery over the visible related row."""
    value, field = related_value(scope, name, at, _sortable(scope))
    if field.kind.name not in SORTABLE:
        raise Invalid.field(at, "not_sortable", f'"{name}" can\'t be sorted by')
    return _made(
        value, field, descending=descending, place=place or None, spelled=name, nullable=True
    )


def related_value(scope: Scope, name: str, at: str, known: list[str]) -> tuple[SQL, ModelField]:
    """``category.parent.name`` as a scalar subquery. Raises ``Invalid`` for what the grants do not show."""
    head, _, rest = name.partition(".")
    relation = scope.relation(head)
    if (
        relation is None
        or relation.many
        or name.count(".") > scope.compilation.configuration.expand_depth
    ):
        raise unknown("field", name, known, at=at)
    related = scope.related(relation)
    if "." in rest:
        value, field = related_value(related.scope, rest, at, known)
    else:
        found = related.scope.find(rest)
        if found is None or not found.in_database:
            raise unknown("field", name, known, at=at)
        value, field = related.scope.value(found), found
    return (
        "(SELECT " + value + " FROM " + related.source + " WHERE " + related.condition
    ) + ")", field
