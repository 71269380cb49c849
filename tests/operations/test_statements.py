"""How many statements an operation sends: one on PostgreSQL where no transaction is open, and a bound elsewhere."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from dataflow_nexus.nexus import Nexus
from testproject.shop.models import Category, Order, Product
from tests.operations.bulks import Run, product
from tests.operations.committed import apart
from tests.routing import POSTGRESQL


def texts(work: Callable[[], Any]) -> list[str]:
    """What a piece of work sends over a connection without a transaction."""
    with CaptureQueriesContext(connections[POSTGRESQL]) as seen:
        work()
    return [item["sql"] for item in seen.captured_queries]


def test_one_statement_each_on_postgresql(on_postgresql: str, nexus: Nexus) -> None:
    def ask(node: str, **params: Any) -> Any:
        return nexus.execute(f"{node}Node", params)

    def session() -> dict[str, list[str]]:
        key = ask("ProductCreate", **product(1))[
            "id"
        ]  # what a process learns of a table, it learns here
        category = Category.objects.all()[0].pk
        try:
            made = ask("ProductCreate", **product(2))["id"]
            works: dict[str, Callable[[], Any]] = {
                "create": lambda: ask("ProductCreate", **product(3)),
                "read": lambda: ask("ProductRead", id=key),
                "read by filter": lambda: ask("ProductRead", filter={"sku": "B-1"}),
                "read expanded": lambda: ask("ProductRead", id=key, expand=["category", "tags"]),
                "list": lambda: ask("ProductList", limit=5),
                "list expanded": lambda: ask("OrderList", expand=["customer", "items.product"]),
                "list filtered": lambda: ask("ProductList", filter={"category.slug": "desks"}),
                "count": lambda: ask("ProductCount", filter={"active": True}),
                "update": lambda: ask("ProductUpdate", id=key, stock=1, category_id=category),
                "update by filter": lambda: ask("ProductUpdate", filter={"sku": "B-1"}, stock=2),
                "increment": lambda: ask("ProductUpdate", id=made, stock={"$inc": 1}),
                "upsert": lambda: ask("ProductUpsert", **product(2), conflict_on=["sku"]),
            }
            return {name: texts(work) for name, work in works.items()}
        finally:
            Product.objects.filter(sku__startswith="B-").delete()

    sent = apart(session)
    assert {name: len(found) for name, found in sent.items()} == dict.fromkeys(sent, 1)


def test_a_counted_list_takes_one_more(on_postgresql: str, nexus: Nexus) -> None:
    found = apart(lambda: texts(lambda: nexus.execute("ProductListNode", count="exact")))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("node", "params", "most"),
    [
        ("ProductRead", {"id": 1}, 2),
        ("ProductList", {}, 2),
        ("ProductList", {"expand": ["category.parent", "tags", "order_items"]}, 6),
        ("ProductCreate", product(1), 8),
        ("ProductUpdate", {"id": 1, "stock": 5}, 8),
        ("ProductUpdate", {"id": 1, "stock": {"$inc": 5}, "tags": [1, 2]}, 16),
        ("ProductUpsert", {**product(1), "conflict_on": ["sku"]}, 12),
        ("NoteCreate", {"title": "x"}, 8),
    ],
)
def test_the_bounds_of_any_database(
    run: Run, statements: Any, node: str, params: dict[str, Any], most: int
) -> None:
    with statements() as seen:
        run(node, **params)
    assert 0 < len(seen) <= most


@pytest.mark.parametrize(
    "expand", [["customer"], ["items"], ["customer.country", "items.product.tags"]]
)
def test_expanding_more_rows_takes_no_more_statements(
    run: Run, statements: Any, expand: list[str]
) -> None:
    counts = []
    for limit in (2, 60):
        with statements() as seen:
            assert len(run("OrderList", expand=expand, limit=limit)["records"]) == limit
        counts.append(len(seen))
    assert Order.objects.count() >= 60
    assert counts[0] == counts[1] <= 6
