"""The package's own URLs beside ours."""

from django.urls import include, path

urlpatterns = [
    path("", include("mcp_server.urls")),
    path("", include("dataflow_nexus.urls")),
]
