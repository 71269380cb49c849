"""Aggregate: rows grouped, and sums, averages, minima, maxima and counts of every group, in one statement.

Names of results never become SQL: inside they are ``a0``, ``a1``, … and the keys of groups ``k0``, ``k1``, ….
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from django.db import DataError

from dataflow_nexus.access.grants import Grant
from dataflow_nexus.exceptions import Invalid, LimitExceeded, PermissionDenied
from dataflow_nexus.operations import parameters
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.reading import compilation
from dataflow_nexus.queries.aggregates import (
    FUNCTIONS,
    GROUPABLE,
    GROUPS,
    Column,
    Result,
    check,
    key_column,
    out_of_range,
    result_column,
)
from dataflow_nexus.queries.connections import fetch
from dataflow_nexus.queries.filters import compile_filter
from dataflow_nexus.queries.grouped import Grouped, order_of
from dataflow_nexus.queries.joining import Joined
from dataflow_nexus.queries.names import at as step
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL, all_of, join, where

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
MAX_KEYS = 16
MAX_RESULTS = 64
_OUT_OF_RANGE = "22003"
_NAME = re.compile(r"[^\W\d][\w.]{0,99}")


def aggregate(call: Call) -> bytes:
    """Groups with their results; without ``group_by`` one group of all rows."""
    grant = _aggregated(call)
    parameters.refuse_unknown(call)
    scope = Scope(compilation(call), call.exposed, grant)
    joined = Joined(scope)
    keys = _keys(call, joined)
    results = _results(call, joined, [column.name for column in keys])
    columns = [*keys, *results]
    if not columns:
        raise Invalid.field("aggregate", "required", 'give "aggregate", "group_by" or both')
    tree = parameters.mapping(call, "filter")
    condition = None if tree is None else compile_filter(scope, tree)
    grouped = Grouped(scope, columns)
    tree = parameters.mapping(call, "having")
    having = None if tree is None else compile_filter(grouped, tree, at="having")
    terms = order_of(grouped, call.params.get("order_by"), [column.name for column in keys])
    limit, most = _limits(call, grant)
    statement = _statement(joined, condition, keys, results) + where(having)
    if terms:
        statement += " ORDER BY " + join(", ", [term.sql() for term in terms])
    statement += SQL(" LIMIT %s", (most + 1 if limit is None else limit,))
    found = _fetched(call, statement, results)
    if limit is None and len(found) > most:
        raise LimitExceeded(
            f'there are more than {most} groups: give "limit", or narrow "filter" or "having"'
        )
    groups = [
        {column.name: column.read(value) for column, value in zip(columns, row, strict=True)}
        for row in found
    ]
    return msgspec.json.encode({"groups": groups})


def _aggregated(call: Call) -> Grant:
    """What may be aggregated: the sources of the grant that allow it, and no row or field of the others."""
    grant = call.grants["view"]
    allowed = tuple(source for source in grant.sources if source.aggregate)
    if not allowed:
        raise PermissionDenied(f'"{call.exposed.resource}" can\'t be aggregated')
    return grant if len(allowed) == len(grant.sources) else replace(grant, sources=allowed)


def _limits(call: Call, grant: Grant) -> tuple[int | None, int]:
    """``limit`` as it holds, and the most groups that can be asked for."""
    most = call.configuration.max_groups
    limit = parameters.integer(call, "limit", None, low=0, high=most)
    if grant.max_rows is not None:
        limit = min(most if limit is None else limit, grant.max_rows)
    return limit, most


def _statement(
    joined: Joined, condition: SQL | None, keys: Sequence[Column], results: Sequence[Column]
) -> SQL:
    scope = joined.scope
    parts = [
        part + f" AS {name}" for column in [*keys, *results] for name, part in column.parts.items()
    ]
    shown = ", ".join(column.shown for column in [*keys, *results])
    inner = "SELECT " + join(", ", parts) + " FROM " + joined.source()
    inner += where(all_of([condition, scope.visible()]))
    if keys:
        inner += " GROUP BY " + ", ".join(str(index + 1) for index in range(len(keys)))
    return f"SELECT {shown} FROM (" + inner + f") {GROUPS}"


def _fetched(call: Call, statement: SQL, results: Sequence[Column]) -> list[tuple[Any, ...]]:
    try:
        return fetch(call.alias, statement)
    except DataError as error:
        doubles = [column.name for column in results if column.field.kind.name == "float"]
        if getattr(error.__cause__, "sqlstate", None) != _OUT_OF_RANGE or not doubles:
            raise
        raise out_of_range(doubles) from error


# --- keys ------------------------------------------------------------------------------------------------------------


def _keys(call: Call, joined: Joined) -> list[Column]:
    given = call.params.get("group_by")
    if given is None:
        return []
    if isinstance(given, (str, Mapping)):
        given = [given]
    if not isinstance(given, Sequence):
        raise Invalid.field("group_by", "type", '"group_by" must be an array of field names')
    if len(given) > MAX_KEYS:
        raise Invalid.field("group_by", "too_large", f"at most {MAX_KEYS} keys")
    found: list[Column] = []
    for index, item in enumerate(given):
        at = step("group_by", index)
        column = _key(joined, item, f"k{index}", at)
        if any(column.name == other.name for other in found):
            raise Invalid.field(at, "duplicate", f'"{column.name}" is grouped by twice')
        found.append(column)
    return found


def _key(joined: Joined, item: Any, part: str, at: str) -> Column:
    if isinstance(item, Mapping):
        return _truncated(joined, item, part, at)
    if not isinstance(item, str):
        raise Invalid.field(at, "type", f'"{at}" must be a field name or {{"$date_trunc": […]}}')
    value, field = joined.value(item, at)
    if field.kind.name not in GROUPABLE:
        raise Invalid.field(
            at, "not_groupable", f'"{item}" is {field.kind.name}, which has no groups'
        )
    return key_column(joined.scope, field, item, part, value)


def _truncated(joined: Joined, item: Mapping[Any, Any], part: str, at: str) -> Column:
    """``{"$date_trunc": ["month", "created_at"]}``, a key named ``created_at_month``."""
    if len(item) != 1:
        raise Invalid.field(at, "type", f'"{at}" must be {{"$date_trunc": [unit, field]}}')
    function, wanted = next(iter(item.items()))
    if function != "$date_trunc":
        raise unknown("function", str(function), ["$date_trunc"], at=step(at, function))
    at = step(at, function)
    if (
        not isinstance(wanted, Sequence)
        or len(wanted) != 2
        or not all(isinstance(word, str) for word in wanted)
        or isinstance(wanted, str)
    ):
        raise Invalid.field(at, "type", f'"{at}" must be an array of a unit and a field name')
    unit, name = wanted
    if unit not in UNITS:
        raise unknown("unit", unit, UNITS, at=step(at, 0))
    value, field = joined.value(name, step(at, 1))
    kind = field.kind.name
    if kind not in ("date", "datetime"):
        raise Invalid.field(step(at, 1), "type", f'"{name}" is {kind}, which has no {unit}')
    dialect = joined.scope.compilation.dialect
    zoned = kind == "datetime" and field.kind.schema.get("format") == "date-time"
    cut = dialect.date_trunc(unit, value, zoned=zoned)
    cut = dialect.day(cut) if kind == "date" else cut
    return key_column(joined.scope, field, f"{name}_{unit}", part, cut)


# --- results ---------------------------------------------------------------------------------------------------------


def _results(call: Call, joined: Joined, taken: Sequence[str]) -> list[Column]:
    given: Mapping[Any, Any] = parameters.mapping(call, "aggregate") or {}
    if len(given) > MAX_RESULTS:
        raise Invalid.field("aggregate", "too_large", f"at most {MAX_RESULTS} results")
    found: list[Column] = []
    for index, (name, wanted) in enumerate(given.items()):
        at = step("aggregate", name)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            message = f'"{name}" must be a name of letters, digits and underscores'
            raise Invalid.field(at, "name", message)
        if name in taken:
            raise Invalid.field(at, "duplicate", f'"{name}" is already the name of a group key')
        result = _result(joined, name, wanted, at)
        found.append(result_column(joined.scope, result, f"a{index}"))
    return found


def _result(joined: Joined, name: str, wanted: Any, at: str) -> Result:
    if not isinstance(wanted, Mapping) or len(wanted) != 1:
        raise Invalid.field(at, "type", f'"{at}" must be an object like {{"$sum": "price"}}')
    function, target = next(iter(wanted.items()))
    if function not in FUNCTIONS:
        raise unknown("function", str(function), FUNCTIONS, at=step(at, function))
    at = step(at, function)
    if function == "$count" and target == "*":
        return Result(name=name, function=function, value=None, field=None)
    if not isinstance(target, str):
        raise Invalid.field(at, "type", f'"{at}" must be a field name')
    value, field = joined.value(target, at)
    check(function, field, target, at)
    return Result(name=name, function=function, value=value, field=field)
