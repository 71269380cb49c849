"""One JSON-RPC message over HTTP → one answer. Stateless: every request says all that it needs.

Two eras of the protocol are spoken. Revisions up to 2025-11-25 begin with ``initialize``, which leaves nothing behind
here; 2026-07-28 sends version and capabilities with every request (``params._meta``) and routing headers beside it.
What a request of either era may look like is the SDK's to say (``mcp_types.methods``, ``mcp.shared.inbound``).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    MCP_PROTOCOL_VERSION_HEADER,
    InboundLadderRejection,
    classify_inbound_request,
    unsupported_protocol_version_rejection,
)
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    PROTOCOL_VERSION_META_KEY,
    SERVER_INFO_META_KEY,
)
from mcp_types.methods import CACHEABLE_METHODS, validate_client_request
from mcp_types.version import (
    HANDSHAKE_PROTOCOL_VERSIONS,
    LATEST_HANDSHAKE_VERSION,
    MODERN_PROTOCOL_VERSIONS,
)
from pydantic import ValidationError

from dataflow_nexus.channels.mcp.asking import RESOURCE_NOT_FOUND, Asker, ProtocolError
from dataflow_nexus.channels.mcp.confirming import Confirmation
from dataflow_nexus.channels.mcp.service import CAPABILITIES, TTL_MS, Service
from dataflow_nexus.exceptions import NexusError
from dataflow_nexus.operations.json_text import NotJSONError, parse

logger = logging.getLogger("dataflow_nexus.mcp")
WITHOUT_HEADER = "2025-03-26"
"""The revision of a request that names none (Streamable HTTP, "Protocol Version Header")."""
Id = str | int | None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """``body`` is a JSON-RPC message, or nothing for a notification."""

    status: int
    body: bytes = b""


def answer(service: Service, raw: bytes, headers: Mapping[str, str], asker: Asker) -> Reply:
    """The answer to the body of a POST; ``headers`` have names in lower case."""
    try:
        message = parse(raw.decode())
    except (UnicodeDecodeError, NotJSONError, NexusError) as error:
        return refused(None, ProtocolError(PARSE_ERROR, f"Parse error: {_reason(error)}"))
    if not isinstance(message, dict):
        what = "batches are not taken" if isinstance(message, list) else "not an object"
        return refused(None, ProtocolError(INVALID_REQUEST, f"Invalid request: {what}"))
    if "id" not in message:
        return _notified(message, headers)
    if not _well_formed(message):
        known = message["id"] if type(message["id"]) in (str, int) else None
        return refused(
            known, ProtocolError(INVALID_REQUEST, "Invalid request: no JSON-RPC request")
        )
    try:
        return _answered(service, message, headers, asker)
    except ProtocolError as error:
        return refused(message["id"], error, modern=_is_modern(message, headers))
    except Exception:  # the one place where this channel turns a defect into an answer
        logger.exception("request %s failed", asker.request_id)
        text = f"Internal error, logged as {asker.request_id}"
        return refused(message["id"], ProtocolError(INTERNAL_ERROR, text))


def refused(request: Id, error: ProtocolError, *, modern: bool = True) -> Reply:
    """A JSON-RPC error. Before 2026-07-28 a request that was understood is answered with 200, whatever the answer."""
    code = error.code
    if code == RESOURCE_NOT_FOUND and modern:
        code = INVALID_PARAMS
    fault: dict[str, Any] = {"code": code, "message": error.message}
    if error.data is not None:
        fault["data"] = error.data
    body = _message(request, "error", fault)
    return Reply(status=ERROR_CODE_HTTP_STATUS.get(code, 200) if modern else 200, body=body)


def _message(request: Id, kind: str, value: dict[str, Any]) -> bytes:
    return b'{"jsonrpc":"2.0","id":%b,"%b":%b}' % (_json(request), kind.encode(), _json(value))


def _json(value: object) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (
        UnicodeEncodeError
    ):  # a lone surrogate of the caller goes back as the escape that it came as
        return json.dumps(value).encode()


def _reason(error: Exception) -> str:
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _well_formed(message: dict[str, Any]) -> bool:
    """A request of JSON-RPC 2.0 whose id is text or a whole number (MCP, "Requests")."""
    params = message.get("params")
    return (
        message.get("jsonrpc") == "2.0"
        and isinstance(message.get("method"), str)
        and type(message["id"]) in (str, int)
        and (params is None or isinstance(params, dict))
    )


def _is_modern(message: dict[str, Any], headers: Mapping[str, str]) -> bool:
    version = headers.get(MCP_PROTOCOL_VERSION_HEADER)
    if version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS:
        return True
    meta = (message.get("params") or {}).get("_meta")
    return isinstance(meta, dict) and PROTOCOL_VERSION_META_KEY in meta


def _notified(message: dict[str, Any], headers: Mapping[str, str]) -> Reply:
    """Notifications are taken and have no effect: there is no session that they could be about.

    A ``notifications/cancelled`` names a request by an id that its sender chose, which any other sender may have
    chosen too.
    """
    if not _well_formed({**message, "id": 0}):
        return refused(None, ProtocolError(INVALID_REQUEST, "Invalid request: no JSON-RPC message"))
    version = headers.get(MCP_PROTOCOL_VERSION_HEADER, WITHOUT_HEADER)
    if version not in HANDSHAKE_PROTOCOL_VERSIONS:
        rejection = unsupported_protocol_version_rejection(version)
        if rejection is not None:
            return refused(None, _rejected(rejection))
    return Reply(status=202)


def _rejected(rejection: InboundLadderRejection) -> ProtocolError:
    return ProtocolError(rejection.code, rejection.message, rejection.data)


def _answered(
    service: Service, message: dict[str, Any], headers: Mapping[str, str], asker: Asker
) -> Reply:
    method, params = message["method"], message.get("params") or {}
    modern = _is_modern(message, headers)
    if modern:
        route = classify_inbound_request(message, headers=headers)
        if isinstance(route, InboundLadderRejection):
            raise _rejected(route)
        version = route.protocol_version
        asker = replace(
            asker,
            elicitation="answer" if elicits(route.client_capabilities) else "none",
            state=params.get("requestState"),
            inputs=params.get("inputResponses") or {},
        )
    else:
        version = headers.get(MCP_PROTOCOL_VERSION_HEADER, WITHOUT_HEADER)
    _validate(method, version, params)
    result = _result(service, method, params, asker)
    if modern:
        result = _stamped(service, method, result)
    return Reply(status=200, body=_message(message["id"], "result", result))


def elicits(capabilities: object) -> bool:
    """Whether the client can show a form to the person (an empty ``elicitation`` means forms)."""
    if not isinstance(capabilities, Mapping):
        return False
    given = capabilities.get("elicitation")
    return isinstance(given, Mapping) and (not given or "form" in given)


def _validate(method: str, version: str, params: Mapping[str, Any]) -> None:
    try:
        validate_client_request(method, version, params)
    except KeyError:
        raise _no_method(method) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        text = f"Invalid params: {where}: {first['msg']}"
        raise ProtocolError(INVALID_PARAMS, text) from None


def _no_method(method: str) -> ProtocolError:
    return ProtocolError(METHOD_NOT_FOUND, f"Method not found: {method[:100]}")


def _result(
    service: Service, method: str, params: Mapping[str, Any], asker: Asker
) -> dict[str, Any]:
    if method == "ping":
        return {}
    if method == "initialize":
        return _initialized(service, str(params["protocolVersion"]))
    if method == "server/discover":
        return {
            "supportedVersions": list(MODERN_PROTOCOL_VERSIONS),
            "capabilities": CAPABILITIES,
            "instructions": service.instructions,
        }
    result = service.handle(method, params, asker)
    if result is None:
        raise _no_method(method)
    assert not isinstance(result, Confirmation)  # only a client that is asked by request gets one
    return result


def _initialized(service: Service, wished: str) -> dict[str, Any]:
    version = wished if wished in HANDSHAKE_PROTOCOL_VERSIONS else LATEST_HANDSHAKE_VERSION
    return {
        "protocolVersion": version,
        "capabilities": CAPABILITIES,
        "serverInfo": service.info,
        "instructions": service.instructions,
    }


def _stamped(service: Service, method: str, result: dict[str, Any]) -> dict[str, Any]:
    """What every result of 2026-07-28 has, and what may be kept of it for how long."""
    meta = {**result.get("_meta", {}), SERVER_INFO_META_KEY: service.info}
    stamped = {"resultType": "complete", **result, "_meta": meta}
    if method in CACHEABLE_METHODS:
        stamped |= {"ttlMs": TTL_MS, "cacheScope": "private"}
    return stamped
