"""Databases that other people published, kept beside the project: tests that need one are marked `shared_data`."""

import os
from pathlib import Path

import pytest

from tests.processes import PROJECT

FOLDER = PROJECT.parent / "shared" / "data"


def shared_file(name: str) -> Path:
    """The path of a file. Without it tests are skipped, but CI has to have it."""
    path = FOLDER / name
    if path.is_file():
        return path
    missing = f"there is no ../shared/data/{name} beside the project"
    if os.environ.get("CI"):
        pytest.fail(f"{missing}, and CI demands it", pytrace=False)
    pytest.skip(missing)
