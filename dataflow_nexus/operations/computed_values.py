"""What must hold of values that the database computes: ``$inc`` and the like may leave a range or break a validator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.db import DataError, connections

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.fields import Rejected
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.reading import compilation, equal_to
from dataflow_nexus.operations.values import Change, Faults, Values, checked_value
from dataflow_nexus.queries.connections import fetch
from dataflow_nexus.queries.python_rendering import converter
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL, where
from dataflow_nexus.registry import ModelField

Key = Mapping[str, Any]
_BOUNDED = ("integer", "decimal", "float")
"""Kinds whose columns refuse, on PostgreSQL, what lies outside of their range."""


_TOO_LONG = "22001"


@contextmanager
def naming_overflow(values: Values) -> Iterator[None]:
    """The database does not say which computed value left its column's range; only these can have."""
    try:
        yield
    except DataError as error:
        too_long = getattr(error.__cause__, "sqlstate", None) == _TOO_LONG
        changes = {name: value for name, value in values.items() if isinstance(value, Change)}
        names = [name for name in changes if (changes[name].operator == "$append") == too_long]
        names = names or list(changes)  # what was appended to an array may be a number
        if not names:
            raise
        faults = Faults()
        for name in names:
            if too_long:
                message = f'the new value of "{name}" would be longer than its column takes'
                faults.add(name, "max_length", message)
            else:
                outside(name, faults)
        raise Invalid(faults.errors[0].message, faults.errors) from error


def outside(name: str, faults: Faults) -> None:
    """The fault of a number that its column can't hold."""
    message = f'the new value of "{name}" would be outside of its column\'s range'
    faults.add(name, "range", message)


def must_check(call: Call, values: Values) -> list[ModelField]:
    """Fields whose computed value must pass the field's own validators after the fact."""
    found = []
    for name, value in values.items():
        if isinstance(value, Change):
            field = call.exposed.columns[name]
            source: Any = field.storage
            plain = field.kind.name in _BOUNDED and not source._validators and not source.choices
            if not (plain and connections[call.alias].vendor == "postgresql"):
                found.append(field)
    return found


def check_appends(call: Call, scope: Scope, key: Key, values: Values) -> None:
    """``$append`` needs an array where the column is JSON."""
    for name, value in values.items():
        field = call.exposed.columns[name]
        if isinstance(value, Change) and value.operator == "$append" and field.kind.name == "json":
            column = scope.raw(field)
            found_type = column.wrapped("json_type(", ")")
            if scope.compilation.dialect.renders_json:  # where the column may be of type json
                found_type = column.wrapped("jsonb_typeof((", ")::jsonb)")
            start = "SELECT " + found_type + " FROM " + scope.source()
            found = fetch(call.alias, start + where(equal_to(scope, key)))
            if found and found[0][0] not in (None, "array"):
                raise Invalid.field(
                    name, "type", f'"{name}" is no array, so $append has nothing to append to'
                )


def _as_read(scope: Scope, field: ModelField) -> str:
    """A column as Django's fields take it: of type ``json`` psycopg would read the document already."""
    text = scope.compilation.dialect.renders_json and field.kind.name == "json"
    return f"({scope.raw(field).text})::text" if text else scope.raw(field).text


def check_computed(call: Call, key: Key, values: Values) -> None:
    """Run validators on what the database computed; the transaction rolls back where they refuse it."""
    fields = must_check(call, values)
    if not fields:
        return
    scope = Scope(compilation(call), call.exposed, call.grants["change"])
    names = ", ".join(_as_read(scope, field) for field in fields)
    found = fetch(
        call.alias, SQL(f"SELECT {names} FROM ") + scope.source() + where(equal_to(scope, key))
    )
    faults = Faults()
    for field, raw in zip(fields, found[0] if found else (), strict=False):
        if raw is None:
            continue
        if field.kind.name == "decimal" and too_large(field, raw):
            outside(field.name, faults)
        else:
            checked(field, converter(call.alias, field)(raw), faults)
    faults.raise_any()


def too_large(field: ModelField, value: Any) -> bool:
    """Whether a number has more digits before the point than its column. SQLite keeps it, and Django can't read it."""
    stored: Any = field.storage
    if stored.max_digits is None:
        return False
    whole: int = stored.max_digits - stored.decimal_places
    number = Decimal(str(value))
    return not number.is_finite() or (number != 0 and number.adjusted() >= whole)


def checked(field: ModelField, value: Any, faults: Faults) -> None:
    try:
        checked_value(field, value)
    except Rejected as problem:
        faults.add(field.name, problem.code, f'"{field.name}" {problem.message}')
