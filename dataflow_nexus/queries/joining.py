"""Fields of a row and of the visible rows that its to-one relations lead to, each related table joined once."""

from __future__ import annotations

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL
from dataflow_nexus.registry import ModelField, Relation


class Joined:
    """A scope with the LEFT JOINs of the to-one paths that were asked for.

    What the grant on a related row does not show is null, as if there were no related row.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._scopes: dict[str, Scope] = {}
        self._joins: list[SQL] = []

    def source(self) -> SQL:
        """The FROM item: the scope's own and every join."""
        found = self.scope.source()
        for join in self._joins:
            found = found + join
        return found

    def value(self, name: str, at: str) -> tuple[SQL, ModelField]:
        """``stock``, ``category.name``, or a relation for its key. Raises ``Invalid`` for what the grants hide."""
        field = self.scope.find(name)
        scope = self.scope
        if field is None:
            scope, last = self._walk(name, at)
            field = scope.find(last) or _carrier(scope, last)
        if field is None and name == "id" and len(scope.exposed.key) > 1:
            raise Invalid.field(at, "type", "the key is composite: name its fields")
        if field is None:
            raise self._unknown(name, at)
        if not field.in_database:
            raise Invalid.field(at, "not_stored", f'"{name}" is not a column of the database')
        return scope.value(field), field

    def _walk(self, name: str, at: str) -> tuple[Scope, str]:
        """The scope at the end of a path's relations, and the last name of the path."""
        *steps, last = name.replace("__", ".").split(".")
        scope, path = self.scope, ""
        if len(steps) > scope.compilation.configuration.expand_depth:
            raise self._unknown(name, at)
        for step in steps:
            path = f"{path}.{step}"
            relation = scope.relation(step)
            if relation is None or relation.many:
                raise self._unknown(name, at)
            scope = self._scopes.get(path) or self._join(scope, relation, path)
        return scope, last

    def _join(self, scope: Scope, relation: Relation, path: str) -> Scope:
        related = scope.related(relation)
        self._joins.append(" LEFT JOIN " + related.source + " ON " + related.condition)
        self._scopes[path] = related.scope
        return related.scope

    def _unknown(self, name: str, at: str) -> Invalid:
        return unknown("field", name, self.known(), at=at)

    def known(self) -> list[str]:
        """Names for suggestions: those of the row, and of the rows one step away."""
        scope = self.scope
        names = scope.known()
        for name, relation in scope.exposed.relations.items():
            if not relation.many and scope.follows(relation):
                names += [f"{name}.{item}" for item in scope.related(relation).scope.known()]
        return names


def _carrier(scope: Scope, name: str) -> ModelField | None:
    """The foreign key of a relation's name."""
    relation = scope.relation(name)
    if relation is None or relation.many or relation.field_name is None:
        return None
    return scope.find(relation.field_name)
