"""Read and List: keys, projections, related records, and what a manager hides."""

from typing import Any

import pytest
from django.utils import timezone

from dataflow_nexus import Invalid, LimitExceeded, Nexus, NotFound
from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.conf import Configuration
from dataflow_nexus.execution import execute
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.operations.verbs import VERBS
from dataflow_nexus.registry import Registry
from testproject.shop.models import (
    Category,
    Customer,
    Document,
    Everything,
    Order,
    OrderItem,
    PriceListEntry,
    Product,
    Tag,
)
from tests.operations.bulks import Run, fields, refused


def ids(records: list[dict[str, Any]]) -> list[int]:
    return [record["id"] for record in records]


# --- keys and projections --------------------------------------------------------------------------------------------


def test_a_record_by_any_unique_key(run: Run) -> None:
    one = Product.objects.order_by("pk")[0]
    record = run("ProductRead", id=one.pk)
    assert record["sku"] == one.sku
    assert run("ProductRead", filter={"sku": one.sku}) == record
    assert run("ProductRead", filter={"id": {"$eq": one.pk}}) == record
    line = OrderItem.objects.all()[0]
    both = {"product_id": line.product_id, "order_id": line.order_id}
    assert run("OrderItemRead", filter=both)["id"] == line.pk
    entry = PriceListEntry.objects.all()[0]
    key = {"code": entry.code, "valid_from": entry.valid_from.isoformat()}
    assert run("PriceListEntryRead", id=key) == run("PriceListEntryRead", filter=key)


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, ("id", "required")),
        ({"id": 1, "filter": {"id": 1}}, ("filter", "exclusive")),
        ({"filter": {"name": "x"}}, ("filter", "unique_key")),
        ({"filter": {"sku": "x", "id": 1}}, ("filter", "unique_key")),
        ({"filter": {"skew": "x"}}, ("filter.skew", "unknown")),
        ({"id": 1, "fields": ["prise"]}, ("fields.0", "unknown")),
        ({"id": 1, "fields": "price"}, ("fields", "type")),
        ({"id": 1, "expand": ["nothing"]}, ("expand.nothing", "unknown")),
        ({"id": 1, "expand": ["category.nothing"]}, ("expand.category.nothing", "unknown")),
        ({"id": 1, "name": "x"}, ("name", "unknown")),
    ],
)
def test_what_is_wrong_is_named(run: Run, params: dict[str, Any], found: tuple[str, str]) -> None:
    assert fields(refused(run, "ProductRead", Invalid, **params)) == [found]


def test_null_names_no_record(run: Run) -> None:
    Everything.objects.create(text="x", char_unique=None)
    error = refused(run, "EverythingRead", Invalid, filter={"char_unique": None})
    assert fields(error) == [("filter.char_unique", "type")]


def test_a_projection_keeps_the_order_of_the_fields(run: Run) -> None:
    record = run("ProductRead", id=1, fields=["price", "id", "sku", "price"])
    assert list(record) == ["id", "sku", "price"]
    assert run("ProductRead", id=1, fields=[]) == {}
    [first] = run("ProductList", fields=["tags", "name"], limit=1)["records"]
    assert list(first) == ["name", "tags"]
    entry = run("PriceListEntryList", fields=["id"], limit=1)["records"][0]
    assert list(entry) == ["code", "valid_from"]


def test_a_projection_and_related_records(run: Run) -> None:
    record = run("ProductRead", id=1, fields=["name"], expand=["category", "tags"])
    assert list(record) == ["name", "category", "tags"]


# --- expand: one -----------------------------------------------------------------------------------------------------


def test_a_related_record_is_the_record_that_read_answers(run: Run) -> None:
    one = Product.objects.filter(category__parent__isnull=False)[0]
    record = run("ProductRead", id=one.pk, expand=["category.parent"])
    assert record["category_id"] == one.category_id
    parent = record["category"].pop("parent")
    assert record["category"] == run("CategoryRead", id=one.category_id)
    assert parent == run("CategoryRead", id=record["category"]["parent_id"])


def test_no_related_record_is_null(run: Run) -> None:
    made = run("ProductCreate", sku="B-1", name="x", price=1)
    record = run("ProductRead", id=made["id"], expand=["category.parent"])
    assert (record["category_id"], record["category"]) == (None, None)


def test_one_to_one_from_either_side(run: Run) -> None:
    first = Everything.objects.create(text="first")
    second = Everything.objects.create(text="second", twin=first)
    assert run("EverythingRead", id=second.pk, expand=["twin"])["twin"]["text"] == "first"
    assert run("EverythingRead", id=first.pk, expand=["twin_of"])["twin_of"]["text"] == "second"
    assert run("EverythingRead", id=second.pk, expand=["twin_of"])["twin_of"] is None


# --- expand: many ----------------------------------------------------------------------------------------------------


def test_related_records_of_many_rows(run: Run) -> None:
    found = run("OrderList", expand=["items.product", "customer"], limit=20)["records"]
    for record in found:
        order = Order.objects.get(pk=record["id"])
        lines = order.items.order_by("pk")
        assert ids(record["items"]) == [line.pk for line in lines]
        assert [item["product"]["sku"] for item in record["items"]] == [
            line.product.sku for line in lines
        ]
        assert record["customer"]["email"] == order.customer.email


def test_lists_of_ids_become_records_from_either_side(run: Run) -> None:
    one = Product.objects.filter(tags__isnull=False)[0]
    record = run("ProductRead", id=one.pk, expand=["tags"])
    assert sorted(ids(record["tags"])) == sorted(one.tags.values_list("pk", flat=True))
    assert all(set(tag) == {"id", "name"} for tag in record["tags"])
    tag = one.tags.all()[0]
    other = run("TagRead", id=tag.pk, expand=["products"])
    assert ids(other["products"]) == list(tag.products.order_by("pk").values_list("pk", flat=True))


def test_a_row_without_related_records_has_an_empty_list(run: Run) -> None:
    tag = Tag.objects.create(name="unused")
    assert run("TagRead", id=tag.pk, expand=["products"])["products"] == []


def test_related_records_are_limited_per_parent(run: Run, database: str) -> None:
    nexus = Nexus(dataflow_config={"expand_limit": 2})
    for model in (Customer, Order, OrderItem):
        nexus.register(model)
    found = nexus.execute("CustomerListNode", expand=["orders.items"])["records"]
    for record in found:
        orders = Order.objects.filter(customer=record["id"]).order_by("pk")
        assert ids(record["orders"]) == [order.pk for order in orders[:2]]
        assert all(len(order["items"]) <= 2 for order in record["orders"])
    assert max(len(record["orders"]) for record in found) == 2


def test_the_depth_of_relations_is_bounded(run: Run) -> None:
    deep = "items.product.category.parent"
    error = refused(run, "OrderRead", LimitExceeded, id=1, expand=[deep])
    assert fields(error) == [("expand.0", "too_deep")]
    assert run("OrderRead", id=1, expand=[deep.rpartition(".")[0]])["items"]


def test_relations_to_models_that_are_not_exposed_do_not_exist(database: str) -> None:
    registry = Registry()
    registry.register(Product)
    operation = Catalog(registry, Configuration(), VERBS).node("ProductListNode", SYSTEM)
    with pytest.raises(Invalid) as caught:
        execute(operation, SYSTEM, {"expand": ["category"]})
    assert fields(caught.value) == [("expand.category", "unknown")]


# --- managers --------------------------------------------------------------------------------------------------------


def test_what_the_default_manager_hides_is_not_there(run: Run) -> None:
    owner = Customer.objects.create(name="x", email="x@x.example")
    shown = Document.objects.create(title="shown", owner=owner)
    hidden = Document.all_objects.create(title="hidden", owner=owner, deleted_at=timezone.now())
    mine = {"owner_id": owner.pk}
    refused(run, "DocumentRead", NotFound, id=hidden.pk)
    refused(run, "DocumentUpdate", NotFound, id=hidden.pk, title="x")
    assert ids(run("DocumentList", filter=mine)["records"]) == [shown.pk]
    assert run("DocumentCount", filter=mine) == {"count": 1}
    aggregated = run("DocumentAggregate", filter=mine, aggregate={"n": {"$count": "*"}})
    assert aggregated == {"groups": [{"n": 1}]}
    expanded = run("CustomerRead", id=owner.pk, expand=["documents"])
    assert ids(expanded["documents"]) == [shown.pk]
    titled = {"documents": {"$some": {"title": "hidden"}}}
    assert run("CustomerCount", filter=titled) == {"count": 0}


def test_a_list_counts_all_that_match(run: Run) -> None:
    page = run("ProductList", filter={"active": True}, limit=3, offset=2, count="exact")
    total = Product.objects.filter(active=True).count()
    assert (page["count"], page["limit"], page["offset"], len(page["records"])) == (total, 3, 2, 3)
    assert page["next"]
    whole = run("CategoryList")
    assert (len(whole["records"]), whole["count"]) == (Category.objects.count(), None)
    assert whole["next"] is None
