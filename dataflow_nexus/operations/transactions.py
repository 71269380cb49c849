"""The transaction of a write: all of it or nothing, and constraints that wait for the commit are checked inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

from dataflow_nexus.operations.uploads import watched


@contextmanager
def immediate(alias: str) -> Iterator[None]:
    """On SQLite a transaction that will write takes its lock at once: one that upgrades later may fail at once."""
    connection: Any = connections[alias]
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()  # which is what sets the mode from the options
    before = connection.transaction_mode
    connection.transaction_mode = "IMMEDIATE"
    try:
        yield
    finally:
        connection.transaction_mode = before


@contextmanager
def writing(alias: str, *, dry_run: bool = False) -> Iterator[None]:
    """A transaction (a savepoint inside another). With ``dry_run`` it is rolled back at its end, files as well."""
    with watched(alias) as watch, immediate(alias), transaction.atomic(using=alias):
        yield
        check_deferred(alias)
        if dry_run:
            transaction.set_rollback(True, using=alias)
        watch.committing = not dry_run


def check_deferred(alias: str) -> None:
    """Let deferred constraints speak now, while the error can still be told and rolled back."""
    connection = connections[alias]
    if connection.vendor == "postgresql":
        connection.check_constraints()
