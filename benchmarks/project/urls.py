"""Ours comes last, so that its patterns are tried after everybody else's."""

from django.urls import include, path

from benchmarks.project import bare, by_drf, by_ninja

urlpatterns = [
    path("ninja/", by_ninja.api.urls),
    path("drf/", include(by_drf.router.urls)),
    path("bare/", include(bare.urlpatterns)),
    path("", include("dataflow_nexus.urls")),
]
