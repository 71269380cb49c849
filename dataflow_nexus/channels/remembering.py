"""What is made from the registry for one kind of asker, kept until the registry grows."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from dataflow_nexus.access.grants import UNRESTRICTED
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.operations.base import Catalog

Made = TypeVar("Made")
_PLAIN = UNRESTRICTED.sources


class Remembered(Generic[Made]):
    """One document per form and per kind of asker. Two that may see the same share one."""

    _MOST = 64

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = Lock()
        self._made: dict[tuple[int, object, object], Made] = {}

    def get(self, principal: Principal, form: object, make: Callable[[], Made]) -> Made:
        """The document that ``principal`` may see; ``form`` is hashable and tells documents apart."""
        key = (self._catalog.registry.version, _seen_by(principal), form)
        found = self._made.get(key)
        if found is None:
            with self._lock:
                found = self._made.get(key)
                if found is None:
                    found = make()
                    if len(self._made) >= self._MOST or any(
                        made[0] != key[0] for made in self._made
                    ):
                        self._made = {}
                    self._made[key] = found
        return found


def _seen_by(principal: Principal) -> object:
    """Equal for principals that may see the same. Thousands of plain permissions have to be told apart per request, so
    that only sources with limits are spelled out."""
    if principal.unrestricted:
        return "everything"
    held = principal.held.items()
    limited = [item for item in held if item[1] != _PLAIN]
    return frozenset(key for key, sources in held if sources == _PLAIN), repr(sorted(limited))
