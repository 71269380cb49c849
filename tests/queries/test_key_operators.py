"""Operators on what is no single column: a to-one relation, and a key of several columns."""

from collections.abc import Callable
from typing import Any

import pytest

from dataflow_nexus import Invalid
from dataflow_nexus.nexus import Nexus
from testproject.shop.models import Customer, PriceListEntry

Count = Callable[..., int]
ENTRY = {"code": "SKU-00002", "valid_from": "2026-01-01"}
OTHER = {"code": "SKU-00001", "valid_from": "2026-01-01"}


@pytest.fixture
def count(nexus: Nexus, database: str) -> Count:
    return lambda model, condition: nexus.execute(f"{model}CountNode", filter=condition)["count"]


@pytest.mark.parametrize(
    ("on_relation", "on_column"),
    [
        ({"$eq": "DE"}, {"$eq": "DE"}),
        ({"$ne": "DE"}, {"$ne": "DE"}),
        ({"$in": ["DE", None]}, {"$in": ["DE", None]}),
        ({"$nin": ["DE", "FR"]}, {"$nin": ["DE", "FR"]}),
        ({"$nin": []}, {"$nin": []}),
        ({"$exists": True}, {"$null": False}),
        ({"$null": True}, {"$null": True}),
        ({"$not": {"$in": ["DE"]}}, {"$not": {"$in": ["DE"]}}),
        ({"$not": {"$null": True}}, {"$null": False}),
        ({"$exists": True, "$ne": "DE"}, {"$null": False, "$ne": "DE"}),
    ],
)
def test_operators_on_a_relation_speak_of_its_key(
    count: Count, on_relation: dict[str, Any], on_column: dict[str, Any]
) -> None:
    found = count("Customer", {"country": on_relation})
    assert found == count("Customer", {"country_id": on_column})
    assert 0 < found <= Customer.objects.count()
    others = count("Customer", {"$not": {"country": on_relation}})
    assert found + others == Customer.objects.count()


def test_a_filter_in_a_relation_is_none_of_operators(count: Count) -> None:
    """There ``$not`` stands around conditions on the related record, which has to be there."""
    condition = {"country": {"$not": {"code": "DE"}}}
    assert count("Customer", condition) == count("Customer", {"country_id": {"$gt": "DE"}}) + count(
        "Customer", {"country_id": {"$lt": "DE"}}
    )


@pytest.mark.parametrize(
    ("model", "condition", "at"),
    [
        ("Everything", {"twin_of": {"$eq": 1}}, "filter.twin_of.$eq"),
        ("Customer", {"country": {"$in": "DE"}}, "filter.country.$in"),
        ("Customer", {"country": {"$is": 1}}, "filter.country.$is"),
        ("PriceListEntry", {"id": {"$gt": ENTRY}}, "filter.id.$gt"),
        ("PriceListEntry", {"id": {"$in": ENTRY}}, "filter.id.$in"),
        ("PriceListEntry", {"id": {"$in": [ENTRY, {"code": "x"}]}}, "filter.id.$in.1"),
    ],
)
def test_what_they_do_not_take(
    count: Count, model: str, condition: dict[str, Any], at: str
) -> None:
    with pytest.raises(Invalid) as caught:
        count(model, condition)
    assert [item.field for item in caught.value.errors] == [at]


def test_operators_on_a_composite_key(count: Count) -> None:
    everything = PriceListEntry.objects.count()
    for condition, found in [
        ({"$eq": ENTRY}, 1),
        ({"$ne": ENTRY}, everything - 1),
        ({"$in": [ENTRY, OTHER, {**ENTRY, "code": "none"}]}, 2),
        ({"$nin": [ENTRY, OTHER]}, everything - 2),
        ({"$in": []}, 0),
        ({"$nin": []}, everything),
    ]:
        assert count("PriceListEntry", {"id": condition}) == found


def test_sorting_by_a_composite_key(nexus: Nexus, database: str) -> None:
    by_key = nexus.execute("PriceListEntryListNode", order_by=["-id"])["records"]
    columns = ["-code", "-valid_from"]
    assert by_key == nexus.execute("PriceListEntryListNode", order_by=columns)["records"]
    with pytest.raises(Invalid, match="sorted by twice"):
        nexus.execute("PriceListEntryListNode", order_by=["id", "code"])
