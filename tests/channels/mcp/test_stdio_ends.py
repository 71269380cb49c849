"""How `nexus mcp` ends, and a request within it: whatever it has the database do ends too."""

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.channels.mcp.client import request
from tests.channels.mcp.program import SOON, Program, program, project

CALL = "tools/call"
SLOW = """
    from dataflow_nexus import register
    from library.models import Book

    register(Book, queryset=lambda principal: Book.objects.extra(where=["{sql}"]))
"""
ENDLESS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n) > 0",
    "postgresql": "pg_sleep(600) IS NOT NULL",
}


@dataclass
class Slow:
    """A project whose books are looked for without end."""

    env: dict[str, str]
    statements: Callable[[], int] | None
    """How many look for them now, where the database can be asked."""

    def has_begun(self) -> None:
        if self.statements is None:
            time.sleep(0.5)
        else:
            wait(lambda: self.statements() == 1)

    def has_ended(self) -> None:
        if self.statements is not None:
            wait(lambda: self.statements() == 0)


@pytest.fixture(params=["sqlite", "postgresql"])
def slow(
    request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[[], str]
) -> Iterator[Slow]:
    hooks = SLOW.format(sql=ENDLESS[request.param])
    if request.param == "sqlite":
        env = project(tmp_path, hooks=hooks)
        with closing(sqlite3.connect(tmp_path / "library.sqlite3")) as connection, connection:
            connection.execute("INSERT INTO library_book (title) VALUES ('x')")
        yield Slow(env, None)
        return
    url = new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE library_book (id serial PRIMARY KEY, title varchar(100) NOT NULL);"
            " INSERT INTO library_book (title) VALUES ('x')"
        )

        def running() -> int:
            found = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
                " AND datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
            assert found is not None
            return int(found[0])

        more = f'DATABASES = {{"default": from_url("{url}")}}\n'
        yield Slow(project(tmp_path, hooks=hooks, more=more), running)


def wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@contextmanager
def looking(folder: Path, slow: Slow) -> Iterator[Program]:
    """A program that counts the books, as its request 7."""
    with program(folder, **slow.env) as running:
        running.begin()
        running.send(request(CALL, {"name": "count_books"}, number=7))
        assert running.ask("ping")["result"] == {}
        slow.has_begun()
        yield running
        slow.has_ended()


def test_a_cancelled_request_cancels_its_statement(tmp_path: Path, slow: Slow) -> None:
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    with looking(tmp_path, slow) as running:
        running.send({**cancelled, "params": {"requestId": 7, "reason": "no more"}})
        slow.has_ended()
        assert running.ask("tools/list", number=8)["result"]["tools"]
        assert running.end() == (0, b"", b"")


def test_the_end_of_the_input_cancels_what_runs(tmp_path: Path, slow: Slow) -> None:
    with looking(tmp_path, slow) as running:
        code, _, err = running.end()
        assert (code, err) == (0, b"")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_cancels_what_runs(tmp_path: Path, slow: Slow, sent: int) -> None:
    """Though the client holds its end open."""
    with looking(tmp_path, slow) as running:
        running.process.send_signal(sent)
        assert running.process.wait(SOON) == 130


def test_the_input_may_end_at_once(tmp_path: Path) -> None:
    with program(tmp_path, **project(tmp_path)) as running:
        assert running.end() == (0, b"", b"")


def test_a_job_in_the_background_can_be_ended(tmp_path: Path) -> None:
    """A shell has it ignore SIGINT, which is no reason to ignore SIGTERM."""
    env = project(tmp_path)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with program(tmp_path, **env) as running:
            running.begin()
            running.process.send_signal(signal.SIGTERM)
            assert running.process.wait(SOON) == -signal.SIGTERM
    finally:
        signal.signal(signal.SIGINT, before)
