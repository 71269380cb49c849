"""What is created can be read, changed and deleted by the links of the document, and is gone afterwards.

schemathesis walks them, and those that it finds by itself: scenarios of several requests, each of them one transaction.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings

from tests.conformance.checking import Tally, checks_left_out
from tests.conformance.test_operations import on_postgresql_alone, parts
from tests.profiles import THOROUGH
from tests.routing import POSTGRESQL

SCENARIOS = settings(
    max_examples=20 if THOROUGH else 4,
    stateful_step_count=8,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

UNLINKED = {"countries"}
"""The key is a text, for which the document has no links."""


def machine(schema: Any, alias: str, tally: Tally) -> Any:
    class Scenario(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self.transaction = transaction.atomic(alias)
            self.transaction.__enter__()

        def step(self, input: Any) -> Any:  # noqa: A002  # the name that schemathesis gives it
            tally.linked += input.transition is not None and input.is_applied
            return super().step(input)

        def call(self, case: Any, **kwargs: Any) -> Any:
            with transaction.atomic(alias):
                response = super().call(case, **kwargs)
                if response.status_code >= 400:  # PostgreSQL takes no more from what has failed
                    transaction.set_rollback(True, alias)
            return response

        def after_call(self, response: Any, case: Any) -> None:
            super().after_call(response, case)
            tally.add(response.status_code)

        def validate_response(self, response: Any, case: Any, **kwargs: Any) -> None:
            left_out = checks_left_out(case)
            case.validate_response(response, excluded_checks=left_out, recorder=self.recorder)

        def teardown(self) -> None:
            transaction.set_rollback(True, alias)
            self.transaction.__exit__(None, None, None)

    return Scenario


@pytest.mark.parametrize("part", [part for part in parts() if part and part not in UNLINKED])
def test_scenarios_along_links(
    schema: Any, part: str, database: str, record_property: Callable[[str, object], None]
) -> None:
    if part in on_postgresql_alone() and database != POSTGRESQL:
        pytest.skip("its types exist on PostgreSQL alone")
    tally = Tally()
    machine(schema.include(tag=part), database, tally).run(settings=SCENARIOS)
    told = tally.told()
    record_property("figures conformance", told)
    assert told["5xx"] == 0
