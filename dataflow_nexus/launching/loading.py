"""Loading an application: an app file or module as an ordinary module, or a Django project."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from dataflow_nexus import nexus as nexuses
from dataflow_nexus.dataflow import DataFlow, made
from dataflow_nexus.dataflow.standalone import ensure_django, place_app
from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.launching.aliases import MEMBERS, seed_imports
from dataflow_nexus.launching.finding import SETTINGS, Target
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.registry import nearest

_PREFERRED = ("nexus", "app")


def load(target: Target) -> Nexus:
    """The application of a target; a command serves it, not its own ``run``. Raises ``ConfigurationError``."""
    nexuses.commanded()
    if str(target.folder) not in sys.path:
        sys.path.insert(0, str(target.folder))
    if target.file is None and target.module is None:
        return _project()
    if os.environ.get(SETTINGS):
        _set_up()  # a file or module of a Django project may need its apps
    else:
        place_app(target.folder)
    known = len(nexuses.made_nexuses())
    with _told(target), seed_imports(target.file):
        module = _import_file(target.file) if target.file else _import_module(str(target.module))
    return _chosen(module, target, nexuses.made_nexuses()[known:])


# --- Django projects ------------------------------------------------------------------------------


def _project() -> Nexus:
    """What the project's own URLs lead to, so that every channel shows the same."""
    _set_up()
    found = nexuses.served_nexuses()
    if len(found) > 1 and found[0] is not nexuses.default_nexus():
        raise ConfigurationError(
            "the project makes several Nexus; say which: --app module:name, or NEXUS_APP"
        )
    return found[0]


def _set_up() -> None:
    try:
        ensure_django()
    except ModuleNotFoundError as error:
        name = os.environ.get(SETTINGS, "")
        if _is_of(error, name):
            raise ConfigurationError(f"{SETTINGS} names no module: {name!r}") from None
        raise


def _is_of(error: ModuleNotFoundError, name: str) -> bool:
    """Whether the module that is missing is the named one, or a package around it."""
    return bool(error.name) and (name == error.name or name.startswith(f"{error.name}."))


# --- modules --------------------------------------------------------------------------------------


@contextmanager
def _told(target: Target) -> Iterator[None]:
    """What can't even be imported is told with its place; other errors of the file stay its own."""
    try:
        yield
    except SyntaxError as error:
        place = f"{error.filename}, line {error.lineno}"
        raise ConfigurationError(f"{target.spec} can't be loaded: {error.msg} ({place})") from None
    except ImportError as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if _is_own(frame.filename)] or frames
        place = f"{own[-1].filename}, line {own[-1].lineno}"
        raise ConfigurationError(f"{target.spec} can't be loaded: {error} ({place})") from None


def _is_own(filename: str) -> bool:
    """Whether a line of a traceback is the user's code rather than the import system's or ours."""
    ours = Path(__file__).parent.parent
    return not filename.startswith("<") and ours not in Path(filename).parents


def _import_file(file: Path) -> ModuleType:
    """The file as a module of its own name, so that what it declares is found again by that name."""
    taken = {*sys.modules, *sys.stdlib_module_names, *MEMBERS}
    free = file.stem.isidentifier() and file.stem not in taken
    name = file.stem if free else f"nexus_app_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]  # as Python's own import does
        raise
    return module


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if _is_of(error, name):
            raise ConfigurationError(f"there is no module {name!r}") from None
        raise


# --- choosing -------------------------------------------------------------------------------------


def _chosen(module: ModuleType, target: Target, new: list[Nexus]) -> Nexus:
    """The Nexus that the target means: by name, the only one, the one that the file runs or that has
    the usual name, or one around the file's DataFlows."""
    if target.name:
        return _named(module, target)
    found = {name: item for name, item in vars(module).items() if isinstance(item, Nexus)}
    distinct = list({id(item): item for item in (*found.values(), *new)}.values())
    running = [item for item in distinct if item.served]
    if len(distinct) == 1 or len(running) == 1:
        return (running or distinct)[0]
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
