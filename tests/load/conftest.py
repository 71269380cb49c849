"""The sample shop, served by `nexus run` in a process of its own, on a database of its own."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests import postgresql
from tests.processes import NEXUS, PROJECT, Server, command, free_port, serving

SETTINGS = "testproject.settings"


@dataclass(frozen=True)
class Shop:
    """A server, and the address of its database."""

    server: Server
    url: str

    @property
    def port(self) -> int:
        return int(self.server.base.rpartition(":")[2])


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """One server per database for all tests of a module; each test counts from what it finds."""
    name = f"load_{os.getpid()}"
    if request.param == "sqlite":
        yield from _served(f"sqlite:///{tmp_path_factory.mktemp('load')}/shop.sqlite3")
    else:
        yield from _served(postgresql.create_database(name))
        postgresql.drop_database(name)


def _served(url: str) -> Iterator[Shop]:
    chosen = {"DJANGO_SETTINGS_MODULE": SETTINGS, "NEXUS_TEST_DATABASE_URL": url}
    for words in (["migrate", "--verbosity", "0"], ["shop_data", "--verbosity", "0"]):
        done = command(sys.executable, "manage.py", *words, folder=PROJECT, **chosen)
        assert done.code == 0, done.err
    port = free_port()
    with serving(NEXUS, "run", "--port", str(port), folder=PROJECT, port=port, **chosen) as server:
        yield Shop(server, url)
