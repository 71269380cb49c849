"""The channel's service with the suite's tools, resources and prompts in front of its own."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from dataflow_nexus.channels.mcp.asking import Asker, ProtocolError
from dataflow_nexus.channels.mcp.service import INVALID_PARAMS, Service
from tests.channels.mcp.conformance import answers, rounds

_NO_ARGUMENTS = {"type": "object", "properties": {}}
Found = Any


class NamedCases(Service):
    """Answers what the suite asks by name, and leaves everything else to the application."""

    def handle(self, method: str, params: Mapping[str, Any], asker: Asker) -> Found:
        named = METHODS.get(method)
        found = None if named is None else named(params, asker)
        if found is not None:
            return found
        found = super().handle(method, params, asker)
        if method in LISTED and not params.get("cursor"):
            key, items = LISTED[method]
            return {**found, key: [*items, *found[key]]}  # type: ignore[dict-item]
        return found


def call_tool(params: Mapping[str, Any], asker: Asker) -> Found:
    name = params["name"]
    if name in rounds.TOOLS:
        return rounds.TOOLS[name](rounds.Asked.of(asker, params))
    return answers.TOOLS.get(name)


def read_resource(params: Mapping[str, Any], _: Asker) -> Found:
    uri = str(params["uri"])
    content = answers.RESOURCES.get(uri)
    before, _name, after = answers.TEMPLATE.partition("{id}")
    if uri.startswith(before) and uri.endswith(after):
        key = uri.removeprefix(before).removesuffix(after)
        data = {"id": key, "templateTest": True, "data": f"Data for ID: {key}"}
        content = {"mimeType": "application/json", "text": json.dumps(data)}
    return None if content is None else {"contents": [{"uri": uri, **content}]}


def get_prompt(params: Mapping[str, Any], asker: Asker) -> Found:
    name, given = params["name"], params.get("arguments") or {}
    if name not in answers.PROMPTS:
        return None
    if name == "test_input_required_result_prompt":
        return rounds.prompt(rounds.Asked.of(asker, params))
    for wanted in answers.PROMPTS[name]:
        if wanted not in given:
            raise ProtocolError(INVALID_PARAMS, f'the argument "{wanted}" is required')
    messages = [{"role": "user", "content": item} for item in answers.messages(name, given)]
    return {"messages": messages}


def _tool(name: str) -> dict[str, Any]:
    schema = answers.SCHEMA_2020_12 if name == "json_schema_2020_12_tool" else _NO_ARGUMENTS
    return {"name": name, "description": "A case of the suite.", "inputSchema": schema}


def _prompt(name: str, arguments: tuple[str, ...]) -> dict[str, Any]:
    listed = [{"name": item, "description": item, "required": True} for item in arguments]
    return {"name": name, "description": "A case of the suite.", "arguments": listed}


METHODS: Mapping[str, Callable[[Mapping[str, Any], Asker], Found]] = {
    "tools/call": call_tool,
    "resources/read": read_resource,
    "prompts/get": get_prompt,
}
LISTED: Mapping[str, tuple[str, list[dict[str, Any]]]] = {
    "tools/list": ("tools", [_tool(name) for name in (*answers.TOOLS, *rounds.TOOLS)]),
    "resources/list": (
        "resources",
        [
            {"uri": uri, "name": uri, "mimeType": content["mimeType"]}
            for uri, content in answers.RESOURCES.items()
        ],
    ),
    "resources/templates/list": (
        "resourceTemplates",
        [{"uriTemplate": answers.TEMPLATE, "name": "data", "mimeType": "application/json"}],
    ),
    "prompts/list": (
        "prompts",
        [_prompt(name, arguments) for name, arguments in answers.PROMPTS.items()],
    ),
}
