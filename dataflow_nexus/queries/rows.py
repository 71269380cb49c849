"""The part that both renderings share: which rows, in which order, with which columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataflow_nexus.queries.ordering import Term
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.shapes import Shape
from dataflow_nexus.queries.sql import SQL, all_of, join, where

KEY_PREFIX = "dataflow_key_"


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of a scope. ``limit`` counts the row that tells whether there is a next page; ``keys`` are sort keys to
    bring along for a cursor."""

    scope: Scope
    condition: SQL | None = None
    order: Sequence[Term] = ()
    limit: int | None = None
    offset: int = 0
    keys: bool = False

    def statement(self, columns: Sequence[str]) -> SQL:
        """``SELECT columns FROM … WHERE … ORDER BY … LIMIT …``; columns keep their database names."""
        scope, quote = self.scope, self.scope.compilation.quote
        selected = [SQL(f"{scope.alias}.{quote(column)}") for column in columns]
        if self.keys:
            dialect = scope.compilation.dialect
            selected += [
                dialect.key_text(term.value, term.kind) + f" AS {quote(f'{KEY_PREFIX}{index}')}"
                for index, term in enumerate(self.order)
            ]
        text = (
            "SELECT " + (join(", ", selected) if selected else SQL("1")) + " FROM " + scope.source()
        )
        text += where(all_of([self.condition, scope.visible()]))
        if self.order:
            text = text + " ORDER BY " + join(", ", [term.sql() for term in self.order])
        if self.limit is not None:
            text = text + SQL(" LIMIT %s", (self.limit,))
        if self.offset:
            limited = (
                ""
                if self.limit is not None or scope.compilation.dialect.name != "sqlite"
                else " LIMIT -1"
            )
            text = text + SQL(f"{limited} OFFSET %s", (self.offset,))
        return text

    @property
    def key_names(self) -> list[str]:
        return [f"{KEY_PREFIX}{index}" for index in range(len(self.order))] if self.keys else []


def needed_columns(shape: Shape) -> list[str]:
    """The columns that rendering a shape reads, in field order; all of them where rules decide per row."""
    exposed = shape.exposed
    if shape.conditional:
        names = [str(item.column) for item in exposed.columns.values()]
        names += [str(item.column) for item in shape.fields if item.in_database]
        return list(dict.fromkeys(names))
    names = [str(item.column) for item in shape.fields if item.in_database]
    for field in shape.fields:
        relation = exposed.model._meta.get_field(field.name) if field.many else None
        if relation is not None:
            names += [remote.column for _, remote in near_columns(relation)]
    for expand in shape.expands:
        pairs = (
            expand.relation.columns
            if expand.relation.through is None
            else expand.relation.through[1]
        )
        names += [local for local, _ in pairs]
    if shape.calls:
        names += [str(item.column) for item in exposed.key]
    return list(dict.fromkeys(names))


def near_columns(many: Any) -> list[tuple[Any, Any]]:
    """``(through field, own field)`` of a many-to-many field: how its through table points back here."""
    through = many.remote_field.through._meta
    source = through.get_field(many.m2m_field_name())
    return list(source.related_fields)
