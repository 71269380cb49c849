"""What can be run by name, and batches of it."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dataflow_nexus.operations.verbs import VERBS
from testproject.shop.models import Order, Product
from tests.bad_input.checks import contents
from tests.channels.rest.conftest import Ask

KEYS = [
    "node",
    "model",
    "resource",
    "operation",
    "effect",
    "idempotent",
    "description",
    "input",
    "output",
]


def test_the_listing(ask: Ask) -> None:
    reply = ask("GET", "/api/workflows")
    listed = reply.json["workflows"]
    assert (reply.status, list(reply.json)) == (200, ["workflows"])
    by_node = {item["node"]: item for item in listed}
    assert len(by_node) == len(listed)
    for item in listed:
        assert list(item) == KEYS
        assert item["effect"] in ("read", "write", "destructive")
        Draft202012Validator.check_schema(item["input"])
        Draft202012Validator.check_schema(item["output"])
    products = {item["operation"]: item for item in listed if item["model"] == "Product"}
    assert set(products) == {verb.name for verb in VERBS}
    assert {item["resource"] for item in products.values()} == {"products"}
    effects = {name: item["effect"] for name, item in products.items()}
    assert [name for name, effect in effects.items() if effect == "read"] == [
        "read",
        "list",
        "count",
        "aggregate",
    ]
    assert [name for name, effect in effects.items() if effect == "destructive"] == [
        "delete",
        "bulk_delete",
    ]
    assert not products["create"]["idempotent"]
    assert products["upsert"]["idempotent"]


def test_every_listed_node_is_there(ask: Ask) -> None:
    for item in ask("GET", "/api/workflows").json["workflows"]:
        reply = ask("POST", f"/api/workflows/{item['node']}/execute", {"no such parameter": 1})
        assert (reply.status, reply.json["code"]) == (422, "invalid")


# --- batches --------------------------------------------------------------------------------------


def test_a_batch(ask: Ask) -> None:
    operations = [
        {
            "id": "a",
            "node": "CustomerCreateNode",
            "params": {"name": "Ann", "email": "ann@x.example"},
        },
        {
            "id": "b",
            "node": "OrderCreateNode",
            "params": {"number": "N-1", "customer_id": "${a.id}"},
        },
        {
            "node": "OrderListNode",
            "params": {"filter": {"customer_id": "${a.id}"}, "fields": ["number"]},
        },
    ]
    reply = ask("POST", "/api/batch", {"operations": operations})
    results = reply.json["results"]
    assert reply.status == 200
    assert [(item["id"], item["node"]) for item in results] == [
        ("a", "CustomerCreateNode"), ("b", "OrderCreateNode"), ("2", "OrderListNode")
    ]  # fmt: skip
    assert results[1]["result"]["customer_id"] == results[0]["result"]["id"]
    assert results[2]["result"]["records"] == [{"number": "N-1"}]


def test_results_are_those_of_the_nodes(ask: Ask) -> None:
    params = {"order_by": ["-price"], "limit": 3}
    alone = ask("POST", "/api/workflows/ProductListNode/execute", params)
    reply = ask(
        "POST", "/api/batch", {"operations": [{"node": "ProductListNode", "params": params}]}
    )
    start = b'{"results":[{"id":"0","node":"ProductListNode","result":'
    assert reply.body == start + alone.body + b"}]}"


def test_a_batch_is_all_or_nothing(ask: Ask, database: str) -> None:
    before = contents(database)
    operations: list[dict[str, Any]] = [
        {"id": "a", "node": "ProductCreateNode", "params": {"sku": "B-1", "name": "x", "price": 1}},
        {"id": "b", "node": "ProductUpdateNode", "params": {"id": 1, "stock": 0}},
        {"id": "c", "node": "OrderItemDeleteNode", "params": {"id": 1}},
        {"id": "d", "node": "ProductUpdateNode", "params": {"id": "${a.id}", "stock": "x"}},
    ]
    reply = ask("POST", "/api/batch", {"operations": operations})
    assert (reply.status, reply.json["code"]) == (422, "invalid")
    assert [item["field"] for item in reply.json["errors"]] == ["operations.d.stock"]
    assert contents(database) == before


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({}, 422, ["operations"]),
        ({"operations": []}, 422, ["operations"]),
        ({"operations": {"a": 1}}, 422, ["operations"]),
        ({"operations": [5]}, 422, ["operations.0"]),
        ({"operations": [{}]}, 422, ["operations.0.node"]),
        ({"operations": [{"node": 5}]}, 422, ["operations.0.node"]),
        (
            {"operations": [{"node": "ProductCountNode", "params": []}]},
            422,
            ["operations.0.params"],
        ),
        ({"operations": [{"node": "ProductCountNode", "parms": {}}]}, 422, ["operations.0.parms"]),
        ({"operations": [{"id": 1, "node": "ProductCountNode"}]}, 422, ["operations.0.id"]),
        ({"operations": [{"id": "a.b", "node": "ProductCountNode"}]}, 422, ["operations.0.id"]),
        ({"operations": [{"id": "a", "node": "ProductCountNode"}] * 2}, 422, ["operations.1.id"]),
        (
            {"operations": [{"node": "ProductReadNode", "params": {"id": "${x.id}"}}]},
            422,
            ["operations.0.id"],
        ),
        ({"operations": [{"node": "ProductCountNode"}], "mode": "x"}, 422, ["mode"]),
        ({"operations": [{"node": "NopeNode"}]}, 404, []),
        ({"operations": [{"node": "ProductCountNode"}] * 101}, 413, []),
    ],
)
def test_batches_that_cannot_be(ask: Ask, body: Any, status: int, fields: list[str]) -> None:
    reply = ask("POST", "/api/batch", body)
    assert (reply.status, [item["field"] for item in reply.json["errors"]]) == (status, fields)


def test_a_reference_takes_any_part_of_a_result(ask: Ask) -> None:
    operations = [
        {"id": "l", "node": "ProductListNode", "params": {"order_by": ["id"], "limit": 2}},
        {
            "id": "r",
            "node": "ProductReadNode",
            "params": {"id": "${l.records.1.id}", "fields": ["sku"]},
        },
        {"id": "d", "node": "ProductBulkDeleteNode", "params": {"ids": []}},
        {
            "id": "u",
            "node": "ProductUpdateNode",
            "params": {"id": 1, "name": "${r.sku} again", "stock": "${d.processed}"},
        },
    ]
    reply = ask("POST", "/api/batch", {"operations": operations})
    assert reply.status == 200
    assert json.loads(reply.body)["results"][3]["result"]["name"] == "SKU-00002 again"
    assert Product.objects.get(pk=1).stock == 0
    assert Order.objects.exists()
