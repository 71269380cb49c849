"""The seed document's own imports (``from dataflow import DataFlow`` …), while an app file is loaded.

A real module of the user's always wins: ours are found only where Python's own search finds nothing,
or nothing but a folder without code. They are gone again when the file is loaded.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

MEMBERS: Mapping[str, Mapping[str, str]] = {
    "dataflow": {"DataFlow": "dataflow_nexus.dataflow"},
    "nexus": {"Nexus": "dataflow_nexus.nexus"},
    "kailash": {},
    "kailash.workflow": {"WorkflowBuilder": "dataflow_nexus.workflows.builder"},
    "kailash.workflow.builder": {"WorkflowBuilder": "dataflow_nexus.workflows.builder"},
    "kailash.runtime": {"LocalRuntime": "dataflow_nexus.workflows.runtime"},
    "kailash.runtime.local": {"LocalRuntime": "dataflow_nexus.workflows.runtime"},
}
"""Module → its names → where they are really."""


@contextmanager
def seed_imports(app_file: Path | None) -> Iterator[None]:
    """Let the seed's imports find us inside. An app file that is itself named ``nexus.py`` is none of them."""
    finder = _Finder(app_file)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in finder.made:
            sys.modules.pop(name, None)


class _Finder(MetaPathFinder, Loader):
    def __init__(self, app_file: Path | None) -> None:
        self._app_file = app_file
        self.made: list[str] = []

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002  # the protocol's
        target: ModuleType | None = None,  # noqa: ARG002  # the protocol's
    ) -> ModuleSpec | None:
        if fullname not in MEMBERS:
            return None
        parent = fullname.rpartition(".")[0]
        ours = parent in self.made if parent else not self._is_real(PathFinder.find_spec(fullname))
        return ModuleSpec(fullname, self, is_package=True) if ours else None

    def _is_real(self, spec: ModuleSpec | None) -> bool:
        """A folder without ``__init__.py`` has no origin, and is most likely one of data."""
        if spec is None or spec.origin is None:
            return False
        return self._app_file is None or Path(spec.origin).resolve() != self._app_file.resolve()

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name, "Another name for parts of dataflow_nexus.")

    def exec_module(self, module: ModuleType) -> None:
        for member, home in MEMBERS[module.__name__].items():
            setattr(module, member, getattr(importlib.import_module(home), member))
        self.made.append(module.__name__)
