"""The sample shop on a file of its own, for servers in processes of their own."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import PROJECT, command

SETTINGS = "testproject.settings"


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the sample data, to be copied."""
    path = tmp_path_factory.mktemp("agents") / "shop.sqlite3"
    chosen = {"DJANGO_SETTINGS_MODULE": SETTINGS, "NEXUS_TEST_DATABASE_URL": f"sqlite:///{path}"}
    for words in (["migrate", "--verbosity", "0"], ["shop_data", "--verbosity", "0"]):
        done = command(sys.executable, "manage.py", *words, folder=PROJECT, **chosen)
        assert done.code == 0, done.err
    return path


@pytest.fixture
def shop_url(stocked: Path, tmp_path: Path) -> Callable[[], str]:
    """Makes fresh copies; returns their addresses."""
    made: list[Path] = []

    def copy() -> str:
        made.append(tmp_path / f"shop_{len(made)}.sqlite3")
        shutil.copy(stocked, made[-1])
        return f"sqlite:///{made[-1]}"

    return copy
