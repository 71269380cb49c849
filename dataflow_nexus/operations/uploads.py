"""Uploaded files go into their storage while the transaction runs; what is rolled back must leave none behind.

A storage takes part in no transaction, so the files of a transaction are remembered, and those whose savepoint or
transaction was rolled back are deleted after it. A file that a row refers to is never deleted, nor one of a transaction
whose commit failed in a way that does not tell whether it was made.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, IntegrityError, connections, models, transaction
from django.db.models.fields.files import FieldFile

logger = logging.getLogger("dataflow_nexus.operations")


class Stored:
    """A file that was put into its storage."""

    def __init__(self, file: FieldFile) -> None:
        self.file = file
        self.name = str(file.name)
        self.kept = False

    def keep(self) -> None:
        """What the transaction calls once it is committed, and forgets where it is rolled back."""
        self.kept = True


class Watch:
    """The files of one transaction."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []
        self.committing = False
        """Whether the transaction has done all but commit: then an error may come after the commit."""


@contextmanager
def watched(alias: str) -> Iterator[Watch]:
    """Delete, after the outermost of our transactions, the files that were rolled back."""
    connection: Any = connections[alias]
    if getattr(connection, "dataflow_nexus_watch", None) is not None:
        yield Watch()
        return
    watch = connection.dataflow_nexus_watch = Watch()
    try:
        yield watch
    except BaseException as error:
        if not watch.committing or isinstance(error, IntegrityError):
            _discard(alias, watch.stored)
        raise
    else:
        waiting = [entry[1] for entry in connection.run_on_commit] if watch.stored else []
        _discard(alias, [item for item in watch.stored if item.keep not in waiting])
    finally:
        connection.dataflow_nexus_watch = None


@contextmanager
def storing(alias: str, instance: models.Model, values: Mapping[str, Any]) -> Iterator[None]:
    """Remember which of the uploads among an instance's values are stored, also where storing them fails half-way."""
    files = [getattr(instance, name) for name, value in values.items() if is_upload(value)]
    try:
        yield
    finally:
        watch: Watch | None = getattr(connections[alias], "dataflow_nexus_watch", None)
        for file in files:
            if watch is not None and isinstance(file, FieldFile) and _is_stored(file):
                stored = Stored(file)
                watch.stored.append(stored)
                transaction.on_commit(stored.keep, using=alias)


def is_upload(value: Any) -> bool:
    return hasattr(value, "read")


def _is_stored(file: FieldFile) -> bool:
    return bool(file.name) and getattr(file, "_committed", False)


def _discard(alias: str, stored: Iterable[Stored]) -> None:
    for item in stored:
        if not item.kept and not _is_referred_to(alias, item):
            item.file.storage.delete(item.name)


def _is_referred_to(alias: str, item: Stored) -> bool:
    """Whether a row has the file: a storage may give one file to equal contents. Where nobody can say, it may."""
    field = item.file.field
    try:
        return field.model._base_manager.using(alias).filter(**{field.name: item.name}).exists()
    except DatabaseError as error:
        logger.warning("a file that was rolled back is kept: %s", type(error).__name__)
        return True
