"""Columns of tables that others made, whose types are not those that Django would have given them."""

from typing import Any

from django.db import connections

from dataflow_nexus.nexus import Nexus

QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("OrderListNode", {"order_by": ["-placed_at"]}),
    ("OrderListNode", {"filter": {"placed_at": {"$gte": "2025-06-01T00:00:00+02:00"}}}),
    ("CustomerListNode", {"expand": ["orders"]}),
    (
        "OrderAggregateNode",
        {
            "group_by": [{"$date_trunc": ["month", "placed_at"]}],
            "aggregate": {"first": {"$min": "placed_at"}},
        },
    ),
]


def test_a_timestamp_without_a_zone_is_utc(nexus: Nexus, on_postgresql: str) -> None:
    """As Django takes it where `USE_TZ` is on."""
    before = [nexus.execute_json(node, params) for node, params in QUESTIONS]
    with connections[on_postgresql].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE shop_order ALTER placed_at TYPE timestamp")
    assert [nexus.execute_json(node, params) for node, params in QUESTIONS] == before
    given = {"placed_at": "2026-02-01T00:30:00.5+01:00"}
    key = nexus.execute("OrderListNode", limit=1)["records"][0]["id"]
    changed = nexus.execute("OrderUpdateNode", id=key, **given)
    assert changed["placed_at"] == "2026-01-31T23:30:00.5Z"


def test_a_document_of_type_json_is_one_line(nexus: Nexus, on_postgresql: str) -> None:
    """It keeps the text that it was given, line ends between its values too."""
    key = nexus.execute("ProductListNode", limit=1)["records"][0]["id"]
    with connections[on_postgresql].cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE shop_product ALTER attrs TYPE json")
        cursor.execute(
            "UPDATE shop_product SET attrs = %s::json WHERE id = %s",
            ['{"b" :\r\n 1.50,\n "a": "x\\ny"}', key],
        )
    shown = b'"attrs":{"b" : 1.50, "a": "x\\ny"}'
    assert shown in nexus.execute_json("ProductReadNode", {"id": key})
    grouped = {"filter": {"id": key}, "fields": ["attrs"]}
    assert b'{"records":[{' + shown + b"}]," in nexus.execute_json("ProductListNode", grouped)
    changed = nexus.execute("ProductUpdateNode", id=key, attrs={"$set": [1]})
    assert changed["attrs"] == [1]
    changed = nexus.execute("ProductUpdateNode", id=key, attrs={"$append": {"a": 1}})
    assert changed["attrs"] == [1, {"a": 1}]
    assert nexus.execute("ProductListNode", filter={"attrs": [1, {"a": 1}]})["records"]
