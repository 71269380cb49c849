"""The largest result that a channel takes: a write whose answer would be longer is rolled back before it is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dataflow_nexus.exceptions import LimitExceeded
from dataflow_nexus.operations import hooks
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.transactions import writing

_AROUND = 256
"""Bytes of a page besides its records and its cursor: names, numbers."""


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


def page(
    call: Call, records: Sequence[str], *, more: bool, cursor: Callable[[int], str] | None
) -> tuple[int, str | None]:
    """How many of a page's records are shown, and the cursor that goes on after them.

    ``cursor`` makes one after so many records (``None``: nothing to go on by); ``more`` says that there are records
    beyond these. Raises ``LimitExceeded`` where not even one record fits, or the page can't end early.
    """
    if call.max_bytes is None:  # nothing has to be measured
        return len(records), cursor(len(records)) if cursor and more and records else None
    total = _AROUND + sum(_size(record) for record in records)
    shown, most = len(records), call.max_bytes
    if cursor is not None:
        while shown > 1 and total > most:
            shown -= 1
            total -= _size(records[shown])
    while True:
        going_on = cursor is not None and shown > 0 and (more or shown < len(records))
        following = cursor(shown) if cursor is not None and going_on else None
        length = total + len(following or "")
        if length <= most or not records:
            return shown, following
        if shown == 1 or cursor is None:
            raise too_long(call, length)
        shown -= 1  # the records would fit, but not with a cursor of their sort values
        total -= _size(records[shown])


def _size(record: str) -> int:
    return len(record.encode()) + 1


def too_long(call: Call, length: int) -> LimitExceeded:
    how = {
        "read": "ask for fewer fields",
        "list": "ask for fewer fields, or fewer records",
        "aggregate": "ask for fewer groups",
    }.get(call.operation.verb.name, 'ask for "return": "none", or change fewer records at a time')
    return LimitExceeded(
        f"the result has {length} bytes, more than the {call.max_bytes} that an answer may have: {how}"
    )
