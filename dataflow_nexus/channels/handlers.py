"""The HTTP entry of a program without a Django project: each Nexus answers with its own patterns."""

from __future__ import annotations

from uuid import uuid4

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from dataflow_nexus.channels.rest.responses import problem_response
from dataflow_nexus.exceptions import Malformed

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def refusal(request: HttpRequest, *, open_to_others: bool) -> HttpResponseBase | None:
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
    return problem_response(Malformed("this server answers to localhost alone"), uuid4().hex)


class StandaloneWSGI(WSGIHandler):
    def __init__(self, urlconf: object, open_to_others: bool) -> None:
        super().__init__()
        self._urlconf, self._open_to_others = urlconf, open_to_others

    def get_response(self, request: HttpRequest) -> HttpResponseBase:
        refused = refusal(request, open_to_others=self._open_to_others)
        return super().get_response(request) if refused is None else refused

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        request.urlconf = self._urlconf  # type: ignore[assignment]  # Django takes any object
        return super().resolve_request(request)


class StandaloneASGI(ASGIHandler):
    def __init__(self, urlconf: object, open_to_others: bool) -> None:
        super().__init__()
        self._urlconf, self._open_to_others = urlconf, open_to_others

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        refused = refusal(request, open_to_others=self._open_to_others)
        return await super().get_response_async(request) if refused is None else refused

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        request.urlconf = self._urlconf  # type: ignore[assignment]  # Django takes any object
        return super().resolve_request(request)
