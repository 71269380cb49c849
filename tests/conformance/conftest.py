"""The sample shop's own OpenAPI document, and the application that it describes, in this process."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core import signals
from django.core.handlers.wsgi import WSGIHandler
from django.db import close_old_connections

from tests.conformance.checking import CHECKS

EXAMPLES = 10 if os.environ.get("CI") else 2
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
    return schemathesis.openapi.from_wsgi("/api/openapi.json", WSGIHandler(), config=config)


@pytest.fixture(autouse=True)
def kept_connection() -> Iterator[None]:
    """A request closes old connections, which here holds the test's transaction; Django's client does the same."""
    for signal in (signals.request_started, signals.request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (signals.request_started, signals.request_finished):
        signal.connect(close_old_connections)
