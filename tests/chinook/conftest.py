"""A test that names `chinook` runs on SQLite and on PostgreSQL, over the published rows, and is rolled back."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import routing
from tests.chinook import loading
from tests.chinook.asking import APP, Chinook, Published
from tests.routing import CHINOOK_POSTGRESQL, CHINOOK_SQLITE
from tests.shared_data import shared_file

DATABASES = {"sqlite": CHINOOK_SQLITE, "postgresql": CHINOOK_POSTGRESQL}
HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.shared_data)
            item.add_marker(pytest.mark.django_db(databases=list(DATABASES.values())))


@pytest.fixture(scope="session")
def published_file() -> Path:
    return shared_file("chinook.sqlite")


@pytest.fixture
def published(published_file: Path) -> Iterator[Published]:
    found = Published(published_file)
    yield found
    found.close()


@pytest.fixture(scope="session")
def committed_chinook(published_file: Path, django_db_setup: None, django_db_blocker: Any) -> None:
    """The published rows in both databases."""
    with django_db_blocker.unblock():
        loading.into_sqlite(published_file, CHINOOK_SQLITE)
        loading.into_postgresql(published_file, CHINOOK_POSTGRESQL)


@pytest.fixture(params=list(DATABASES))
def chinook(
    request: pytest.FixtureRequest,
    committed_chinook: None,
    db: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Chinook]:
    """The application, which every channel of this test leads to."""
    settings.ROOT_URLCONF = APP
    monkeypatch.setenv("NEXUS_APP", f"{APP}:nexus")
    before, routing.current = routing.current, DATABASES[request.param]
    yield Chinook(importlib.import_module(APP).nexus, routing.current)
    routing.current = before
