"""PostgreSQL renders records as JSON by itself: one statement, one text per record, ready to send.

What it prints equals, byte for byte, what ``python_rendering`` makes of the same rows.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import Any

from dataflow_nexus.queries.connections import fetch, fetch_again
from dataflow_nexus.queries.ordering import compile_order
from dataflow_nexus.queries.rows import Rows
from dataflow_nexus.queries.scope import Compilation, Scope, hides_some, is_table, visible_ids
from dataflow_nexus.queries.shapes import Expand, Shape
from dataflow_nexus.queries.sql import SQL, join
from dataflow_nexus.registry import ModelField

_LONGEST_NAME = 63
_MOST = 256
"""Statements that are remembered per shape: limits and sort orders are a caller's to choose."""


def render_rows(rows: Rows, shape: Shape) -> list[tuple[Any, ...]]:
    """``(JSON text, sort keys…)`` per row."""
    alias = rows.scope.compilation.alias
    if rows.often and is_table(shape.exposed) and not is_personal(rows.scope, shape):
        return fetch_again(alias, _known(rows, shape))
    return fetch(alias, _compiled(rows, shape))


def is_personal(scope: Scope, shape: Shape) -> bool:
    """Whether the statement is another for another principal: because of what it may read here or beside."""
    return (
        not shape.grant.shows_all
        or bool(shape.expands)
        or any(hides_some(scope, item) for item in shape.lists)
    )


def _compiled(rows: Rows, shape: Shape) -> SQL:
    return rendered(rows.scope, rows.statement(shape.columns), shape, rows.key_names)


def _known(rows: Rows, shape: Shape) -> SQL:
    """The statement from its parameters: of what comes again and again, the text is compiled once."""
    params = () if rows.condition is None else rows.condition.params
    condition = None if rows.condition is None else rows.condition.text
    spelled = tuple(term.spelled for term in rows.order)
    asked = (rows.scope.compilation.alias, condition, spelled, rows.limit, rows.offset, rows.keys)
    if asked not in shape.statements:
        if len(shape.statements) >= _MOST:
            shape.statements.clear()
        made = _compiled(rows, shape)
        if made.params != params:
            return made
        shape.statements[asked] = made.text, ""
    return SQL(shape.statements[asked][0], params)


def rendered(
    scope: Scope, inner: SQL, shape: Shape, keys: list[str] | None = None, *, common: bool = False
) -> SQL:
    """A statement that renders the rows of ``inner``; ``common`` where ``inner`` changes data and must be a CTE."""
    names = tuple(keys or ())
    if is_personal(scope, shape):
        before, after = _around(scope.compilation, shape, names, common=common)
        return before + inner + after
    asked = (scope.compilation.alias, names, common)
    known = shape.statements.get(asked)
    if known is None:
        # Nothing of it depends on the request: no parameter, and names that are apart from those of ``inner``.
        before, after = _around(
            replace(scope.compilation, aliases=count(1)), shape, names, common=common
        )
        assert not before.params
        assert not after.params
        known = shape.statements[asked] = before.text, after.text
    return known[0] + inner + known[1]


def _around(
    compilation: Compilation, shape: Shape, keys: tuple[str, ...], *, common: bool
) -> tuple[SQL, SQL]:
    """What stands before and after the statement whose rows are rendered."""
    outer = Scope(compilation, shape.exposed, shape.grant, alias="dataflow_row")
    record, lateral = _record(outer, shape)
    quoted = "".join(f", {outer.alias}.{compilation.quote(name)}" for name in keys)
    selected = "SELECT " + record + quoted
    if common:
        return SQL(f"WITH {outer.alias} AS ("), ") " + selected + f" FROM {outer.alias}" + lateral
    return selected + " FROM (", f") {outer.alias}" + lateral


def _record(row: Scope, shape: Shape) -> tuple[SQL, SQL]:
    """A record as text, and the FROM item that it needs beside the row."""
    entries = _entries(row, shape)
    quote = row.compilation.quote
    if not shape.conditional and all(len(name.encode()) <= _LONGEST_NAME for name, _, _ in entries):
        if not entries:
            return SQL("'{}'"), SQL("")
        name = row.compilation.next_alias()
        columns = join(", ", [value + f" AS {quote(entry)}" for entry, value, _ in entries])
        return SQL(f"row_to_json({name})::text"), (", LATERAL (SELECT " + columns) + f") {name}"
    pieces = [_piece(name, value, mask) for name, value, mask in entries]
    return "'{' || substr(" + join(" || ", pieces or [SQL("''")]) + ", 2) || '}'", SQL("")


def _piece(name: str, value: SQL, mask: SQL | None) -> SQL:
    """``,"name":value``, or nothing on rows where the field is hidden."""
    label = SQL("%s", ("," + json.dumps(name, ensure_ascii=False) + ":",))
    text = label + "::text || coalesce(to_json(" + value + ")::text, 'null')"
    return text if mask is None else "CASE WHEN " + mask + " THEN " + text + " ELSE '' END"


def _entries(row: Scope, shape: Shape) -> list[tuple[str, SQL, SQL | None]]:
    """``(name, value that row_to_json prints, mask)`` per entry of a record."""
    found: list[tuple[str, SQL, SQL | None]] = []
    for field in shape.fields:
        value = _list_of_ids(row, field) if field.many else _value(row, field)
        found.append((field.name, value, row.mask(field.name)))
    for expand in shape.expands:
        carrier = expand.relation.field_name
        found.append(
            (expand.relation.name, _embedded(row, expand), row.mask(carrier) if carrier else None)
        )
    return found


def _value(row: Scope, field: ModelField) -> SQL:
    assert field.kind.postgresql is not None
    return SQL(field.kind.postgresql(row.raw(field).text))


def _list_of_ids(row: Scope, field: ModelField) -> SQL:
    """The keys of the visible records on the other side of a many-to-many field, in order."""
    assert field.kind.postgresql is not None
    if hides_some(row, field):
        ids = visible_ids(row, field)
        if ids is None:
            return SQL("'[]'::json")
        key, related = ids
        start = f"ARRAY(SELECT {field.kind.postgresql(key)} FROM "
        return start + related.source + " WHERE " + related.condition + f" ORDER BY {key})"
    many: Any = field.source
    quote = row.compilation.quote
    through = many.remote_field.through._meta
    middle = row.compilation.next_alias()
    near = through.get_field(many.m2m_field_name())
    far = through.get_field(many.m2m_reverse_field_name())
    key = f"{middle}.{quote(far.column)}"
    joined = " AND ".join(
        f"{middle}.{quote(here.column)} = {row.alias}.{quote(there.column)}"
        for here, there in near.related_fields
    )
    rendered_key = field.kind.postgresql(key)
    return SQL(
        f"ARRAY(SELECT {rendered_key} FROM {quote(through.db_table)} {middle} WHERE {joined} ORDER BY {key})"
    )


def _embedded(row: Scope, expand: Expand) -> SQL:
    """A related record, or an array of them, as a value of type json."""
    related = row.related(expand.relation)
    limit = row.compilation.configuration.expand_limit if expand.relation.many else 1
    order = compile_order(related.scope, None)
    columns = ", ".join(
        f"{related.scope.alias}.{row.compilation.quote(column)}" for column in expand.shape.columns
    )
    inner = SQL(f"SELECT {columns or '1'} FROM ") + related.source + " WHERE " + related.condition
    inner = inner + " ORDER BY " + join(", ", [term.sql() for term in order]) + f" LIMIT {limit}"
    outer = Scope(row.compilation, expand.shape.exposed, expand.shape.grant)
    record, lateral = _record(outer, expand.shape)
    source = " FROM (" + inner + f") {outer.alias}" + lateral
    if not expand.relation.many:
        return ("(SELECT (" + record + ")::json" + source) + ")"
    return (
        "coalesce((SELECT '[' || string_agg(" + record + ", ',') || ']'" + source
    ) + "), '[]')::json"
