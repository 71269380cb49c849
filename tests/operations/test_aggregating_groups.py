"""Aggregate: keys of groups, having, order and limit, against the same computed in Python."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dataflow_nexus import Invalid, LimitExceeded
from dataflow_nexus.nexus import Nexus
from testproject.shop.models import (
    Everything,
    Order,
    OrderItem,
    PriceListEntry,
    Product,
)
from tests.operations.aggregates import (
    Group,
    Run,
    everything,
    groups,
    mean,
    moment,
)

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")


@pytest.mark.parametrize("name", ["category", "category_id", "category.id"])
def test_group_by_a_relation_is_by_its_key(run: Run, name: str) -> None:
    expected: dict[int | None, list[Decimal]] = defaultdict(list)
    for product in Product.objects.all():
        expected[product.category_id].append(product.price)
    found = groups(
        run,
        "Product",
        group_by=[name],
        aggregate={"revenue": {"$sum": "price"}, "mean": {"$avg": "price"}, "n": {"$count": "*"}},
    )
    assert found == [
        {
            name: key,
            "revenue": str(sum(prices)),
            "mean": mean(prices, 6),
            "n": len(prices),
        }
        for key, prices in sorted(expected.items(), key=lambda item: (item[0] is None, item[0]))
    ]


@pytest.mark.parametrize("name", ["product.category.name", "product__category__name"])
def test_group_by_and_sum_over_paths(run: Run, name: str) -> None:
    expected: dict[str | None, list[OrderItem]] = defaultdict(list)
    for item in OrderItem.objects.select_related("product__category", "order"):
        category = item.product.category
        expected[category and category.name].append(item)
    found = groups(
        run,
        "OrderItem",
        group_by=[name],
        aggregate={
            "sold": {"$sum": "quantity"},
            "stock": {"$max": "product.stock"},
            "orders": {"$count_distinct": "order"},
            "last": {"$max": "order.placed_at"},
        },
        order_by=[f"{name}:nullsfirst"],
    )
    assert found == [
        {
            name: key,
            "sold": sum(item.quantity for item in items),
            "stock": max(item.product.stock for item in items),
            "orders": len({item.order_id for item in items}),
            "last": moment(max(item.order.placed_at for item in items)),
        }
        for key, items in sorted(expected.items(), key=lambda item: item[0] or "")
    ]


def test_a_path_to_nothing_is_null(run: Run) -> None:
    found = groups(
        run, "Category", group_by=["parent.parent.slug"], aggregate={"n": {"$count": "*"}}
    )
    assert found == [{"parent.parent.slug": "home", "n": 1}, {"parent.parent.slug": None, "n": 6}]


def test_a_one_to_one_from_the_other_side(run: Run) -> None:
    first = Everything.objects.create(text="first", integer=1)
    Everything.objects.create(text="second", integer=2, twin=first)
    found = groups(
        run, "Everything", group_by=["twin_of.text"], aggregate={"s": {"$sum": "integer"}}
    )
    assert found == [{"twin_of.text": "second", "s": 1}, {"twin_of.text": None, "s": 2}]


def truncated(unit: str, value: dt.datetime) -> dt.datetime:
    if unit in ("second", "minute", "hour"):
        names = ("microsecond", "second", "minute")[: ("second", "minute", "hour").index(unit) + 1]
        return value.replace(**dict.fromkeys(names, 0))
    day = value.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(day=1, month=(day.month - 1) // 3 * 3 + 1)
    return day.replace(day=1, month=1) if unit == "year" else day


@pytest.mark.parametrize("unit", UNITS)
def test_truncated_datetimes(run: Run, unit: str) -> None:
    Order.objects.filter(number="O-000001").update(
        placed_at=dt.datetime(2024, 12, 29, 23, 59, 59, 999_999, tzinfo=dt.UTC)
    )
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for order in Order.objects.all():
        expected[moment(truncated(unit, order.placed_at))] += order.total
    found = groups(
        run,
        "Order",
        group_by=[{"$date_trunc": [unit, "placed_at"]}],
        aggregate={"revenue": {"$sum": "total"}},
    )
    assert found == [
        {f"placed_at_{unit}": key, "revenue": str(total)} for key, total in sorted(expected.items())
    ]


@pytest.mark.parametrize("unit", UNITS)
def test_truncated_dates_stay_dates(run: Run, unit: str) -> None:
    PriceListEntry.objects.create(code="X", valid_from=dt.date(2024, 12, 29), price=1)
    expected: dict[str, int] = defaultdict(int)
    for entry in PriceListEntry.objects.all():
        moment = dt.datetime.combine(entry.valid_from, dt.time())
        expected[truncated(unit, moment).date().isoformat()] += 1
    key = f"valid_from_{unit}"
    found = groups(
        run,
        "PriceListEntry",
        group_by=[{"$date_trunc": [unit, "valid_from"]}],
        aggregate={"n": {"$count": "*"}},
        order_by=[f"-{key}"],
    )
    assert found == [{key: day, "n": n} for day, n in sorted(expected.items(), reverse=True)]
    assert groups(
        run,
        "PriceListEntry",
        group_by=[{"$date_trunc": [unit, "valid_from"]}],
        having={key: found[0][key]},
    ) == [{key: found[0][key]}]


def test_truncated_over_a_path_beside_another_unit(run: Run) -> None:
    found = groups(
        run,
        "OrderItem",
        group_by=[
            {"$date_trunc": ["year", "order.placed_at"]},
            {"$date_trunc": ["quarter", "order.placed_at"]},
        ],
        aggregate={"n": {"$count": "*"}},
        having={"order.placed_at_quarter": {"$gte": "2025-04-01"}},
        limit=1,
    )
    number = OrderItem.objects.filter(
        order__placed_at__year=2025, order__placed_at__month__in=[4, 5, 6]
    )
    assert found == [
        {
            "order.placed_at_year": "2025-01-01T00:00:00Z",
            "order.placed_at_quarter": "2025-04-01T00:00:00Z",
            "n": number.count(),
        }
    ]


def test_nothing_truncated_is_null(run: Run) -> None:
    everything(2)
    for unit in UNITS:
        key = [{"$date_trunc": [unit, "date"]}, {"$date_trunc": [unit, "datetime_null"]}]
        found = groups(run, "Everything", group_by=key, aggregate={"n": {"$count": "*"}})
        assert found == [{f"date_{unit}": None, f"datetime_null_{unit}": None, "n": 2}]


# --- filter, having, order, limit ------------------------------------------------------------------------------------


def test_filter_comes_before_groups_and_having_after(run: Run) -> None:
    expected: dict[str, list[Decimal]] = defaultdict(list)
    for order in Order.objects.exclude(status="cancelled"):
        expected[order.status].append(order.total)
    found = groups(
        run,
        "Order",
        group_by=["status"],
        aggregate={"n": {"$count": "*"}, "revenue": {"$sum": "total"}},
        filter={"status": {"$ne": "cancelled"}},
        having={
            "$or": [{"n": {"$gte": 15}}, {"revenue": {"$lt": "100"}}],
            "status": {"$in": ["open", "paid", "shipped"]},
        },
    )
    assert found == [
        {"status": status, "n": len(totals), "revenue": str(sum(totals))}
        for status, totals in sorted(expected.items())
        if len(totals) >= 15 or sum(totals) < 100
    ]
    assert 0 < len(found) < 3


@pytest.mark.parametrize(
    ("having", "kept"),
    [
        ({"n": {"$between": [4, 6]}}, lambda group: 4 <= group["n"] <= 6),
        ({"n": {"$nin": [4, 6]}}, lambda group: group["n"] not in (4, 6)),
        ({"$not": {"n": 4}}, lambda group: group["n"] != 4),
        ({"revenue": {"$gt": 1000}}, lambda group: Decimal(group["revenue"]) > 1000),
        (
            {"revenue": {"$gt": "1445.68", "$lt": "1445.70"}},
            lambda group: group["revenue"] == "1445.69",
        ),
        (
            {"mean": {"$lte": "217.8825"}},
            lambda group: Decimal(group["mean"]) <= Decimal("217.8825"),
        ),
        ({"category": {"$null": True}}, lambda group: group["category"] is None),
        ({"category": None}, lambda group: group["category"] is None),
        ({"category": {"$ne": 4}}, lambda group: group["category"] != 4),
        ({"last": {"$startswith": "S"}}, lambda group: group["last"].startswith("S")),
        ({"last": {"$icontains": "PAN"}}, lambda group: "pan" in group["last"].lower()),
        ({"stock": {"$gt": 100.5}}, lambda group: group["stock"] > 100.5),
    ],
)
def test_having(run: Run, having: Any, kept: Callable[[Group], bool]) -> None:
    params = {
        "group_by": ["category"],
        "aggregate": {
            "n": {"$count": "*"},
            "revenue": {"$sum": "price"},
            "mean": {"$avg": "price"},
            "stock": {"$avg": "stock"},
            "last": {"$max": "name"},
        },
    }
    every = groups(run, "Product", **params)
    expected = [group for group in every if kept(group)]
    assert groups(run, "Product", **params, having=having) == expected
    assert 0 < len(expected) < len(every)


def test_having_without_groups(run: Run) -> None:
    aggregate = {"n": {"$count": "*"}}
    number = Product.objects.count()
    assert groups(run, "Product", aggregate=aggregate, having={"n": number}) == [{"n": number}]
    assert groups(run, "Product", aggregate=aggregate, having={"n": {"$gt": number}}) == []


@pytest.mark.parametrize(
    ("order_by", "key"),
    [
        (["-n"], lambda group: (-group["n"], group["category"] or 99)),
        (["n", "-category"], lambda group: (group["n"], -(group["category"] or 99))),
        ("-revenue", lambda group: (-Decimal(group["revenue"]),)),
        (["mean"], lambda group: (Decimal(group["mean"]),)),
        (["category:nullsfirst"], lambda group: (group["category"] or 0,)),
        ([], lambda group: (group["category"] or 99,)),
    ],
)
def test_order(run: Run, order_by: Any, key: Callable[[Group], Any]) -> None:
    params = {
        "group_by": ["category"],
        "aggregate": {
            "n": {"$count": "*"},
            "revenue": {"$sum": "price"},
            "mean": {"$avg": "price"},
        },
    }
    expected = sorted(groups(run, "Product", **params), key=key)
    assert groups(run, "Product", **params, order_by=order_by) == expected
    assert groups(run, "Product", **params, order_by=order_by, limit=3) == expected[:3]
    assert groups(run, "Product", **params, order_by=order_by, limit=0) == []


def test_sums_sort_as_numbers(run: Run) -> None:
    for code, value in (("A1", "9.50"), ("A2", "10.00"), ("A3", "-100.00"), ("A4", "100.25")):
        everything(code=code, decimal=Decimal(value))
    found = groups(
        run,
        "Everything",
        group_by=["code"],
        aggregate={"s": {"$sum": "decimal"}, "a": {"$avg": "decimal"}, "i": {"$sum": "integer"}},
        order_by=["i", "-a"],
    )
    assert [group["s"] for group in found] == ["100.25", "10.00", "9.50", "-100.00"]


def test_more_groups_than_may_be_returned(run: Run, database: str) -> None:
    everything(1)
    nexus = Nexus(dataflow_config={"max_groups": 10, "models": ["shop.Product"]})
    params = {"group_by": ["sku"], "aggregate": {"n": {"$count": "*"}}}
    with pytest.raises(LimitExceeded, match="more than 10 groups"):
        nexus.execute("ProductAggregateNode", params)
    assert len(nexus.execute("ProductAggregateNode", {**params, "limit": 10})["groups"]) == 10
    narrow = {**params, "filter": {"sku": {"$lte": "SKU-00010"}}}
    assert len(nexus.execute("ProductAggregateNode", narrow)["groups"]) == 10
    with pytest.raises(Invalid) as caught:
        nexus.execute("ProductAggregateNode", {**params, "limit": 11})
    assert [(item.field, item.code) for item in caught.value.errors] == [("limit", "range")]
