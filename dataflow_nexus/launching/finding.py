"""Which application a command means (docs/cli.md). Loads nothing."""

from __future__ import annotations

import ast
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataflow_nexus.exceptions import ConfigurationError

TABLE = "dataflow-nexus"
SETTINGS = "DJANGO_SETTINGS_MODULE"


@dataclass(frozen=True, kw_only=True)
class Target:
    """An app file, a module, or (with neither) the Django project; ``name`` is one of its variables."""

    file: Path | None = None
    module: str | None = None
    name: str | None = None
    folder: Path

    @property
    def spec(self) -> str:
        """As ``NEXUS_APP`` holds it; empty for the Django project."""
        place = str(self.file) if self.file else self.module or ""
        return f"{place}:{self.name}" if self.name else place


def find(app: str | None) -> Target:
    """The application by ``--app``, ``NEXUS_APP``, ``pyproject.toml`` or the Django project, in this order.

    Raises ``ConfigurationError`` where there is none.
    """
    here = Path.cwd()
    if app is not None:
        return parse(app, here, "--app")
    named = os.environ.get("NEXUS_APP")
    if named:
        return parse(named, here, "NEXUS_APP")
    found = _from_pyproject(here)
    if found is not None:
        return found
    if not os.environ.get(SETTINGS):
        settings = _settings_of(here / "manage.py")
        if settings is None:
            raise ConfigurationError(
                "no application found: give --app FILE.py[:name] or --app module:name, set NEXUS_APP, write app into"
                f" [tool.{TABLE}] of pyproject.toml, set {SETTINGS}, or stand beside a manage.py"
            )
        os.environ[SETTINGS] = settings
    return Target(folder=here)


def parse(text: str, folder: Path, source: str) -> Target:
    """``FILE.py``, ``FILE.py:name`` or ``module:name``; a file is relative to ``folder``."""
    place, colon, name = text.rpartition(":")
    if not colon or text.endswith(".py"):
        place, colon, name = text, "", ""
    is_file = place.endswith(".py")
    words = [*([] if is_file else place.split(".")), *([name] if colon else [])]
    if not all(word.isidentifier() for word in words):
        raise ConfigurationError(
            f"{source}: an application is FILE.py[:name] or module:name, not {text!r}"
        )
    if not is_file:
        return Target(module=place, name=name or None, folder=folder)
    file = (folder / place).absolute()
    if not file.is_file():
        raise ConfigurationError(f"{source}: there is no file {file}")
    return Target(file=file, name=name or None, folder=file.parent)


def _from_pyproject(here: Path) -> Target | None:
    for folder in (here, *here.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            app = _table(path).get("app")
            if app is None:
                return None
            if not isinstance(app, str):
                raise ConfigurationError(f"{path}: [tool.{TABLE}] app must be text")
            return parse(app, folder, f"{path}: [tool.{TABLE}] app")
    return None


def _table(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(f"{path} can't be read: {error}") from None
    tools = document.get("tool", {})
    table = tools.get(TABLE, {}) if isinstance(tools, dict) else {}
    if not isinstance(table, dict) or set(table) - {"app"}:
        raise ConfigurationError(f"{path}: [tool.{TABLE}] holds nothing but app")
    return table


def _settings_of(manage: Path) -> str | None:
    """What a ``manage.py`` gives to ``os.environ.setdefault("DJANGO_SETTINGS_MODULE", …)``, without running it."""
    if not manage.is_file():
        return None
    try:
        tree = ast.parse(manage.read_bytes())
    except (SyntaxError, ValueError):
        raise ConfigurationError(f"{manage} is not Python") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "setdefault":
            values = [item.value for item in node.args if isinstance(item, ast.Constant)]
            if len(values) == 2 and values[0] == SETTINGS:
                return str(values[1])
    raise ConfigurationError(f"{manage} does not say which settings it uses; set {SETTINGS}")
