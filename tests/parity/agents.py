"""An operation as agents ask for it over MCP: by its own tool, by the tools over all models, and by its node."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.test import Client

from dataflow_nexus.channels.mcp.compact import BY_VERB
from dataflow_nexus.channels.mcp.names import ToolNames
from dataflow_nexus.operations.base import Operation
from tests.parity.answers import Answer
from tests.parity.spelling import as_json
from tests.parity.wire import wire

HANDSHAKE, MODERN = "2025-11-25", "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}
_names = lru_cache(maxsize=4)(ToolNames)


def tool_of(operation: Operation) -> str:
    return _names(operation.catalog).of(operation)


def message(name: str, arguments: Mapping[str, Any], **more: Any) -> bytes:
    """`tools/call` as JSON-RPC."""
    params = {"name": name, "arguments": arguments, **more}
    return as_json({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}).encode()


def call(
    name: str, arguments: Mapping[str, Any], *, path: str = "/mcp", modern: bool = False
) -> Answer:
    """One call over HTTP, by a client of either era."""
    headers = {"MCP-Protocol-Version": MODERN if modern else HANDSHAKE}
    if modern:
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": name}
    body = message(name, arguments, **({"_meta": META} if modern else {}))
    response = Client(raise_request_exception=False).post(
        path, body, content_type="application/json", headers=headers
    )
    assert response.status_code == 200, response.content
    answer = told(response.content)
    if answer.error is None:
        assert b'"structuredContent":' + answer.body in response.content
    else:
        assert answer.error["request_id"] == response["X-Request-Id"]
    return answer


def told(line: bytes) -> Answer:
    """The answer that a JSON-RPC message holds: text, and its value where it is a result."""
    found = json.loads(line)
    assert (found["jsonrpc"], found["id"]) == ("2.0", 7), line
    assert "result" in found, line
    result = found["result"]
    (content,) = result["content"]
    assert content["type"] == "text"
    text = content["text"]
    if result.get("isError"):
        assert "structuredContent" not in result
        error = json.loads(text)
        return Answer(b"", error, raw=text, status=error["status"])
    assert result["structuredContent"] == json.loads(text)
    return Answer(text.encode(), None, raw=text)


def by_tool(operation: Operation, params: Mapping[str, Any]) -> Answer:
    return call(tool_of(operation), params)


def by_records(operation: Operation, params: Mapping[str, Any]) -> Answer | None:
    """`None` where no tool over all models runs the verb."""
    name = BY_VERB.get(operation.verb.name)
    if name is None or "model" in params:
        return None
    arguments = {"model": operation.exposed.resource, **params}
    return call(name, arguments, path="/mcp?tools=compact", modern=True)


def by_workflow(operation: Operation, params: Mapping[str, Any]) -> Answer:
    given = {"node": operation.node, "params": params}
    return call("run_workflow", given, path="/mcp?tools=compact", modern=True)


def by_line(operation: Operation, params: Mapping[str, Any]) -> Answer:
    """Over standard input and output."""
    return told(wire(operation.catalog).ask(message(tool_of(operation), params)))
