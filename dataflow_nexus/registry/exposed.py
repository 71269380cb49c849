"""One exposed model: its names, fields, keys and relations, each worked out at the first question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import inflection
from django.db import models

from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.fields import JSON, Kind, is_made, kind_of, storage_field
from dataflow_nexus.registry.names import (
    COMMAND_WORDS,
    PATH_WORDS,
    READ_ONLY_UNLESS_NAMED,
    VERBS,
    default_resource,
    nearest,
    snake,
)

if TYPE_CHECKING:
    from dataflow_nexus.registry.collection import Registry


@dataclass(frozen=True, kw_only=True)
class ModelField:
    """One value of a record, under the name that callers use.

    ``source`` is the Django field; ``column`` its database column (``None`` for a list of ids and for ``computed``).
    ``required`` means that a create without it is invalid.
    """

    name: str
    kind: Kind
    source: models.Field[Any, Any] | models.ManyToManyField[Any, Any] | None
    column: str | None
    nullable: bool
    writable: bool
    required: bool
    primary_key: bool = False
    many: bool = False
    computed: Any = None

    @property
    def foreign_key(self) -> models.ForeignKey[Any, Any] | None:
        return self.source if isinstance(self.source, models.ForeignKey) else None

    @property
    def in_database(self) -> bool:
        """Whether the database can filter and sort by it."""
        return self.column is not None

    @cached_property
    def storage(self) -> models.Field[Any, Any]:
        """The Django field that prepares values for the column."""
        assert isinstance(self.source, models.Field)
        return storage_field(self.source)


@dataclass(frozen=True, kw_only=True)
class Relation:
    """A way from one exposed model to another: pairs of (local column, remote column), through a table or directly.

    ``through`` is ``(table, [(local column, through column)], [(through column, remote column)])``.
    """

    name: str
    target: type[models.Model]
    many: bool
    columns: tuple[tuple[str, str], ...]
    through: tuple[str, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] | None = None
    field_name: str | None = None
    """The field that carries the relation (``category_id`` for ``category``): hidden with it."""
    reverse_of: str | None = None
    """The remote field that carries the relation, for reverse ones: hidden with it."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How one model is exposed; what ``register`` takes."""

    resource: str | None = None
    operations: frozenset[str] | None = None
    fields: tuple[str, ...] | None = None
    exclude: frozenset[str] = frozenset()
    search_fields: tuple[str, ...] = ()
    queryset: Any = None
    computed: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[..., Any] | None = None
    after: Callable[..., Any] | None = None
    using: str | None = None


class Exposed:
    """A registered model: its names, fields, keys and relations. Made at registration, read lazily."""

    def __init__(self, registry: Registry, model: type[models.Model], options: Options) -> None:
        self.registry = registry
        self.model = model
        self.options = options
        self.label = model._meta.label_lower
        resource = options.resource or default_resource(model.__name__)
        self.resource = (
            f"{resource}_" if resource in PATH_WORDS or resource in COMMAND_WORDS else resource
        )

    def __repr__(self) -> str:
        return f"<Exposed {self.model._meta.label} as {self.resource}>"

    @property
    def name(self) -> str:
        """The class name, the stem of the node names; prefixed by the app where two exposed classes share it."""
        name = self.model.__name__
        return (
            name
            if self.registry.sole(name)
            else inflection.camelize(self.model._meta.app_label) + name
        )

    @property
    def singular(self) -> str:
        """The model's name in snake case."""
        return snake(self.name)

    @cached_property
    def alias(self) -> str | None:
        """The database alias that the model is bound to; ``None`` lets Django's routers decide."""
        return self.options.using or getattr(self.model, "_dataflow_alias", None)

    @cached_property
    def table(self) -> str:
        return self.model._meta.db_table

    # --- fields ------------------------------------------------------------------------------------------------------

    @cached_property
    def fields(self) -> Mapping[str, ModelField]:
        """Every visible field by its outside name, in field order."""
        named = self.options.fields
        found: dict[str, ModelField] = {}
        meta = self.model._meta
        for source in meta.concrete_fields:
            item = self._concrete(source)
            if item is not None and self._shown(item.name, source.name, named):
                found[item.name] = item
        for many in meta.many_to_many:
            if self._shown(many.name, many.name, named):
                found[many.name] = self._list_of_ids(many)
        for name, computed in self.options.computed.items():
            found[name] = self._computed(name, computed)
        own = {item.name for item in meta.get_fields()} | set(self.columns)
        self._refuse_unknown("exclude", self.options.exclude, own)
        heads = [name.replace("__", ".").partition(".")[0] for name in self.options.search_fields]
        self._refuse_unknown("search", heads, own)
        self._refuse_unknown("expose", named or (), own | set(found))
        return found

    @cached_property
    def columns(self) -> Mapping[str, ModelField]:
        """Every concrete field of the model by its outside name, shown or not: what writes and keys are made of."""
        found: dict[str, ModelField] = {}
        for source in self.model._meta.concrete_fields:
            item = self._concrete(source)
            if item is not None:
                found[item.name] = item
        return found

    def _shown(self, name: str, django_name: str, named: tuple[str, ...] | None) -> bool:
        names = {name, django_name}
        if names & self.options.exclude:
            return False
        if named is not None:
            return bool(names & set(named)) or name in {item.name for item in self.key}
        return name != "password"

    def _refuse_unknown(self, purpose: str, named: Iterable[str], known: Collection[str]) -> None:
        """A misspelled name would leave a field exposed that was to be hidden, and say nothing."""
        for name in named:
            if name not in known:
                raise ConfigurationError(
                    f"{self.model._meta.label} has no field {name!r} to {purpose}{nearest(name, known)}"
                )

    def _concrete(self, source: models.Field[Any, Any]) -> ModelField | None:
        if source.column is None:  # a CompositePrimaryKey has columns, but is none
            return None
        generated = isinstance(source, models.GeneratedField)
        named = self.options.fields or ()
        read_only = generated or (
            source.name in READ_ONLY_UNLESS_NAMED and source.name not in named
        )
        read_only = read_only or getattr(source, "read_only", False)
        has_default = source.has_default() or getattr(source, "has_db_default", lambda: False)()
        automatic = is_made(source) or getattr(source, "auto_now", False)
        automatic = automatic or getattr(source, "auto_now_add", False)
        blank_text = source.blank and source.empty_strings_allowed and not source.null
        editable = source.editable or source.primary_key or isinstance(source, models.BinaryField)
        return ModelField(
            name=source.attname,
            kind=kind_of(source),
            source=source,
            column=source.column,
            nullable=source.null,
            writable=not read_only and editable,
            required=not (source.null or has_default or automatic or read_only or blank_text)
            and editable,
            primary_key=source.primary_key or source in self.key_sources,
        )

    def _list_of_ids(self, many: models.ManyToManyField[Any, Any]) -> ModelField:
        through: Any = many.remote_field.through
        auto = bool(through._meta.auto_created)
        read_only = many.name in READ_ONLY_UNLESS_NAMED and many.name not in (
            self.options.fields or ()
        )
        return ModelField(
            name=many.name,
            kind=kind_of(many.remote_field.model._meta.pk),
            source=many,
            column=None,
            nullable=False,
            writable=auto and many.editable and not read_only,
            required=False,
            many=True,
        )

    def _computed(self, name: str, computed: Any) -> ModelField:
        if name in self.columns:
            raise ConfigurationError(
                f"{self.model._meta.label}: the computed field {name!r} has the name of a field"
            )
        if hasattr(computed, "resolve_expression"):
            output = computed.output_field if hasattr(computed, "output_field") else None
            if output is None:
                raise ConfigurationError(
                    f"{self.model._meta.label}.{name}: the expression needs an output_field"
                )
            return ModelField(
                name=name,
                kind=kind_of(output),
                source=output,
                column=name,
                nullable=True,
                writable=False,
                required=False,
                computed=computed,
            )
        return ModelField(
            name=name,
            kind=JSON,
            source=None,
            column=None,
            nullable=True,
            writable=False,
            required=False,
            computed=computed,
        )

    # --- keys --------------------------------------------------------------------------------------------------------

    @cached_property
    def key_sources(self) -> tuple[models.Field[Any, Any], ...]:
        """The Django fields of the primary key, in key order."""
        meta = self.model._meta
        return tuple(getattr(meta, "pk_fields", None) or [meta.pk])

    @cached_property
    def key(self) -> tuple[ModelField, ...]:
        """The primary key's fields, in key order; empty where the relation has none."""
        if getattr(self.model, "_dataflow_keyless", False):
            return ()
        return tuple(
            ModelField(
                name=source.attname,
                kind=kind_of(source),
                source=source,
                column=source.column,
                nullable=False,
                writable=True,
                required=not (source.has_default() or is_made(source)),
                primary_key=True,
            )
            for source in self.key_sources
        )

    @cached_property
    def inherited_keys(self) -> tuple[str, ...]:
        """The primary keys of the tables that the model inherits from: each repeats the model's own."""
        keys = (source for source in self.model._meta.concrete_fields if source.primary_key)
        return tuple(source.attname for source in keys if source not in self.key_sources)

    @cached_property
    def composite_id(self) -> bool:
        """Whether ``id`` means a key of several columns: an object of them."""
        return len(self.key) > 1 and "id" not in self.columns

    @cached_property
    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """Every unconditional unique key, as tuples of outside names; the primary key first."""
        meta = self.model._meta
        keys: list[tuple[str, ...]] = [tuple(item.name for item in self.key)] if self.key else []
        keys += [
            (source.attname,)
            for source in meta.concrete_fields
            if source.unique and source not in self.key_sources
        ]
        together = [tuple(names) for names in meta.unique_together]
        together += [
            tuple(constraint.fields)
            for constraint in meta.constraints
            if isinstance(constraint, models.UniqueConstraint)
            and constraint.fields
            and constraint.condition is None
        ]
        keys += [tuple(meta.get_field(name).attname for name in names) for names in together]  # type: ignore[union-attr]  # concrete by definition
        return tuple(dict.fromkeys(keys))

    # --- relations ---------------------------------------------------------------------------------------------------

    @cached_property
    def relations(self) -> Mapping[str, Relation]:
        """Ways to other models of the same registry, forward and reverse, by the name that filters and expand use."""
        found: dict[str, Relation] = {}
        for item in self.model._meta.get_fields():
            relation = self._relation(item)
            if relation is not None and self.registry.of(relation.target) is not None:
                found[relation.name] = relation
        return found

    def _relation(self, item: Any) -> Relation | None:
        if isinstance(item, models.ManyToManyField):
            return self._many_to_many(item.name, item, forward=True)
        if isinstance(item, models.ForeignKey):
            target = item.remote_field.model
            return Relation(
                name=item.name,
                target=target,
                many=False,
                columns=_columns(item.related_fields),
                field_name=item.attname,
            )
        if (
            not getattr(item, "auto_created", False)
            or not item.is_relation
            or getattr(item, "hidden", False)
        ):
            return None
        name = item.get_accessor_name()
        if name is None:
            return None
        if isinstance(item, models.ManyToManyRel):
            return self._many_to_many(name, item.field, forward=False)
        if isinstance(item, models.ManyToOneRel):
            columns = _columns((remote, local) for local, remote in item.field.related_fields)
            return Relation(
                name=name,
                target=item.related_model,
                many=not isinstance(item, models.OneToOneRel),
                columns=columns,
                reverse_of=item.field.attname,
            )
        return None

    @staticmethod
    def _many_to_many(name: str, many: Any, *, forward: bool) -> Relation:
        through = many.remote_field.through._meta
        source = through.get_field(many.m2m_field_name())
        target = through.get_field(many.m2m_reverse_field_name())
        near, far = (source, target) if forward else (target, source)
        return Relation(
            name=name,
            target=many.remote_field.model if forward else many.model,
            many=True,
            columns=(),
            through=(
                through.db_table,
                tuple((remote.column, local.column) for local, remote in near.related_fields),
                tuple((local.column, remote.column) for local, remote in far.related_fields),
            ),
            field_name=name if forward else None,
            reverse_of=None if forward else many.name,
        )

    @cached_property
    def verbs(self) -> tuple[str, ...]:
        """The operations that the model's own options leave on."""
        chosen = self.options.operations
        verbs = VERBS if chosen is None else tuple(verb for verb in VERBS if verb in chosen)
        if not self.key:
            verbs = tuple(verb for verb in verbs if verb in {"list", "count", "aggregate"})
        return verbs


def _columns(pairs: Iterable[tuple[Any, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(here.column), str(there.column)) for here, there in pairs)
