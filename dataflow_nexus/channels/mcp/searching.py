"""``search_models`` and ``describe_models``: finding one's way among any number of models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import inflection
import msgspec

from dataflow_nexus.channels.mcp import compact
from dataflow_nexus.channels.mcp.describing import described, summary
from dataflow_nexus.channels.mcp.toolset import Toolset
from dataflow_nexus.exceptions import Invalid, LimitExceeded, NotFound
from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Operation
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.registry import Exposed, nearest

DEFAULT_FOUND = 10
_WORD = re.compile(r"[^\W_]+")
_NAME, _TEXT, _FIELD = 8, 3, 2
"""What a word counts in a model's name, its description, and the names of its fields."""


def search(toolset: Toolset, arguments: Mapping[str, Any]) -> bytes:
    """``{"models": [{"model", "name", "description", "fields"}], "total"}``, best first."""
    _refuse_unknown(arguments, ("query", "limit"))
    query = arguments.get("query")
    if not isinstance(query, str):
        raise Invalid.field("query", "required", '"query" must be a string of words')
    limit = arguments.get("limit", DEFAULT_FOUND)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= compact.MAX_FOUND:
        raise Invalid.field("limit", "range", f'"limit" must be between 1 and {compact.MAX_FOUND}')
    wanted = [_stem(word) for word in _WORD.findall(query)]
    ranked = []
    for number, operations in enumerate(toolset.models().values()):
        exposed = operations[0].exposed
        names = _shown(toolset, exposed)
        score = _score(exposed, names, wanted)
        if score or not wanted:
            ranked.append((-score, number, exposed, names))
    ranked.sort(key=lambda item: item[:2])
    return msgspec.json.encode(
        {
            "models": [_found(exposed, names) for _, _, exposed, names in ranked[:limit]],
            "total": len(ranked),
        }
    )


def _refuse_unknown(arguments: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in arguments:
        if name not in known:
            raise unknown("parameter", name, known)


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


def _found(exposed: Exposed, names: list[str]) -> dict[str, Any]:
    return {
        "model": exposed.resource,
        "name": exposed.name,
        "description": summary(exposed),
        "fields": names,
    }


def _stem(word: str) -> str:
    return str(inflection.singularize(word.lower()))


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(inflection.underscore(text))}


def _score(exposed: Exposed, names: list[str], wanted: list[str]) -> int:
    meta = exposed.model._meta
    places = (
        (_stems(exposed.resource) | _stems(exposed.name), _NAME),
        (_stems(str(meta.verbose_name)) | _stems(summary(exposed)), _TEXT),
        (set().union(*(_stems(name) for name in names)) if names else set(), _FIELD),
    )
    total = 0
    for word in wanted:
        for stems, weight in places:
            if word in stems:
                total += 2 * weight
            elif len(word) > 2 and any(
                word in stem or stem in word for stem in stems if len(stem) > 2
            ):
                total += weight
    return total


def describe(toolset: Toolset, arguments: Mapping[str, Any]) -> bytes:
    """``{"models": [description, …]}`` in the order asked for."""
    _refuse_unknown(arguments, ("models",))
    wanted = arguments.get("models")
    if isinstance(wanted, str):
        wanted = [wanted]
    if not isinstance(wanted, list) or not wanted or not all(isinstance(n, str) for n in wanted):
        message = '"models" must be a list of names; search_models finds them'
        raise Invalid.field("models", "required", message)
    if len(wanted) > compact.MAX_DESCRIBED:
        raise LimitExceeded(f"at most {compact.MAX_DESCRIBED} models are described at a time")
    chosen = [model_operations(toolset, name) for name in dict.fromkeys(wanted)]
    return msgspec.json.encode({"models": [described(toolset, item) for item in chosen]})


def model_operations(toolset: Toolset, name: str) -> list[Operation]:
    """What the asker may do with a model. Raises ``NotFound`` where that is nothing."""
    exposed = toolset.catalog.registry.named(name)
    operations = [] if exposed is None else toolset.of(exposed)
    if not operations:
        raise NotFound(f'there is no model "{name}"{nearest(name, toolset.models())}')
    return operations
