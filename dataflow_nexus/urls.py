"""``path("", include("dataflow_nexus.urls"))``: everything that the project's settings expose.

Nothing is imported and no model is read until the first request reaches these patterns.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.signals import setting_changed
from django.urls import URLPattern, URLResolver, path, re_path

from dataflow_nexus.conf import SETTING
from dataflow_nexus.exceptions import ConfigurationError


class ProjectPatterns:
    """The patterns of the project's Nexus, composed when they are first asked for."""

    @property
    def urlpatterns(self) -> list[URLPattern | URLResolver]:
        from dataflow_nexus.nexus import default_nexus

        try:
            return default_nexus().urls[0].urlpatterns
        except ConfigurationError as error:
            return [re_path("", _refusing(str(error)))]


def _refusing(message: str) -> Any:
    """Settings that can't work: the system checks report them, and every request fails with them.

    Raised here already, they would hide every other check behind a traceback.
    """

    def refuse(request: object, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG001  # a view
        raise ConfigurationError(message)

    return refuse


def _patterns() -> list[URLPattern | URLResolver]:
    urlconf: Any = ProjectPatterns()
    return [path("", (urlconf, None, None))]


urlpatterns = _patterns()


def _renew(*, setting: str, **_: Any) -> None:
    """Resolvers hold this very list, so it is changed in place (``override_settings`` in tests)."""
    if setting == SETTING:
        urlpatterns[:] = _patterns()


setting_changed.connect(_renew, dispatch_uid="dataflow_nexus.urls")
