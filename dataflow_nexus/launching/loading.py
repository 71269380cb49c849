"""Loading an application: an app file or module as an ordinary module, or a Django project."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from dataflow_nexus import nexus as nexuses
from dataflow_nexus.dataflow import DataFlow, made
from dataflow_nexus.dataflow.standalone import ensure_django, place_app
from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.launching.finding import SETTINGS, Target
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.registry import nearest

_PREFERRED = ("nexus", "app")
_ALIASES: Mapping[str, Mapping[str, str]] = {
    "dataflow": {"DataFlow": "dataflow_nexus.dataflow"},
    "nexus": {"Nexus": "dataflow_nexus.nexus"},
    "kailash": {},
    "kailash.workflow": {"WorkflowBuilder": "dataflow_nexus.workflows.builder"},
    "kailash.workflow.builder": {"WorkflowBuilder": "dataflow_nexus.workflows.builder"},
    "kailash.runtime": {"LocalRuntime": "dataflow_nexus.workflows.runtime"},
    "kailash.runtime.local": {"LocalRuntime": "dataflow_nexus.workflows.runtime"},
}
"""Names under which the seed document imports what is ours."""


def load(target: Target) -> Nexus:
    """The application of a target; a command serves it, not its own ``run``. Raises ``ConfigurationError``."""
    nexuses.commanded()
    if str(target.folder) not in sys.path:
        sys.path.insert(0, str(target.folder))
    if target.file is None and target.module is None:
        return _project()
    place_app(target.folder)
    _alias(target.folder, target.file)
    known = len(nexuses.made_nexuses())
    module = _import_file(target.file) if target.file else _import_module(str(target.module))
    return _chosen(module, target, nexuses.made_nexuses()[known:])


def _project() -> Nexus:
    try:
        ensure_django()
    except ModuleNotFoundError as error:
        name = os.environ.get(SETTINGS, "")
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigurationError(f"{SETTINGS} names no module: {name!r}") from None
        raise
    return nexuses.default_nexus()


# --- modules --------------------------------------------------------------------------------------


def _import_file(file: Path) -> ModuleType:
    """The file as a module of its own name, so that what it declares is found again by that name."""
    name = (
        file.stem
        if file.stem.isidentifier() and file.stem not in sys.modules
        else f"nexus_app_{abs(hash(file))}"
    )
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise ConfigurationError(f"there is no module {name!r}") from None
        raise


def _alias(folder: Path, file: Path | None) -> None:
    """Let the seed's own imports find us, except where the app's folder has a module of that name."""
    for name, members in _ALIASES.items():
        top = name.partition(".")[0]
        local = [folder / f"{top}.py", folder / top / "__init__.py"]
        if name in sys.modules or any(path.is_file() and path != file for path in local):
            continue
        alias = ModuleType(name, "Another name for parts of dataflow_nexus.")
        alias.__path__ = []
        for member, home in members.items():
            setattr(alias, member, getattr(importlib.import_module(home), member))
        sys.modules[name] = alias
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, alias)


# --- choosing -------------------------------------------------------------------------------------


def _chosen(module: ModuleType, target: Target, new: list[Nexus]) -> Nexus:
    """The Nexus that the target means: by name, the only one, or one around the file's DataFlows."""
    if target.name:
        return _named(module, target)
    found = {name: item for name, item in vars(module).items() if isinstance(item, Nexus)}
    distinct = list({id(item): item for item in (*found.values(), *new)}.values())
    if len(distinct) == 1:
        return distinct[0]
    for name in _PREFERRED:
        if name in found:
            return found[name]
    if distinct:
        names = ", ".join(found) or "none has a name"
        raise ConfigurationError(
            f"{target.spec} makes several Nexus ({names}); say which: {target.spec}:name"
        )
    if made():
        return nexuses.default_nexus()
    raise ConfigurationError(f"{target.spec} makes no Nexus and no DataFlow")


def _named(module: ModuleType, target: Target) -> Nexus:
    name = str(target.name)
    if not hasattr(module, name):
        raise ConfigurationError(
            f"{target.spec}: there is no {name!r}{nearest(name, vars(module))}"
        )
    value: Any = getattr(module, name)
    if isinstance(value, Nexus):
        return value
    if isinstance(value, DataFlow):
        return Nexus(dataflow_config={"integration": value})
    raise ConfigurationError(
        f"{target.spec} is a {type(value).__name__}, not a Nexus or a DataFlow"
    )
