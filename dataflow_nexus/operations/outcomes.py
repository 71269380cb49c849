"""The answer of a bulk write: five numbers, and the ids, records or errors that were asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import msgspec

from dataflow_nexus.exceptions import LimitExceeded
from dataflow_nexus.operations import parameters
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.reading import compilation, equal_to, render
from dataflow_nexus.operations.writing import shown_key
from dataflow_nexus.queries.rows import Rows
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.shapes import full_shape
from dataflow_nexus.queries.sql import any_of

Key = Mapping[str, Any]
How = Literal["inserted", "updated", "deleted", "skipped"]
_CHUNK = 500


class Done(NamedTuple):
    """What became of a row; a skipped one has no key."""

    number: int
    how: How
    key: Key | None


@dataclass(kw_only=True)
class Outcome:
    """What a bulk write did. ``processed`` counts the rows that it looked at."""

    processed: int = 0
    done: list[Done] = field(default_factory=list)
    counted: Counter[How] = field(default_factory=Counter)
    """Rows whose keys nobody asked for, so that only their number is kept."""

    def counts(self) -> Counter[How]:
        """How many rows were inserted, updated, deleted or skipped."""
        return self.counted + Counter(item.how for item in self.done)

    @property
    def keys(self) -> list[Key]:
        """The keys of the rows that were written, in the order in which they were given."""
        done = sorted(self.done, key=lambda item: item.number)
        return [item.key for item in done if item.key is not None]

    def check(self, call: Call) -> None:
        """Raise ``LimitExceeded``, which rolls back, when more rows changed than ``max_affected``."""
        counts = self.counts()
        check_affected(call, counts.total() - counts["skipped"])


def of_number(how: How, number: int) -> Outcome:
    """The outcome of a statement that tells no more than how many rows it changed."""
    return Outcome(processed=number, counted=Counter({how: number}))


def check_affected(call: Call, number: int) -> None:
    limit = parameters.integer(call, "max_affected", None, low=0, high=2**31)
    if limit is not None and number > limit:
        raise LimitExceeded(
            f"{number} or more records would change, and max_affected is {limit}; nothing was changed"
        )


def asked_for(call: Call) -> str:
    """``return``: ``none``, ``ids`` or ``records``."""
    return parameters.choice(call, "return", ("none", "ids", "records"), "none")


def returned(call: Call, keys: Sequence[Key]) -> dict[str, Any]:
    """``ids`` or ``records`` of the result, in the order of the keys."""
    wanted = asked_for(call)
    if wanted == "ids":
        return {"ids": [shown_key(call, key) for key in keys]}
    if wanted == "records":
        return {"records": records(call, keys)}
    return {}


def records(call: Call, keys: Sequence[Key]) -> list[msgspec.Raw]:
    """The records of keys, as the principal sees them; those that it does not see are left out."""
    grant = call.reading
    if grant is None:
        return []
    shape = full_shape(call.exposed, grant)
    found: list[msgspec.Raw] = []
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        scope = Scope(compilation(call), call.exposed, grant, written=True)
        condition = any_of(equal_to(scope, key) for key in chunk)
        texts = [str(row[0]) for row in render(Rows(scope=scope, condition=condition), shape)]
        found += [msgspec.Raw(text.encode()) for text in _in_order(call, texts, chunk)]
    return found


def _in_order(call: Call, texts: Sequence[str], keys: Sequence[Key]) -> list[str]:
    """Rendered records in the order of their keys, found by what they show of it."""
    names = [item.name for item in call.exposed.key]
    places = {
        msgspec.json.encode([item.kind.render(key[item.name]) for item in call.exposed.key]): place
        for place, key in enumerate(keys)
    }

    def place(text: str) -> int:
        record = msgspec.json.decode(text)
        marker = msgspec.json.encode([record.get(name) for name in names])
        return places.get(marker, len(places))

    return sorted(texts, key=place)


def result(outcome: Outcome, more: Mapping[str, Any]) -> bytes:
    counts = outcome.counts()
    hows: tuple[How, ...] = ("inserted", "updated", "deleted", "skipped")
    numbers = {how: counts[how] for how in hows}
    return msgspec.json.encode({"processed": outcome.processed, **numbers, **more})
