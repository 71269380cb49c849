"""What a database says → what a caller is told. Never SQL, never a connection string, never a traceback."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
)

from dataflow_nexus.exceptions import (
    ConcurrentChange,
    Conflict,
    DeadlineExceeded,
    FieldError,
    Invalid,
    KeysUsedUp,
    LimitExceeded,
    NexusError,
    PermissionDenied,
    TableNotFound,
    Unavailable,
)
from dataflow_nexus.registry import Exposed

logger = logging.getLogger("dataflow_nexus.queries")

_KEY = re.compile(r"\(([^)]*)\)=\(")
_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")
_SQLITE_NULL = re.compile(r"NOT NULL constraint failed: \S+\.(.+)")
_SQLITE_CHECK = re.compile(r"CHECK constraint failed: (.+)")
_CANCELLED = "57014"
_CANNOT_OPEN = "SQLITE_CANTOPEN"
_MADE_THEN = "set existing_schema_mode=False so that it is made at the first request"
_RAISED = "P0001"
_NO_TABLE = re.compile(r"(?:no such table: |relation )\"?([^\s\"]+)")
_NO_COLUMN = re.compile(r"no such column: |has no column named ")
_NOT_WRITABLE = ("25006", "SQLITE_READONLY")
_NOT_A_DATABASE = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
_FOREIGN_KEY = ("23503", "23001")  # the latter where it says ON DELETE RESTRICT
_SEQUENCE_AT_ITS_END, _FULL = "2200H", "SQLITE_FULL"
_LAST_KEY = 2**63 - 1
_TOO_LARGE = ("parser stack overflow", "Expression tree is too large", "too many SQL variables")


Known = Callable[[str], bool]
"""Whether the one who is told may know a name."""


@contextmanager
def translated(exposed: Exposed, alias: str, known: Known | None = None) -> Iterator[None]:
    """Errors of the database inside become errors of the contract, which name what is known."""
    try:
        yield
    except DatabaseError as error:
        found = translate(error, exposed, alias)
        raise (found if known is None else withheld(found, known)) from error
    except InterfaceError as error:
        raise Unavailable("the database can't be reached") from error
    except OverflowError as error:  # SQLite: an integer beyond 64 bits
        raise Invalid("a number is beyond 64 bits") from error


def translate(error: DatabaseError, exposed: Exposed, alias: str) -> NexusError:
    """The contract's error for a database's error."""
    state = _state(error)
    if state == _RAISED or _raised_in_sqlite(error):
        reason = _diagnostic(error, "message_primary") or str(error)
        return Invalid(f"the database refused the change: {reason}")
    if isinstance(error, IntegrityError):
        return _integrity(error, state, exposed)
    unfit = _unfit(error, state, exposed, alias)
    if unfit is not None:
        return unfit
    if state == _CANCELLED or "interrupted" in str(error):
        return DeadlineExceeded(
            "the operation took longer than it may and was cancelled; nothing was changed"
        )
    if state[:2] == "54" or str(error).startswith(_TOO_LARGE):
        return LimitExceeded("the request is larger or nested deeper than the database takes")
    if state == _SEQUENCE_AT_ITS_END or (state == _FULL and _keys_used_up(exposed, alias)):
        return KeysUsedUp(
            f'the database can make no more keys for "{exposed.resource}": the largest one has been'
            " used; give the record a key that is free"
        )
    if state in ("40001", "40P01"):
        return ConcurrentChange("another transaction changed the same records; try again")
    if state == "55000":
        return Conflict(
            f'"{exposed.resource}" can\'t be read as it stands: it has not been populated'
        )
    if (
        isinstance(error, DataError)
        or state[:2] in ("22", "42")
        or "integer overflow" in str(error)
    ):
        return _data(error, state, exposed)
    if isinstance(error, OperationalError) or state.startswith(_NOT_A_DATABASE):
        logger.warning("database %s: %s", alias, type(error).__name__)
        return Unavailable("the database is unavailable or too busy; nothing was changed")
    raise error


def _keys_used_up(exposed: Exposed, alias: str) -> bool:
    """Whether SQLite's AUTOINCREMENT has reached its end, which it says in the words for a full disk.

    It is asked directly: Django lets no statement through in a transaction that SQLite has given up.
    """
    connection: Any = connections[alias]
    tables = {source.model._meta.db_table for source in exposed.model._meta.concrete_fields}
    try:
        with connection.wrap_database_errors:
            last = connection.connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    except DatabaseError:  # no table has AUTOINCREMENT, or the disk is what is full
        return False
    return any(name in tables and number == _LAST_KEY for name, number in last)


def _raised_in_sqlite(error: DatabaseError) -> bool:
    """Whether a trigger said RAISE; SQLite runs ON DELETE RESTRICT as a trigger of its own."""
    name = getattr(error.__cause__, "sqlite_errorname", None)
    return name == "SQLITE_CONSTRAINT_TRIGGER" and "FOREIGN KEY" not in str(error)


def withheld(error: NexusError, known: Known) -> NexusError:
    """The same error without the names that are not known."""
    names = [item.field for item in error.errors if known(item.field)]
    if len(names) == len(error.errors):
        return error
    code = error.errors[0].code
    if code == "unique":
        return unique_conflict(names)
    if code == "foreign_key":
        return foreign_key_conflict(names)
    if code == "null":
        return Invalid("a value is missing that must not be null")
    message = "the values violate a check of the table" if code == "check" else error.detail
    return Invalid(message, [FieldError(name, code, message) for name in names])


def _unfit(error: DatabaseError, state: str, exposed: Exposed, alias: str) -> NexusError | None:
    """The error where the database is not as the models say, or not as this application needs it."""
    if state == _CANNOT_OPEN and not _file_of(alias).exists():
        return TableNotFound(
            f'the database of "{exposed.resource}" does not exist, its file is not there: create the'
            f" schema first, or {_MADE_THEN}"
        )
    if state in ("42P01", "3F000") or "no such table" in str(error):
        return _no_table(error, exposed)
    if state == "42703" or _NO_COLUMN.search(str(error)):
        return _no_column(error, exposed, alias)
    if state == "42501":
        return PermissionDenied(
            f'the database does not let this application do that with "{exposed.resource}"'
        )
    if state.startswith(_NOT_WRITABLE):
        return Unavailable("the database takes no changes now; nothing was changed")
    return None


def _no_table(error: DatabaseError, exposed: Exposed) -> TableNotFound:
    missing = _NO_TABLE.search(str(error))
    own = missing is None or _bare(missing.group(1)) == _bare(exposed.table)
    which = f'the table of "{exposed.resource}"' if own else f'a table beside "{exposed.resource}"'
    return TableNotFound(f"{which} does not exist: create the schema first, or {_MADE_THEN}")


def _file_of(alias: str) -> Path:
    """The file of an SQLite database, which settings name by its path or by a URI."""
    name = str(connections[alias].settings_dict["NAME"])
    return Path(unquote(urlsplit(name).path) if name.startswith("file:") else name)


def _bare(table: str) -> str:
    """A table's name without its schema."""
    return re.split(r'[."]+', table.strip('"'))[-1]


def _no_column(error: DatabaseError, exposed: Exposed, alias: str) -> TableNotFound:
    """The table is another one than the model says. Which column it is, the log knows."""
    reason = _diagnostic(error, "message_primary") or str(error)
    logger.error("database %s, %s: %s", alias, exposed.resource, reason)
    return TableNotFound(
        f'the table of "{exposed.resource}", or one beside it, lacks a column that its model has:'
        " bring the schema up to date, or declare the model as the table is"
    )


def _state(error: DatabaseError) -> str:
    """PostgreSQL's SQLSTATE, or the name of SQLite's error."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or ""


def _diagnostic(error: DatabaseError, name: str) -> str:
    return getattr(getattr(error.__cause__, "diag", None), name, None) or ""


def _names(exposed: Exposed, columns: Any) -> list[str]:
    """Outside names of columns, as far as they are columns of the model."""
    by_column = {item.column: name for name, item in exposed.columns.items()}
    stripped = (str(column).strip().strip('"') for column in columns)
    return [by_column[column] for column in stripped if column in by_column]


def _integrity(error: IntegrityError, state: str, exposed: Exposed) -> NexusError:
    text = str(error.__cause__ or error)
    null = _SQLITE_NULL.search(text)
    if state == "23502" or null:
        column = _diagnostic(error, "column_name") or (null.group(1) if null else "")
        name = next(iter(_names(exposed, [column])), column)
        return Invalid.field(name, "null", f'"{name}" must not be null')
    check = _SQLITE_CHECK.search(text)
    if state == "23514" or check:
        constraint = _diagnostic(error, "constraint_name") or (check.group(1) if check else "")
        return checked(exposed, constraint)
    match = _KEY.search(_diagnostic(error, "message_detail"))
    if state in _FOREIGN_KEY or "FOREIGN KEY" in text:
        names = _names(exposed, match.group(1).split(",")) if match else []
        return foreign_key_conflict([] if _referred_to(exposed, names) else names)
    unique = _SQLITE_UNIQUE.search(text)
    columns = match.group(1).split(",") if match else []
    if unique:
        columns = [item.rpartition(".")[2] for item in unique.group(1).split(",")]
    return unique_conflict(_names(exposed, columns))


def _referred_to(exposed: Exposed, names: list[str]) -> bool:
    """Whether a broken reference names what others refer to, a key of this model, and not a reference of its own."""
    keys = [sorted(key) for key in exposed.unique_keys]
    return sorted(names) in keys and not any(
        exposed.columns[name].foreign_key is not None for name in names
    )


def unique_conflict(names: list[str]) -> Conflict:
    """In the same words for rows that the principal may see and rows that it may not."""
    what = " and ".join(f'"{name}"' for name in names) or "a unique key"
    return Conflict(
        f"a record with the same {what} exists",
        [FieldError(name, "unique", f'another record has this "{name}"') for name in names],
    )


def foreign_key_conflict(names: list[str]) -> Conflict:
    """A reference to nothing (or to a record that others still refer to, where no own field is named)."""
    if not names:
        return Conflict("a reference to or from another record would break")
    return Conflict(
        f"{' and '.join(names)} refers to a record that does not exist",
        [
            FieldError(name, "foreign_key", f'"{name}" refers to a record that does not exist')
            for name in names
        ],
    )


def checked(exposed: Exposed, constraint: str) -> Invalid:
    """A violated check constraint, with its own message where the model declares one."""
    for declared in exposed.model._meta.constraints:
        if declared.name == constraint:
            message = str(declared.get_violation_error_message())
            fields = sorted(_check_fields(declared, exposed)) or [constraint]
            return Invalid(message, [FieldError(name, "check", message) for name in fields])
    for name, item in exposed.columns.items():
        if constraint.endswith(f"{item.column}_check") or f'"{item.column}"' in constraint:
            return Invalid.field(
                name, "check", f'"{name}" has a value that its column does not take'
            )
    return Invalid.field(constraint or "record", "check", "the values violate a check of the table")


def _check_fields(constraint: Any, exposed: Exposed) -> set[str]:
    condition = getattr(constraint, "condition", None)
    if condition is None:
        return set()
    heads = {str(name).partition("__")[0] for name in _referenced(condition)}
    by_django = {
        item.source.name: name for name, item in exposed.columns.items() if item.source is not None
    }
    return {by_django[head] for head in heads if head in by_django}


def _referenced(condition: Any) -> Iterator[str]:
    for child in getattr(condition, "children", ()):
        if isinstance(child, tuple):
            yield child[0]
        else:
            yield from _referenced(child)


def _data(error: DatabaseError, state: str, exposed: Exposed) -> NexusError:
    column = _diagnostic(error, "column_name")
    name = next(iter(_names(exposed, [column])), "")
    reasons = {
        "22003": "a number is outside of its column's range",
        "22001": "a text is longer than its column takes",
        "2201B": "the regular expression is wrong",
        "22P02": "a value does not have its column's form",
        "22P05": "a text holds a character that the database can't store",
        "22021": "a text holds a character that the database can't store",
        "22008": "a date or time is outside of its range",
        "428C9": "a generated column can't be written",
    }
    if state[:2] == "42" and state not in ("42804", "42883", "428C9", "42846"):
        raise error
    message = reasons.get(state, "a value is outside of what the database takes")
    return Invalid(message, [FieldError(name, "database", message)] if name else [])
