"""``COPY … FROM STDIN`` (PostgreSQL): the quickest way in for many rows of a plain table.

It means what ``INSERT`` means only where nothing rewrites inserts and no policy checks rows, so the table is asked
first. Its text format: a line per row, tabs between values, ``\\N`` for null (PostgreSQL, SQL commands, COPY).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from django.db import connections

from dataflow_nexus.queries.connections import fetch, quote
from dataflow_nexus.queries.recordsets import encoder
from dataflow_nexus.queries.sql import SQL
from dataflow_nexus.registry import Exposed, ModelField

NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_SECONDS = 60.0
"""How long an answer about a table is believed."""
_known: dict[tuple[str, str], tuple[float, bool]] = {}
_PLAIN = """
SELECT relkind IN ('r', 'p') AND NOT relhasrules AND NOT relrowsecurity FROM pg_class WHERE oid = to_regclass(%s)
"""


def takes_copies(alias: str, table: str) -> bool:
    """Whether rows may be copied into a table: a plain one, without rules and without row security."""
    now = time.monotonic()
    cached = _known.get((alias, table))
    if cached is None or cached[0] < now:
        found = fetch(alias, SQL(_PLAIN, (quote(alias, table),)))
        cached = (now + _SECONDS, bool(found and found[0][0]))
        _known[alias, table] = cached
    return cached[1]


def copy_in(
    alias: str,
    exposed: Exposed,
    columns: Mapping[str, Sequence[Any]],
    constants: Mapping[str, Any],
) -> None:
    """Insert rows given as columns of checked values, and columns that hold one value in all of them."""
    by_column = {str(item.column): item for item in exposed.columns.values()}
    cells: list[Iterable[str]] = [
        texts(by_column[column], values) for column, values in columns.items()
    ]
    cells += [repeat(texts(by_column[column], [value])[0]) for column, value in constants.items()]
    names = ", ".join(quote(alias, column) for column in (*columns, *constants))
    statement = f"COPY {quote(alias, exposed.table)} ({names}) FROM STDIN"
    lines = "\n".join(map("\t".join, zip(*cells, strict=False)))
    connection: Any = connections[alias]
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as copy,
    ):
        copy.write(f"{lines}\n")


def texts(field: ModelField, values: Sequence[Any]) -> Sequence[str]:
    """Values of a column as COPY reads them."""
    whole = None not in values
    name = field.kind.name
    if name == "integer" and whole:
        return list(map(str, values))
    if name == "boolean" and whole:
        return ["t" if value else "f" for value in values]
    if name == "string" and whole and set(map(type, values)) == {str}:
        return _escaped(values)
    encode = _json if name == "json" else encoder(field)
    assert encode is not None
    return _escaped([None if value is None else str(encode(value)) for value in values])


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _escaped(values: Sequence[str | None]) -> list[str]:
    whole = "".join(value for value in values if value is not None)
    if any(chr(char) in whole for char in _ESCAPES):
        return [NULL if value is None else value.translate(_ESCAPES) for value in values]
    return [NULL if value is None else value for value in values]
