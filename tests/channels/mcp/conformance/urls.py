"""`/mcp` by the channel's own transport, over the service that knows the suite's names."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from dataflow_nexus.channels.mcp.http import respond
from dataflow_nexus.nexus import default_nexus
from tests.channels.mcp.conformance.service import NamedCases

_service = NamedCases(default_nexus().catalog)


def mcp(request: HttpRequest) -> HttpResponse:
    return respond(_service, request)


mcp.csrf_exempt = True  # type: ignore[attr-defined]
urlpatterns = [
    path("mcp", mcp, name="dataflow_nexus_mcp"),
    path("", include("dataflow_nexus.urls")),
]
