"""Django for a program that has no Django project: configured once, by the first DataFlow or Nexus.

Opens no connection and makes no table. The only file that is written is the secret key, unless ``NEXUS_SECRET_KEY``
names it.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import django
from django.apps import apps
from django.conf import settings

from dataflow_nexus.dataflow import databases
from dataflow_nexus.exceptions import ConfigurationError

_PACKAGE = "dataflow_nexus"
_KEY_BYTES = 50
_lock = threading.RLock()
_configured_here = False
_app_folder: Path | None = None


def is_standalone() -> bool:
    """Whether Django was configured by us and not by a project."""
    return _configured_here


def place_app(folder: Path | None) -> None:
    """Say where the app file lies, instead of finding the file that makes the first DataFlow."""
    global _app_folder  # noqa: PLW0603  # the app file is a fact of the process
    _app_folder = folder


def ensure_django() -> None:
    """Make Django usable: as the project configures it where there is one, else on our own."""
    global _configured_here  # noqa: PLW0603  # settings.configure() works once per process
    with _lock:
        if not settings.configured and not os.environ.get("DJANGO_SETTINGS_MODULE"):
            state = state_file()
            settings.configure(**_settings(state))
            _configured_here = True
        # An app of a project may make a DataFlow while the project's apps still load.
        if not apps.ready and not apps.loading:
            django.setup()


def _settings(state: Path) -> dict[str, Any]:
    return {
        "DATABASES": {"default": databases.sqlite_entry(state)},
        "DATABASE_ROUTERS": ["dataflow_nexus.dataflow.routing.DataFlowRouter"],
        "SECRET_KEY": secret_key(state),
        "USE_TZ": True,
        "TIME_ZONE": "UTC",
        "INSTALLED_APPS": [_PACKAGE],
        "MIDDLEWARE": ["django.middleware.security.SecurityMiddleware"],
        "ROOT_URLCONF": "dataflow_nexus.urls",
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        # Hosts are checked by the handler of the Nexus that serves, which knows whether it is open to others.
        "ALLOWED_HOSTS": ["*"],
    }


def state_file() -> Path:
    """``NEXUS_STATE``, else ``.nexus/state.sqlite3`` beside the app file. Its folder is made, for the owner alone."""
    named = os.environ.get("NEXUS_STATE")
    path = Path(named) if named else (_app_folder or _calling_folder()) / ".nexus" / "state.sqlite3"
    path = path.absolute()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"the folder of the state file cannot be made: {path.parent} ({error.strerror});"
            " NEXUS_STATE names another file"
        ) from None
    return path


def _calling_folder() -> Path:
    """The folder of the nearest file on the stack that is neither ours nor the import system's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        file = frame.f_globals.get("__file__")
        ours = name == _PACKAGE or name.startswith(f"{_PACKAGE}.")
        if file and not ours and not name.startswith("importlib"):
            return Path(file).absolute().parent
        frame = frame.f_back
    return Path.cwd()


def secret_key(state: Path) -> str:
    """``NEXUS_SECRET_KEY``, else a key made once beside the state file (mode 0600), the same in every process."""
    named = os.environ.get("NEXUS_SECRET_KEY")
    if named:
        return named
    path = state.with_name("secret_key")
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the secret key cannot be made or read: {path} ({type(error).__name__}); NEXUS_SECRET_KEY gives one"
        ) from None
    if len(key) < _KEY_BYTES:
        raise ConfigurationError(
            f"the secret key in {path} is too short; delete the file to have a new one made"
        )
    return key


def _make_key(path: Path) -> None:
    """Write a whole key under another name, then link it into place: nobody ever reads half a key, the first wins."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    mode = stat.S_IRUSR | stat.S_IWUSR
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_urlsafe(_KEY_BYTES)}\n")
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
