"""The Node packages of these tests, at pinned versions, in a folder that git ignores.

CI installs them by itself. Elsewhere nobody is made to: the tests are skipped until somebody runs `make conformance`.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import PROJECT, Ran

FOLDER = PROJECT / ".cache" / "npm"
MODULES = FOLDER / "node_modules"
PINNED = {
    "node": "22.23.3",  # the suite needs more than the Node of most distributions
    "@modelcontextprotocol/conformance": "0.2.0-alpha.12",
    "@modelcontextprotocol/inspector": "2.12.0",
}
INSTALL = (
    *("npm", "install", "--prefix", str(FOLDER.relative_to(PROJECT))),
    *("--no-save", "--no-audit", "--no-fund", "--omit=optional"),
    *(f"{name}@{version}" for name, version in PINNED.items()),
)
_PATIENCE = 600


class NotInstalled(Exception):
    """Says with which line they are installed."""


def installed() -> bool:
    return all(_version(name) == version for name, version in PINNED.items())


def _version(name: str) -> str | None:
    try:
        text = (MODULES / name / "package.json").read_text()
    except FileNotFoundError:
        return None
    return str(json.loads(text)["version"])


def install() -> None:
    """Raises `NotInstalled`. Of several processes one installs, and the others wait for it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed():
            return
        line = " ".join(INSTALL)
        if shutil.which("npm") is None:
            raise NotInstalled(f"there is no npm here. Install it, and run: {line}")
        done = subprocess.run(
            INSTALL, check=False, cwd=PROJECT, capture_output=True, text=True, timeout=_PATIENCE
        )
        if done.returncode or not installed():
            raise NotInstalled(f"{line}\n{done.stdout}{done.stderr}")


def demand() -> None:
    """Skip the test where the packages are missing; CI installs them, and fails where it can't."""
    if installed():
        return
    if not os.environ.get("CI"):
        pytest.skip(f"make conformance, or: {' '.join(INSTALL)}")
    try:
        install()
    except NotInstalled as missing:
        pytest.fail(str(missing), pytrace=False)


def run(script: str, *words: str, folder: Path, **env: str) -> Ran:
    """Run a package's program to its end, with the Node that is pinned."""
    node = MODULES / "node" / "bin"
    path = f"{node}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        (str(node / "node"), str(MODULES / "@modelcontextprotocol" / script), *words),
        check=False,
        cwd=folder,
        env={**os.environ, "PATH": path, "HOME": str(folder), "NO_COLOR": "1", **env},
        capture_output=True,
        timeout=_PATIENCE,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


if __name__ == "__main__":
    try:
        install()
    except NotInstalled as missing:
        sys.exit(str(missing))
