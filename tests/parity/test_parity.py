"""The product's first promise: the same operation and parameters give the same bytes, or the same error, everywhere."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.parity.case import Case
from tests.parity.cases import CASES, TABLES
from tests.parity.cases.operators import OPERATORS
from tests.parity.channels import Answer, ask, by_python, operation_of, rolled_back
from tests.routing import POSTGRESQL, SQLITE

pytestmark = pytest.mark.django_db(databases=[SQLITE, POSTGRESQL])
DATABASES = (SQLITE, POSTGRESQL)


def name(case: Case) -> str:
    return case.id


@pytest.mark.parametrize("case", CASES, ids=name)
def test_every_channel_answers_the_same(case: Case, scene: None, record_property: Any) -> None:
    found = {alias: dict(ask(alias, case.node, case.params)) for alias in DATABASES}
    answer = agreed(found[SQLITE])
    other = agreed(found[POSTGRESQL])
    assert (answer.code, answer.fields) == (case.code, list(case.fields)), answer.error
    assert (other.code, other.fields) == (case.code, list(case.fields)), other.error
    if case.same:
        assert values(answer) == values(other)
    record_property("parity", sum(len(answers) for answers in found.values()))


@pytest.mark.parametrize("case", OPERATORS.cases, ids=name)
def test_every_operator_means_the_same(case: Case, scene: None, record_property: Any) -> None:
    channels = ("Python", "REST resource")
    found = {alias: dict(ask(alias, case.node, case.params, channels)) for alias in DATABASES}
    if "$regex" in str(case.params):  # which is off on SQLite
        found[SQLITE] = found[POSTGRESQL]
    answer = agreed(found[SQLITE])
    assert values(answer) == values(agreed(found[POSTGRESQL]))
    assert answer.code in (None, "invalid")
    record_property("parity", sum(len(answers) for answers in found.values()))


@pytest.mark.parametrize("verb", TABLES)
def test_every_verb_has_many_cases(verb: str) -> None:
    cases = TABLES[verb].cases
    good = [case for case in cases if case.code is None]
    assert min(len(good), len(cases) - len(good)) >= 10
    assert len({case.node for case in cases}) >= 4
    verbs = {operation_of(case.node).verb.name for case in cases}
    assert verbs == {verb}


def test_every_page_is_the_same(scene: None, record_property: Any) -> None:
    """A cursor that one channel gave is taken by every other."""
    compared = 0
    for alias in DATABASES:
        params: dict[str, Any] = {"order_by": ["-category_id", "price"], "limit": 9}
        seen: list[int] = []
        while True:
            found = dict(ask(alias, "ProductList", params))
            compared += len(found)
            page = json.loads(agreed(found).body)
            seen += [record["id"] for record in page["records"]]
            if page["next"] is None:
                break
            params["cursor"] = page["next"]
        with rolled_back(alias):
            whole = by_python(operation_of("ProductList"), {"order_by": params["order_by"]})
        assert seen == [record["id"] for record in json.loads(whole.body)["records"]]
    record_property("parity", compared)


def agreed(answers: Mapping[str, Answer]) -> Answer:
    """The answer that all channels gave."""
    expected = answers["Python"]
    assert {channel: answer.comparable for channel, answer in answers.items()} == dict.fromkeys(
        answers, expected.comparable
    )
    if "REST node" in answers:  # agents read the details, so they get the same ones
        told = answers["REST node"].told
        agents = {name: answer.told for name, answer in answers.items() if name.startswith("MCP")}
        assert agents == dict.fromkeys(agents, told)
    return expected


def values(answer: Answer) -> Any:
    """What must be equal across databases: a cursor is a database's own, that there is one is not."""
    if answer.error is not None:
        return answer.comparable
    found = json.loads(answer.body)
    if isinstance(found, dict) and "next" in found:
        found["next"] = found["next"] is not None
    return found
