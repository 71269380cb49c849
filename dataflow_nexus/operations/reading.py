"""Read, List and Count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.db import connections

from dataflow_nexus.access.grants import NOTHING, Grant
from dataflow_nexus.exceptions import Invalid, NotFound
from dataflow_nexus.operations import parameters, sizes
from dataflow_nexus.operations.base import Call
from dataflow_nexus.queries import python_rendering, rendering
from dataflow_nexus.queries.connections import fetch
from dataflow_nexus.queries.filters import compile_filter
from dataflow_nexus.queries.names import at as step
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.operators import coerced, prepared
from dataflow_nexus.queries.ordering import Term, compile_order, keyed
from dataflow_nexus.queries.paging import after, binding, read_cursor, write_cursor
from dataflow_nexus.queries.rows import Rows
from dataflow_nexus.queries.scope import Compilation, Scope
from dataflow_nexus.queries.search import compile_search
from dataflow_nexus.queries.shapes import Shape, full_shape, make_shape
from dataflow_nexus.queries.sql import FALSE, SQL, all_of, where
from dataflow_nexus.registry import ModelField

ESTIMATE_LIMIT = 10_000
"""An estimated count that can't come from statistics stops counting here."""


def compilation(call: Call) -> Compilation:
    return Compilation(
        alias=call.alias,
        principal=call.principal,
        configuration=call.configuration,
        grant_on=call.grant_on,
    )


def render(rows: Rows, shape: Shape) -> list[tuple[Any, ...]]:
    """``(JSON text, sort keys…)`` per row, by whichever side can render the shape."""
    if rows.scope.compilation.dialect.renders_json and not shape.needs_python:
        return rendering.render_rows(rows, shape)
    return python_rendering.render_rows(rows, shape)


# --- one record ------------------------------------------------------------------------------------------------------


def read(call: Call) -> bytes:
    """The record of a key, or ``NotFound``."""
    parameters.refuse_unknown(call)
    scope = Scope(compilation(call), call.exposed, call.grants["view"])
    condition = key_condition(call, scope)
    shape = make_shape(scope, call.params.get("fields"), call.params.get("expand"))
    often = call.params.get("id") is not None and shape is full_shape(call.exposed, scope.grant)
    found = render(Rows(scope=scope, condition=condition, limit=1, often=often), shape)
    if not found:
        raise missing(call)
    return str(found[0][0]).encode()


def missing(call: Call) -> NotFound:
    """The same words for a record that is not there and one that the principal may not see."""
    return NotFound(f'there is no such record in "{call.exposed.resource}"')


def seeing(call: Call, scope: Scope) -> Scope:
    """The same table as the principal may read it: a write is told by it which records are meant."""
    if scope.grant is call.reading:
        return scope
    return Scope(scope.compilation, scope.exposed, call.reading or NOTHING, alias=scope.alias)


def key_condition(call: Call, scope: Scope) -> SQL:
    """The condition of ``id``, or of a ``filter`` that names exactly one unique key.

    What the principal may not read is null, which equals nothing; but whom a write may change its ``id`` may name.
    """
    key, chosen = call.params.get("id"), parameters.mapping(call, "filter")
    if (key is None) == (chosen is None):
        if key is None:
            raise Invalid.field(
                "id", "required", '"id" is required (or a filter that names one unique key)'
            )
        raise Invalid.field("filter", "exclusive", 'give "id" or "filter", not both')
    if chosen is None:
        equal = equal_to if call.operation.writes else equal_as_shown
        return equal(scope, key_values(scope, key))
    scope = seeing(call, scope)
    values = dict(chosen)
    if "id" in values and "id" not in scope.exposed.fields:
        values |= key_values(scope, values.pop("id"), at="filter.id")
    for name, value in values.items():
        scope.field(name, step("filter", name))
        if isinstance(value, Mapping) and set(value) == {"$eq"}:
            values[name] = value["$eq"]
    if tuple(sorted(values)) not in {tuple(sorted(names)) for names in scope.exposed.unique_keys}:
        keys = " or ".join(
            "{" + ", ".join(names) + "}"
            for names in readable_keys(scope.exposed.unique_keys, scope.grant)
        )
        raise Invalid.field(
            "filter", "unique_key", f'"filter" must name exactly one unique key: {keys}'
        )
    wanted = {
        name: coerced(scope.field(name, name).kind, value, step("filter", name))
        for name, value in values.items()
    }
    found = all_of([equal_as_shown(scope, wanted), scope.visible()])
    assert found is not None
    return found


def named_key(call: Call, scope: Scope) -> dict[str, Any]:
    """The primary key that ``id`` names, by field name; null, which no key is, where a ``filter`` names the record."""
    if call.params.get("id") is None:
        return {field.name: None for field in call.exposed.key}
    return key_values(scope, call.params["id"])


def readable_keys(keys: Sequence[tuple[str, ...]], grant: Grant) -> list[tuple[str, ...]]:
    return [names for names in keys if all(grant.reads(name) for name in names)]


def key_values(scope: Scope, key: Any, at: str = "id") -> dict[str, Any]:
    """The coerced values of a primary key by field name: a scalar, or an object of a composite key's columns."""
    fields = scope.exposed.key
    if len(fields) == 1:
        if isinstance(key, Mapping) and set(key) == {fields[0].name}:
            key = key[fields[0].name]
        return {fields[0].name: coerced(fields[0].kind, key, at)}
    names = [field.name for field in fields]
    if isinstance(key, (list, tuple)) and len(key) == len(names):
        key = dict(zip(names, key, strict=True))
    if not isinstance(key, Mapping):
        raise Invalid.field(at, "type", f'"{at}" must be an object of {", ".join(names)}')
    for name in key:
        if name not in names:
            raise unknown("field", str(name), names, at=step(at, name))
    for name in names:
        if name not in key:
            raise Invalid.field(step(at, name), "required", f'"{step(at, name)}" is required')
    return {
        field.name: coerced(field.kind, key[field.name], step(at, field.name)) for field in fields
    }


def equal_to(scope: Scope, values: Mapping[str, Any]) -> SQL:
    """The condition that fields equal coerced values. Null never equals."""
    columns: Mapping[str, ModelField] = scope.exposed.columns
    found = all_of(
        scope.raw(columns[name]) + " = " + prepared(scope, columns[name], values[name])
        for name in values
    )
    assert found is not None
    return found


def equal_as_shown(scope: Scope, values: Mapping[str, Any]) -> SQL:
    """The same of what the grant shows of the fields."""
    columns: Mapping[str, ModelField] = scope.exposed.columns
    if not all(scope.grant.reads(name) for name in values):
        return FALSE
    found = all_of(
        scope.value(columns[name]) + " = " + prepared(scope, columns[name], values[name])
        for name in values
    )
    assert found is not None
    return found


def record_by_key(call: Call, values: Mapping[str, Any]) -> bytes:
    """The record that the database now holds under a key: what a write returns.

    A principal who may not see it as it is now gets an empty object.
    """
    grant = call.reading
    if grant is None:
        return b"{}"
    scope = Scope(compilation(call), call.exposed, grant, written=True)
    found = render(
        Rows(scope=scope, condition=equal_to(scope, values), limit=1),
        full_shape(call.exposed, grant),
    )
    return str(found[0][0]).encode() if found else b"{}"


# --- many records ----------------------------------------------------------------------------------------------------


def selection(call: Call, scope: Scope) -> SQL | None:
    """The condition of ``filter`` and ``search``."""
    tree = parameters.mapping(call, "filter")
    found = None if tree is None else compile_filter(scope, tree)
    return all_of([found, compile_search(scope, call.params.get("search"))])


def list_records(call: Call) -> bytes:
    """A page of records."""
    parameters.refuse_unknown(call)
    grant = call.grants["view"]
    scope = Scope(compilation(call), call.exposed, grant)
    limit = page_limit(call, grant)
    offset = parameters.integer(call, "offset", 0, low=0, high=parameters.MAX_OFFSET) or 0
    counting = parameters.choice(call, "count", ("none", "exact", "estimated"), "none")
    chosen = selection(call, scope)
    order = compile_order(scope, call.params.get("order_by"))
    bound = binding(
        call.operation.node,
        {"filter": call.params.get("filter"), "search": call.params.get("search")},
        order,
    )
    condition = all_of([chosen, _following(call, scope, order, bound)])
    shape = make_shape(scope, call.params.get("fields"), call.params.get("expand"))
    rows = Rows(
        scope=scope,
        condition=condition,
        order=order,
        limit=limit + 1,
        offset=offset,
        keys=keyed(scope),
        often=condition is None and shape is full_shape(call.exposed, grant),
    )
    found = render(rows, shape)
    records = [str(row[0]) for row in found[:limit]]
    shown, following = sizes.page(
        call,
        records,
        more=len(found) > limit,
        cursor=(lambda last: write_cursor(found[last - 1][1:], bound, order))
        if rows.keys
        else None,
    )
    number = None
    if counting != "none":
        number = counted(call, scope, chosen, estimated=counting == "estimated")
    return page(records[:shown], count=number, limit=limit, offset=offset, following=following)


def _following(call: Call, scope: Scope, order: Sequence[Term], bound: bytes) -> SQL | None:
    """The condition of ``cursor``: what comes after the row that it stands for."""
    cursor = call.params.get("cursor")
    if cursor is None:
        return None
    if call.params.get("offset") is not None:
        raise Invalid.field("cursor", "exclusive", 'give "offset" or "cursor", not both')
    if not keyed(scope):
        message = f'"{call.exposed.resource}" has no key: page it by offset'
        raise Invalid.field("cursor", "cursor", message)
    return after(order, read_cursor(cursor, bound, order), scope.compilation.dialect)


def page(
    records: Sequence[str], *, count: int | None, limit: int, offset: int, following: str | None
) -> bytes:
    tail = msgspec.json.encode(
        {"count": count, "limit": limit, "offset": offset, "next": following}
    )
    return b'{"records":[' + ",".join(records).encode() + b"]," + tail[1:]


def page_limit(call: Call, grant: Grant) -> int:
    """``limit``, or the default; never more than the grant's own bound."""
    configuration = call.configuration
    limit = parameters.integer(
        call, "limit", configuration.default_limit, low=0, high=configuration.max_limit
    )
    assert limit is not None
    return limit if grant.max_rows is None else min(limit, grant.max_rows)


def count(call: Call) -> bytes:
    """The number of visible records that match."""
    parameters.refuse_unknown(call)
    scope = Scope(compilation(call), call.exposed, call.grants["view"])
    return msgspec.json.encode(
        {"count": counted(call, scope, selection(call, scope), estimated=False)}
    )


def counted(call: Call, scope: Scope, condition: SQL | None, *, estimated: bool) -> int:
    visible = all_of([condition, scope.visible()])
    if estimated and visible is None:
        statistics = _statistics(scope)
        if statistics is not None:
            return statistics
    source = scope.source() + where(visible)
    if estimated:
        inner = SQL("SELECT 1 FROM ") + source + SQL(" LIMIT %s", (ESTIMATE_LIMIT,))
        return int(fetch(call.alias, "SELECT count(*) FROM (" + inner + ") counted")[0][0])
    return int(fetch(call.alias, "SELECT count(*) FROM " + source)[0][0])


def _statistics(scope: Scope) -> int | None:
    """PostgreSQL's own estimate of a plain table; ``None`` where it has none yet."""
    if not scope.compilation.dialect.renders_json or scope.source().text.startswith("("):
        return None
    table = connections[scope.compilation.alias].ops.quote_name(scope.exposed.table)
    rows = fetch(
        scope.compilation.alias,
        SQL(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s) AND relkind = 'r'",
            (table,),
        ),
    )
    return int(rows[0][0]) if rows and rows[0][0] >= 0 else None
