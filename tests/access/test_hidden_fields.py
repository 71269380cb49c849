"""A field that a grant hides equals one that does not exist: the same bytes as from a model without it."""

import json
from typing import Any

import pytest
from django.db import models

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Catalog
from testproject.shop.models import Category, OrderItem, PriceListEntry, Product, Tag
from tests.access.asking import answer, catalog_of, exported, rule, somebody
from tests.queries.compiling import undone

SHOWN = "id sku name price stock active category_id"


class SlimProduct(models.Model):
    """The products' table as if it had no other columns."""

    sku = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.IntegerField(default=0)
    active = models.BooleanField(default=True)
    category = models.ForeignKey(Category, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        app_label = "slim"
        db_table = "shop_product"
        managed = False

    def __str__(self) -> str:
        return self.sku


SlimProduct.__name__ = "Product"  # so that nodes and resources have the same names
"""Whose relations `products` of a category, `tags`, `notes`, … do not exist either."""

FULL = catalog_of(Product, Category, Tag, OrderItem, search_fields=["name", "description", "sku"])
SLIM = catalog_of(SlimProduct, Category, search_fields=["name", "sku"])
CATEGORY_ALONE = rule(read="id name slug parent_id")


def restricted() -> Principal:
    return somebody(
        {
            (Product, "view"): rule(read=SHOWN),
            (Product, "add change delete"): Source(write=frozenset(SHOWN.split())),
            (Category, "view add change delete"): Source(),
        }
    )


def unrestricted() -> Principal:
    return somebody(
        {
            (SlimProduct, "view add change delete"): Source(),
            (Category, "view add change delete"): Source(),
        }
    )


HIDDEN = ["description", "attrs", "created_at", "tags", "order_items", "notes", "promotions"]
NAMES = [*HIDDEN, "descriptio", "attr", "created", "tag", "nothing", "priceless"]

READS: list[tuple[str, dict[str, Any]]] = [
    ("List", {}),
    ("List", {"limit": 3, "count": "exact"}),
    ("List", {"order_by": ["-price"], "limit": 2, "search": "e"}),
    ("List", {"search": "every day"}),
    ("List", {"expand": ["category.parent"]}),
    ("Count", {"search": "every day"}),
    ("Aggregate", {"group_by": ["category.name"], "aggregate": {"n": {"$count": "*"}}}),
    ("Read", {"id": 1}),
    ("Read", {"filter": {"name": "x"}}),
    ("Read", {"filter": {"sku": "SKU-00001"}}),
    *[
        request
        for name in NAMES
        for request in [
            ("List", {"fields": ["name", name]}),
            ("List", {"order_by": [name]}),
            ("List", {"order_by": [f"-{name}.name:nullslast"]}),
            ("List", {"expand": [name]}),
            ("List", {"expand": ["category", f"{name}.parent"]}),
            ("List", {"filter": {name: 1}}),
            ("List", {"filter": {name: {"$some": {}}}}),
            ("List", {"filter": {f"{name}.color": "red"}}),
            ("List", {"filter": {"$or": [{"name": "x"}, {"$not": {name: None}}]}}),
            ("List", {name: 1}),
            ("Count", {"filter": {name: {"$contains": "x"}}}),
            ("Read", {"id": 1, "fields": [name]}),
            ("Read", {"id": 1, "expand": [name]}),
            ("Read", {"filter": {name: 1}}),
            ("Aggregate", {"group_by": [name]}),
            ("Aggregate", {"group_by": [{"$date_trunc": ["day", name]}]}),
            ("Aggregate", {"aggregate": {"n": {"$count": name}}}),
            ("Aggregate", {"aggregate": {"n": {"$max": f"{name}.name"}}}),
            (
                "Aggregate",
                {"aggregate": {"n": {"$count": "*"}}, "having": {name: 1}, "group_by": ["name"]},
            ),
            ("Aggregate", {"group_by": ["name"], "order_by": [name]}),
        ]
    ],
]
WRITES: list[tuple[str, dict[str, Any]]] = [
    ("Update", {"id": 1, "name": "new"}),
    ("Update", {"id": 1, "fields": {"name": "new"}, "replace": True, "sku": "x", "price": 1}),
    ("Update", {"id": 1, "replace": True}),
    ("Update", {"filter": {"sku": "SKU-00001"}, "stock": {"$inc": 1}}),
    (
        "BulkUpdate",
        {"filter": {"stock": {"$gt": 100}}, "fields": {"stock": 1}, "return": "records"},
    ),
    ("BulkDelete", {"filter": {"sku": "none"}}),
    ("Upsert", {"where": {"sku": "SKU-00002"}, "update": {"name": "n"}}),
    ("Create", {}),
    ("Create", {"name": "x"}),
    ("BulkCreate", {"data": [{}, {"sku": "SKU-00001", "name": "x"}]}),
    *[
        request
        for name in NAMES
        for request in [
            ("Create", {"sku": "x", "name": "x", "price": 1, name: "x"}),
            ("Create", {"sku": "x", "name": "x", "price": 1, "fields": {name: "x"}}),
            ("Update", {"id": 1, name: "x"}),
            ("Update", {"id": 1, name: {"$append": "x"}}),
            ("Update", {"filter": {name: 1}, "name": "x"}),
            ("Delete", {"filter": {name: 1}}),
            ("Upsert", {"where": {name: 1}, "create": {}, "update": {}}),
            ("Upsert", {"where": {"sku": "x"}, "create": {name: 1}, "update": {name: 1}}),
            ("Upsert", {"sku": "x", "conflict_on": [name]}),
            ("Upsert", {"sku": "x", "conflict_on": ["sku"], name: 1}),
            ("BulkCreate", {"data": [{name: 1}]}),
            ("BulkCreate", {"data": [], "conflict_on": [name]}),
            ("BulkUpsert", {"data": [{"sku": "x", name: 1}], "conflict_on": ["sku"]}),
            ("BulkUpdate", {"data": [{"id": 1, name: 1}]}),
            ("BulkUpdate", {"filter": {name: 1}, "fields": {"name": "x"}}),
            ("BulkUpdate", {"filter": {"name": "x"}, "fields": {name: 1}}),
            ("BulkDelete", {"filter": {name: {"$ne": 1}}}),
        ]
    ],
]


def shown(request: Any) -> str:
    return json.dumps(request, default=str)[:60]


@pytest.mark.parametrize(("verb", "params"), READS + WRITES, ids=shown)
def test_hidden_is_unknown(database: str, verb: str, params: dict[str, Any]) -> None:
    found = []
    for catalog, principal in ((FULL, restricted()), (SLIM, unrestricted())):
        with undone(database):
            found.append(answer(catalog, principal, f"Product{verb}", **params))
    assert found[0] == found[1]


@pytest.mark.parametrize("fmt", ["csv", "ndjson", "json"])
@pytest.mark.parametrize(
    "params",
    [{}, {"search": "every"}, *[{"fields": ["id", name]} for name in NAMES[:3]]],
    ids=shown,
)
def test_exports(database: str, fmt: str, params: dict[str, Any]) -> None:
    assert exported(FULL, restricted(), "Product", fmt, **params) == exported(
        SLIM, unrestricted(), "Product", fmt, **params
    )


def test_schemas() -> None:
    def described(catalog: Catalog, principal: Principal) -> list[Any]:
        return [
            (
                operation.node,
                schemas.input_schema(operation, schemas.grants_on(operation.exposed, principal)),
                schemas.output_schema(operation, schemas.grants_on(operation.exposed, principal)),
            )
            for operation in catalog.visible(principal)
            if operation.exposed.resource == "products"
        ]

    assert described(FULL, restricted()) == described(SLIM, unrestricted())


def test_a_hidden_model_is_an_unknown_one(database: str) -> None:
    for node in ("OrderItemList", "OrderItemRead", "TagList", "NothingList"):
        code, detail, errors = answer(FULL, restricted(), node)
        assert (code, errors) == ("not_found", ())
        assert detail.startswith(f'there is no node "{node}Node"')
        assert "did you mean" not in detail or "Product" in detail or "Category" in detail


def test_one_field_of_a_composite_key_is_hidden(database: str) -> None:
    catalog = catalog_of(PriceListEntry)
    principal = somebody({(PriceListEntry, "view"): rule(read="code price")})
    page = json.loads(answer(catalog, principal, "PriceListEntryList", limit=3))
    assert page["next"] is None  # without its key a row has no place
    assert {*page["records"][0]} == {"code", "price"}
    key = {"code": "SKU-00001", "valid_from": "2025-01-01"}
    assert answer(catalog, principal, "PriceListEntryRead", id=key)[0] == "not_found"
    assert answer(catalog, principal, "PriceListEntryList", cursor="x")[0] == "invalid"
    assert answer(catalog, principal, "PriceListEntryList", filter={"id": key})[0] == "invalid"
