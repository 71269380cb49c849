"""Prompts: two pieces of common work, told in the tools that the asker has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dataflow_nexus.channels.mcp.asking import ProtocolError, chosen
from dataflow_nexus.channels.mcp.searching import model_operations
from dataflow_nexus.channels.mcp.toolset import Toolset
from dataflow_nexus.exceptions import NotFound

INVALID_PARAMS = -32602
MAX_COMPLETIONS = 100
_Texts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Prompt:
    name: str
    title: str
    description: str
    arguments: Mapping[str, tuple[str, bool]]
    """A sentence per argument, and whether it is required."""
    text: Callable[[Toolset, _Texts], str]


def _explore(toolset: Toolset, given: _Texts) -> str:
    question = (
        given.get("question") or "What is in this database, and what is worth knowing about it?"
    )
    if toolset.offer.compact:
        steps = (
            "1. search_models with words of the question, then describe_models for the two or three that fit.\n"
            "2. count_records and aggregate_records before list_records: numbers first, rows second.\n"
            "3. Follow relations by their names, in filters and with expand; do not join by hand."
        )
    else:
        steps = (
            "1. Read the resources schema://models/{name} of the models that fit.\n"
            "2. count_… and aggregate_… before list_…: numbers first, rows second.\n"
            "3. Follow relations by their names, in filters and with expand; do not join by hand."
        )
    return (
        f"{question}\n\nAnswer from the database, and only read:\n{steps}\n"
        "4. Ask for the fields you need, page with next, and say which calls your answer rests on."
    )


def _change(toolset: Toolset, given: _Texts) -> str:
    model, change = given["model"], given["change"]
    try:
        exposed = model_operations(toolset, model)[0].exposed
    except NotFound as error:
        raise ProtocolError(INVALID_PARAMS, error.detail) from None
    resource = exposed.resource
    if toolset.offer.compact:
        count, write = (f'count_records (model "{resource}")', "update_records or delete_records")
    else:
        count, write = (f"count_{resource}", f"bulk_update_{resource} or bulk_delete_{resource}")
    return (
        f"On {resource}: {change}\n\nDo it safely:\n"
        f"1. {count} with the filter; look at a few of the records it selects.\n"
        f"2. {write} with that filter, dry_run true: compare its numbers with the count.\n"
        "3. Show the person the filter, the numbers and one record before and after. Wait for a yes.\n"
        "4. The same call without dry_run, with max_affected set to the number that was shown.\n"
        "5. If it answers a preview with a confirmation_token, repeat it with the token. Report the numbers."
    )


PROMPTS: Mapping[str, Prompt] = {
    prompt.name: prompt
    for prompt in (
        Prompt(
            name="explore_database",
            title="Explore the database",
            description="Answer a question from the database, reading only.",
            arguments={"question": ("What you want to know.", False)},
            text=_explore,
        ),
        Prompt(
            name="bulk_change",
            title="Change many records safely",
            description="Count, dry run, ask, change: in this order.",
            arguments={
                "model": ("The resource or class name of the model.", True),
                "change": ("What shall change, and on which records.", True),
            },
            text=_change,
        ),
    )
}


def listed() -> list[dict[str, Any]]:
    return [
        {
            "name": prompt.name,
            "title": prompt.title,
            "description": prompt.description,
            "arguments": [
                {"name": name, "description": text, "required": required}
                for name, (text, required) in prompt.arguments.items()
            ],
        }
        for prompt in PROMPTS.values()
    ]


def got(toolset: Toolset, name: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """The messages of a prompt. Raises ``ProtocolError`` for a name or an argument that is not there."""
    prompt = PROMPTS.get(name)
    if prompt is None:
        raise ProtocolError(
            INVALID_PARAMS, f'there is no prompt "{name}"; there are {chosen(PROMPTS)}'
        )
    for given in arguments:
        if given not in prompt.arguments:
            known = chosen(prompt.arguments)
            raise ProtocolError(INVALID_PARAMS, f'unknown argument "{given}"; there are {known}')
    for wanted, (_, required) in prompt.arguments.items():
        if required and not arguments.get(wanted):
            raise ProtocolError(INVALID_PARAMS, f'the argument "{wanted}" is required')
    text = prompt.text(toolset, arguments)
    message = {"role": "user", "content": {"type": "text", "text": text}}
    return {"description": prompt.description, "messages": [message]}


def completed(toolset: Toolset, name: str, started: str) -> dict[str, Any]:
    """The values that an argument may take: names of models."""
    names = (
        [model for model in toolset.models() if model.startswith(started)]
        if name
        in (
            "model",
            "name",
        )
        else []
    )
    return {
        "completion": {
            "values": names[:MAX_COMPLETIONS],
            "total": len(names),
            "hasMore": len(names) > MAX_COMPLETIONS,
        }
    }
