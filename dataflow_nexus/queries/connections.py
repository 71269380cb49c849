"""What a database connection must be told once, and the one place where statements are run.

PostgreSQL prints floats, dates and intervals by session settings; they are fixed when a connection is made, so that no
server setting changes an answer. SQLite gets the functions that it lacks. Nothing here opens a connection by itself.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from dataflow_nexus.conf import POSTGRESQL_SESSION
from dataflow_nexus.queries.exact import ExactSum, exact_mean, exact_ratio
from dataflow_nexus.queries.sql import SQL

_NEVER = 2**31
"""Executions after which psycopg prepares a statement by itself."""
_FIXED = (
    "SET extra_float_digits = 1; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';"
    " SET bytea_output = 'hex'"
)
"""The settings of ``POSTGRESQL_SESSION``, less the time zone, which Django sets."""


def prepare_connection(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receiver of ``connection_created``. With a pool it runs at every checkout, and does its work once."""
    raw = connection.connection
    if connection.vendor == "postgresql":
        if getattr(raw, "dataflow_nexus_prepared", False):
            return
        options = str(connection.settings_dict.get("OPTIONS", {}).get("options", ""))
        if not options.endswith(POSTGRESQL_SESSION):  # of two of one name the last one holds
            raw.execute(_FIXED)
        # A pooler in between answers with a number of its own, and may send two statements to two servers.
        [(server,)] = raw.execute("SELECT pg_backend_pid()").fetchall()
        if not raw.autocommit:
            raw.commit()
        raw.dataflow_nexus_direct = server == raw.info.backend_pid
        if raw.dataflow_nexus_direct and raw.prepare_threshold is None:
            raw.prepare_threshold = _NEVER  # None would forbid what fetch_again asks for
        raw.dataflow_nexus_prepared = True
    elif connection.vendor == "sqlite":
        raw.create_function("dataflow_lower", 1, _lower, deterministic=True)
        raw.create_function("dataflow_json", 2, _json_canonical, deterministic=True)
        raw.create_function("dataflow_json_number", 2, _json_number, deterministic=True)
        raw.create_function("dataflow_json_text", 2, _json_text, deterministic=True)
        raw.create_aggregate("dataflow_sum", 1, ExactSum)
        raw.create_function("dataflow_ratio", 2, exact_ratio, deterministic=True)
        raw.create_function("dataflow_mean", 3, exact_mean, deterministic=True)


def fetch(alias: str, statement: SQL) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows; ``[]`` for one that returns none."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement.text, statement.params)
        return cursor.fetchall() if cursor.description is not None else []


def fetch_again(alias: str, statement: SQL) -> list[tuple[Any, ...]]:
    """``fetch`` for a statement whose text comes again and again: PostgreSQL parses and plans it once per connection.

    Only over a direct connection: behind a pooler that knows nothing of prepared statements, the name of one may stand
    for another. Where somebody watches the statements, they go the ordinary way.
    """
    connection: Any = connections[alias]
    connection.ensure_connection()
    raw = connection.connection
    watched = connection.execute_wrappers or connection.queries_logged
    if watched or not getattr(raw, "dataflow_nexus_direct", False):
        return fetch(alias, statement)
    from psycopg import Cursor  # only where PostgreSQL is in use

    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors, Cursor(raw) as cursor:
        cursor.execute(statement.text, statement.params, prepare=True)
        return cursor.fetchall()


def run(alias: str, statement: SQL) -> int:
    """Run a statement and return the number of rows it touched."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement.text, statement.params)
        return int(cursor.rowcount)


@lru_cache(maxsize=16_384)
def quote(alias: str, name: str) -> str:
    """A quoted identifier, safe inside a statement that has parameters."""
    return connections[alias].ops.quote_name(name).replace("%", "%%")


def folded(text: str) -> str:
    """Lower case character by character, as ILIKE does: no character depends on another, none becomes two."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _lower(value: Any) -> Any:
    return folded(value) if isinstance(value, str) else value


_MISSING = object()
_INDEX = re.compile(r"[ \t\n\v\f\r]*[+-]?0*[0-9]{1,9}")  # as PostgreSQL's strtol reads it


def _at(document: Any, path: str) -> Any:
    if document is None:
        return _MISSING
    value = json.loads(document)
    for step in json.loads(path):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif (
            isinstance(value, list)
            and _INDEX.fullmatch(step)
            and -len(value) <= int(step) < len(value)
        ):
            value = value[int(step)]
        else:
            return _MISSING
    return value


def _normal(value: Any) -> Any:
    """Numbers that are equal become equal text: 1.0 and 1, 1e20 and its digits."""
    if isinstance(value, float) and value.is_integer():
        return int(Decimal(repr(value)))
    if isinstance(value, list):
        return [_normal(item) for item in value]
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    return value


def canonical(value: Any) -> str:
    """JSON text that is equal for equal documents, whatever the order of their keys."""
    return json.dumps(_normal(value), sort_keys=True, separators=(",", ":"))


def _json_canonical(document: Any, path: str) -> str | None:
    value = _at(document, path)
    return None if value is _MISSING else canonical(value)


def _json_number(document: Any, path: str) -> float | int | None:
    value = _at(document, path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if -(2**63) <= value < 2**63:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def _json_text(document: Any, path: str) -> str | None:
    value = _at(document, path)
    return value.encode(errors="replace").decode() if isinstance(value, str) else None
