"""The values that a write of one record is given: flat, in ``fields``, and what ``replace`` and ``auto_now`` add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from django.db import models

from dataflow_nexus.access.grants import UNRESTRICTED
from dataflow_nexus.operations import parameters
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.values import Faults, Values, Writer
from dataflow_nexus.queries.names import at as step
from dataflow_nexus.registry import Exposed

_open: WeakKeyDictionary[Exposed, Writer] = WeakKeyDictionary()
"""The writers of those who may do everything: what they have looked up serves the next request too."""


def writer(call: Call, action: str) -> Writer:
    """What the call may write under an action's grant."""
    grant, reading, exposed = call.grants[action], call.reading, call.exposed
    if not (grant.unrestricted and reading is not None and reading.unrestricted):
        return Writer(exposed=exposed, writing=grant, reading=reading)
    if exposed not in _open:
        _open[exposed] = Writer(exposed=exposed, writing=UNRESTRICTED, reading=UNRESTRICTED)
    return _open[exposed]


def given_values(call: Call, action: str, *, changes: bool = False, faults: Faults) -> Values:
    """The values that stand flat among the parameters and those in ``fields``, together."""
    made = writer(call, action)
    own = call.operation.verb.parameters
    inner = parameters.mapping(call, "fields")
    flat = {name: value for name, value in call.params.items() if name not in own}
    for name in flat:
        if name in parameters.OLD_NAMES and made.find(name) is None:
            parameters.refuse_unknown(call, fields=call.exposed.fields)
    values = made.collect(flat, changes=changes, faults=faults)
    if not inner:
        return values
    more = made.collect(inner, at="fields", changes=changes, faults=faults)
    for name in set(values) & set(more):
        faults.add(name, "duplicate", f'"{name}" is given twice: flat and in "fields"')
    return {**values, **more}


def split(exposed: Exposed, values: Values) -> tuple[Values, Values]:
    """Column values, and lists of ids."""
    columns = {name: value for name, value in values.items() if name in exposed.columns}
    return columns, {name: value for name, value in values.items() if name not in exposed.columns}


def replaced(call: Call, values: Values, faults: Faults) -> Values:
    """``replace``: every writable field that is absent takes its default, null, or is missing."""
    result = dict(values)
    grant = call.grants["change"]
    for field in call.exposed.fields.values():
        if (
            field.name in values
            or field.primary_key
            or not field.writable
            or not grant.writes(field.name)
        ):
            continue
        if field.many:
            result[field.name] = []
        elif isinstance(field.source, models.Field) and not is_automatic(field.source):
            if field.required:
                faults.add(field.name, "required", f'"{field.name}" is required')
            elif has_default(field.source) or not field.nullable:
                result[field.name] = field.source.get_default()
            else:
                result[field.name] = None
    return result


def without_key(key: Mapping[str, Any], values: Values, faults: Faults, *, at: str = "") -> Values:
    """The values beside the key of the record to change.

    That key may be said again, by whoever sends a whole record back; another one is a fault.
    """
    for name, value in key.items():
        if name in values and values[name] != value:
            message = f'"{name}" is the primary key and can\'t be changed'
            faults.add(step(at, name), "primary_key", message)
    return {name: value for name, value in values.items() if name not in key}


def keep_key(existing: Mapping[str, Any], given: Values) -> None:
    """Raise ``Invalid`` where the values of an upsert name another primary key than the record that is there has."""
    faults = Faults()
    for name, value in existing.items():
        if given.get(name, value) != value:
            faults.add(name, "primary_key", f'"{name}" is the primary key and can\'t be changed')
    faults.raise_any()


def has_default(source: models.Field[Any, Any]) -> bool:
    """Whether a field has a default of Django's or of the database's, which ``get_default`` gives as an expression."""
    return source.has_default() or source.has_db_default()


def is_automatic(source: models.Field[Any, Any]) -> bool:
    return getattr(source, "auto_now", False) or getattr(source, "auto_now_add", False)


def with_automatic(call: Call, values: Values) -> Values:
    """The column values of an update, with what ``auto_now`` fields take now."""
    result = dict(values)
    instance: models.Model | None = None
    for field in call.exposed.columns.values():
        if getattr(field.source, "auto_now", False) and field.name not in result:
            instance = instance or call.exposed.model()
            assert isinstance(field.source, models.Field)
            result[field.name] = field.source.pre_save(instance, False)
    return result
