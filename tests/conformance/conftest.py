"""The sample shop's own OpenAPI document, and the application that it describes, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections

from tests.conformance.checking import CHECKS
from tests.profiles import THOROUGH

EXAMPLES = 10 if THOROUGH else 2
"""Random requests per operation, besides those that follow from the schema's bounds one by one."""


@pytest.fixture(scope="session")
def schema() -> Any:
    """The document as it is served."""
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "generation": {"deterministic": True, "max-examples": EXAMPLES, "no-shrink": True},
            "checks": CHECKS,
        }
    )
    with connections_kept():
        return schemathesis.openapi.from_wsgi("/api/openapi.json", WSGIHandler(), config=config)


@contextmanager
def connections_kept() -> Iterator[None]:
    """A request closes old connections, which here hold the test's transaction; Django's client does the same."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def kept_connection() -> Iterator[None]:
    with connections_kept():
        yield
