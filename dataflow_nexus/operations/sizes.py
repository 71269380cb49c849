"""The largest result that a channel takes: a write whose answer would be longer is rolled back before it is said."""

from __future__ import annotations

from dataflow_nexus.exceptions import LimitExceeded
from dataflow_nexus.operations import hooks
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.transactions import writing


def run(call: Call) -> bytes:
    """Run the operation, with its hooks, within the call's bound.

    A list bounds itself by the page. A single write answers what its caller sent, more or less, and is not bounded.
    """
    verb = call.operation.verb
    if call.max_bytes is None or verb.name == "list":
        return hooks.run(call)
    if verb.bulk:
        with writing(call.alias):
            return _short(call, hooks.run(call))
    result = hooks.run(call)
    return result if call.operation.writes else _short(call, result)


def _short(call: Call, result: bytes) -> bytes:
    assert call.max_bytes is not None
    if len(result) > call.max_bytes:
        raise too_long(call, len(result))
    return result


def too_long(call: Call, length: int) -> LimitExceeded:
    how = {
        "read": "ask for fewer fields",
        "list": "ask for fewer fields",
        "aggregate": "ask for fewer groups",
    }.get(call.operation.verb.name, 'ask for "return": "none", or change fewer records at a time')
    return LimitExceeded(
        f"the result has {length} bytes, more than the {call.max_bytes} that an answer may have: {how}"
    )
