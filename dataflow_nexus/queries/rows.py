"""The part that both renderings share: which rows, in which order, with which columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from dataflow_nexus.queries.connections import quote
from dataflow_nexus.queries.ordering import Term
from dataflow_nexus.queries.scope import Scope
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
    often: bool = False
    """Whether the text of the statement comes again and again: no filter of a caller's is in it."""

    def statement(self, columns: Sequence[str]) -> SQL:
        """``SELECT columns FROM … WHERE … ORDER BY … LIMIT …``; columns keep their database names."""
        scope, named = self.scope, self.scope.compilation.quote
        selected = [SQL(_selected(scope.compilation.alias, scope.alias, tuple(columns)))]
        if self.keys:
            dialect = scope.compilation.dialect
            selected += [
                dialect.key_text(term.value, term.kind) + f" AS {named(f'{KEY_PREFIX}{index}')}"
                for index, term in enumerate(self.order)
            ]
        text = "SELECT " + join(", ", selected) + " FROM " + scope.source()
        text += where(all_of([self.condition, scope.visible()]))
        if self.order:
            text = text + " ORDER BY " + join(", ", [term.sql() for term in self.order])
        if self.limit is not None:
            # a number in the text, so that a kept plan knows it
            text = text + f" LIMIT {int(self.limit)}"
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


@lru_cache(maxsize=4096)
def _selected(alias: str, table: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{table}.{quote(alias, column)}" for column in columns) or "1"
