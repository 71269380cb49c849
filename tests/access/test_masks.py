"""A field that is shown on some rows only is left out of the others, and acts as null there in every clause."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, models

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import Principal
from testproject.shop.models import Category, Order, OrderItem, Product, Tag
from tests.access.asking import answer, catalog_of, exported, rule, somebody

CATALOG = catalog_of(
    Product, Category, Tag, Order, OrderItem, search_fields=["name", "sku", "category.name"]
)
ACTIVE, PLENTY = {"active": True}, {"stock": {"$gt": 100}}
SOURCES = (
    rule(ACTIVE, "id name active category_id tags"),
    rule(PLENTY, "id name stock price sku"),
)
Ask = Callable[..., Any]


def principal(**more: Any) -> Principal:
    held: dict[Any, Any] = {(Product, "view"): SOURCES, (Category, "view"): Source()}
    return somebody({**held, **more.get("held", {})})


@pytest.fixture
def ask(database: str) -> Ask:
    """The parsed answer of a node, or what its error says."""

    def asked(node: str, by: Principal | None = None, **params: Any) -> Any:
        found = answer(CATALOG, by or principal(), node, **params)
        return json.loads(found) if isinstance(found, bytes) else found

    return asked


def rows(condition: Callable[[Product], bool]) -> list[int]:
    return [item.pk for item in Product.objects.order_by("pk") if condition(item)]


def seen(product: Product) -> bool:
    return product.active or product.stock > 100


def ids(page: Any) -> list[int]:
    return [record["id"] for record in page["records"]]


def test_records_hold_what_is_shown(ask: Ask) -> None:
    page = ask("ProductList", limit=1000, count="exact")
    assert ids(page) == rows(seen)
    assert page["count"] == len(rows(seen)) < Product.objects.count()
    for record in page["records"]:
        product = Product.objects.get(pk=record["id"])
        names = {"id", "name"}
        names |= {"active", "category_id", "tags"} if product.active else set()
        names |= {"stock", "price", "sku"} if product.stock > 100 else set()
        assert set(record) == names
        assert ask("ProductRead", id=product.pk) == record


def test_a_record_outside_all_rules_is_not_found(ask: Ask) -> None:
    hidden = rows(lambda item: not seen(item))
    assert hidden
    nothing = ask("ProductRead", id=0)
    assert nothing[0] == "not_found"
    assert all(ask("ProductRead", id=key) == nothing for key in hidden)


def test_a_hidden_value_is_null_in_filters(ask: Ask) -> None:
    cheap = Product.objects.filter(active=True, stock__lte=100)[0]
    dear = Product.objects.filter(stock__gt=100)[0]
    assert ids(ask("ProductList", filter={"sku": dear.sku})) == [dear.pk]
    assert ask("ProductCount", filter={"sku": cheap.sku}) == {"count": 0}
    assert ask("ProductCount", filter={"sku": {"$contains": "SKU"}})["count"] == len(
        rows(lambda item: item.stock > 100)
    )
    assert ids(ask("ProductList", filter={"stock": None})) == rows(
        lambda item: item.active and item.stock <= 100
    )
    assert ids(ask("ProductList", filter={"sku": {"$ne": cheap.sku}})) == rows(seen)
    assert ids(ask("ProductList", filter={"$not": {"price": {"$gt": 0}}})) == rows(
        lambda item: item.active and item.stock <= 100
    )
    assert ids(ask("ProductList", filter={"active": {"$null": True}})) == rows(
        lambda item: not item.active and item.stock > 100
    )


def test_a_hidden_value_is_not_found_by_search(ask: Ask) -> None:
    cheap = Product.objects.filter(active=True, stock__lte=100)[0]
    dear = Product.objects.filter(stock__gt=100)[0]
    assert ids(ask("ProductList", search=cheap.sku)) == []
    assert ids(ask("ProductList", search=dear.sku)) == [dear.pk]


def test_a_hidden_unique_value_names_no_record(ask: Ask) -> None:
    cheap = Product.objects.filter(active=True, stock__lte=100)[0]
    dear = Product.objects.filter(stock__gt=100)[0]
    assert ask("ProductRead", filter={"sku": dear.sku})["id"] == dear.pk
    assert ask("ProductRead", filter={"sku": cheap.sku}) == ask("ProductRead", id=0)


def test_a_hidden_value_sorts_as_null(ask: Ask) -> None:
    shown = rows(lambda item: item.stock > 100)
    shown.sort(key=lambda key: (Product.objects.get(pk=key).price, key))
    masked = rows(lambda item: item.active and item.stock <= 100)
    assert ids(ask("ProductList", order_by=["price"])) == shown + masked
    assert ids(ask("ProductList", order_by=["price:nullsfirst"])) == masked + shown
    found: list[int] = []
    cursor: dict[str, Any] = {}
    while cursor is not None:
        page = ask("ProductList", order_by=["price"], limit=3, **cursor)
        found += ids(page)
        cursor = {"cursor": page["next"]} if page["next"] else None  # type: ignore[assignment]
    assert found == shown + masked


def test_a_hidden_value_groups_as_null(ask: Ask) -> None:
    found = ask("ProductAggregate", group_by=["active"], aggregate={"n": {"$count": "stock"}})
    groups = {group["active"]: group["n"] for group in found["groups"]}
    assert groups == {
        True: len(rows(lambda item: item.active and item.stock > 100)),
        None: len(rows(lambda item: not item.active and item.stock > 100)),
    }
    [total] = ask(
        "ProductAggregate", aggregate={"most": {"$max": "stock"}, "least": {"$min": "stock"}}
    )["groups"]
    assert total["least"] > 100


def test_a_relation_is_hidden_with_its_field(ask: Ask) -> None:
    for record in ask("ProductList", expand=["category"], limit=1000)["records"]:
        product = Product.objects.get(pk=record["id"])
        assert ("category" in record) is product.active
    hidden = Product.objects.filter(active=False, stock__gt=100).exclude(category=None)[0]
    assert hidden.pk not in ids(ask("ProductList", filter={"category": {"$null": False}}))
    assert ids(ask("ProductList", filter={"category.name": {"$null": False}})) == rows(
        lambda item: item.active and item.category_id is not None
    )
    assert hidden.pk in ids(ask("ProductList", filter={"category": None}))
    assert ids(ask("ProductList", order_by=["category.name"]))[-1] in rows(
        lambda item: not item.active or item.category_id is None
    )


def test_reverse_relations_show_what_carries_them(ask: Ask) -> None:
    for record in ask("CategoryList", expand=["products"])["records"]:
        expected = Product.objects.filter(category_id=record["id"], active=True)
        assert [item["id"] for item in record["products"]] == list(
            expected.order_by("pk").values_list("pk", flat=True)
        )
    hidden = Product.objects.filter(active=False, stock__gt=100).exclude(category=None)[0]
    wanted = {"products": {"$some": {"id": hidden.pk}}}
    assert ask("CategoryCount", filter=wanted) == {"count": 0}


# --- lists of ids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [["id", "tags"], None])
def test_lists_of_ids_hold_visible_records(ask: Ask, fields: list[str] | None) -> None:
    some = somebody(
        {(Product, "view"): Source(), (Tag, "view"): rule({"name": {"$in": ["eco"]}}, "id name")}
    )
    none = somebody({(Product, "view"): Source()})
    eco = Tag.objects.get(name="eco").pk
    whole = ask("ProductList", by=somebody({(Product, "view"): Source(), (Tag, "view"): Source()}))
    for record in ask("ProductList", by=some, fields=fields)["records"]:
        product = Product.objects.get(pk=record["id"])
        tags = list(product.tags.order_by("pk").values_list("pk", flat=True))
        assert record["tags"] == [key for key in tags if key == eco]
    assert all(
        record["tags"] == [] for record in ask("ProductList", by=none, fields=fields)["records"]
    )
    assert any(len(record["tags"]) > 1 for record in whole["records"])
    tagged = ask("ProductRead", by=some, id=Product.objects.filter(tags=eco)[0].pk)
    assert tagged["tags"] == [eco]


# --- limits and switches of a source ---------------------------------------------------------------------------------


def test_max_rows(ask: Ask, database: str) -> None:
    few = somebody(
        {(Product, "view"): (rule(ACTIVE, "*", max_rows=2), rule(PLENTY, "*", max_rows=3))}
    )
    page = ask("ProductList", by=few, count="exact")
    assert (page["limit"], len(page["records"])) == (3, 3)
    assert page["count"] == len(rows(seen))
    assert ids(ask("ProductList", by=few, cursor=page["next"])) == rows(seen)[3:6]
    assert ask("ProductList", by=few, limit=1)["limit"] == 1
    assert len(json.loads(exported(CATALOG, few, "Product"))) == 3
    none = somebody({(Product, "view"): (rule(ACTIVE, "*", max_rows=2), rule(PLENTY, "*"))})
    assert ask("ProductList", by=none)["limit"] == 100


def test_aggregate_is_withdrawn(ask: Ask) -> None:
    listing = somebody({(Product, "view"): rule(None, "*", aggregate=False)})
    assert (
        ask("ProductAggregate", by=listing, aggregate={"n": {"$count": "*"}})[0]
        == "permission_denied"
    )
    both = somebody(
        {(Product, "view"): (rule(ACTIVE, "*", aggregate=False), rule(PLENTY, "id stock"))}
    )
    [group] = ask("ProductAggregate", by=both, aggregate={"n": {"$count": "*"}})["groups"]
    assert group == {"n": len(rows(lambda item: item.stock > 100))}
    told = ask("ProductAggregate", by=both, aggregate={"n": {"$max": "price"}})
    assert told[0] == "invalid"
    assert "unknown" in told[1]


def test_rows_of_a_rule_see_everything(ask: Ask) -> None:
    """A rule's own condition goes by fields and relations that the principal may not read."""
    by = somebody(
        {
            (Product, "view"): rule(
                {
                    "order_items": {"$some": {"order": {"status": "paid"}}},
                    "attrs.weight": {"$gt": 1},
                },
                "id name",
            )
        }
    )
    expected = Product.objects.filter(order_items__order__status="paid", attrs__weight__gt=1)
    assert set(ids(ask("ProductList", by=by, limit=1000))) == set(
        expected.values_list("pk", flat=True)
    )


def test_a_wide_record_with_masks(on_postgresql: str) -> None:
    """A function of PostgreSQL takes at most 100 arguments."""
    columns = {f"c{n}": models.IntegerField(default=n) for n in range(150)}
    meta = type("Meta", (), {"app_label": "wide", "managed": False})
    wide: Any = type("Wide", (models.Model,), {**columns, "Meta": meta, "__module__": __name__})
    with connections[on_postgresql].schema_editor() as editor:
        editor.create_model(wide)
    wide.objects.using(on_postgresql).create()
    wide.objects.using(on_postgresql).create(c0=1)
    by = somebody({(wide, "view"): (rule({"c0": 0}, "*"), rule({"c0": 1}, "id c1"))})
    catalog = catalog_of(wide, using=on_postgresql)
    first, second = json.loads(answer(catalog, by, "WideList"))["records"]
    assert len(first) == 151
    assert second == {"id": 2, "c1": 1}
