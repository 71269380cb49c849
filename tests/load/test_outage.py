"""While the database server is down callers are told soon; once it is back they are served, with nothing restarted."""

import os
import sys
import time
from collections.abc import Iterator

import pytest

from tests import postgresql
from tests.load.client import Caller, together
from tests.load.conftest import SETTINGS
from tests.load.gate import Gate
from tests.processes import NEXUS, PROJECT, Server, command, free_port, serving

pytestmark = pytest.mark.load

CALLERS = 12
"""More than the pool of the shop's settings holds."""
PATIENCE = 15
"""Seconds, far below what psycopg's pool waits by itself."""


@pytest.fixture
def gate() -> Iterator[Gate]:
    name = f"outage_{os.getpid()}"
    with Gate(postgresql.create_database(name)) as found:
        yield found
    postgresql.drop_database(name)


@pytest.fixture
def server(gate: Gate) -> Iterator[Server]:
    chosen = {"DJANGO_SETTINGS_MODULE": SETTINGS, "NEXUS_TEST_DATABASE_URL": gate.url}
    for words in (["migrate", "--verbosity", "0"], ["shop_data", "--verbosity", "0"]):
        done = command(sys.executable, "manage.py", *words, folder=PROJECT, **chosen)
        assert done.code == 0, done.err
    port = free_port()
    with serving(NEXUS, "run", "--port", str(port), folder=PROJECT, port=port, **chosen) as found:
        yield found


def test_a_server_that_goes_and_comes_back(gate: Gate, server: Server) -> None:
    port = int(server.base.rpartition(":")[2])

    def work(caller: Caller, number: int) -> list[str]:
        found = [
            caller.ask(method, path, body, fine=[200, 503])
            for method, path, body in (
                ("GET", "/api/products/1", None),
                ("PATCH", "/api/products/1", {"stock": {"$inc": 1}}),
            )
        ]
        return [answer.get("code", "fine") for answer in found]

    assert together(port, CALLERS, work, timeout=PATIENCE) == [["fine"] * 2] * CALLERS
    gate.close()
    for _ in range(2):
        assert together(port, CALLERS, work, timeout=PATIENCE) == [["unavailable"] * 2] * CALLERS
        status, told = server.ask("GET", "/health/ready")
        assert (status, told["code"]) == (503, "unavailable")
        assert server.ask("GET", "/health/live")[0] == 200
    gate.open()
    until = time.monotonic() + PATIENCE
    while server.ask("GET", "/health/ready")[0] != 200:
        assert time.monotonic() < until, "the server is back and stays unused"
    while together(port, CALLERS, work, timeout=PATIENCE) != [["fine"] * 2] * CALLERS:
        assert time.monotonic() < until, "the server is back and stays unused"
