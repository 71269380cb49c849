"""The HTTP entry of a program without a Django project: each Nexus answers with its own patterns."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def _direct(request: HttpRequest, urlconf: object, *, open_to_others: bool) -> None:
    """Choose the patterns; where only this machine is served, take no page's word that it is this machine.

    A web page elsewhere may point its own name at 127.0.0.1 (DNS rebinding), and then the Host header tells.
    """
    request.urlconf = urlconf  # type: ignore[attr-defined]  # Django's own hook, untyped
    if not open_to_others:
        name = request.get_host().lower()
        name = name if name.endswith("]") else name.rsplit(":", 1)[0]
        if name not in _LOCAL_NAMES and not name.endswith(".localhost"):
            raise DisallowedHost("this server answers to localhost alone")


class StandaloneWSGI(WSGIHandler):
    def __init__(self, urlconf: object, open_to_others: bool) -> None:
        super().__init__()
        self._urlconf, self._open_to_others = urlconf, open_to_others

    def resolve_request(self, request: HttpRequest) -> Any:
        _direct(request, self._urlconf, open_to_others=self._open_to_others)
        return super().resolve_request(request)


class StandaloneASGI(ASGIHandler):
    def __init__(self, urlconf: object, open_to_others: bool) -> None:
        super().__init__()
        self._urlconf, self._open_to_others = urlconf, open_to_others

    def resolve_request(self, request: HttpRequest) -> Any:
        _direct(request, self._urlconf, open_to_others=self._open_to_others)
        return super().resolve_request(request)
