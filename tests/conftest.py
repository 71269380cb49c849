"""A test that names `database` runs on SQLite and on PostgreSQL, over the shop's sample data, and is rolled back."""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dataflow_nexus import nexus as nexuses
from dataflow_nexus.nexus import Nexus, default_nexus
from testproject.shop import people, sample
from tests import postgresql, profiles, routing
from tests.routing import POSTGRESQL, SQLITE

pytest_plugins = ["tests.figures", "tests.parity.counting"]
DATABASES = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
profiles.load()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if {"database", "on_postgresql", "on_sqlite"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.django_db(databases=[SQLITE, POSTGRESQL]))


def pytest_sessionfinish() -> None:
    wires = sys.modules.get("tests.parity.wire")
    if wires is not None:
        wires.close_all()
    shutil.rmtree(settings.FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The test databases, with the sample data committed: those that the collected tests ask for are made."""
    with django_db_blocker.unblock():
        for alias in DATABASES.values():
            name = Path(str(connections[alias].settings_dict["NAME"])).name
            if not name.startswith("test_"):
                continue
            routing.current = alias
            sample.load(alias)
            people.load(alias)
        routing.current = SQLITE
    yield
    with django_db_blocker.unblock():
        for connection in connections.all():
            connection.close()
            if hasattr(connection, "close_pool"):
                connection.close_pool()


@pytest.fixture(autouse=True)
def nexuses_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test makes ends with it: the latest Nexus of a process is the current one."""
    monkeypatch.setattr(nexuses, "_nexuses", [])


@pytest.fixture(params=list(DATABASES))
def database(request: pytest.FixtureRequest, db: None) -> Iterator[str]:
    """The alias of the database that the test runs on; every operation goes there."""
    before, routing.current = routing.current, DATABASES[request.param]
    yield routing.current
    routing.current = before


@pytest.fixture
def on_postgresql(db: None) -> Iterator[str]:
    """The alias of PostgreSQL, for what it alone can do."""
    before, routing.current = routing.current, POSTGRESQL
    yield routing.current
    routing.current = before


@pytest.fixture
def on_sqlite(db: None) -> Iterator[str]:
    """The alias of SQLite, likewise."""
    before, routing.current = routing.current, SQLITE
    yield routing.current
    routing.current = before


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    """The address of the server's maintenance database."""
    return postgresql.server_url()


@pytest.fixture
def new_database(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes empty PostgreSQL databases, for servers and commands in processes of their own; returns their addresses."""
    made: list[str] = []

    def create() -> str:
        name = f"own_{abs(hash(request.node.nodeid)):x}_{len(made)}"
        made.append(name)
        return postgresql.create_database(name)

    yield create
    for name in made:
        postgresql.drop_database(name)


@pytest.fixture
def nexus() -> Nexus:
    """The project's own, with every model of the shop."""
    return default_nexus()


@pytest.fixture
def run(nexus: Nexus, database: str) -> Callable[..., Any]:
    """Run a node: `run("ProductCount", filter={…})`; returns the parsed result."""

    def run_node(node: str, /, **params: Any) -> Any:
        principal = params.pop("principal", None)
        given = {} if principal is None else {"principal": principal}
        return nexus.execute(f"{node}Node", params, **given)

    return run_node


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def statements(database: str) -> Callable[[], AbstractContextManager[CaptureQueriesContext]]:
    """`with statements() as seen:` — `len(seen)` is the number of statements sent to the test's database."""
    return lambda: CaptureQueriesContext(connections[database])
