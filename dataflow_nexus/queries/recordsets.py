"""Many rows in one statement: as tuples of parameters, or on PostgreSQL as one JSON document that it unpacks itself.

``json_populate_recordset`` reads each value by its column's own type, so one parameter carries any number of rows.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any

import msgspec
from django.db import connections, models

from dataflow_nexus.fields import plain
from dataflow_nexus.queries.changing import stored
from dataflow_nexus.queries.connections import quote
from dataflow_nexus.queries.sql import SQL, join, param
from dataflow_nexus.registry import Exposed, ModelField

Encode = Callable[[Any], Any]
_AS_IS = frozenset(
    {
        "integer",
        "decimal",
        "float",
        "boolean",
        "string",
        "date",
        "datetime",
        "time",
        "duration",
        "uuid",
    }
)
_PREPARING = ("get_prep_value", "get_db_prep_value", "get_db_prep_save")


def _interval(value: dt.timedelta) -> str:
    return f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"


def _json(value: Any) -> msgspec.Raw:
    """Through the standard library, because documents may hold integers of any size."""
    return msgspec.Raw(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _integer(value: Any) -> int:
    return int(value)


_ENCODERS: dict[str, Encode] = {
    "integer": _integer,
    "decimal": lambda value: plain(value if isinstance(value, Decimal) else Decimal(str(value))),
    "float": lambda value: repr(float(value)),
    "boolean": bool,
    "string": str,
    "date": lambda value: value.isoformat(),
    "datetime": lambda value: value.isoformat(),
    "time": lambda value: value.isoformat(),
    "duration": _interval,
    "uuid": str,
    "binary": lambda value: "\\x" + bytes(value).hex(),
    "json": _json,
    "file": str,  # its name; an upload is stored by its own instance
}


def encoder(field: ModelField) -> Encode | None:
    """How a value of the field stands in the document; ``None`` where only its own preparation knows."""
    if not _prepared_by_django(field) or getattr(field.storage, "encoder", None) is not None:
        return None
    if isinstance(field.storage, models.GenericIPAddressField):
        return str
    return _ENCODERS.get(field.kind.name)


def _prepared_by_django(field: ModelField) -> bool:
    kind: Any = type(field.storage)
    return all(getattr(kind, name).__module__.startswith("django.") for name in _PREPARING)


def prepared_as_is(field: ModelField) -> bool:
    """Whether a value of the field, as its kind makes it, is the parameter that PostgreSQL takes."""
    return field.kind.name in _AS_IS and _prepared_by_django(field)


def encoders(exposed: Exposed, columns: Sequence[str]) -> list[Encode] | None:
    """An encoder per column; ``None`` where one is missing."""
    by_column = {str(item.column): item for item in exposed.columns.values()}
    found = [encoder(by_column[column]) for column in columns]
    known = [item for item in found if item is not None]
    return known if len(known) == len(found) else None


def document(
    columns: Sequence[str], encode: Sequence[Encode], rows: Sequence[Mapping[str, Any]]
) -> str:
    """The rows as a JSON array of objects."""
    pairs = list(zip(columns, encode, strict=True))
    return msgspec.json.encode(
        [
            {
                column: None if row[column] is None else change(row[column])
                for column, change in pairs
            }
            for row in rows
        ]
    ).decode()


def recordset(alias: str, table: str, text: str) -> SQL:
    """``json_populate_recordset(…) r``: rows of the table's own type."""
    return SQL(f"json_populate_recordset(NULL::{quote(alias, table)}, %s::json) r", (text,))


def insert(alias: str, exposed: Exposed, rows: Sequence[Mapping[str, Any]]) -> SQL:
    """``INSERT INTO …`` of rows that all have the same columns, at least one."""
    columns = list(rows[0])
    encode = encoders(exposed, columns) if connections[alias].vendor == "postgresql" else None
    names = ", ".join(quote(alias, column) for column in columns)
    head = f"INSERT INTO {quote(alias, exposed.table)} ({names}) "
    if encode is not None:
        text = document(columns, encode, rows)
        picked = ", ".join(f"r.{quote(alias, column)}" for column in columns)
        return SQL(f"{head}SELECT {picked} FROM ") + recordset(alias, exposed.table, text)
    sources: dict[str, Any] = {str(item.column): item.source for item in exposed.columns.values()}
    tuples = [
        join(
            ", ", [param(stored(alias, sources[column], row[column])) for column in columns]
        ).wrapped("(", ")")
        for row in rows
    ]
    return SQL(f"{head}VALUES ") + join(", ", tuples)


def insert_columns(
    alias: str,
    exposed: Exposed,
    columns: Mapping[str, Sequence[Any]],
    constants: Mapping[str, Any],
    count: int,
) -> SQL:
    """``INSERT INTO …`` of whole columns and of constants, each with an encoder (PostgreSQL)."""
    by_column = {str(item.column): item for item in exposed.columns.values()}
    encoded: list[Iterable[Any]] = []
    for column, values in columns.items():
        encode = encoder(by_column[column])
        assert encode is not None
        encoded.append([None if value is None else encode(value) for value in values])
    for column, value in constants.items():
        encode = encoder(by_column[column])
        assert encode is not None
        encoded.append(repeat(None if value is None else encode(value), count))
    names = [*columns, *constants]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*encoded, strict=True)]
    listed = ", ".join(quote(alias, name) for name in names)
    picked = ", ".join(f"r.{quote(alias, name)}" for name in names)
    head = f"INSERT INTO {quote(alias, exposed.table)} ({listed}) SELECT {picked} FROM "
    return head + recordset(alias, exposed.table, msgspec.json.encode(rows).decode())


def on_conflict(alias: str, key: Sequence[str], updated: Sequence[str] | None) -> str:
    """``ON CONFLICT`` on the columns of a key (any key where none is named): update columns, or do nothing."""
    target = f" ({', '.join(quote(alias, column) for column in key)})" if key else ""
    if updated is None:
        return f" ON CONFLICT{target} DO NOTHING"
    chosen = updated or key[:1]  # a change of nothing still has to return the row
    sets = ", ".join(
        f"{quote(alias, column)} = EXCLUDED.{quote(alias, column)}" for column in chosen
    )
    return f" ON CONFLICT{target} DO UPDATE SET {sets}"


def update(
    alias: str,
    exposed: Exposed,
    key: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    automatic: Mapping[str, Any],
    returned: Sequence[str],
) -> SQL:
    """``UPDATE … FROM`` the rows, each found by its key columns, returning columns of those found.

    ``automatic`` are columns that take one value in all rows. Every column of the rows needs an encoder.
    """
    columns = list(rows[0])
    encode = encoders(exposed, columns)
    assert encode is not None
    sources: dict[str, Any] = {str(item.column): item.source for item in exposed.columns.values()}
    changed = [column for column in columns if column not in key] or key[:1]
    sets = [SQL(f"{quote(alias, column)} = r.{quote(alias, column)}") for column in changed]
    sets += [
        SQL(f"{quote(alias, column)} = ") + param(stored(alias, sources[column], value))
        for column, value in automatic.items()
        if column not in columns
    ]
    found = " AND ".join(f"t.{quote(alias, column)} = r.{quote(alias, column)}" for column in key)
    start = SQL(f"UPDATE {quote(alias, exposed.table)} AS t SET ") + join(", ", sets) + " FROM "
    shown = ", ".join(f"t.{quote(alias, column)}" for column in returned)
    source = recordset(alias, exposed.table, document(columns, encode, rows))
    return start + source + f" WHERE {found} RETURNING {shown}"


def plain_fields(exposed: Exposed) -> bool:
    """Whether every column's value is made as Django's own fields make it."""
    known = {
        models.Field.pre_save, models.DateField.pre_save, models.DateTimeField.pre_save,
        models.TimeField.pre_save, models.FileField.pre_save, models.GeneratedField.pre_save,
    }  # fmt: skip
    return all(
        getattr(type(item.source), "pre_save", None) in known for item in exposed.columns.values()
    )
