"""Aggregate under restricted grants: a hidden field is an unknown one, a hidden value null, a hidden row no row."""

from collections.abc import Callable
from typing import Any

import pytest

from dataflow_nexus import NexusError, PermissionDenied
from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import Principal
from testproject.shop.models import (
    Product,
)
from tests.operations.aggregates import Run, groups, mean, principal

AGGREGATE = {"n": {"$count": "*"}, "s": {"$sum": "stock"}}


def test_rows_outside_the_grant_do_not_count(run: Run) -> None:
    asking = principal(product=(Source(rows={"active": True, "category.slug": "paper"}),))
    seen = Product.objects.filter(active=True, category__slug="paper")
    [found] = groups(run, "Product", aggregate=AGGREGATE, principal=asking)
    assert found == {"n": seen.count(), "s": sum(seen.values_list("stock", flat=True))}


def places() -> list[tuple[str, Callable[[str], dict[str, Any]]]]:
    """Every place of a request where a field can be named."""
    return [
        ("group_by", lambda name: {"group_by": [name]}),
        ("date_trunc", lambda name: {"group_by": [{"$date_trunc": ["day", name]}]}),
        ("filter", lambda name: {"filter": {name: 1}, "aggregate": AGGREGATE}),
        ("sum", lambda name: {"aggregate": {"it": {"$sum": name}}}),
        ("min", lambda name: {"aggregate": {"it": {"$min": name}}}),
        ("count", lambda name: {"aggregate": {"it": {"$count": name}}}),
        ("distinct", lambda name: {"aggregate": {"it": {"$count_distinct": name}}}),
        ("having", lambda name: {"aggregate": AGGREGATE, "having": {name: 1}}),
        ("order_by", lambda name: {"aggregate": AGGREGATE, "order_by": [name]}),
    ]


def refusal(run: Run, model: str, params: dict[str, Any], asking: Principal) -> tuple[Any, ...]:
    with pytest.raises(NexusError) as caught:
        groups(run, model, **params, principal=asking)
    errors = [(item.field, item.code, item.message) for item in caught.value.errors]
    return (caught.value.code, caught.value.detail, errors)


@pytest.mark.parametrize("place", places(), ids=lambda place: place[0])
@pytest.mark.parametrize(
    ("hidden", "missing"),
    [
        ("price", "qqqqq"),
        ("created_at", "qqqqqqqqqq"),
        ("category_id", "qqqqqqqqqqq"),
        ("category", "qqqqqqqq"),
        ("category.name", "qqqqqqqq.name"),
        ("tags", "qqqq"),
    ],
)
def test_a_hidden_field_is_an_unknown_one(
    run: Run, place: tuple[str, Callable[[str], dict[str, Any]]], hidden: str, missing: str
) -> None:
    asking = principal(
        product=(Source(read=frozenset({"id", "stock"})),), category=(Source(),), tag=(Source(),)
    )
    code, detail, errors = refusal(run, "Product", place[1](hidden), asking)
    expected = refusal(run, "Product", place[1](missing), asking)
    assert code == "invalid"
    assert str((code, detail, errors)).replace(hidden, missing) == str(expected)


def test_a_field_of_a_related_row_is_under_its_own_grant(run: Run) -> None:
    asking = principal(product=(Source(),), category=(Source(read=frozenset({"id", "slug"})),))
    by = {"group_by": ["category.name"]}
    assert refusal(run, "Product", by, asking)[1] == (
        'unknown field "category.name" — did you mean "category"?'
    )
    without = principal(product=(Source(),))
    assert refusal(run, "Product", by, without)[0] == "invalid"
    assert groups(run, "Product", group_by=["category.slug"], principal=asking)


def test_a_related_row_outside_its_grant_is_no_row(run: Run) -> None:
    asking = principal(product=(Source(),), category=(Source(rows={"slug": {"$ne": "paper"}}),))
    found = groups(
        run, "Product", group_by=["category.slug"], aggregate=AGGREGATE, principal=asking
    )
    shown = {group["category.slug"]: group["n"] for group in found}
    hidden = Product.objects.filter(category__slug="paper").count()
    assert "paper" not in shown
    assert shown[None] == Product.objects.filter(category=None).count() + hidden
    assert sum(shown.values()) == Product.objects.count()


ON_ACTIVE = (
    Source(read=frozenset({"id", "active"})),
    Source(rows={"active": True}),
)
"""Everything of active products, and of the others no more than that they are there."""


def test_a_field_hidden_on_some_rows_is_null_there(run: Run) -> None:
    asking = principal(product=ON_ACTIVE, category=(Source(),))
    active = Product.objects.filter(active=True)
    others = Product.objects.filter(active=False).count()
    [found] = groups(
        run,
        "Product",
        aggregate={
            "n": {"$count": "*"},
            "priced": {"$count": "price"},
            "skus": {"$count_distinct": "sku"},
            "revenue": {"$sum": "price"},
            "mean": {"$avg": "price"},
            "stock": {"$avg": "stock"},
            "top": {"$max": "price"},
        },
        principal=asking,
    )
    prices = list(active.values_list("price", flat=True))
    stocks = list(active.values_list("stock", flat=True))
    assert found == {
        "n": len(prices) + others,
        "priced": len(prices),
        "skus": len(prices),
        "revenue": str(sum(prices)),
        "mean": mean(prices, 6),
        "stock": sum(stocks) / len(stocks),
        "top": str(max(prices)),
    }


@pytest.mark.parametrize(
    "key",
    [
        "sku",
        "category",
        "category.name",
        {"$date_trunc": ["quarter", "created_at"]},
        {"$date_trunc": ["week", "created_at"]},
    ],
    ids=str,
)
def test_a_key_hidden_on_some_rows_is_null_there(run: Run, key: Any) -> None:
    whole = groups(
        run, "Product", group_by=["active", key], aggregate=AGGREGATE, filter={"active": True}
    )
    asking = principal(product=ON_ACTIVE, category=(Source(),))
    found = groups(run, "Product", group_by=["active", key], aggregate=AGGREGATE, principal=asking)
    name = next(name for name in whole[0] if name not in ("active", "n", "s"))
    number = Product.objects.filter(active=False).count()
    assert found == [{"active": False, name: None, "n": number, "s": None}, *whole]


def test_filter_does_not_see_through_a_mask(run: Run) -> None:
    asking = principal(product=ON_ACTIVE)
    sku = Product.objects.filter(active=False).values_list("sku", flat=True)[0]
    found = groups(run, "Product", aggregate=AGGREGATE, filter={"sku": sku}, principal=asking)
    assert found == [{"n": 0, "s": None}]


def test_a_source_that_forbids_aggregates_gives_none_of_its_rows(run: Run) -> None:
    forbidden = Source(aggregate=False)
    asking = principal(product=(forbidden,))
    with pytest.raises(PermissionDenied):
        groups(run, "Product", aggregate={"it": {"$nonsense": 1}}, principal=asking)
    both = principal(product=(forbidden, Source(rows={"active": False}, read=frozenset({"stock"}))))
    [found] = groups(run, "Product", aggregate=AGGREGATE, principal=both)
    assert found["n"] == Product.objects.filter(active=False).count()
    assert refusal(run, "Product", {"group_by": ["sku"]}, both)[0] == "invalid"


def test_the_rows_of_a_grant_bound_the_groups(run: Run) -> None:
    asking = principal(product=(Source(max_rows=3),))
    assert len(groups(run, "Product", group_by=["sku"], principal=asking)) == 3
    assert len(groups(run, "Product", group_by=["sku"], limit=2, principal=asking)) == 2
    assert len(groups(run, "Product", group_by=["sku"], limit=20, principal=asking)) == 3
