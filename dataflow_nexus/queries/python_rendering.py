"""The same records rendered in this process: on SQLite, and where a field's value is not what its column holds.

On PostgreSQL, columns whose text Python would spell differently are read as JSON text and spliced in as they are.
Related records take one more statement per relation, whatever the number of rows.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connections
from django.db.models.expressions import Col
from django.utils.functional import Promise

from dataflow_nexus.fields import (
    BINARY,
    DATE,
    DURATION,
    FLOAT,
    NAIVE,
    STRING,
    TIME,
    UUID,
    ZONED,
    Kind,
    decimal_kind,
)
from dataflow_nexus.queries.connections import fetch
from dataflow_nexus.queries.ordering import compile_order
from dataflow_nexus.queries.rows import Rows
from dataflow_nexus.queries.scope import Scope, hides_some, visible_ids
from dataflow_nexus.queries.shapes import Expand, Shape
from dataflow_nexus.queries.sql import SQL, all_of, join, param
from dataflow_nexus.registry import ModelField

Record = dict[str, Any]
Row = Mapping[str, Any]


def render_rows(rows: Rows, shape: Shape) -> list[tuple[Any, ...]]:
    """``(JSON text, sort keys…)`` per row."""
    parents = read_rows(rows, shape)
    records = records_of(rows.scope, parents, shape)
    keys = rows.key_names
    encode = msgspec.json.encode
    return [
        (encode(record).decode(), *(row[key] for key in keys))
        for record, row in zip(records, parents, strict=True)
    ]


def read_rows(rows: Rows, shape: Shape) -> list[dict[str, Any]]:
    """The rows by column name: raw values, and the masks of conditional fields as ``mask:<name>``."""
    names, statement = reading(rows, shape)
    found = fetch(rows.scope.compilation.alias, statement)
    return [dict(zip(names, row, strict=False)) for row in found]


def reading(rows: Rows, shape: Shape) -> tuple[list[str], SQL]:
    """The statement that ``read_rows`` runs, and the names of what it selects."""
    inner = rows.statement(shape.columns)
    scope = rows.scope
    outer = Scope(scope.compilation, shape.exposed, shape.grant)
    quote = scope.compilation.quote
    names, selected = _read(outer, shape)
    for key in rows.key_names:
        names.append(key)
        selected.append(SQL(f"{outer.alias}.{quote(key)}"))
    if not selected:
        selected = [SQL("1")]
    if names == [*shape.columns, *rows.key_names]:
        return names, inner
    return names, "SELECT " + join(", ", selected) + " FROM (" + inner + f") {outer.alias}"


def _read(outer: Scope, shape: Shape) -> tuple[list[str], list[SQL]]:
    """What is read of each row, by name. A column that is read as text is not read as Python's own type beside it,
    which may not hold its value (a date before Christ, the time 24:00)."""
    texts = {field.name for field in _as_text(shape, outer)}
    columns = [
        str(field.column) for field in shape.fields if field.in_database and field.name not in texts
    ]
    names = list(dict.fromkeys([*columns, *shape.links]))
    pieces = [SQL(f"{outer.alias}.{outer.compilation.quote(name)}") for name in names]
    for name, piece in _extras(outer, shape):
        names.append(name)
        pieces.append(piece)
    return names, pieces


def _extras(outer: Scope, shape: Shape) -> list[tuple[str, SQL]]:
    """What is read beside the columns: JSON texts from PostgreSQL, and the masks of conditional fields."""
    found: list[tuple[str, SQL]] = []
    for field in _as_text(shape, outer):
        assert field.kind.postgresql is not None
        found.append(
            (
                f"text:{field.name}",
                SQL(f"to_json({field.kind.postgresql(outer.raw(field).text)})::text"),
            )
        )
    for name in _maskable(shape):
        mask = outer.mask(name)
        if mask is not None:
            found.append((f"mask:{name}", mask.wrapped("(", ")")))
    return found


def _maskable(shape: Shape) -> list[str]:
    carriers = [expand.relation.field_name for expand in shape.expands]
    return list(
        dict.fromkeys([field.name for field in shape.fields] + [name for name in carriers if name])
    )


def _as_text(shape: Shape, scope: Scope) -> list[ModelField]:
    if not scope.compilation.dialect.renders_json:
        return []
    return [field for field in shape.fields if field.kind.as_text and field.in_database]


def records_of(scope: Scope, rows: Sequence[Row], shape: Shape) -> list[Record]:
    """The records of rows that ``read_rows`` returned, in their order."""
    lists = {field.name: _lists_of_ids(scope, rows, field) for field in shape.fields if field.many}
    calls = _computed(scope, rows, shape)
    embedded = {expand.relation.name: _embedded(scope, rows, expand) for expand in shape.expands}
    reads = {field.name: _reader(scope, field) for field in shape.fields if field.in_database}
    records: list[Record] = []
    for index, row in enumerate(rows):
        record: Record = {}
        for field in shape.fields:
            name = field.name
            if not row.get(f"mask:{name}", True):
                continue
            if field.many:
                record[name] = lists[name][index]
            elif field.in_database:
                record[name] = reads[name](row)
            else:
                record[name] = calls[name][index]
        for expand in shape.expands:
            carrier = expand.relation.field_name
            if carrier is None or row.get(f"mask:{carrier}", True):
                record[expand.relation.name] = embedded[expand.relation.name][index]
        records.append(record)
    return records


def _reader(scope: Scope, field: ModelField) -> Callable[[Row], Any]:
    """How a row's column becomes what msgspec encodes."""
    if scope.compilation.dialect.renders_json and field.kind.as_text:
        text = f"text:{field.name}"
        return lambda row: None if row[text] is None else msgspec.Raw(row[text].encode())
    convert = converter(scope.compilation.alias, field)
    column, render = str(field.column), field.kind.render

    def read(row: Row) -> Any:
        value = convert(row[column])
        return None if value is None else render(value)

    return read


def converter(alias: str, field: ModelField) -> Callable[[Any], Any]:
    """Django's own way from a column's raw value to a Python value."""
    connection = connections[alias]
    expression = Col("", field.storage, field.storage)
    converters = [
        *connection.ops.get_db_converters(expression),
        *expression.get_db_converters(connection),
    ]

    def convert(value: Any) -> Any:
        for step in converters:
            value = step(value, expression, connection)
        return value

    return convert if converters else lambda value: value


# --- many-to-many ids ------------------------------------------------------------------------------------------------


def _lists_of_ids(scope: Scope, rows: Sequence[Row], field: ModelField) -> list[list[Any]]:
    many: Any = field.source
    here = many.remote_field.through._meta.get_field(many.m2m_field_name()).related_fields[0][1]
    parents = list(dict.fromkeys(row[here.column] for row in rows))
    found: dict[Any, list[Any]] = {parent: [] for parent in parents}
    statement = _ids(scope, field, parents) if parents else None
    if statement is not None:
        ids = ModelField(
            name=field.name,
            kind=field.kind,
            source=many.remote_field.model._meta.pk,
            column="",
            nullable=False,
            writable=False,
            required=False,
        )
        alias = scope.compilation.alias
        convert = converter(alias, ids)
        for parent, key in fetch(alias, statement):
            found[parent].append(ids.kind.render(convert(key)))
    return [found[row[here.column]] for row in rows]


def _ids(scope: Scope, field: ModelField, parents: Sequence[Any]) -> SQL | None:
    """``(own key, key on the other side)`` of the visible records there, in order; ``None`` where none can be."""
    many: Any = field.source
    quote = scope.compilation.quote
    listed = join(", ", [param(parent) for parent in parents])
    if hides_some(scope, field):
        ids = visible_ids(Scope(scope.compilation, scope.exposed, scope.grant), field)
        if ids is None:
            return None
        key, related = ids
        [near] = related.near
        condition = all_of([related.unjoined, f"{near} IN (" + listed + ")"])
        assert condition is not None
        start = f"SELECT {near}, {key} FROM " + related.source
        return start + " WHERE " + condition + f" ORDER BY {near}, {key}"
    through = many.remote_field.through._meta
    near, far = (
        quote(through.get_field(name).column)
        for name in (many.m2m_field_name(), many.m2m_reverse_field_name())
    )
    start = SQL(f"SELECT {near}, {far} FROM {quote(through.db_table)} WHERE {near} IN (")
    return start + listed + f") ORDER BY {near}, {far}"


# --- computed --------------------------------------------------------------------------------------------------------


def _computed(scope: Scope, rows: Sequence[Row], shape: Shape) -> dict[str, list[Any]]:
    """Values of Python callables, which take the model's instance: one more statement loads them."""
    if not shape.calls or not rows:
        return {field.name: [] for field in shape.calls}
    exposed, alias = shape.exposed, scope.compilation.alias
    convert = {item.name: converter(alias, item) for item in exposed.key}
    keys = [
        tuple(convert[item.name](row[str(item.column)]) for item in exposed.key) for row in rows
    ]
    instances = {
        tuple(getattr(instance, item.name) for item in exposed.key): instance
        for instance in exposed.model._base_manager.using(alias).filter(
            pk__in=keys if len(exposed.key) > 1 else [key[0] for key in keys]
        )
    }
    return {
        field.name: [
            jsonable(field.computed(instances[key])) if key in instances else None for key in keys
        ]
        for field in shape.calls
    }


def jsonable(value: Any) -> Any:
    """A Python value in the spelling that a column of its type has (docs/values.md).

    Raises ``TypeError`` for what no column holds: the model's callable has to make something else of it.
    """
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, dt.datetime):
        return ZONED.render(value) if value.tzinfo is not None else NAIVE.render(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):  # of any size
        return msgspec.Raw(str(int(value)).encode())
    for kind, types in _SPELLED:
        if isinstance(value, types):
            return kind.render(value)
    raise TypeError(f"a computed value can't be {type(value).__name__}")


_SPELLED: tuple[tuple[Kind, tuple[type, ...]], ...] = (
    (STRING, (str, Promise)),
    (FLOAT, (float,)),
    (decimal_kind(None), (Decimal,)),
    (DATE, (dt.date,)),
    (TIME, (dt.time,)),
    (DURATION, (dt.timedelta,)),
    (UUID, (uuid.UUID,)),
    (BINARY, (bytes, bytearray, memoryview)),
)


# --- expand ----------------------------------------------------------------------------------------------------------


def _embedded(scope: Scope, rows: Sequence[Row], expand: Expand) -> list[Any]:
    """The related record, or the list of them, of each row: one statement for all rows."""
    relation, compilation = expand.relation, scope.compilation
    local = [
        pair[0] for pair in (relation.columns if relation.through is None else relation.through[1])
    ]
    parents = list(dict.fromkeys(tuple(row[column] for column in local) for row in rows))
    parents = [parent for parent in parents if None not in parent]
    found: dict[tuple[Any, ...], list[Record]] = {parent: [] for parent in parents}
    if parents:
        children = _children(scope, expand, parents)
        records = records_of(
            Scope(compilation, expand.shape.exposed, expand.shape.grant), children, expand.shape
        )
        for child, record in zip(children, records, strict=True):
            found[tuple(child[f"parent:{index}"] for index in range(len(local)))].append(record)
    lists = [found.get(tuple(row[column] for column in local), []) for row in rows]
    return lists if relation.many else [records[0] if records else None for records in lists]


def _children(
    scope: Scope, expand: Expand, parents: Sequence[tuple[Any, ...]]
) -> list[dict[str, Any]]:
    """The related rows of all parents, at most ``expand_limit`` each, with the parent's columns beside them."""
    compilation, shape = scope.compilation, expand.shape
    quote = compilation.quote
    related = Scope(compilation, scope.exposed, scope.grant).related(expand.relation)
    order = join(", ", [term.sql() for term in compile_order(related.scope, None)])
    columns = shape.columns
    selected = ", ".join(
        [f"{related.scope.alias}.{quote(column)}" for column in columns]
        + [f"{name} AS {quote(f'parent:{index}')}" for index, name in enumerate(related.near)]
    )
    number = (
        f"row_number() OVER (PARTITION BY {', '.join(related.near)} ORDER BY "
        + order
        + ") AS dataflow_number"
    )
    condition = all_of([related.unjoined, _is_one_of(related.near, parents)])
    assert condition is not None
    inner = f"SELECT {selected}, " + number + " FROM " + related.source + " WHERE " + condition
    outer = Scope(compilation, shape.exposed, shape.grant)
    names, pieces = _read(outer, shape)
    for index in range(len(related.near)):
        names.append(f"parent:{index}")
        pieces.append(SQL(f"{outer.alias}.{quote(f'parent:{index}')}"))
    limit = compilation.configuration.expand_limit if expand.relation.many else 1
    statement = (
        "SELECT "
        + join(", ", pieces)
        + " FROM ("
        + inner
        + f") {outer.alias} WHERE dataflow_number <= {limit}"
    )
    ordered = statement + " ORDER BY dataflow_number"
    return [dict(zip(names, row, strict=True)) for row in fetch(compilation.alias, ordered)]


def _is_one_of(columns: Sequence[str], values: Sequence[tuple[Any, ...]]) -> SQL:
    if len(columns) == 1:
        return f"{columns[0]} IN (" + join(", ", [param(value[0]) for value in values]) + ")"
    rows = join(
        ", ", [join(", ", [param(item) for item in value]).wrapped("(", ")") for value in values]
    )
    return f"({', '.join(columns)}) IN (VALUES " + rows + ")"
