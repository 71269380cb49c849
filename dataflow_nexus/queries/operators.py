"""What one operator of a filter means for one column: allow-listed, coerced by its kind, bound as parameters."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import connections

from dataflow_nexus.exceptions import Invalid, LimitExceeded
from dataflow_nexus.fields import JSON as JSON_KIND
from dataflow_nexus.fields import STRING, Kind, Rejected, TooDeep, decimal_kind
from dataflow_nexus.queries.dialects import escape_like
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import FALSE, SQL, TRUE, any_of, join, negated, param
from dataflow_nexus.registry import ModelField

COMPARISONS = {"$eq": "=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
TEXT_OPERATORS = (
    "$like",
    "$ilike",
    "$regex",
    "$contains",
    "$icontains",
    "$startswith",
    "$istartswith",
    "$endswith",
    "$iendswith",
)
OPERATORS = (
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$between",
    *TEXT_OPERATORS,
    "$null",
    "$exists",
    "$not",
)
MAX_PATTERN = 10_000
"""Characters of a text to look for."""
_ORDERED = {
    "integer",
    "decimal",
    "float",
    "date",
    "datetime",
    "time",
    "duration",
    "string",
    "uuid",
    "text",
    "binary",
}


def complement(condition: SQL) -> SQL:
    """Exactly the other rows, those included for which the condition is unknown because of a null."""
    if condition in (TRUE, FALSE):
        return FALSE if condition == TRUE else TRUE
    if condition.closed:
        return negated(condition)
    return condition.wrapped("(", ") IS NOT TRUE")


def coerced(kind: Kind, value: Any, at: str) -> Any:
    """A caller's value as the kind's Python value. Raises ``Invalid`` naming the parameter."""
    try:
        return kind.coerce(value)
    except TooDeep as problem:
        raise LimitExceeded.depth(at, f'"{at}" {problem.message}') from None
    except Rejected as problem:
        raise Invalid.field(at, problem.code, f'"{at}" {problem.message}') from None


def prepared(scope: Scope, field: ModelField, value: Any) -> SQL:
    """A coerced value as a parameter in the column's own form."""
    connection = connections[scope.compilation.alias]
    if field.kind.name == "decimal":
        return scope.compilation.dialect.number(value)
    return param(field.storage.get_db_prep_value(value, connection, prepared=False))


def compare_field(scope: Scope, field: ModelField, name: str, value: Any, at: str) -> SQL:
    column = scope.value(field)
    kind = field.kind
    if name in ("$null", "$exists"):
        return column + (" IS NULL" if truth(value, at) == (name == "$null") else " IS NOT NULL")
    if name in TEXT_OPERATORS:
        if kind.name not in ("string", "text", "file"):
            raise Invalid.field(
                at, "operator", f'"{name}" works on text, and "{field.name}" is {kind.name}'
            )
        text = column if kind.name != "text" else scope.compilation.dialect.as_text(column)
        return _text(scope, text, name, value, at)
    if name in ("$in", "$nin"):
        found = _in(scope, field, value, at, column)
        return found if name == "$in" else complement(found)
    if name == "$between":
        low, high = _pair(value, at)
        bounds = (
            _compare(scope, field, low, f"{at}.0")
            + " AND "
            + _compare(scope, field, high, f"{at}.1")
        )
        return column + " BETWEEN " + bounds
    if name in ("$eq", "$ne"):
        if value is None:
            return column + (" IS NULL" if name == "$eq" else " IS NOT NULL")
        found = column + " = " + prepared(scope, field, coerced(kind, value, at))
        return found if name == "$eq" else complement(found)
    return column + f" {COMPARISONS[name]} " + _compare(scope, field, value, at)


def _compare(scope: Scope, field: ModelField, value: Any, at: str) -> SQL:
    if field.kind.name not in _ORDERED:
        raise Invalid.field(
            at, "operator", f'"{field.name}" is {field.kind.name}, which has no order'
        )
    if value is None:
        raise Invalid.field(at, "null", f'"{at}" must not be null; use $null')
    return prepared(scope, field, coerced(field.kind, value, at))


def _pair(value: Any, at: str) -> tuple[Any, Any]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise Invalid.field(at, "type", f'"{at}" must be an array of two values')
    return value[0], value[1]


def _items(scope: Scope, value: Any, at: str) -> list[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Invalid.field(at, "type", f'"{at}" must be an array')
    scope.compilation.count_values(len(value), at)
    return list(value)


def _in(scope: Scope, field: ModelField, value: Any, at: str, column: SQL) -> SQL:
    items = _items(scope, value, at)
    values = [
        coerced(field.kind, item, f"{at}.{index}")
        for index, item in enumerate(items)
        if item is not None
    ]
    parts = []
    if values:
        parts.append(
            column + " IN (" + join(", ", [prepared(scope, field, item) for item in values]) + ")"
        )
    if len(values) < len(items):
        parts.append(column + " IS NULL")
    return any_of(parts)


def truth(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid.field(at, "type", f'"{at}" must be true or false')
    return value


def check_pattern(text: str, at: str) -> None:
    """Refuse what is longer than a database compares with: SQLite takes 50,000 bytes."""
    if len(text) > MAX_PATTERN:
        raise Invalid.field(at, "too_large", f'"{at}" has at most {MAX_PATTERN} characters')


def _text(scope: Scope, column: SQL, name: str, value: Any, at: str) -> SQL:
    if not isinstance(value, str):
        raise Invalid.field(at, "type", f'"{at}" must be a string')
    coerced(STRING, value, at)
    check_pattern(value, at)
    dialect = scope.compilation.dialect
    if name == "$regex":
        if dialect.name == "sqlite" and not scope.compilation.configuration.enable_sqlite_regex:
            raise Invalid.field(
                at, "operator", "$regex is off on SQLite; enable_sqlite_regex turns it on"
            )
        return dialect.regex(column, value)
    if name in ("$like", "$ilike"):
        if (len(value) - len(value.rstrip("\\"))) % 2:
            raise Invalid.field(at, "pattern", f'"{at}" must not end in a single backslash')
        return dialect.like(column, value, fold=name == "$ilike")
    fold = name.startswith("$i")
    position = name.removeprefix("$i" if fold else "$")
    pattern = escape_like(value)
    pattern = {"contains": f"%{pattern}%", "startswith": f"{pattern}%", "endswith": f"%{pattern}"}[
        position
    ]
    return dialect.like(column, pattern, fold=fold)


# --- JSON ------------------------------------------------------------------------------------------------------------


def compare_json(
    scope: Scope, field: ModelField, path: tuple[str, ...], name: str, value: Any, at: str
) -> SQL:
    """Operators on a JSON field or a path in one: a comparison matches values of the operand's own type."""
    dialect, column = scope.compilation.dialect, scope.value(field)
    if name == "$exists":
        found = dialect.json_exists(column, path)
        return found if truth(value, at) else complement(found)
    if name == "$null":
        found = dialect.json_is_null(column, path)
        return found if truth(value, at) else complement(found)
    if name in ("$eq", "$ne"):
        found = _json_equal(scope, column, path, value, at)
        return found if name == "$eq" else complement(found)
    if name in ("$in", "$nin"):
        items = _items(scope, value, at)
        found = _json_in(scope, column, path, items, at)
        return found if name == "$in" else complement(found)
    if name in TEXT_OPERATORS:
        return _text(scope, dialect.json_text(column, path), name, value, at)
    if name == "$between":
        low, high = _pair(value, at)
        above = _json_compare(scope, column, path, ">=", low, f"{at}.0")
        return above + " AND " + _json_compare(scope, column, path, "<=", high, f"{at}.1")
    return _json_compare(scope, column, path, COMPARISONS[name], value, at)


def _json_equal(scope: Scope, column: SQL, path: tuple[str, ...], value: Any, at: str) -> SQL:
    if value is None:
        return scope.compilation.dialect.json_is_null(column, path)
    document = coerced(JSON_KIND, value, at)
    return scope.compilation.dialect.json_equal(column, path, document)


def _json_in(scope: Scope, column: SQL, path: tuple[str, ...], items: list[Any], at: str) -> SQL:
    dialect = scope.compilation.dialect
    documents = [
        coerced(JSON_KIND, item, f"{at}.{index}")
        for index, item in enumerate(items)
        if item is not None
    ]
    parts = [dialect.json_in(column, path, documents)] if documents else []
    if len(documents) < len(items):
        parts.append(dialect.json_is_null(column, path))
    return any_of(parts)


def _json_compare(
    scope: Scope, column: SQL, path: tuple[str, ...], operator: str, value: Any, at: str
) -> SQL:
    dialect = scope.compilation.dialect
    if isinstance(value, str):
        text = coerced(JSON_KIND, value, at)
        return dialect.json_text(column, path) + f" {operator} " + param(text)
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        number = coerced(decimal_kind(None), value, at)
        return dialect.json_number(column, path) + f" {operator} " + dialect.number(number)
    raise Invalid.field(at, "type", f'"{at}" must be a string or a number')
