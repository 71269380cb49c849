"""Resources: ``schema://models/{name}``, the description of a model as a JSON document."""

from __future__ import annotations

from typing import Any

import msgspec

from dataflow_nexus.channels.mcp.asking import RESOURCE_NOT_FOUND, ProtocolError
from dataflow_nexus.channels.mcp.describing import described, summary
from dataflow_nexus.channels.mcp.searching import model_operations
from dataflow_nexus.channels.mcp.toolset import Toolset
from dataflow_nexus.exceptions import NotFound

PREFIX = "schema://models/"
TYPE = "application/json"
TEMPLATE = {
    "uriTemplate": f"{PREFIX}{{name}}",
    "name": "model",
    "title": "Model",
    "description": "Fields, keys, relations and operations of one model.",
    "mimeType": TYPE,
}


def listed(toolset: Toolset) -> list[dict[str, Any]]:
    """One resource per model that the asker may use, in order of registration."""
    return [
        {
            "uri": PREFIX + resource,
            "name": resource,
            "description": summary(operations[0].exposed),
            "mimeType": TYPE,
        }
        for resource, operations in toolset.models().items()
    ]


def read(toolset: Toolset, uri: str) -> list[dict[str, Any]]:
    """The contents of a resource. Raises ``ProtocolError``."""
    try:
        if not uri.startswith(PREFIX):
            raise NotFound(f"resources are {PREFIX}{{name}}")
        operations = model_operations(toolset, uri.removeprefix(PREFIX))
    except NotFound as error:
        message = f"Resource not found: {error.detail}"
        raise ProtocolError(RESOURCE_NOT_FOUND, message, {"uri": uri}) from None
    text = msgspec.json.encode(described(toolset, operations)).decode()
    return [{"uri": uri, "mimeType": TYPE, "text": text}]
