"""`POST /api/batch`: several operations in one transaction, each answer as it would be alone."""

import json
from typing import Any

import pytest
from django.test import Client

from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.exceptions import Invalid, LimitExceeded
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.workflows.runtime import MAX_OPERATIONS, run_batch
from testproject.shop.models import Customer, Tag

ANN = {"name": "Ann", "email": "ann@shop.example"}


def batch(client: Client, operations: Any, **more: Any) -> tuple[int, Any]:
    body = {"operations": operations, **more}
    answer = client.post("/api/batch", json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def test_later_operations_use_earlier_ones(client: Client, database: str) -> None:
    status, answer = batch(client, [
        {"id": "customer", "node": "CustomerCreateNode", "params": ANN},
        {"id": "order", "node": "OrderCreateNode",
         "params": {"number": "B-1", "customer_id": "${customer.id}"}},
        {"node": "OrderCountNode", "params": {"filter": {"number": "B-${customer.name}"}}},
    ])  # fmt: skip
    assert status == 200
    results = answer["results"]
    assert [(item["id"], item["node"]) for item in results] == [
        ("customer", "CustomerCreateNode"), ("order", "OrderCreateNode"), ("2", "OrderCountNode")
    ]  # fmt: skip
    assert results[1]["result"]["customer_id"] == results[0]["result"]["id"]
    assert results[2]["result"] == {"count": 0}


def test_each_answer_has_the_bytes_of_its_node(nexus: Nexus, database: str) -> None:
    operations = [
        {"node": "ProductListNode", "params": {"limit": 3, "expand": ["category"]}},
        {"node": "ProductAggregateNode", "params": {"aggregate": {"a": {"$avg": "price"}}}},
    ]
    alone = [nexus.execute_json(item["node"], item["params"]).decode() for item in operations]
    expected = ",".join(
        f'{{"id":"{n}","node":"{item["node"]}","result":{result}}}'
        for n, (item, result) in enumerate(zip(operations, alone, strict=True))
    )
    together = run_batch(nexus.catalog, SYSTEM, operations).decode()
    assert together == f'{{"results":[{expected}]}}'


def test_all_of_it_or_nothing(client: Client, database: str) -> None:
    status, told = batch(client, [
        {"node": "CustomerCreateNode", "params": ANN},
        {"id": "second", "node": "TagCreateNode", "params": {"name": "eco"}},
    ])  # fmt: skip
    assert (status, told["code"]) == (409, "conflict")
    assert told["detail"].startswith('operation "second": a record with the same "name"')
    assert [error["field"] for error in told["errors"]] == ["operations.second.name"]
    assert not Customer.objects.filter(email=ANN["email"]).exists()


def test_a_dry_run_undoes_itself_alone(client: Client, database: str) -> None:
    status, _ = batch(client, [
        {"node": "TagCreateNode", "params": {"name": "kept"}},
        {"node": "TagCreateNode", "params": {"name": "undone", "dry_run": True}},
    ])  # fmt: skip
    assert status == 200
    assert set(Tag.objects.filter(name__in=["kept", "undone"]).values_list("name", flat=True)) == {
        "kept"
    }


@pytest.mark.parametrize(
    ("operations", "status", "field"),
    [
        (None, 422, "operations"),
        ("x", 422, "operations"),
        ({}, 422, "operations"),
        ([], 422, "operations"),
        ([1], 422, "operations.0"),
        ([{}], 422, "operations.0.node"),
        ([{"node": 1}], 422, "operations.0.node"),
        ([{"node": "TagCountNode", "params": []}], 422, "operations.0.params"),
        ([{"node": "TagCountNode", "parms": {}}], 422, "operations.0.parms"),
        ([{"node": "TagCountNode", "id": 1}], 422, "operations.0.id"),
        ([{"node": "TagCountNode", "id": ""}], 422, "operations.0.id"),
        ([{"node": "TagCountNode", "id": "a.b"}], 422, "operations.0.id"),
        ([{"node": "TagCountNode", "id": "1"}, {"node": "TagCountNode"}], 422, "operations.1.id"),
        ([{"node": "TagCreateNode", "params": {"name": "${0.id}"}}], 422, "operations.0.name"),
        ([{"node": "TagCreateNode", "params": {"name": "${1.id}"}}, {"node": "TagCountNode"}],
         422, "operations.0.name"),
        ([{"node": "TagCreateNode", "params": {"name": "y", "nam": "x"}}], 422, "operations.0.nam"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(
    client: Client, database: str, operations: Any, status: int, field: str
) -> None:
    answered, told = batch(client, operations)
    assert (answered, [error["field"] for error in told["errors"]]) == (status, [field])


def test_a_node_that_does_not_exist(client: Client, database: str) -> None:
    status, told = batch(client, [{"id": "x", "node": "TagCretNode"}])
    assert (status, told["code"]) == (404, "not_found")
    assert told["detail"] == (
        'operation "x": there is no node "TagCretNode" — did you mean "TagCreateNode"?'
    )


def test_other_parameters(client: Client, database: str) -> None:
    status, told = batch(client, [], operation=[])
    assert (status, told["errors"][0]["field"]) == (422, "operation")
    answer = client.post("/api/batch?x=1", "{}", content_type="application/json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "x")


def test_the_number_of_operations_is_bounded(nexus: Nexus, database: str) -> None:
    count = {"node": "TagCountNode"}
    with pytest.raises(LimitExceeded, match=f"at most {MAX_OPERATIONS} operations"):
        run_batch(nexus.catalog, SYSTEM, [count] * (MAX_OPERATIONS + 1))
    assert run_batch(nexus.catalog, SYSTEM, [count] * MAX_OPERATIONS).count(b'"count":6') == 100


def test_one_transaction_is_on_one_database(nexus: Nexus, database: str) -> None:
    operations = [nexus.catalog.operations["TagCountNode"], nexus.catalog.operations["TagListNode"]]
    exposed = operations[0].exposed
    aliases = {"default", "postgresql"} - {database}
    before = exposed.__dict__.get("alias")
    exposed.__dict__["alias"] = aliases.pop()
    try:
        with pytest.raises(Invalid, match="the operations are on several databases"):
            run_batch(
                nexus.catalog, SYSTEM, [{"node": "TagCountNode"}, {"node": "ProductCountNode"}]
            )
    finally:
        exposed.__dict__["alias"] = before
