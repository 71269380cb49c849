"""What holds for the parameters of all verbs."""

from typing import Any

import pytest
from django.db import transaction

from dataflow_nexus.operations.verbs import VERBS
from tests.operations.bulks import Run

NEW = {"sku": "N", "name": "n", "price": "1.00"}
CALLS: dict[str, dict[str, Any]] = {
    "create": NEW,
    "read": {"id": 1},
    "update": {"id": 1, "stock": 3},
    "delete": {"filter": {"sku": NEW["sku"]}},
    "list": {"order_by": ["id"], "limit": 2},
    "count": {"filter": {"active": True}},
    "upsert": {**NEW, "conflict_on": ["sku"]},
    "aggregate": {"aggregate": {"n": {"$count": "*"}}},
    "bulk_create": {"data": [NEW], "return": "records"},
    "bulk_update": {"filter": {"id": 1}, "fields": {"stock": 3}},
    "bulk_delete": {"ids": []},
    "bulk_upsert": {"data": [{**NEW, "name": "m"}], "conflict_on": ["sku"]},
}
"""One good call of each verb."""


def outcome(run: Run, database: str, verb: str, params: dict[str, Any]) -> Any:
    """The result without what the database and the clock count on; nothing stays behind."""
    node = f"Product{verb.title().replace('_', '')}"
    with transaction.atomic(database):
        if verb in ("delete", "bulk_upsert"):
            run("ProductCreate", **NEW)
        result = run(node, **params)
        transaction.set_rollback(True, database)
    for record in (result, result.get("record", {}), *result.get("records", ())):
        for name in ("id", "created_at"):
            record.pop(name, None)
    return result


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_null_is_as_if_a_parameter_were_not_given(run: Run, database: str, verb: Any) -> None:
    params = CALLS[verb.name]
    expected = outcome(run, database, verb.name, params)
    for name in verb.parameters:
        if name not in params:
            assert outcome(run, database, verb.name, {**params, name: None}) == expected, name
