"""A client of `/mcp` that may be wrong: it sends what it is told to."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

HANDSHAKE, MODERN = "2025-11-25", "2026-07-28"
HANDSHAKES = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY = "io.modelcontextprotocol/serverInfo"
META: dict[str, Any] = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}
_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


@dataclass(frozen=True)
class Reply:
    response: HttpResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def json(self) -> Any:
        return json.loads(self.response.content)

    @property
    def result(self) -> Any:
        assert self.status == 200, self.response.content
        found = self.json
        assert set(found) == {"jsonrpc", "id", "result"}, found
        return found["result"]

    @property
    def fault(self) -> tuple[int, int]:
        """Status and code of an error."""
        found = self.json
        assert set(found) == {"jsonrpc", "id", "error"}, found
        assert found["error"]["message"]
        return self.status, found["error"]["code"]

    @property
    def message(self) -> str:
        return str(self.json["error"]["message"])


def send(body: object, path: str = "/mcp", **headers: str) -> Reply:
    """A POST; what is no bytes is sent as JSON. `Mcp_Name="x"` is the header `Mcp-Name`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = given.pop("Content-Type", "application/json")
    client = Client(raise_request_exception=False)
    return Reply(client.post(path, raw, content_type=kind, headers=given))


def request(method: str, params: Any = None, number: object = 1) -> dict[str, Any]:
    more = {} if params is None else {"params": params}
    return {"jsonrpc": "2.0", "id": number, "method": method, **more}


def ask(method: str, params: Any = None, *, path: str = "/mcp", version: str = HANDSHAKE) -> Reply:
    """As clients of revisions up to 2025-11-25 ask."""
    return send(request(method, params), path, MCP_Protocol_Version=version)


def ask_modern(
    method: str,
    params: Mapping[str, Any] | None = None,
    *,
    path: str = "/mcp",
    meta: Mapping[str, Any] = META,
    **headers: str | None,
) -> Reply:
    """As clients of 2026-07-28 ask; a header that is given replaces the right one, `None` leaves it out."""
    given = {**(params or {}), "_meta": dict(meta)}
    sent: dict[str, str | None] = {"MCP_Protocol_Version": MODERN, "Mcp_Method": method}
    if method in _NAMED and isinstance(given.get(_NAMED[method]), str):
        sent["Mcp_Name"] = given[_NAMED[method]]
    kept = {name: value for name, value in {**sent, **headers}.items() if value is not None}
    return send(request(method, given), path, **kept)


ERAS = {"handshake": ask, "modern": ask_modern}
