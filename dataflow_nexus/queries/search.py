"""``search``: every word must occur in one of the model's search fields, in any case."""

from __future__ import annotations

from typing import Any

from dataflow_nexus.exceptions import ConfigurationError, Invalid
from dataflow_nexus.fields import STRING
from dataflow_nexus.queries.dialects import escape_like
from dataflow_nexus.queries.operators import check_pattern, coerced
from dataflow_nexus.queries.ordering import related_value
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL, all_of, any_of
from dataflow_nexus.registry import nearest

MAX_WORDS = 16


def compile_search(scope: Scope, text: Any) -> SQL | None:
    """The condition of a search text; ``None`` without one.

    Raises ``Invalid`` where the model has no search field that the grant shows: to a caller that is the same as none.
    """
    if text is None:
        return None
    words = coerced(STRING, text, "search").split()
    if len(words) > MAX_WORDS:
        raise Invalid.field("search", "too_large", f"a search has at most {MAX_WORDS} words")
    for word in words:
        check_pattern(word, "search")
    values = _searched(scope)
    if not values:
        raise Invalid.field(
            "search", "not_searchable", f'"{scope.exposed.resource}" has no search fields'
        )
    dialect = scope.compilation.dialect
    return all_of(
        any_of(dialect.like(value, f"%{escape_like(word)}%", fold=True) for value in values)
        for word in words
    )


def _searched(scope: Scope) -> list[SQL]:
    """The search fields as text, those left out that the grant hides."""
    found: list[SQL] = []
    for name in scope.exposed.options.search_fields:
        path = name.replace("__", ".")
        if "." in path:
            try:
                value, field = related_value(scope, path, "search", [])
            except Invalid:
                continue
        else:
            if path not in scope.exposed.columns:
                known = list(scope.exposed.columns)
                raise ConfigurationError(
                    f"{scope.exposed.resource}: no search field {name!r}{nearest(name, known)}"
                )
            item = scope.find(path)
            if item is None:
                continue
            value, field = scope.value(item), item
        found.append(
            value if field.kind.name == "string" else scope.compilation.dialect.as_text(value)
        )
    return found
