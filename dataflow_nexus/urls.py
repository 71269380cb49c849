"""``path("", include("dataflow_nexus.urls"))``: everything that the project's settings expose.

Nothing is imported and no model is read until the first request reaches these patterns.
"""

from __future__ import annotations

from typing import Any

from django.core.signals import setting_changed
from django.urls import URLPattern, URLResolver, path

from dataflow_nexus.conf import SETTING
from dataflow_nexus.nexus import default_nexus


def _patterns() -> list[URLPattern | URLResolver]:
    return [path("", default_nexus().urls)]


urlpatterns = _patterns()


def _renew(*, setting: str, **_: Any) -> None:
    """Resolvers hold this very list, so it is changed in place (``override_settings`` in tests)."""
    if setting == SETTING:
        urlpatterns[:] = _patterns()


setting_changed.connect(_renew, dispatch_uid="dataflow_nexus.urls")
