"""``path("", include("dataflow_nexus.urls"))``: everything that the project's settings expose.

Nothing is imported and no model is read until the first request reaches these patterns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from django.urls import URLPattern, URLResolver, re_path

from dataflow_nexus.exceptions import ConfigurationError

Pattern = URLPattern | URLResolver


class ProjectPatterns(Sequence[Pattern]):
    """The patterns of the project's Nexus, composed when they are first asked for, and after the settings changed.

    A sequence, so that the project's resolver goes through them itself: one step less for every request.
    """

    def _patterns(self) -> list[Pattern]:
        from dataflow_nexus.nexus import default_nexus

        try:
            return default_nexus().urls[0].urlpatterns
        except ConfigurationError as error:
            return [re_path("", _refusing(str(error)))]

    def __iter__(self) -> Iterator[Pattern]:
        return iter(self._patterns())

    def __len__(self) -> int:
        return len(self._patterns())

    def __getitem__(self, index: Any) -> Any:
        return self._patterns()[index]


def _refusing(message: str) -> Any:
    """Settings that can't work: the system checks report them, and every request fails with them.

    Raised here already, they would hide every other check behind a traceback.
    """

    def refuse(request: object, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG001  # a view
        raise ConfigurationError(message)

    return refuse


urlpatterns = ProjectPatterns()
