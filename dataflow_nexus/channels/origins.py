"""Requests that a browser sends for a web page of another origin: none of them may change anything.

Where access is off, or rests on where a request comes from, any page that a user opens could otherwise write through
the user's browser. JSON is kept back by the browser itself (a CORS preflight), but forms are not. What tells is what a
page can't forge: ``Sec-Fetch-Site``, and ``Origin`` from browsers that do not send it. Programs send neither.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import is_same_domain

from dataflow_nexus.conf import Configuration

_OWN_SITES = frozenset({"same-origin", "none"})
"""``Sec-Fetch-Site`` of a page of this server, and of what a user typed or opened from a bookmark."""
_MAX_TOLD = 200


def is_foreign(request: HttpRequest, configuration: Configuration) -> bool:
    """Whether a page of an untrusted origin asks."""
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    origin = request.META.get("HTTP_ORIGIN")
    if site is None and origin is None:
        return False
    own = _is_own(request, origin or "null") if site is None else site in _OWN_SITES
    return not own and not _is_trusted(origin, configuration)


def refusal(request: HttpRequest) -> str:
    """What the page of another origin is told."""
    origin = request.META.get("HTTP_ORIGIN")
    named = "another origin" if origin is None else f'the origin "{origin[:_MAX_TOLD]}"'
    return f"a web page of {named} may change nothing here; the setting trusted_origins names those that may"


def _is_own(request: HttpRequest, origin: str) -> bool:
    try:
        return _host(origin) == request.get_host().lower()
    except DisallowedHost:
        return False


def _is_trusted(origin: str | None, configuration: Configuration) -> bool:
    if origin is None:
        return False
    origin = origin.lower()
    scheme, _, host = origin.partition("://")
    for trusted in map(str.lower, (*configuration.trusted_origins, *settings.CSRF_TRUSTED_ORIGINS)):
        trusted_scheme, _, pattern = trusted.partition("://")
        within = pattern.startswith("*.") and is_same_domain(host, pattern.removeprefix("*"))
        if origin == trusted or (within and trusted_scheme == scheme):
            return True
    return False


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
