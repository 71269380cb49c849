"""Writers that want the same rows at the same time, in every way of writing: nothing is lost or made twice."""

from collections import Counter
from typing import Any

import pytest

from tests.load.client import Caller, together
from tests.load.conftest import Shop
from tests.load.test_load import POOL, watched

pytestmark = pytest.mark.load
WRITERS = 50


def statuses(
    shop: Shop, number: int, *requests: tuple[str, str, Any], fine: tuple[int, ...]
) -> Counter[int]:
    """Of as many callers, each of whom sends one of the requests in turn."""

    def work(caller: Caller, place: int) -> Counter[int]:
        caller.ask(*requests[place % len(requests)], fine=fine)
        return caller.seen

    return sum(together(shop.port, number, work), Counter())


def ask(shop: Shop, method: str, path: str, body: Any = None) -> Any:
    status, found = shop.server.ask(method, path, body)
    assert status < 300, found
    return found


def test_increments_of_a_model_with_code_of_its_own(shop: Shop) -> None:
    """One that overrides `clean` is changed through instances, whose rows are locked."""
    new = {"name": "Race", "starts_on": "2026-01-01", "ends_on": "2026-01-02", "percent": 0}
    key = ask(shop, "POST", "/api/promotions", new)["id"]
    change = ("PATCH", f"/api/promotions/{key}", {"percent": {"$inc": 1}})
    assert statuses(shop, WRITERS, change, fine=(200,)) == {200: WRITERS}
    assert ask(shop, "GET", f"/api/promotions/{key}")["percent"] == WRITERS


def test_increments_by_every_way_of_changing(shop: Shop) -> None:
    key = ask(shop, "POST", "/api/products", {"sku": "WAYS", "name": "x", "price": 1})["id"]
    more = {"stock": {"$inc": 1}}
    ways: list[tuple[str, str, Any]] = [
        ("PATCH", f"/api/products/{key}", more),
        ("PATCH", f"/api/products/{key}", {**more, "tags": [1]}),
        ("PUT", "/api/products", {"where": {"sku": "WAYS"}, "update": more}),
        ("PATCH", "/api/products/bulk", {"filter": {"sku": "WAYS"}, "fields": more}),
        ("PATCH", "/api/products/bulk", {"data": [{"id": key, **more}]}),
        ("POST", "/api/workflows/ProductUpdateNode/execute", {"filter": {"sku": "WAYS"}, **more}),
        (
            "POST",
            "/api/batch",
            {"operations": [{"node": "ProductUpdateNode", "params": {"id": key, **more}}]},
        ),
    ]
    number = 8 * len(ways)
    assert statuses(shop, number, *ways, fine=(200,)) == {200: number}
    assert ask(shop, "GET", f"/api/products/{key}")["stock"] == number


@pytest.mark.parametrize(
    "values",
    [
        {"tags": [1, 2]},
        {"where": {}, "create": {"name": "x", "price": 1}, "update": {"stock": {"$inc": 1}}},
    ],
    ids=["list of ids", "where"],
)
def test_upserts_of_one_key_make_one_record(shop: Shop, values: dict[str, Any]) -> None:
    sku = "WHERE" if "where" in values else "TAGS"
    plain = {"sku": sku, "name": "x", "price": 1, "conflict_on": ["sku"]}
    body = {**values, "where": {"sku": sku}} if "where" in values else {**plain, **values}
    seen = statuses(shop, WRITERS, ("PUT", "/api/products", body), fine=(200, 201))
    (record,) = ask(shop, "GET", f"/api/products?sku={sku}")["records"]
    assert seen == {201: 1, 200: WRITERS - 1}
    assert (record["stock"], record["tags"]) == (
        (WRITERS - 1, []) if "where" in values else (0, [1, 2])
    )


def test_bulk_upserts_of_the_same_keys(shop: Shop) -> None:
    """In opposite orders, so that two transactions may wait for each other."""
    rows = [
        {"code": "RACE", "valid_from": f"2030-01-{day:02d}", "price": 1} for day in range(1, 29)
    ]
    ways = [("PUT", "/api/price_list_entries/bulk", {"data": rows[::step]}) for step in (1, -1)]
    seen = statuses(shop, 20, *ways, fine=(200, 409))
    assert seen[200] > 0
    assert ask(shop, "GET", "/api/price_list_entries/count?code=RACE") == {"count": len(rows)}


def test_bulk_changes_of_the_same_records(shop: Shop) -> None:
    """In opposite orders, by row, by filter and by key; who is given up by the database is told to try again."""
    keys = list(range(1, 41))
    rows = [{"id": key, "stock": {"$inc": 1}} for key in keys]
    plain = [{"id": key, "description": "same"} for key in keys]
    where = {"filter": {"id": {"$lte": 40}}, "fields": {"description": "all"}}
    ways = [
        ("PATCH", "/api/products/bulk", {"data": data[::step]})
        for step in (1, -1)
        for data in (rows, plain)
    ]
    before = ask(shop, "GET", "/api/products/aggregate?sum=stock")["groups"][0]["sum_stock"]
    seen = statuses(shop, 30, *ways, ("PATCH", "/api/products/bulk", where), fine=(200, 409))
    after = ask(shop, "GET", "/api/products/aggregate?sum=stock")["groups"][0]["sum_stock"]
    assert seen[200] > 0
    assert (after - before) % len(keys) == 0


def test_creates_of_one_key(shop: Shop) -> None:
    new = {"sku": "FIRST", "name": "x", "price": 1}
    ways = [
        ("POST", "/api/products", new),
        ("POST", "/api/products/bulk", {"data": [new, {**new, "sku": "SECOND"}]}),
    ]
    seen = statuses(shop, 40, *ways, fine=(200, 201, 409))
    assert seen[409] == 39
    first, second = (
        ask(shop, "GET", f"/api/products/count?sku={sku}")["count"] for sku in ("FIRST", "SECOND")
    )
    assert (first, second) in {(1, 0), (1, 1)}
    assert second == seen[200]


def test_no_product_stays_in_a_category_that_goes(shop: Shop) -> None:
    category = ask(shop, "POST", "/api/categories", {"name": "Race", "slug": "race"})["id"]
    into: list[tuple[str, str, Any]] = [
        ("PATCH", f"/api/products/{key}", {"category_id": category}) for key in range(1, 31)
    ]
    into.insert(15, ("DELETE", f"/api/categories/{category}", None))
    statuses(shop, len(into), *into, fine=(200, 409))
    assert shop.server.ask("GET", f"/api/categories/{category}")[0] == 404
    assert ask(shop, "GET", f"/api/products/count?category_id={category}") == {"count": 0}


def test_exports_beside_writes(shop: Shop) -> None:
    """An export reads over a connection of its own, which counts as one of the pool's."""
    ways: list[tuple[str, str, Any]] = [
        ("GET", "/api/orders/export?format=json&expand=items.product", None),
        ("PATCH", "/api/products/2", {"stock": {"$inc": 1}}),
        ("GET", "/health/ready", None),
    ]
    before = ask(shop, "GET", "/api/products/2")["stock"]
    with watched(shop) as connections:
        for _ in range(5):
            assert statuses(shop, 48, *ways, fine=(200,)) == {200: 48}
    assert ask(shop, "GET", "/api/products/2")["stock"] == before + 80
    assert max(connections, default=0) <= POOL
