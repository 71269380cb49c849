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
