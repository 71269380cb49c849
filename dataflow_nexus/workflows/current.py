"""Which application a workflow means where its code does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dataflow_nexus.exceptions import ConfigurationError

if TYPE_CHECKING:
    from dataflow_nexus.operations.base import Catalog

_source: Callable[[], Catalog] | None = None


def provide(source: Callable[[], Catalog]) -> None:
    """Say where the current catalog comes from; the composition root above calls this."""
    global _source  # noqa: PLW0603  # one per process
    _source = source


def current_catalog() -> Catalog:
    """The catalog of the most recently made Nexus, else the default one.

    Raises ``ConfigurationError`` where no application was made.
    """
    if _source is None:
        raise ConfigurationError(
            "there is no application yet: make a DataFlow or a Nexus first, or set Django up"
        )
    return _source()
