"""The pattern of ``/mcp``. The SDK takes a second to import and is loaded by the first message, not by the URLconf."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from dataflow_nexus.operations.base import Catalog

PATH = "mcp"
NAME = "dataflow_nexus_mcp"


def is_on(catalog: Catalog) -> bool:
    configuration = catalog.configuration
    return configuration.enable_mcp and configuration.auto_generate_mcp_tools


def build(catalog: Catalog) -> list[URLPattern]:
    """The pattern, relative to the root of the site; none where MCP is switched off."""
    if not is_on(catalog):
        return []
    from dataflow_nexus.channels.mcp.http import respond
    from dataflow_nexus.channels.mcp.service import Service

    service = Service(catalog)

    def mcp(request: HttpRequest) -> HttpResponse:
        return respond(service, request)

    mcp.csrf_exempt = True  # type: ignore[attr-defined]  # no session is ever a credential here
    return [path(PATH, mcp, name=NAME)]
