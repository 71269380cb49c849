"""``search_models`` and ``describe_models``: finding one's way among any number of models."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import inflection
import msgspec

from dataflow_nexus.channels.mcp import compact
from dataflow_nexus.channels.mcp.describing import described, summary
from dataflow_nexus.channels.mcp.toolset import Toolset
from dataflow_nexus.exceptions import Invalid, LimitExceeded, NotFound
from dataflow_nexus.fields import INTEGER, Rejected
from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Operation
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.registry import Exposed, nearest

DEFAULT_FOUND = 10
MAX_FIELDS = 30
"""Field names of one model in the result of a search; ``describe_models`` has them all."""
_WORD = re.compile(r"[^\W_]+")
_NAME, _TEXT, _FIELD = 8, 3, 2
"""What a word counts in a model's name, its description, and the names of its fields."""
_PART = 3
"""Letters that a part of a word has at least: ``inv`` finds ``invoices``, ``id`` finds no ``video``."""
_QUESTION = (
    "a all an and are as at by do does each every find for from get has have how in is it list many me model most much"
    " my of on or our show table that the their this to was were what when where which who with"
)


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    """A model with the words that it is found by, its name's first, and what a word counts among each."""

    exposed: Exposed
    names: Sequence[str]
    places: Sequence[tuple[frozenset[str], int]]

    def score(self, word: str) -> int:
        """What the word finds in the model, at its best place: a whole word counts twice as much as a part.

        Words that questions are made of count where they are a whole word of the name: ``PriceList`` is one.
        """
        idle = word in _IDLE
        for stems, weight in self.places[:1] if idle else self.places:
            if word in stems:
                return 2 * weight
            if not idle and len(word) >= _PART and any(_is_part(word, stem) for stem in stems):
                return weight
        return 0

    def share(self, wanted: Sequence[str]) -> float:
        """How much of the model's name the words say: ``orders`` are rather ``orders`` than ``order_items``."""
        stems = self.places[0][0]
        return len(stems.intersection(wanted)) / max(1, len(stems))


def search(toolset: Toolset, arguments: Mapping[str, Any]) -> bytes:
    """``{"models": [{"model", "name", "description", "fields"}], "total"}``, best first.

    A word counts the less the more models it finds.
    """
    _refuse_unknown(arguments, ("query", "limit"))
    query = arguments.get("query")
    if query is None:
        raise Invalid.field("query", "required", '"query" is required: words, or "" for all models')
    if not isinstance(query, str):
        raise Invalid.field("query", "type", '"query" must be a string of words')
    limit = _limit(arguments.get("limit"))
    wanted = _wanted(query)
    candidates = [_candidate(toolset, items) for items in toolset.models().values()]
    totals = [0.0] * len(candidates)
    for word in wanted:
        scores = [candidate.score(word) for candidate in candidates]
        rarity = math.log(1 + len(candidates) / max(1, sum(score > 0 for score in scores)))
        totals = [total + score * rarity for total, score in zip(totals, scores, strict=True)]
    ranked = [number for number, total in enumerate(totals) if total or not wanted]
    ranked.sort(key=lambda number: (-totals[number], -candidates[number].share(wanted)))
    shown = [_found(candidates[number]) for number in ranked[:limit]]
    return msgspec.json.encode({"models": shown, "total": len(ranked)})


def _refuse_unknown(arguments: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in arguments:
        if name not in known:
            raise unknown("parameter", name, known)


def _limit(value: object) -> int:
    if value is None:
        return DEFAULT_FOUND
    try:
        limit = int(INTEGER.coerce(value))
    except Rejected as problem:
        raise Invalid.field("limit", problem.code, f'"limit" {problem.message}') from None
    if not 1 <= limit <= compact.MAX_FOUND:
        raise Invalid.field("limit", "range", f'"limit" must be between 1 and {compact.MAX_FOUND}')
    return limit


def _wanted(query: str) -> list[str]:
    """The stems to look for, each once."""
    words = _WORD.findall(inflection.underscore(query))
    return list(dict.fromkeys(_stem(word) for word in words))


def _candidate(toolset: Toolset, operations: Sequence[Operation]) -> _Candidate:
    exposed = operations[0].exposed
    names = _shown(toolset, exposed)
    meta = exposed.model._meta
    return _Candidate(
        exposed=exposed,
        names=names,
        places=(
            (_stems(exposed.resource) | _stems(exposed.name), _NAME),
            (_stems(str(meta.verbose_name)) | _stems(summary(exposed)), _TEXT),
            (frozenset().union(*(_stems(name) for name in names)), _FIELD),
        ),
    )


def _shown(toolset: Toolset, exposed: Exposed) -> list[str]:
    """The names of the fields that the asker may know."""
    grants = schemas.grants_on(exposed, toolset.asker.principal).values()
    return [
        field.name
        for field in exposed.fields.values()
        if any(
            grant.reads(field.name) or (field.writable and grant.writes(field.name))
            for grant in grants
        )
    ]


def _found(candidate: _Candidate) -> dict[str, Any]:
    exposed, names = candidate.exposed, candidate.names
    found: dict[str, Any] = {
        "model": exposed.resource,
        "name": exposed.name,
        "description": summary(exposed),
        "fields": names[:MAX_FIELDS],
    }
    if len(names) > MAX_FIELDS:
        found["more_fields"] = len(names) - MAX_FIELDS
    return found


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    return str(inflection.singularize(word))


@lru_cache(maxsize=8192)
def _stems(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in _WORD.findall(inflection.underscore(text)))


_IDLE = _stems(_QUESTION)


def _is_part(word: str, stem: str) -> bool:
    """Whether one is written in the other: ``cust`` in ``customer``, ``line`` in ``orderline``."""
    return word in stem or (len(stem) >= _PART and stem in word)


def describe(toolset: Toolset, arguments: Mapping[str, Any]) -> bytes:
    """``{"models": [description, …]}`` in the order asked for."""
    _refuse_unknown(arguments, ("models",))
    wanted = arguments.get("models")
    if isinstance(wanted, str):
        wanted = [wanted]
    if not wanted and (wanted is None or isinstance(wanted, list)):
        message = '"models" is required: a list of names; search_models finds them'
        raise Invalid.field("models", "required", message)
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        raise Invalid.field("models", "type", '"models" must be a list of names')
    if len(wanted) > compact.MAX_DESCRIBED:
        raise LimitExceeded(f"at most {compact.MAX_DESCRIBED} models are described at a time")
    found = [model_operations(toolset, name) for name in wanted]
    chosen = {operations[0].exposed.resource: operations for operations in found}  # each once
    body = msgspec.json.encode({"models": [described(toolset, item) for item in chosen.values()]})
    most = toolset.catalog.configuration.mcp_max_bytes
    if len(body) > most:
        message = (
            f"the descriptions have {len(body)} bytes, more than {most}: describe fewer models"
        )
        raise LimitExceeded(message)
    return body


def resources_named(toolset: Toolset, names: str) -> frozenset[str]:
    """The resources of models by any of their names, with commas between.

    Raises ``NotFound``, in the same words for one that may not be seen as for one that does not exist.
    """
    found = (model_operations(toolset, name.strip()) for name in names.split(","))
    return frozenset(operations[0].exposed.resource for operations in found)


def model_operations(toolset: Toolset, name: str) -> list[Operation]:
    """What the asker may do with a model. Raises ``NotFound`` where that is nothing."""
    exposed = toolset.catalog.registry.named(name)
    operations = [] if exposed is None else toolset.of(exposed)
    if not operations:
        raise NotFound(f'there is no model "{name}"{nearest(name, toolset.models())}')
    return operations
