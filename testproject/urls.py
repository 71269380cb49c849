"""The admin, and everything that dataflow_nexus serves."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("dataflow_nexus.urls")),
]
