"""Bad parameters: the same documented refusal on every channel and database, and nothing is changed."""

from typing import Any

import pytest

from tests.bad_input.checks import check_refusal, contents
from tests.bad_input.table import TABLE, Row
from tests.parity.channels import CHANNELS, operation_of, rolled_back, start_ids
from tests.routing import POSTGRESQL, SQLITE

pytestmark = pytest.mark.django_db(databases=[SQLITE, POSTGRESQL])
ROWS = [
    pytest.param(row, id=f"{what}-{row[0]}-{number}")
    for what, rows in TABLE.items()
    for number, row in enumerate(rows)
    if row[0] != "UserList"
]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("alias", [SQLITE, POSTGRESQL])
def test_every_channel_refuses(row: Row, alias: str, scene: None) -> None:
    node, params, code, fields = row
    operation = operation_of(node)
    before = contents(alias) if operation.writes else {}
    told: list[Any] = []
    for channel in CHANNELS.values():
        with rolled_back(alias):
            start_ids(alias)
            answer = channel(operation, params)
            if answer is None:
                continue
            check_refusal(answer)
            assert (answer.code, answer.fields) == (code, fields)
            assert not operation.writes or contents(alias) == before
        told.append(answer.faults)
    assert all(faults == told[0] for faults in told)
