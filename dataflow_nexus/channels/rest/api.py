"""The URL patterns of the REST channel. Imported when a URL is first resolved: Ninja takes 0.2 s.

Routes are generic, never per model, so that a thousand models cost nothing at startup and a model
that is registered later is served at once.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from itertools import count

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path
from ninja import NinjaAPI

from dataflow_nexus.channels.rest import documents, health, resources, workflows
from dataflow_nexus.channels.rest.asking import View, asking, guarded
from dataflow_nexus.channels.rest.responses import JSON, problem_response
from dataflow_nexus.exceptions import Internal, NexusError, NotFound
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.registry import KEY_WORDS, PATH_WORDS

_log = logging.getLogger("dataflow_nexus.rest")
_numbers = count(1)
_NOT_FILLED = HttpResponse()


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words))


_PUBLIC = frozenset(
    {"/", "/health/live", "/health/ready", "/docs", "/docs/{name}", "/openapi.json", "/workflows"}
)
"""Paths that answer everybody (docs/operations.md); under the prefix but for the first three."""
_RESOURCE = rf"(?!(?:{_any(PATH_WORDS)})(?:/|\Z))(?P<resource>[^/]+)"
_OFTEN = {
    "/{resource}/{key}": rf"^{_RESOURCE}/(?!(?:{_any(KEY_WORDS)})\Z)(?P<key>[^/]+)\Z",
    "/{resource}": rf"^{_RESOURCE}\Z",
}
"""The paths that most requests are for, tried first: so they must not match what is another path's."""
_OTHER_TYPES = frozenset({"/", "/docs", "/docs/{name}", "/{resource}/export"})
"""Paths whose answers are not always JSON."""


class RestAPI(NinjaAPI):
    """Ninja with one way to answer errors: problem details (RFC 9457), whatever went wrong."""

    def set_default_exception_handlers(self) -> None:
        """None of Ninja's own: they answer in another shape."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002  # Ninja's signature
        """Ninja offers each view a response to fill; every one of ours makes its own."""
        return _NOT_FILLED

    def on_exception(self, request: HttpRequest, exc: Exception | type[Exception]) -> HttpResponse:
        """The one place where an unknown error becomes an answer."""
        request_id = asking(request).request_id
        if isinstance(exc, NexusError):
            return problem_response(exc, request_id)
        _log.error("request %s failed", request_id, exc_info=exc)  # type: ignore[arg-type]  # Ninja passes what was raised
        return problem_response(Internal(f"an internal error, logged as {request_id}"), request_id)


def build(catalog: Catalog) -> list[URLPattern | URLResolver]:
    """The patterns of one application, relative to the root of the site, ``api_prefix`` included.

    Whatever is under the prefix answers problem details, also where there is nothing.
    """
    prefix = catalog.configuration.api_prefix.strip("/")
    # two applications may live in one process, and Ninja tells them apart by namespace
    namespace = f"dataflow_nexus_{next(_numbers)}"
    site = _api(catalog, namespace)
    health.add(site, catalog)
    if not (catalog.configuration.enable_api and catalog.configuration.auto_generate_endpoints):
        return _patterns(site, catalog)
    api = _api(catalog, namespace)
    documents.add(api, catalog)
    workflows.add(api, catalog)
    resources.add(api, catalog)
    nowhere = nothing(catalog)
    inside = [*_patterns(api, catalog), re_path(r"[\s\S]*", nowhere)]
    return [
        *_patterns(site, catalog),
        path(f"{prefix}/", include((inside, "dataflow_nexus"), namespace=namespace)),
        path(prefix, nowhere),
    ]


def _api(catalog: Catalog, namespace: str) -> RestAPI:
    return RestAPI(
        title=catalog.configuration.title,
        version=catalog.configuration.version,
        urls_namespace=namespace,
        openapi_url=None,
        docs_url=None,
    )


def _patterns(api: RestAPI, catalog: Catalog) -> list[URLPattern | URLResolver]:
    """Ninja's views, each behind the checks that come before any of them."""
    operations = api.default_router.path_operations
    routes = {route.replace("{", "<").replace("}", ">").lstrip("/"): route for route in operations}
    found: dict[str, URLPattern | URLResolver] = {}
    often: dict[str, URLPattern | URLResolver] = {}
    for pattern in api.urls[0]:
        name = str(pattern.pattern)
        if (
            not isinstance(pattern, URLPattern)
            or name in found
            or name in often
            or pattern.name == "api-root"
        ):
            continue  # Ninja gives one pattern per method, and a root page that we do not want
        route = routes[name]
        methods = tuple(m for operation in operations[route].operations for m in operation.methods)
        view = guarded(
            pattern.callback,
            catalog.configuration,
            allowed=methods,
            produces=None if route in _OTHER_TYPES else JSON,
            public=route in _PUBLIC,
        )
        if route in _OFTEN:
            often[name] = re_path(_OFTEN[route], view, name=pattern.name)
        else:
            found[name] = path(name, view, name=pattern.name)
    return [*often.values(), *found.values()]


def nothing(catalog: Catalog) -> View:
    """The view of a path that leads nowhere."""

    def refuse(request: HttpRequest) -> HttpResponse:
        hint = "; no path ends in a slash" if request.path.endswith("/") else ""
        raise NotFound(f'there is nothing at "{request.path}"{hint}')

    return guarded(refuse, catalog.configuration, allowed=None, produces=None, public=False)
