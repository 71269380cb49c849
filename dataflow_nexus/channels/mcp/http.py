"""``/mcp``: Streamable HTTP without streams. POST only, JSON answers, no session; sync, under WSGI and ASGI alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

import msgspec
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.authentication.requests import principal_of
from dataflow_nexus.channels.errors import problem_json
from dataflow_nexus.channels.incoming import drain, request_id
from dataflow_nexus.channels.mcp.asking import TOOLS, Asker, ProtocolError, Selection, chosen
from dataflow_nexus.channels.mcp.searching import resources_named
from dataflow_nexus.channels.mcp.service import Service
from dataflow_nexus.channels.mcp.toolset import Toolset
from dataflow_nexus.channels.origins import is_foreign, refusal
from dataflow_nexus.exceptions import NotFound, Unauthenticated
from dataflow_nexus.registry import nearest

JSON = "application/json"
_INVALID_REQUEST = -32600
_INVALID_PARAMS = -32602
_PARAMETERS = ("tools", "read_only", "models")
_CHARSETS = ("utf-8", "utf8", "us-ascii")
_REFUSED = re.compile(r"q=0(\.0*)?")
_TRUTHS = {"1": True, "true": True, "0": False, "false": False}


def respond(service: Service, request: HttpRequest) -> HttpResponse:
    """The response to any request at the path."""
    named = request_id(request)
    response = _refusal(service, request, named) or _answer(service, request, named)
    if response.status_code >= 400:
        drain(request)
    response["X-Request-Id"] = named
    return response


# --- what comes before the message ------------------------------------------------------------------------------------


def _refusal(service: Service, request: HttpRequest, named: str) -> HttpResponse | None:
    """The answer to a request that is none for this server: another site's, another method, another type."""
    try:
        request.get_host()
    except DisallowedHost:
        return misdirected()
    if is_foreign(request, service.catalog.configuration):
        return _fault(403, refusal(request))
    try:
        principal_of(service.catalog.configuration, public=False)
    except Unauthenticated as error:
        response = HttpResponse(
            problem_json(error, named), status=401, content_type="application/problem+json"
        )
        response["WWW-Authenticate"] = "Bearer"
        return response
    if request.method != "POST":
        response = _fault(405, "only POST is possible here")
        response["Allow"] = "POST"
        return response
    if not _is_json(request):
        return _fault(415, f"the content type must be {JSON} in UTF-8, and the encoding identity")
    if not _takes_json(request.META.get("HTTP_ACCEPT")):
        return _fault(406, f"the answer is {JSON}, which the Accept header does not take")
    return None


def misdirected() -> HttpResponse:
    """The answer to a request for a host that is not served here (RFC 9110, 15.5.20)."""
    return _fault(421, "this server does not answer to that Host")


def _is_json(request: HttpRequest) -> bool:
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    coding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    return request.content_type == JSON and charset in _CHARSETS and coding in ("", "identity")


def _takes_json(accept: str | None) -> bool:
    if not accept:
        return True
    for item in accept.split(","):
        name, *options = (part.strip().lower() for part in item.split(";"))
        if name in (JSON, "application/*", "*/*") and not any(map(_REFUSED.fullmatch, options)):
            return True
    return False


def _fault(status: int, text: str, code: int = _INVALID_REQUEST) -> HttpResponse:
    error = {"code": code, "message": text}
    return _json(status, msgspec.json.encode({"jsonrpc": "2.0", "id": None, "error": error}))


def _json(status: int, body: bytes) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type=JSON)
    response["Content-Length"] = str(len(body))
    return response


# --- the message ------------------------------------------------------------------------------------------------------


def _answer(service: Service, request: HttpRequest, named: str) -> HttpResponse:
    from dataflow_nexus.channels.mcp.protocol import answer, refused  # a second to import: the SDK

    configuration = service.catalog.configuration
    try:
        raw = _body(request, configuration.max_body_bytes)
    except OSError:  # UnreadablePostError too
        return _fault(400, "the body ended before its end")
    if raw is None:
        return _fault(413, f"the body is larger than {configuration.max_body_bytes} bytes")
    principal = principal_of(configuration, public=False)
    try:
        wanted = selection(service, principal, _pairs(request))
    except ProtocolError as error:
        reply = refused(None, error)
    else:
        asker = Asker(principal=principal, request_id=named, selection=wanted)
        reply = answer(service, raw, _headers(request), asker)
    return _json(reply.status, reply.body) if reply.body else HttpResponse(status=reply.status)


def _headers(request: HttpRequest) -> dict[str, str]:
    """The headers of the protocol, names in lower case. Django's own mapping spells all others out too, which is a
    twentieth of a read."""
    return {
        name[5:].replace("_", "-").lower(): value
        for name, value in request.META.items()
        if name.startswith("HTTP_MCP_")
    }


def _body(request: HttpRequest, limit: int) -> bytes | None:
    """The whole body, or ``None`` where it is larger than ``limit`` bytes."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and (len(length) > 18 or int(length) > limit):
        return None
    environ = getattr(request, "environ", {})
    chunked = not length and environ.get("wsgi.input_terminated")
    raw: bytes = environ["wsgi.input"].read(limit + 1) if chunked else request.read(limit + 1)
    return None if len(raw) > limit else raw


def _pairs(request: HttpRequest) -> list[tuple[str, str]]:
    raw: str = request.META.get("QUERY_STRING", "")
    try:
        return parse_qsl(raw, keep_blank_values=True, errors="strict", max_num_fields=10)
    except ValueError:
        raise _wrong(f"the query string takes {chosen(_PARAMETERS)} in UTF-8") from None


def selection(
    service: Service, principal: Principal, pairs: Iterable[tuple[str, str]]
) -> Selection:
    """What the query string chooses. Raises ``ProtocolError`` for a wrong name or value."""
    found: dict[str, object] = {}
    for name, text in pairs:
        if name not in _PARAMETERS:
            raise _wrong(f'unknown parameter "{name}"{nearest(name, _PARAMETERS)}')
        if name in found:
            raise _wrong(f'"{name}" is given twice')
        found[name] = _chosen(service, principal, name, text)
    return Selection(**found)  # type: ignore[arg-type]  # one type per name


def _chosen(service: Service, principal: Principal, name: str, text: str) -> object:
    if name == "tools":
        if text not in TOOLS:
            raise _wrong(f'"tools" must be one of {chosen(TOOLS)}, not "{text[:100]}"')
        return text
    if name == "read_only":
        if text.lower() not in _TRUTHS:
            raise _wrong('"read_only" must be 1 or 0')
        return _TRUTHS[text.lower()]
    toolset = Toolset(service.tools, Asker(principal=principal, request_id=""))
    try:
        return resources_named(toolset, text)
    except NotFound as error:
        raise _wrong(error.detail) from None


def _wrong(message: str) -> ProtocolError:
    return ProtocolError(_INVALID_PARAMS, message)
