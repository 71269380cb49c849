"""What every request goes through before its view: who asks, under which id, and whether it may.

The order is fixed: credentials, then method, origin and headers, then the view (permission, parameters).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.authentication.requests import principal_of
from dataflow_nexus.channels.incoming import drain, request_id
from dataflow_nexus.channels.origins import is_foreign, refusal
from dataflow_nexus.channels.rest.responses import problem_response
from dataflow_nexus.conf import Configuration
from dataflow_nexus.exceptions import (
    Invalid,
    Malformed,
    MethodNotAllowed,
    NexusError,
    NotAcceptable,
    PermissionDenied,
    UnsupportedMediaType,
)

View = Callable[..., HttpResponseBase]
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_NOT_BUILT = {"HTTP_IDEMPOTENCY_KEY": "Idempotency-Key", "HTTP_IF_MATCH": "If-Match"}
"""Headers with a meaning that nothing gives them yet: better refused than ignored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """One request's principal and id."""

    principal: Principal
    request_id: str


def asking(request: HttpRequest) -> Asking:
    """What ``guarded`` found out about the request."""
    found: Asking = request.dataflow_nexus  # type: ignore[attr-defined]  # set by guarded
    return found


def guarded(
    view: View,
    configuration: Configuration,
    *,
    allowed: tuple[str, ...] | None,
    produces: str | None,
    public: bool,
) -> View:
    """The view behind every check that comes before it.

    ``allowed`` are the methods of the path (``None``: the view answers any), ``produces`` the media
    type of its answers (``None``: the view chooses), ``public`` views answer everybody.
    """

    @wraps(view)
    def entry(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        named = request_id(request)
        response: HttpResponseBase
        try:
            principal = principal_of(configuration, public=public)
            request.dataflow_nexus = Asking(  # type: ignore[attr-defined]  # read by asking()
                principal=principal, request_id=named
            )
            if allowed is not None and request.method not in allowed:
                response = _other_method(request, allowed)
            else:
                if request.method not in _SAFE and is_foreign(request, configuration):
                    raise PermissionDenied(refusal(request))
                _check_headers(request, produces)
                response = view(request, *args, **kwargs)
        except NexusError as error:
            response = problem_response(error, named)
        if response.status_code >= 400:
            drain(request)
        response["X-Request-Id"] = named
        return response

    entry.csrf_exempt = True  # type: ignore[attr-defined]  # no session is a credential here, and is_foreign keeps other pages out
    return entry


def _other_method(request: HttpRequest, allowed: tuple[str, ...]) -> HttpResponse:
    methods = (*allowed, "OPTIONS")
    if request.method == "OPTIONS":
        return HttpResponse(status=200, headers={"Allow": ", ".join(methods)})
    detail = f"{request.method} is not possible here; {', '.join(methods)} are"
    raise MethodNotAllowed(detail, methods)


def _check_headers(request: HttpRequest, produces: str | None) -> None:
    meta = request.META
    for key, name in _NOT_BUILT.items():
        if key in meta:
            raise Invalid.field(name, "unsupported", f"the header {name} is not supported")
    coding = meta.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedMediaType(f'the content encoding must be identity, not "{coding}"')
    if request.method in ("GET", "HEAD") and meta.get("CONTENT_LENGTH") not in (None, "", "0"):
        raise Malformed(f"a {request.method} request takes no body")
    if produces is not None and not accepts(meta.get("HTTP_ACCEPT"), produces):
        raise NotAcceptable(f"the answer is {produces}, which the Accept header does not take")


def accepts(header: str | None, media_type: str) -> bool:
    """Whether an Accept header (RFC 9110, section 12.5.1) takes a media type."""
    if not header or header in ("*/*", media_type):
        return True
    family = media_type.partition("/")[0] + "/*"
    best = (-1, 0.0)
    for item in header.split(","):
        name, *options = (part.strip().lower() for part in item.split(";"))
        rank = {"*/*": 0, family: 1, media_type: 2}.get(name, -1)
        if rank > best[0]:
            best = (rank, _quality(options))
    return best[1] > 0


def _quality(options: list[str]) -> float:
    for option in options:
        if option.startswith("q="):
            try:
                return float(option[2:])
            except ValueError:
                return 0.0
    return 1.0
