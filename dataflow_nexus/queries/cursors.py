"""Rows of one statement a batch at a time, in constant memory, for as long as a slow reader takes.

A reader may stop early, may ask from another thread, and must not hold a transaction of the thread's own connection
open between two batches. So rows come over a connection of their own, in one transaction that ends with them. Inside
somebody's transaction (a test, ``ATOMIC_REQUESTS``) they come over its connection instead, and outlive it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from dataflow_nexus.queries.sql import SQL

_numbers = count(1)


class Reading:
    """An open statement. Whatever runs ``inside`` it, in any thread, uses its connection and sees its snapshot."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self._connection, self._own = _connection(alias)
        self._cursor: Any = None
        self._name = f"dataflow_reading_{next(_numbers)}"

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let the current thread's connection be this one."""
        before = connections[self.alias]
        connections[self.alias] = self._connection
        self._connection.inc_thread_sharing()
        try:
            yield
        finally:
            self._connection.dec_thread_sharing()
            connections[self.alias] = before

    def open(self, statement: SQL) -> None:
        """Start the statement. On PostgreSQL a named cursor holds its rows on the server."""
        if self._own:
            self._connection.set_autocommit(False)
        self._cursor = self._connection.cursor()
        if self._connection.vendor == "postgresql":
            hold = "WITHOUT" if self._own else "WITH"
            start = f"DECLARE {self._name} NO SCROLL CURSOR {hold} HOLD FOR "
            statement = start + statement
        self._cursor.execute(statement.text, statement.params)

    def fetch(self, size: int) -> list[tuple[Any, ...]]:
        """The next rows, fewer than ``size`` only at the end."""
        if self._connection.vendor == "postgresql":
            self._cursor.execute(f"FETCH FORWARD {size} FROM {self._name}")
            return list(self._cursor.fetchall())
        return list(self._cursor.fetchmany(size))

    def close(self) -> None:
        """End the transaction and give the connection back."""
        if self._own:
            self._connection.close()
        elif self._cursor is not None:
            if self._connection.vendor == "postgresql" and not self._connection.needs_rollback:
                self._cursor.execute(f"CLOSE {self._name}")
            self._cursor.close()


def _connection(alias: str) -> tuple[BaseDatabaseWrapper, bool]:
    """The connection to read over, and whether it is a new one."""
    current = connections[alias]
    in_memory = getattr(current, "is_in_memory_db", None)
    if current.in_atomic_block or (in_memory is not None and in_memory()):
        return current, False
    return current.copy(), True
