"""Every operation of the document, asked with good and with bad requests that schemathesis makes of it.

Each answer has a status, a type and a schema that the document names; none is a 5xx; a request that the document
forbids is refused. One request leaves nothing behind for the next.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test

from dataflow_nexus.nexus import default_nexus
from tests.conformance.checking import Tally, checks_left_out, rolled_back
from tests.profiles import THOROUGH
from tests.routing import POSTGRESQL, SQLITE

STRIDE = 2 if THOROUGH else 8
"""Of the requests that follow from the schema's bounds, a database is asked one in so many, and each other ones."""


def parts() -> list[str]:
    """The resources, and "" for what belongs to no model."""
    return ["", *(exposed.resource for exposed in default_nexus().registry)]


def on_postgresql_alone() -> set[str]:
    found = default_nexus().registry
    return {item.resource for item in found if item.model._meta.app_label == "pgtypes"}


def operation_test(schema: Any, operation: Any, test: Callable[[Any], None]) -> Callable[[], None]:
    """As `schema.parametrize()` makes it. The lazy form of that, which takes a fixture, fails with pytest 9.2."""
    return build_operation_test(
        config=schema.config,
        operation=operation,
        test_func=test,
        given_kwargs={},
        feedback=FeedbackSources(constants_value_source=None),
    )


def asking(alias: str, tally: Tally) -> Callable[[Any], None]:
    """The test of one operation: asks it once."""
    numbers = count(0 if alias == SQLITE else STRIDE // 2)

    def ask(case: Any) -> None:
        derived = case.meta is not None and case.meta.phase.name.value == "coverage"
        if derived and next(numbers) % STRIDE:
            return
        with rolled_back(alias):
            response = case.call()
            tally.add(response.status_code)
            case.validate_response(response, excluded_checks=checks_left_out(case))

    return ask


@pytest.mark.parametrize("part", parts())
def test_answers_are_as_the_document_says(
    schema: Any, part: str, database: str, record_property: Callable[[str, object], None]
) -> None:
    if part in on_postgresql_alone() and database != POSTGRESQL:
        pytest.skip("its types exist on PostgreSQL alone")
    chosen = schema.include(tag=part) if part else schema.exclude(tag_regex=".+")
    tally = Tally()
    for result in chosen.get_all_operations():
        operation_test(schema, result.ok(), asking(database, tally))()
    told = tally.told()
    record_property("figures conformance", told)
    assert told["5xx"] == 0
    assert told["2xx"]
