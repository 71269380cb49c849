"""Rows of one statement a batch at a time, in constant memory, for as long as a slow reader takes.

A reader may stop early or go on in another thread, and must not keep a transaction of the thread's own connection open
from one batch to the next. So the rows come over a connection of their own, in one read-only snapshot that ends with
them. Inside somebody's transaction (a test, ``ATOMIC_REQUESTS``) they come over its connection, and may outlive it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from dataflow_nexus.queries.sql import SQL

_SNAPSHOT = {
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "sqlite": "BEGIN DEFERRED",
}
_numbers = count(1)


class Reading:
    """One statement, read to its end or left early. Every use of it stands ``inside`` it, and ``close`` comes last."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._connection, self._own = _connection(alias)
        self._named = self._connection.vendor == "postgresql"
        self._name = f"dataflow_reading_{next(_numbers)}"
        self._cursor: Any = None

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let the current thread's connection be this one, so that all that is run sees the same snapshot."""
        before = connections[self._alias]
        connections[self._alias] = self._connection
        self._connection.inc_thread_sharing()
        try:
            yield
        finally:
            self._connection.dec_thread_sharing()
            connections[self._alias] = before

    def open(self, statement: SQL) -> None:
        """Start the statement. PostgreSQL keeps its rows in a cursor, beyond the transaction that is not ours."""
        self._cursor = self._connection.cursor()
        if self._own:
            self._cursor.execute(_SNAPSHOT[self._connection.vendor])
        if self._named:
            hold = "WITHOUT" if self._own else "WITH"
            statement = f"DECLARE {self._name} NO SCROLL CURSOR {hold} HOLD FOR " + statement
        self._cursor.execute(statement.text, statement.params)

    def fetch(self, size: int) -> list[tuple[Any, ...]]:
        """The next rows; fewer than ``size`` only at the end."""
        if not self._named:
            return list(self._cursor.fetchmany(size))
        self._cursor.execute(f"FETCH FORWARD {size} FROM {self._name}")
        return list(self._cursor.fetchall())

    def close(self) -> None:
        """Give back what the statement held."""
        if self._own:
            self._end_snapshot()
        elif self._cursor is not None:
            if self._named:
                with suppress(DatabaseError):  # a broken transaction has closed it already
                    self._cursor.execute(f"CLOSE {self._name}")
            self._cursor.close()

    def _end_snapshot(self) -> None:
        if self._cursor is not None:
            with suppress(DatabaseError):  # a lost connection has ended it already
                self._cursor.close()
                self._connection.cursor().execute("ROLLBACK")
        self._connection.close()


def _connection(alias: str) -> tuple[BaseDatabaseWrapper, bool]:
    """The connection to read over, and whether it is a new one. A database in memory is in one connection alone."""
    current = connections[alias]
    in_memory = getattr(current, "is_in_memory_db", None)
    if current.in_atomic_block or (in_memory is not None and in_memory()):
        return current, False
    return current.copy(), True
