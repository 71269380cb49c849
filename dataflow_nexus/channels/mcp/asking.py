"""Who asks over MCP, and which of the tools the asker wants to be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dataflow_nexus.access.principal import Principal

Tools = Literal["auto", "models", "compact"]
Elicitation = Literal["none", "answer", "request"]
"""How the client can be asked something in the middle of a call: not at all, by an answer that it repeats the call with
(2026-07-28), or by a request of our own (older revisions over stdio)."""
TOOLS: tuple[Tools, ...] = ("auto", "models", "compact")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What the asker wants to see of what it may use: ``/mcp?tools=&read_only=&models=``.

    ``tools`` is the set: a tool per model and operation, the compact one, or what fits. ``models`` are resource names.
    """

    tools: Tools = "auto"
    read_only: bool = False
    models: frozenset[str] | None = None


EVERYTHING = Selection()


@dataclass(frozen=True, kw_only=True)
class Asker:
    """One request's principal, what it wants to see, and what its client can do."""

    principal: Principal
    request_id: str
    selection: Selection = EVERYTHING
    elicitation: Elicitation = "none"
    state: str | None = None
    """``requestState`` of an answer that asked for input: the token of the confirmation."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """``inputResponses``: what the person said."""


RESOURCE_NOT_FOUND = -32002
"""What it is called until 2025-11-25; transports of newer revisions say ``-32602``."""


class ProtocolError(Exception):
    """A fault of the protocol, not of an operation: a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


def chosen(names: Iterable[str]) -> str:
    """Names for a message."""
    return ", ".join(f'"{name}"' for name in names)
