"""The OpenAPI document and the page that shows it, with Swagger UI from Ninja's own files."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from dataflow_nexus.channels.remembering import Remembered
from dataflow_nexus.channels.rest import openapi
from dataflow_nexus.channels.rest.asking import asking
from dataflow_nexus.channels.rest.responses import json_response
from dataflow_nexus.exceptions import NotFound
from dataflow_nexus.operations.base import Catalog

ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}
"""Served from the installed ``ninja`` package, which need not be in ``INSTALLED_APPS``."""
_START = (
    b"SwaggerUIBundle({url: document.currentScript.dataset.url, dom_id: '#swagger-ui',"
    b" deepLinking: true, presets: [SwaggerUIBundle.presets.apis]});"
)


def add(api: NinjaAPI, catalog: Catalog) -> None:
    reading = ["GET", "HEAD"]
    documents: Remembered[bytes] = Remembered(catalog)

    @api.api_operation(reading, "/openapi.json")
    def openapi_document(request: HttpRequest) -> HttpResponse:
        principal = asking(request).principal
        mounted = request.path.removesuffix("/openapi.json")
        root = mounted.removesuffix(catalog.configuration.api_prefix)
        return json_response(
            documents.get(principal, root, lambda: openapi.document(catalog, principal, root))
        )

    @api.api_operation(reading, "/docs")
    def docs_page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(_page(request, catalog.configuration.title))

    @api.api_operation(reading, "/docs/{name}")
    def docs_asset(request: HttpRequest, name: str) -> HttpResponse:  # noqa: ARG001  # Ninja passes it
        if name == "start.js":
            response = HttpResponse(_START, content_type=ASSETS["swagger-ui-bundle.js"])
        elif name in ASSETS:
            content = files("ninja").joinpath("static", "ninja", name).read_bytes()
            response = HttpResponse(content, content_type=ASSETS[name])
        else:
            raise NotFound(f'there is no file "{name}"')
        response["Cache-Control"] = "public, max-age=3600"
        return response


def _page(request: HttpRequest, title: str) -> str:
    base = escape(request.path)
    document = escape(request.path.removesuffix("/docs") + "/openapi.json")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="stylesheet" href="{base}/swagger-ui.css">'
        f'<link rel="icon" href="{base}/favicon.svg" type="image/svg+xml"></head>'
        f'<body><div id="swagger-ui"></div><script src="{base}/swagger-ui-bundle.js"></script>'
        f'<script src="{base}/start.js" data-url="{document}"></script></body></html>'
    )
