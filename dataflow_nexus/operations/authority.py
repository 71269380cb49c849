"""Writes under a grant that does not allow everything: one source must allow all fields, the row before and after.

The lowest source that does wins, and its presets apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.db import transaction

from dataflow_nexus.access.grants import ALL, NOTHING, Grant, Source
from dataflow_nexus.exceptions import FieldError, NotFound, PermissionDenied
from dataflow_nexus.fields import Rejected
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.instances import saves_itself
from dataflow_nexus.operations.reading import compilation, equal_to, missing
from dataflow_nexus.operations.values import Change, Faults, Values, checked_value
from dataflow_nexus.queries.connections import fetch
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL, all_of, where


class _OutsideRows(Exception):
    """The row after the write is not one of the source's: try the next source."""


def selects(
    call: Call, grant: Grant, rows: Mapping[str, Any] | None, key: Mapping[str, Any]
) -> bool:
    """Whether a row condition selects the row of a key, as the transaction sees it."""
    scope = Scope(compilation(call), call.exposed, grant)
    condition = all_of([equal_to(scope, key), None if rows is None else scope.rows(rows)])
    return is_there(call, scope, condition)


def is_there(call: Call, scope: Scope, condition: SQL | None) -> bool:
    """Whether a condition selects any row of a scope."""
    return bool(fetch(call.alias, SQL("SELECT 1 FROM ") + scope.source() + where(condition)))


def with_presets(call: Call, source: Source, values: Values) -> Values:
    """The values with the source's presets. Raises ``PermissionDenied`` where another value was supplied."""
    result = dict(values)
    for name, preset in source.presets.items():
        field = call.exposed.columns[name]
        try:
            value = checked_value(field, preset)
        except Rejected as problem:
            raise PermissionDenied(f'the rule\'s preset for "{name}" {problem.message}') from None
        if name in values and values[name] != value:
            error = PermissionDenied(f'"{name}" is set by your access rules')
            error.errors = (FieldError(name, "preset", f'"{name}" is set by your access rules'),)
            raise error
        result[name] = value
    return result


def required_faults(call: Call, given: Iterable[str], faults: Faults) -> None:
    """A fault per field that a new record needs and does not have; one whose value is wrong has its fault already."""
    names, refusal = _needed(call)
    wrong = (item.field.rpartition(".")[2] for item in faults.errors)
    denied = (name.rpartition(".")[2] for name in faults.denied)
    known = {*given, *wrong, *denied, *faults.unread}
    for name in names:
        if name not in known:
            faults.add(name, "required", f'"{name}" is required')
    faults.refusal = refusal


def needed(call: Call) -> list[str]:
    """The fields that a new record must be given. Raises ``PermissionDenied`` where the principal can't give one."""
    names, refusal = _needed(call)
    if refusal:
        raise PermissionDenied(refusal)
    return names


def _needed(call: Call) -> tuple[list[str], str]:
    """What neither a default nor a preset fills and the principal may give; and why it can't make a new record.

    The reason names no field. A model that saves itself may fill what is hidden.
    """
    exposed, grant = call.exposed, call.grants["add"]
    names = [
        field.name
        for field in exposed.columns.values()
        if field.required and field.name not in grant.presets
    ]
    given = [name for name in names if name in exposed.fields and grant.writes(name)]
    if len(given) == len(names) or saves_itself(exposed.model):
        return given, ""
    return given, f'a new record in "{exposed.resource}" needs a value that you may not give'


def _completes(call: Call, source: Source, values: Values) -> bool:
    """Whether nothing is missing from a new record that another source would preset."""
    presets = call.grants["add"].presets
    columns = call.exposed.columns
    return all(
        name in values or name in source.presets
        for name in presets
        if name in columns and columns[name].required
    )


def check_operands(call: Call, key: Mapping[str, Any], values: Values) -> None:
    """Raise ``PermissionDenied`` where a new value is computed from one that the principal may not read.

    Its range and its validators would tell what the old one is.
    """
    names = [name for name, value in values.items() if isinstance(value, Change)]
    reading = call.reading or NOTHING
    if not names or reading.shows_all:
        return
    scope = Scope(compilation(call), call.exposed, reading)
    shown = [scope.visible(), *(scope.mask(name) for name in names)]
    condition = all_of([equal_to(scope, key), *shown])
    if not all(map(reading.reads, names)) or not is_there(call, scope, condition):
        error = PermissionDenied(
            f'"{names[0]}" can\'t be computed from a value that you may not read'
        )
        error.errors = tuple(FieldError(name, "operator", error.detail) for name in names)
        raise error


def allowing(grant: Grant, values: Values) -> Iterator[Source]:
    """The sources that allow all the fields, in order."""
    for source in grant.sources:
        if source.write is ALL or all(
            name in source.write or name in source.presets for name in values
        ):
            yield source


def under(
    call: Call,
    grant: Grant,
    values: Values,
    *,
    before: Mapping[str, Any] | None,
    write: Callable[[Values], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Run ``write`` under the first source that allows it, each try in a savepoint; returns the key written.

    ``before`` is the key of the row as it is, or ``None`` for a new one. Raises ``NotFound`` for a row that the
    principal may not see, ``PermissionDenied`` for one that it may see and not write so.
    """
    if grant.unrestricted:
        if before is not None:
            check_operands(call, before, values)
        return write(values)
    denied: PermissionDenied | None = None
    for source in allowing(grant, values):
        if before is None and not _completes(call, source, values):
            continue
        if before is not None and not selects(call, grant, source.rows, before):
            continue
        if before is not None:
            check_operands(call, before, values)
        try:
            with transaction.atomic(using=call.alias):
                key = write(with_presets(call, source, values))
                if source.rows is not None and not selects(call, grant, source.rows, key):
                    raise _OutsideRows
                return key
        except _OutsideRows:
            continue
        except PermissionDenied as error:
            denied = denied or error
    raise denied or refusal(call, before)


def refusal(call: Call, before: Mapping[str, Any] | None) -> PermissionDenied | NotFound:
    """Why no source allowed a write, in words that do not tell what the principal may not know."""
    reading = call.reading
    if before is not None and (reading is None or not visible(call, reading, before)):
        return missing(call)
    return PermissionDenied(
        f'your access rules do not allow this change of "{call.exposed.resource}"'
    )


def visible(call: Call, grant: Grant, key: Mapping[str, Any]) -> bool:
    scope = Scope(compilation(call), call.exposed, grant)
    return is_there(call, scope, all_of([equal_to(scope, key), scope.visible()]))


def may_delete(call: Call, grant: Grant, key: Mapping[str, Any]) -> None:
    """Raise unless some source's rows hold the row of a key."""
    if grant.all_rows or any(selects(call, grant, source.rows, key) for source in grant.sources):
        return
    raise refusal(call, key)
