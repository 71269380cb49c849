"""Aggregate: every wrong request is refused, and what is wrong is named."""

from typing import Any

import pytest

from dataflow_nexus import Invalid
from dataflow_nexus.nexus import Nexus
from testproject.shop.models import (
    PriceListEntry,
)
from tests.operations.aggregates import Run, groups

ONE = {"n": {"$count": "*"}}
WRONG: list[tuple[dict[str, Any], str, str, str]] = [
    ({}, "aggregate", "required", "group_by"),
    ({"aggregate": {}}, "aggregate", "required", "group_by"),
    ({"aggregate": []}, "aggregate", "type", "object"),
    ({"aggregate": {"n": "price"}}, "aggregate.n", "type", "$sum"),
    ({"aggregate": {"n": {}}}, "aggregate.n", "type", "$sum"),
    ({"aggregate": {"n": {"$sum": "price", "$avg": "price"}}}, "aggregate.n", "type", "$sum"),
    ({"aggregate": {"n": {"$summ": "price"}}}, "aggregate.n.$summ", "unknown", '"$sum"'),
    ({"aggregate": {"n": {1: "price"}}}, "aggregate.n.1", "unknown", '"1"'),
    ({"aggregate": {"n": {"$sum": "prise"}}}, "aggregate.n.$sum", "unknown", '"price"'),
    ({"aggregate": {"n": {"$sum": "*"}}}, "aggregate.n.$sum", "unknown", '"*"'),
    ({"aggregate": {"n": {"$sum": 5}}}, "aggregate.n.$sum", "type", "field name"),
    ({"aggregate": {"n": {"$count": None}}}, "aggregate.n.$count", "type", "field name"),
    ({"aggregate": {"n": {"$sum": "name"}}}, "aggregate.n.$sum", "operator", "string"),
    ({"aggregate": {"n": {"$avg": "created_at"}}}, "aggregate.n.$avg", "operator", "datetime"),
    ({"aggregate": {"n": {"$sum": "active"}}}, "aggregate.n.$sum", "operator", "boolean"),
    ({"aggregate": {"n": {"$max": "attrs"}}}, "aggregate.n.$max", "operator", "json"),
    ({"aggregate": {"n": {"$count_distinct": "attrs"}}}, "aggregate.n.$count_distinct", "operator", "json"),
    ({"aggregate": {"n": {"$count": "tags"}}}, "aggregate.n.$count", "not_stored", "tags"),
    ({"aggregate": {"n": {"$sum": "order_items.quantity"}}}, "aggregate.n.$sum", "unknown", "order_items"),
    ({"aggregate": {"": {"$count": "*"}}}, "aggregate.", "name", "letters"),
    ({"aggregate": {"a b": {"$count": "*"}}}, "aggregate.a b", "name", "letters"),
    ({"aggregate": {'n"; DROP TABLE x': {"$count": "*"}}}, 'aggregate.n"; DROP TABLE x', "name", "letters"),
    ({"aggregate": {"-n": {"$count": "*"}}}, "aggregate.-n", "name", "letters"),
    ({"aggregate": {"$n": {"$count": "*"}}}, "aggregate.$n", "name", "letters"),
    ({"aggregate": {"x" * 101: {"$count": "*"}}}, f"aggregate.{'x' * 101}", "name", "letters"),
    ({"aggregate": {7: {"$count": "*"}}}, "aggregate.7", "name", "letters"),
    ({"aggregate": {f"n{i}": {"$count": "*"} for i in range(65)}}, "aggregate", "too_large", "64"),
    ({"aggregate": {"active": {"$count": "*"}}, "group_by": ["active"]}, "aggregate.active", "duplicate", "group key"),
    ({"group_by": 5}, "group_by", "type", "array"),
    ({"group_by": [5]}, "group_by.0", "type", "field name"),
    ({"group_by": ["activ"]}, "group_by.0", "unknown", '"active"'),
    ({"group_by": ["category.nam"]}, "group_by.0", "unknown", '"category.name"'),
    ({"group_by": ["category__nam"]}, "group_by.0", "unknown", '"category__nam"'),
    ({"group_by": ["category.products.name"]}, "group_by.0", "unknown", "products"),
    ({"group_by": ["category.parent.parent.parent.name"]}, "group_by.0", "unknown", "parent"),
    ({"group_by": [".".join(["category"] * 5000)]}, "group_by.0", "unknown", "category"),
    ({"group_by": ["tags"]}, "group_by.0", "not_stored", "tags"),
    ({"group_by": ["attrs"]}, "group_by.0", "not_groupable", "json"),
    ({"group_by": ["attrs.color"]}, "group_by.0", "unknown", "attrs.color"),
    ({"group_by": ["active", "active"]}, "group_by.1", "duplicate", "active"),
    ({"group_by": ["active"] * 17}, "group_by", "too_large", "16"),
    ({"group_by": ["_meta"]}, "group_by.0", "unknown", "_meta"),
    ({"group_by": ["__class__"]}, "group_by.0", "unknown", "__class__"),
    ({"group_by": [""]}, "group_by.0", "unknown", '""'),
    ({"group_by": ["na\x00me"]}, "group_by.0", "unknown", "na"),
    ({"group_by": [{"$trunc": ["day", "created_at"]}]}, "group_by.0.$trunc", "unknown", '"$date_trunc"'),
    ({"group_by": [{}]}, "group_by.0", "type", "$date_trunc"),
    ({"group_by": [{"$date_trunc": "day"}]}, "group_by.0.$date_trunc", "type", "unit"),
    ({"group_by": [{"$date_trunc": ["day"]}]}, "group_by.0.$date_trunc", "type", "unit"),
    ({"group_by": [{"$date_trunc": [1, "created_at"]}]}, "group_by.0.$date_trunc", "type", "unit"),
    ({"group_by": [{"$date_trunc": ["mont", "created_at"]}]}, "group_by.0.$date_trunc.0", "unknown", '"month"'),
    ({"group_by": [{"$date_trunc": ["day", "creatd_at"]}]}, "group_by.0.$date_trunc.1", "unknown", '"created_at"'),
    ({"group_by": [{"$date_trunc": ["day", "price"]}]}, "group_by.0.$date_trunc.1", "type", "decimal"),
    ({"aggregate": ONE, "having": {"m": 1}}, "having.m", "unknown", '"m"'),
    ({"aggregate": ONE, "having": {"stock": 1}}, "having.stock", "unknown", "stock"),
    ({"aggregate": ONE, "having": {"category": {"name": "x"}}}, "having.category", "unknown", "category"),
    ({"aggregate": ONE, "having": {"n": "x"}}, "having.n", "type", "integer"),
    ({"aggregate": ONE, "having": {"n": {"$like": "x"}}}, "having.n.$like", "operator", "integer"),
    ({"aggregate": ONE, "having": {"n": {"$gtt": 1}}}, "having.n.$gtt", "unknown", '"$gt"'),
    ({"aggregate": ONE, "having": []}, "having", "type", "object"),
    ({"aggregate": ONE, "order_by": ["m"]}, "order_by.0", "unknown", '"m"'),
    ({"aggregate": ONE, "order_by": ["stock"]}, "order_by.0", "unknown", "stock"),
    ({"aggregate": ONE, "order_by": ["n", "-n"]}, "order_by.1", "duplicate", '"n"'),
    ({"aggregate": ONE, "order_by": ["n:up"]}, "order_by.0", "unknown", "nullslast"),
    ({"aggregate": ONE, "order_by": 5}, "order_by", "type", "array"),
    ({"aggregate": ONE, "filter": {"n": 1}}, "filter.n", "unknown", '"n"'),
    ({"aggregate": ONE, "filter": []}, "filter", "type", "object"),
    ({"aggregate": ONE, "limit": -1}, "limit", "range", "between"),
    ({"aggregate": ONE, "limit": 1001}, "limit", "range", "1000"),
    ({"aggregate": ONE, "limit": "many"}, "limit", "type", "integer"),
    ({"aggregate": ONE, "groupby": ["active"]}, "groupby", "unknown", '"group_by"'),
    ({"aggregate": ONE, "search": "x"}, "search", "unknown", "search"),
    ({"aggregate": ONE, "stock": 1}, "stock", "unknown", "stock"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("params", "field", "code", "word"), WRONG, ids=lambda value: str(value)[:40]
)
def test_wrong_requests_are_named(
    run: Run, params: dict[str, Any], field: str, code: str, word: str
) -> None:
    with pytest.raises(Invalid) as caught:
        groups(run, "Product", **params)
    assert [(item.field, item.code) for item in caught.value.errors] == [(field, code)]
    assert word in caught.value.errors[0].message


def test_a_composite_key_is_named_by_its_fields(run: Run) -> None:
    with pytest.raises(Invalid, match="composite"):
        groups(run, "PriceListEntry", group_by=["id"])
    found = groups(
        run,
        "PriceListEntry",
        group_by=["code", "valid_from"],
        aggregate={"id": {"$max": "price"}},
        having={"id": {"$gt": 1}},
        order_by=["-id"],
        limit=1,
    )
    dearest = PriceListEntry.objects.order_by("-price")[0]
    assert found == [
        {"code": dearest.code, "valid_from": str(dearest.valid_from), "id": str(dearest.price)}
    ]


def test_one_key_may_stand_by_itself(run: Run) -> None:
    for key in ("active", {"$date_trunc": ["year", "created_at"]}):
        assert groups(run, "Product", group_by=key) == groups(run, "Product", group_by=[key])


def test_what_only_the_database_can_refuse(nexus: Nexus, on_postgresql: str) -> None:
    with pytest.raises(Invalid, match="regular expression"):
        nexus.execute(
            "ProductAggregateNode",
            aggregate={"a": {"$avg": "stock"}},
            filter={"name": {"$regex": "("}},
        )
