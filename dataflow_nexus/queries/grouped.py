"""Groups as a scope: ``having`` and ``order_by`` of Aggregate see names of keys and results, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataflow_nexus.queries.aggregates import GROUPS, Column
from dataflow_nexus.queries.ordering import Term, asked_order
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL
from dataflow_nexus.registry import ModelField, Relation


class Grouped(Scope):
    """The columns of groups by name. They are made of what the grant shows, so there is no further mask."""

    def __init__(self, scope: Scope, columns: Sequence[Column]) -> None:
        super().__init__(scope.compilation, scope.exposed, scope.grant, alias=GROUPS)
        self._columns = {column.name: column for column in columns}

    def known(self) -> list[str]:
        return list(self._columns)

    def find(self, name: str) -> ModelField | None:
        found = self._columns.get(name)
        return None if found is None else found.field

    def value(self, item: ModelField) -> SQL:
        return SQL(self._columns[item.name].value)

    def relation(self, name: str) -> Relation | None:  # noqa: ARG002  # a group leads nowhere
        return None


def order_of(grouped: Grouped, order_by: Any, keys: Sequence[str]) -> list[Term]:
    """The sort terms of groups: what was asked for, then every key, so that the order is always one."""
    terms, names = asked_order(grouped, order_by)
    rest, _ = asked_order(grouped, [name for name in keys if name not in names])
    return terms + rest
