"""One table in a statement, as one grant shows it: names become columns here, and nowhere else.

A field that the grant never shows does not exist. A field that it shows on some rows only is null on the others, in
every clause. Rows outside the grant do not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models import F
from django.db.models.manager import BaseManager

from dataflow_nexus.access.grants import UNRESTRICTED, Grant
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.conf import Configuration
from dataflow_nexus.exceptions import Invalid, LimitExceeded
from dataflow_nexus.queries.connections import quote
from dataflow_nexus.queries.dialects import DIALECTS, Dialect
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.sql import SQL, TRUE, all_of, any_of
from dataflow_nexus.registry import Exposed, ModelField, Relation


@dataclass(kw_only=True)
class Compilation:
    """What one statement is compiled for: database, principal, limits, and counters of what it is made of."""

    alias: str
    principal: Principal
    configuration: Configuration
    grant_on: Callable[[type[models.Model]], Grant | None]
    conditions: int = 0
    listed: int = 0
    """Values in the lists of all conditions."""
    aliases: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def dialect(self) -> Dialect:
        vendor = connections[self.alias].vendor
        if vendor not in DIALECTS:
            raise Invalid(f"the database {vendor} is not supported")
        return DIALECTS[vendor]

    def next_alias(self) -> str:
        return f"t{next(self.aliases)}"

    def with_full_sight(self) -> Compilation:
        """For a rule's own row condition: its author sees everything."""
        return replace(self, grant_on=lambda _: UNRESTRICTED, conditions=0, listed=0)

    def quote(self, name: str) -> str:
        return quote(self.alias, name)

    def count_condition(self, at: str) -> None:
        """Bound the conditions of a request: those of ``filter`` and ``having``, with all that is nested in them."""
        self.conditions += 1
        limit = self.configuration.max_filter_conditions
        if self.conditions > limit:
            message = f"a filter has at most {limit} conditions (max_filter_conditions)"
            raise LimitExceeded.size(at.partition(".")[0], message)

    def count_values(self, number: int, at: str) -> None:
        """Bound the values that all lists of a request hold together, before any of the next list is looked at."""
        self.listed += number
        limit = self.configuration.max_in_values
        if self.listed > limit:
            message = f"the lists of a filter hold at most {limit} values together (max_in_values)"
            raise LimitExceeded.size(at, message)


class Scope:
    """A table alias in a statement with the grant that it is read through."""

    def __init__(
        self,
        compilation: Compilation,
        exposed: Exposed,
        grant: Grant,
        *,
        alias: str | None = None,
        written: bool = False,
    ) -> None:
        """``written``: for rows that the running write made or changed, which the model's manager may hide now."""
        self.compilation = compilation
        self.exposed = exposed
        self.grant = grant
        self.alias = alias or compilation.next_alias()
        self._written = written
        self._masks: dict[tuple[Any, ...], SQL] = {}

    # --- rows --------------------------------------------------------------------------------------------------------

    def source(self) -> SQL:
        """The FROM item: the table itself, or the model's own queryset where that is more than the table."""
        compiled = base_queryset(self.exposed, self.compilation, written=self._written)
        if compiled is None:
            return SQL(f"{self.compilation.quote(self.exposed.table)} {self.alias}")
        return compiled.wrapped("(", f") {self.alias}")

    def visible(self) -> SQL | None:
        """The condition that selects the rows of the grant; ``None`` for all."""
        if self.grant.all_rows:
            return None
        return any_of(
            self.rows(source.rows) for source in self.grant.sources if source.rows is not None
        )

    def rows(self, condition: Mapping[str, Any]) -> SQL:
        """A rule's row condition over this table, compiled with full sight."""
        from dataflow_nexus.queries.filters import (
            compile_filter,
        )  # filters are made of scopes, and scopes of filters

        seeing = Scope(
            self.compilation.with_full_sight(), self.exposed, UNRESTRICTED, alias=self.alias
        )
        return compile_filter(seeing, condition, at="rows") or TRUE

    # --- fields ------------------------------------------------------------------------------------------------------

    def known(self) -> list[str]:
        """Every name that exists for the grant: for suggestions."""
        fields = [name for name in self.exposed.fields if self.grant.reads(name)]
        return fields + [
            name for name, relation in self.exposed.relations.items() if self.follows(relation)
        ]

    def field(self, name: str, at: str) -> ModelField:
        """The field of a name, or the error that it is unknown. ``id`` is the primary key."""
        found = self.find(name)
        if found is None:
            raise unknown("field", name, self.known(), at=at)
        return found

    def find(self, name: str) -> ModelField | None:
        found = self.exposed.fields.get(name)
        if found is None and name == "id" and len(self.exposed.key) == 1:
            found = self.exposed.fields.get(self.exposed.key[0].name)
        return found if found is not None and self.grant.reads(found.name) else None

    def raw(self, item: ModelField) -> SQL:
        """The column as the database holds it: only for what the grant does not decide."""
        return SQL(f"{self.alias}.{self.compilation.quote(item.column or '')}")

    def value(self, item: ModelField) -> SQL:
        """The column as the grant shows it: null on rows where it is hidden."""
        mask = self.mask(item.name)
        return (
            self.raw(item)
            if mask is None
            else "CASE WHEN " + mask + " THEN " + self.raw(item) + " END"
        )

    def mask(self, name: str) -> SQL | None:
        """The condition under which the field is shown; ``None`` where it always is."""
        if self.grant.reads_everywhere(name):
            return None
        conditions = self.grant.rows_showing(name)
        key = tuple(id(condition) for condition in conditions)
        if key not in self._masks:
            self._masks[key] = any_of([self.rows(condition) for condition in conditions])
        return self._masks[key]

    # --- relations ---------------------------------------------------------------------------------------------------

    def follows(self, relation: Relation) -> bool:
        """Whether the grants on both sides show the fields that carry the relation."""
        grant = self.compilation.grant_on(relation.target)
        return is_shown(relation, self.exposed, self.grant, grant)

    def relation(self, name: str) -> Relation | None:
        found = self.exposed.relations.get(name)
        return found if found is not None and self.follows(found) else None

    def related(self, relation: Relation) -> Related:
        """The other side of a relation: a new scope and the condition that joins it to this row."""
        target = self.exposed.registry.of(relation.target)
        grant = self.compilation.grant_on(relation.target)
        assert target is not None
        assert grant is not None
        scope = Scope(self.compilation, target, grant)
        quote_name = self.compilation.quote
        source = scope.source()
        rest: list[SQL | None] = [
            scope.visible(),
            scope.mask(relation.reverse_of) if relation.reverse_of else None,
        ]
        if relation.through is None:
            near = [
                (local, f"{scope.alias}.{quote_name(remote)}") for local, remote in relation.columns
            ]
        else:
            table, here, there = relation.through
            middle = self.compilation.next_alias()
            source = SQL(f"{quote_name(table)} {middle}, ") + source
            near = [(local, f"{middle}.{quote_name(column)}") for local, column in here]
            rest += [
                SQL(f"{middle}.{quote_name(left)} = {scope.alias}.{quote_name(right)}")
                for left, right in there
            ]
        joined = [SQL(f"{far} = {self.alias}.{quote_name(local)}") for local, far in near]
        carrier = self.mask(relation.field_name) if relation.field_name else None
        condition = all_of([*joined, carrier, *rest])
        assert condition is not None
        return Related(
            scope=scope,
            source=source,
            condition=condition,
            near=tuple(far for _, far in near),
            unjoined=all_of(rest),
        )


@dataclass(frozen=True, kw_only=True)
class Related:
    """``FROM source WHERE condition`` selects the visible related rows of one row.

    ``near`` are the columns that equal the row's own; ``unjoined`` is the condition without that equality.
    """

    scope: Scope
    source: SQL
    condition: SQL
    near: tuple[str, ...]
    unjoined: SQL | None

    def exists(self, condition: SQL | None) -> SQL:
        found = all_of([condition, self.condition])  # in this order, because that nests less
        assert found is not None
        text = ("EXISTS (SELECT 1 FROM " + self.source + " WHERE " + found) + ")"
        return replace(text, closed=True)


_tables: WeakKeyDictionary[Exposed, bool] = WeakKeyDictionary()


def is_table(exposed: Exposed) -> bool:
    """Whether the rows of a model are those of its one table, whoever asks."""
    if exposed not in _tables:
        model, options = exposed.model, exposed.options
        fields = [source for source in model._meta.concrete_fields if source.column is not None]
        _tables[exposed] = (
            options.queryset is None
            and type(model._default_manager).get_queryset is BaseManager.get_queryset
            and all(source.model._meta.db_table == model._meta.db_table for source in fields)
            and not any(hasattr(item, "resolve_expression") for item in options.computed.values())
        )
    return _tables[exposed]


def hides_some(scope: Scope, field: ModelField) -> bool:
    """Whether the grant on the other side of a many-to-many field hides some of its records."""
    many: Any = field.source
    grant = scope.compilation.grant_on(many.remote_field.model)
    return grant is None or not grant.all_rows


def visible_ids(scope: Scope, field: ModelField) -> tuple[str, Related] | None:
    """The key and the visible records on the other side of a many-to-many field; ``None`` where none can be."""
    relation = scope.exposed.relations.get(field.name)
    if relation is None or scope.compilation.grant_on(relation.target) is None:
        return None
    assert relation.through is not None
    related = scope.related(relation)
    [(_, remote)] = relation.through[2]
    return f"{related.scope.alias}.{scope.compilation.quote(remote)}", related


def base_queryset(
    exposed: Exposed, compilation: Compilation, *, written: bool = False
) -> SQL | None:
    """The model's own queryset as a subquery, or ``None`` where it is the plain table.

    Reads go through ``_default_manager`` or the ``queryset`` option, so a manager that hides rows hides them here.
    What was ``written`` is read as ``refresh_from_db`` reads it; the option says who may see what, so it holds.
    """
    if is_table(exposed):
        return None
    model, hook = exposed.model, exposed.options.queryset
    expressions = {
        name: value
        for name, value in exposed.options.computed.items()
        if hasattr(value, "resolve_expression")
    }
    manager = model._base_manager if written else model._default_manager
    fields = [source for source in model._meta.concrete_fields if source.column is not None]
    queryset = (
        manager.all()
        if hook is None
        else hook(compilation.principal)
        if callable(hook)
        else hook.all()
    )
    aliased = {f"_dataflow_{index}": F(source.attname) for index, source in enumerate(fields)}
    query = (
        queryset.using(compilation.alias)
        .order_by()
        .select_related(None)
        .annotate(**aliased, **expressions)
        .values_list(*aliased, *expressions)
        .query
    )
    quote_name = compilation.quote
    columns = [
        f"q.{quote_name(name)} AS {quote_name(str(source.column))}"
        for name, source in zip(aliased, fields, strict=True)
    ]
    columns += [f"q.{quote_name(name)}" for name in expressions]
    try:
        text, params = query.get_compiler(using=compilation.alias).as_sql()
    except EmptyResultSet:
        nulls = ", ".join(f"NULL AS {quote_name(name)}" for name in [*aliased, *expressions])
        text, params = f"SELECT {nulls} WHERE 1 = 0", ()
    return SQL(f"SELECT {', '.join(columns)} FROM (") + SQL(text, tuple(params)) + ") q"


def is_shown(relation: Relation, exposed: Exposed, here: Grant, there: Grant | None) -> bool:
    """Whether the model and its relation's target show the fields that carry it, under the grants on both."""
    target = exposed.registry.of(relation.target)
    if target is None or there is None:
        return False
    sides = ((relation.field_name, exposed, here), (relation.reverse_of, target, there))
    return all(
        name is None or (name in model.fields and grant.reads(name)) for name, model, grant in sides
    )
