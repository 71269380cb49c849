"""Writers on connections of their own that want the same row at the same moment (PostgreSQL)."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from dataflow_nexus import Conflict, NotFound
from dataflow_nexus.nexus import Nexus
from testproject.shop.models import Product, Promotion, Tag
from tests.operations.bulks import product
from tests.operations.committed import apart, together

WRITERS = 6
ROUNDS = 10


@pytest.fixture
def race(on_postgresql: str, nexus: Nexus) -> Iterator[Callable[..., list[Any]]]:
    """`race(node, params)`: what as many writers are answered, or the errors they are told."""

    def run(node: str, params: dict[str, Any], rounds: int = 1) -> list[Any]:
        def work() -> list[Any]:
            found: list[Any] = []
            for _ in range(rounds):
                try:
                    found.append(nexus.execute(f"{node}Node", params))
                except (Conflict, NotFound) as error:
                    found.append(error)
            return found

        return [item for found in together([work] * WRITERS) for item in found]

    yield run
    apart(clean)


def clean() -> None:
    Promotion.objects.filter(name="B-1").delete()
    Product.objects.filter(sku__startswith="B-").delete()
    Tag.objects.filter(name__startswith="B-").delete()


def made(node: str, params: dict[str, Any], nexus: Nexus) -> int:
    return int(apart(lambda: nexus.execute(f"{node}Node", params)["id"]))


@pytest.mark.parametrize(
    "more", [{}, {"tags": []}, {"name": {"$append": "!"}}], ids=["plain", "list", "text"]
)
def test_no_increment_is_lost(race: Any, nexus: Nexus, more: dict[str, Any]) -> None:
    key = made("ProductCreate", product(1), nexus)
    found = race("ProductUpdate", {"id": key, "stock": {"$inc": 1}, **more}, ROUNDS)
    stocks = [record["stock"] for record in found]
    assert sorted(stocks) == list(range(1, WRITERS * ROUNDS + 1))
    assert apart(lambda: Product.objects.get(pk=key).stock) == WRITERS * ROUNDS


def test_no_increment_of_an_instance_is_lost(race: Any, nexus: Nexus) -> None:
    today = timezone.now().date()
    values = {"name": "B-1", "starts_on": today, "ends_on": today, "percent": 0}
    key = made("PromotionCreate", values, nexus)
    found = race("PromotionUpdate", {"id": key, "percent": {"$inc": 1}}, ROUNDS)
    assert sorted(item["percent"] for item in found) == list(range(1, WRITERS * ROUNDS + 1))


@pytest.mark.parametrize(
    "params",
    [
        {**product(1), "conflict_on": ["sku"]},
        {**product(1), "tags": [], "conflict_on": ["sku"]},
        {
            "where": {"sku": "B-1"},
            "create": {"name": "x", "price": 1},
            "update": {"stock": {"$inc": 1}},
        },
    ],
    ids=["flat", "list", "where"],
)
def test_upserts_of_one_key_make_one_record(race: Any, params: dict[str, Any]) -> None:
    for _ in range(3):
        found = race("ProductUpsert", params)
        assert Counter(item["created"] for item in found) == {True: 1, False: WRITERS - 1}
        assert len({item["record"]["id"] for item in found}) == 1
        if "where" in params:
            stocks = sorted(item["record"]["stock"] for item in found)
            assert stocks == list(range(WRITERS))
        apart(clean)


def test_upserts_of_an_instance_make_one_record(race: Any) -> None:
    values = {"name": "B-1", "starts_on": "2026-01-01", "ends_on": "2026-01-02"}
    found = race("PromotionUpsert", {**values, "conflict_on": ["name"]})
    assert Counter(item["created"] for item in found) == {True: 1, False: WRITERS - 1}


def test_one_of_many_creates_wins(race: Any) -> None:
    found = race("TagCreate", {"name": "B-1"})
    refusals = [item for item in found if isinstance(item, Conflict)]
    assert len(refusals) == WRITERS - 1
    assert {item.errors[0].field for item in refusals} == {"name"}


def test_one_of_many_deletes_wins(race: Any, nexus: Nexus) -> None:
    key = made("TagCreate", {"name": "B-1"}, nexus)
    found = race("TagDelete", {"id": key})
    gone = [item for item in found if item == {"id": key, "deleted": True}]
    assert len(gone) == 1
    assert sum(isinstance(item, NotFound) for item in found) == WRITERS - 1
