"""Checking one flat object of parameters against a verb: what is known, what is missing, what has the wrong type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.fields import INTEGER, Rejected
from dataflow_nexus.operations.base import Call
from dataflow_nexus.queries.names import unknown

MAX_OFFSET = 2**62
OLD_NAMES: Mapping[str, str] = {
    "record_id": "id",
    "conditions": "filter",
    "raise_on_not_found": "a missing record is always not_found",
    "updates": "fields",
    "return_ids": 'return: "ids"',
    "safe_mode": "confirmed",
    "count_only": "the Count operation",
    "enable_cache": "the setting enable_caching",
    "cache_ttl": "the setting cache_ttl",
    "include_deleted": "the model's queryset option",
}
"""Parameter names of the system that this one replaces → ours; an old name is an error that names the new one."""


def refuse_unknown(call: Call, *, fields: Iterable[str] = ()) -> None:
    """Raise ``Invalid`` for the first parameter that is neither the verb's own nor one of ``fields``."""
    own = call.operation.verb.parameters
    allowed = set(fields)
    for name in call.params:
        if name in own or name in allowed:
            continue
        if not isinstance(name, str):
            raise Invalid("the names of parameters must be strings")
        if name in OLD_NAMES:
            message = f'unknown parameter "{name}"; what it did is now: {OLD_NAMES[name]}'
            raise Invalid.field(name, "unknown", message)
        kind = "field" if call.operation.verb.takes_fields else "parameter"
        raise unknown(kind, name, [*own, *allowed])


def integer(call: Call, name: str, default: int | None, *, low: int, high: int) -> int | None:
    """An integer parameter within bounds."""
    value = call.params.get(name)
    if value is None:
        return default
    try:
        number = INTEGER.coerce(value)
    except Rejected as problem:
        raise Invalid.field(name, problem.code, f'"{name}" {problem.message}') from None
    if not low <= number <= high:
        raise Invalid.field(name, "range", f'"{name}" must be between {low} and {high}')
    return int(number)


def boolean(call: Call, name: str) -> bool:
    """A true-or-false parameter, false by default."""
    value = call.params.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise Invalid.field(name, "type", f'"{name}" must be true or false')
    return value


def choice(call: Call, name: str, choices: tuple[str, ...], default: str) -> str:
    value = call.params.get(name)
    if value is None:
        return default
    if value not in choices:
        listed = ", ".join(f'"{item}"' for item in choices)
        raise Invalid.field(name, "choice", f'"{name}" must be one of {listed}')
    return str(value)


def mapping(call: Call, name: str) -> Mapping[str, Any] | None:
    value = call.params.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise Invalid.field(name, "type", f'"{name}" must be an object')
    return value
