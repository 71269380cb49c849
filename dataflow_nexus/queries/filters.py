"""The filter language → one SQL condition, against what the grant shows.

Every name is looked up in a scope, every operator in an allow-list, every value is coerced by its field's kind and
becomes a parameter. ``$ne``, ``$nin`` and ``$not`` are exact complements: a row with null matches them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import connections

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.fields import JSON as JSON_KIND
from dataflow_nexus.fields import Kind, Rejected, decimal_kind
from dataflow_nexus.queries.dialects import escape_like
from dataflow_nexus.queries.names import at as step
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import FALSE, SQL, TRUE, all_of, any_of, join, param
from dataflow_nexus.registry import ModelField, Relation

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
LOGICAL = ("$and", "$or", "$not")
QUANTIFIERS = ("$some", "$none", "$every")
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


def compile_filter(scope: Scope, tree: Any, *, at: str = "filter", depth: int = 0) -> SQL | None:
    """The condition of a filter; ``None`` for an empty one, which selects every row.

    Raises ``Invalid`` naming the path of what is wrong: an unknown name or operator, a value of the wrong type, or a
    filter that is too deep or too large.
    """
    if not isinstance(tree, Mapping):
        raise Invalid.field(at, "type", f'"{at}" must be an object of conditions')
    if depth > scope.compilation.configuration.max_filter_depth:
        limit = scope.compilation.configuration.max_filter_depth
        raise Invalid.field(at, "too_deep", f"a filter is at most {limit} levels deep")
    conditions: list[SQL | None] = []
    for name, wanted in tree.items():
        if not isinstance(name, str):
            raise Invalid.field(at, "type", f'the names in "{at}" must be strings')
        path = step(at, name)
        if name.startswith("$"):
            conditions.append(_logical(scope, name, wanted, path, depth))
        else:
            conditions.append(_named(scope, name, wanted, path, depth))
    return all_of(conditions)


def _logical(scope: Scope, name: str, wanted: Any, at: str, depth: int) -> SQL | None:
    if name not in LOGICAL:
        raise unknown("operator", name, LOGICAL, at=at)
    if name == "$not":
        inner = compile_filter(scope, wanted, at=at, depth=depth + 1)
        return FALSE if inner is None else complement(scope, inner)
    if not isinstance(wanted, Sequence) or isinstance(wanted, str):
        raise Invalid.field(at, "type", f'"{at}" must be an array of filters')
    parts = [
        compile_filter(scope, item, at=f"{at}.{index}", depth=depth + 1) or TRUE
        for index, item in enumerate(wanted)
    ]
    return all_of(parts) if name == "$and" else any_of(parts)


def complement(scope: Scope, condition: SQL) -> SQL:
    """Exactly the other rows, those included for which the condition is unknown because of a null."""
    return "NOT (" + scope.compilation.dialect.is_true(condition) + ")"


# --- names -----------------------------------------------------------------------------------------------------------


def _named(scope: Scope, name: str, wanted: Any, at: str, depth: int) -> SQL | None:
    field = scope.find(name)
    if (
        field is None
        and name == "id"
        and len(scope.exposed.key) > 1
        and name not in scope.exposed.fields
    ):
        return _composite(scope, wanted, at)
    if field is not None and field.in_database:
        return _conditions(scope, field, (), wanted, at, depth)
    relation = scope.relation(name)
    if relation is not None:
        return _related(scope, relation, wanted, at, depth)
    head, dot, rest = name.partition(".")
    if dot:
        field = scope.find(head)
        if field is not None and field.kind.name == "json":
            return _conditions(scope, field, tuple(rest.split(".")), wanted, at, depth)
        relation = scope.relation(head)
        if relation is not None and not relation.many:
            return _related(scope, relation, {rest: wanted}, at.removesuffix(f".{rest}"), depth)
    if scope.find(name) is not None:
        raise Invalid.field(
            at, "not_filterable", f'the field "{name}" is computed and can\'t be filtered'
        )
    raise unknown("field", name, scope.known(), at=at)


def _composite(scope: Scope, wanted: Any, at: str) -> SQL:
    names = [field.name for field in scope.exposed.key]
    if not isinstance(wanted, Mapping) or set(wanted) != set(names):
        raise Invalid.field(at, "type", f'"{at}" must be an object of {", ".join(names)}')
    found = all_of(
        _conditions(scope, scope.field(n, step(at, n)), (), wanted[n], step(at, n), 0)
        for n in names
    )
    assert found is not None
    return found


def _related(scope: Scope, relation: Relation, wanted: Any, at: str, depth: int) -> SQL:
    scope.compilation.count_condition()
    related = scope.related(relation)
    if not relation.many:
        if isinstance(wanted, Mapping):
            if "$null" in wanted and len(wanted) == 1:
                found = related.exists(None)
                return (
                    complement(scope, found)
                    if _truth(wanted["$null"], step(at, "$null"))
                    else found
                )
            return related.exists(compile_filter(related.scope, wanted, at=at, depth=depth + 1))
        key = relation.field_name and scope.find(relation.field_name)
        if not key:
            raise Invalid.field(at, "type", f'"{at}" must be an object of conditions')
        return _conditions(scope, key, (), wanted, at, depth) or TRUE
    if not isinstance(wanted, Mapping) or not wanted or not set(wanted) <= set(QUANTIFIERS):
        wrong = (
            next((name for name in wanted if name not in QUANTIFIERS), None)
            if isinstance(wanted, Mapping)
            else None
        )
        if wrong is not None and str(wrong).startswith("$"):
            raise unknown("operator", str(wrong), QUANTIFIERS, at=step(at, wrong))
        raise Invalid.field(
            at,
            "type",
            f'"{at}" must be an object of $some, $none or $every: it relates to many records',
        )
    return (
        all_of(_quantified(scope, relation, name, wanted[name], at, depth) for name in wanted)
        or TRUE
    )


def _quantified(
    scope: Scope, relation: Relation, quantifier: str, wanted: Any, at: str, depth: int
) -> SQL:
    related = scope.related(relation)
    inner = compile_filter(related.scope, wanted, at=step(at, quantifier), depth=depth + 1)
    if quantifier == "$every":
        return TRUE if inner is None else "NOT " + related.exists(complement(scope, inner))
    found = related.exists(inner)
    return found if quantifier == "$some" else "NOT " + found


# --- operators -------------------------------------------------------------------------------------------------------


def _conditions(
    scope: Scope, field: ModelField, path: tuple[str, ...], wanted: Any, at: str, depth: int
) -> SQL | None:
    """All operators given for one field or JSON path."""
    operators = (
        isinstance(wanted, Mapping)
        and bool(wanted)
        and all(str(name).startswith("$") for name in wanted)
    )
    if not operators:
        if isinstance(wanted, Mapping) and field.kind.name != "json":
            wrong = next((str(name) for name in wanted), "")
            raise unknown("operator", wrong, OPERATORS, at=step(at, wrong))
        wanted = {"$eq": wanted}
    if depth > scope.compilation.configuration.max_filter_depth:
        raise Invalid.field(at, "too_deep", "the filter is nested too deep")
    found: list[SQL | None] = []
    for name, value in wanted.items():
        if name not in OPERATORS:
            raise unknown("operator", name, OPERATORS, at=step(at, name))
        scope.compilation.count_condition()
        where = at if not operators else step(at, name)
        if name == "$not":
            inner = _conditions(scope, field, path, value, where, depth + 1)
            found.append(FALSE if inner is None else complement(scope, inner))
        elif field.kind.name == "json":
            found.append(_json(scope, field, path, name, value, where))
        else:
            found.append(_operator(scope, field, name, value, where))
    return all_of(found)


def coerced(kind: Kind, value: Any, at: str) -> Any:
    """A caller's value as the kind's Python value. Raises ``Invalid`` naming the parameter."""
    try:
        return kind.coerce(value)
    except Rejected as problem:
        raise Invalid.field(at, problem.code, f'"{at}" {problem.message}') from None


def prepared(scope: Scope, field: ModelField, value: Any) -> SQL:
    """A coerced value as a parameter in the column's own form."""
    connection = connections[scope.compilation.alias]
    if field.kind.name == "decimal":
        return scope.compilation.dialect.number(value)
    return param(field.storage.get_db_prep_value(value, connection, prepared=False))


def _operator(scope: Scope, field: ModelField, name: str, value: Any, at: str) -> SQL:
    column = scope.value(field)
    kind = field.kind
    if name in ("$null", "$exists"):
        return column + (" IS NULL" if _truth(value, at) == (name == "$null") else " IS NOT NULL")
    if name in TEXT_OPERATORS:
        if kind.name not in ("string", "text", "file"):
            raise Invalid.field(
                at, "operator", f'"{name}" works on text, and "{field.name}" is {kind.name}'
            )
        text = column if kind.name != "text" else scope.compilation.dialect.as_text(column)
        return _text(scope, text, name, value, at)
    if name in ("$in", "$nin"):
        found = _in(scope, field, value, at, column)
        return found if name == "$in" else complement(scope, found)
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
        return found if name == "$eq" else complement(scope, found)
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
    limit = scope.compilation.configuration.max_in_values
    if len(value) > limit:
        raise Invalid.field(at, "too_large", f'"{at}" has {len(value)} values, the most is {limit}')
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


def _truth(value: Any, at: str) -> bool:
    if not isinstance(value, bool):
        raise Invalid.field(at, "type", f'"{at}" must be true or false')
    return value


def _text(scope: Scope, column: SQL, name: str, value: Any, at: str) -> SQL:
    if not isinstance(value, str):
        raise Invalid.field(at, "type", f'"{at}" must be a string')
    try:
        JSON_KIND.coerce(value)
    except Rejected as problem:
        raise Invalid.field(at, problem.code, f'"{at}" {problem.message}') from None
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


def _json(
    scope: Scope, field: ModelField, path: tuple[str, ...], name: str, value: Any, at: str
) -> SQL:
    """Operators on a JSON field or a path in one: a comparison matches values of the operand's own type."""
    dialect, column = scope.compilation.dialect, scope.value(field)
    if name == "$exists":
        found = dialect.json_exists(column, path)
        return found if _truth(value, at) else complement(scope, found)
    if name == "$null":
        found = dialect.json_is_null(column, path)
        return found if _truth(value, at) else complement(scope, found)
    if name in ("$eq", "$ne"):
        found = _json_equal(scope, column, path, value, at)
        return found if name == "$eq" else complement(scope, found)
    if name in ("$in", "$nin"):
        items = _items(scope, value, at)
        found = any_of(
            _json_equal(scope, column, path, item, f"{at}.{index}")
            for index, item in enumerate(items)
        )
        return found if name == "$in" else complement(scope, found)
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
