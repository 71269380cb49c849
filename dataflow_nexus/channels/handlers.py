"""The HTTP entries: of a program without a Django project, where each Nexus answers with its own patterns, and of a
project, whose middleware would answer a foreign Host with 400 where MCP demands 421.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve

from dataflow_nexus.channels.mcp import urls as mcp
from dataflow_nexus.channels.rest.responses import problem_response
from dataflow_nexus.exceptions import Malformed

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_MCP = f"/{mcp.PATH}"


def refusal(
    request: HttpRequest, urlconf: object, *, open_to_others: bool
) -> HttpResponseBase | None:
    """Where only this machine is served, take no page's word that it is this machine.

    A web page elsewhere may point its own name at 127.0.0.1 (DNS rebinding), and then the Host
    header tells.
    """
    if open_to_others:
        return None
    try:
        name = request.get_host().lower()
    except DisallowedHost:
        name = ""
    name = name if name.endswith("]") else name.rpartition(":")[0] or name
    if name in _LOCAL_NAMES or name.endswith(".localhost"):
        return None
    if _is_mcp(request, urlconf):
        return _misdirected()
    return problem_response(Malformed("this server answers to localhost alone"), uuid4().hex)


def project_refusal(request: HttpRequest) -> HttpResponse | None:
    """The same for the path of MCP in a project, whose ``ALLOWED_HOSTS`` say which hosts are its own."""
    if not request.path_info.endswith(_MCP):
        return None
    try:
        request.get_host()
    except DisallowedHost:
        return _misdirected() if _is_mcp(request, None) else None
    return None


def _is_mcp(request: HttpRequest, urlconf: object) -> bool:
    if not request.path_info.endswith(_MCP):
        return False
    try:
        found = resolve(request.path_info, urlconf)  # type: ignore[arg-type]  # Django takes any object
    except Resolver404:
        return False
    return found.url_name == mcp.NAME


def _misdirected() -> HttpResponse:
    from dataflow_nexus.channels.mcp.http import misdirected

    return misdirected()


class StandaloneWSGI(WSGIHandler):
    def __init__(self, urlconf: object, open_to_others: bool) -> None:
        super().__init__()
        self._urlconf, self._open_to_others = urlconf, open_to_others

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        refused = refusal(request, self._urlconf, open_to_others=self._open_to_others)
        return super().get_response(request) if refused is None else refused

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        request.urlconf = self._urlconf  # type: ignore[assignment]  # Django takes any object
        return super().resolve_request(request)


class StandaloneASGI(ASGIHandler):
    def __init__(self, urlconf: object, open_to_others: bool) -> None:
        super().__init__()
        self._urlconf, self._open_to_others = urlconf, open_to_others

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        refused = refusal(request, self._urlconf, open_to_others=self._open_to_others)
        return await super().get_response_async(request) if refused is None else refused

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        request.urlconf = self._urlconf  # type: ignore[assignment]  # Django takes any object
        return super().resolve_request(request)


class ProjectWSGI:
    """A project's WSGI application, which may be any callable."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").endswith(_MCP):
            refused = project_refusal(WSGIRequest(environ))
            if refused is not None:
                status = f"{refused.status_code} {refused.reason_phrase}"
                start_response(status, list(refused.items()))
                return [refused.content]
        return self._application(environ, start_response)


class ProjectASGI(ASGIHandler):
    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        refused = project_refusal(request)
        return await super().get_response_async(request) if refused is None else refused
