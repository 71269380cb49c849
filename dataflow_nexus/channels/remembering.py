"""What is made from the registry for one kind of asker, kept until the registry grows."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.operations.base import Catalog

Made = TypeVar("Made")


class Remembered(Generic[Made]):
    """One document per form and per kind of asker. Two that may see the same share one."""

    _MOST = 64

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = Lock()
        self._made: dict[tuple[int, str, object], Made] = {}

    def get(self, principal: Principal, form: object, make: Callable[[], Made]) -> Made:
        """The document that ``principal`` may see; ``form`` is hashable and tells documents apart."""
        seen = "everything" if principal.unrestricted else repr(sorted(principal.held.items()))
        key = (self._catalog.registry.version, seen, form)
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
