"""A registry that follows others: what one ``Nexus`` exposes.

Composed at the first question and again when a source has grown, so that declaring models and nexuses in any order
costs nothing and reads nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from django.db import models
from django.utils.module_loading import autodiscover_modules

from dataflow_nexus.registry import Exposed, Registry


class ComposedRegistry(Registry):
    """The models of ``sources``, then those that ``patterns`` name; earlier options win.

    ``discover`` imports each installed app's ``nexus.py`` first.
    """

    def __init__(
        self,
        sources: Callable[[], Sequence[Registry]],
        patterns: Sequence[str] = (),
        *,
        discover: bool = False,
    ) -> None:
        self._version = 0
        self._sources = sources
        self._patterns = tuple(patterns)
        self._discover = discover
        self._seen: tuple[tuple[int, int], ...] | None = None
        self._lock = threading.RLock()
        self._composing = False
        super().__init__()

    def _state(self) -> tuple[tuple[int, int], ...]:
        return tuple((id(source), source.version) for source in self._sources())

    def _follow(self) -> None:
        if self._seen is not None and self._seen == self._state():
            return
        with self._lock:
            # An RLock: the flag can only be seen set by the thread that composes.
            if self._composing or (self._seen is not None and self._seen == self._state()):
                return
            self._composing = True
            try:
                self._compose()
            finally:
                self._composing = False

    def _compose(self) -> None:
        if self._discover:
            autodiscover_modules("nexus")
            self._discover = False
        state = self._state()
        self._by_model, self._by_resource, self._class_names = {}, {}, {}
        for source in self._sources():
            self.merged(source)
        for pattern in self._patterns:
            self.register_pattern(pattern)
        self._version += 1
        self._seen = state

    @property
    def version(self) -> int:
        self._follow()
        return self._version

    @version.setter
    def version(self, value: int) -> None:
        self._version = value

    def of(self, model: type[models.Model]) -> Exposed | None:
        self._follow()
        return super().of(model)

    def named(self, name: str) -> Exposed | None:
        self._follow()
        return super().named(name)

    def sole(self, class_name: str) -> bool:
        self._follow()
        return super().sole(class_name)

    def __iter__(self) -> Iterator[Exposed]:
        self._follow()
        return super().__iter__()

    def __len__(self) -> int:
        self._follow()
        return super().__len__()
