"""The fixtures of tests that ask every channel: a scene of rows on both databases, at one fixed time."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from tests.parity import scene as rows
from tests.routing import POSTGRESQL, SQLITE


@pytest.fixture(scope="package")
def committed_scene(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The scene's rows, for as long as the tests of a folder run."""
    with django_db_blocker.unblock():
        for alias in (SQLITE, POSTGRESQL):
            rows.load(alias)
    yield
    with django_db_blocker.unblock():
        for alias in (SQLITE, POSTGRESQL):
            rows.unload(alias)


@pytest.fixture
def scene(committed_scene: None, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's own transaction over the rows, while `auto_now` says a fixed time."""
    monkeypatch.setattr(timezone, "now", lambda: rows.MOMENT)
