"""A write needs one source that allows all its fields and the row before and after; its presets apply."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import Principal
from testproject.shop.models import (
    Category,
    Customer,
    Document,
    Everything,
    Note,
    Order,
    OrderItem,
    PriceListEntry,
    Product,
    Tag,
)
from tests.access.asking import answer, catalog_of, rule, somebody

CATALOG = catalog_of(
    Product, Category, Tag, Order, OrderItem, Note, Customer, Document, PriceListEntry, Everything
)
ALL = "view add change delete"
Ask = Callable[..., Any]


@pytest.fixture
def ask(database: str) -> Ask:
    """The parsed answer of a node to a principal, or what its error says."""

    def asked(node: str, by: Principal, **params: Any) -> Any:
        found = answer(CATALOG, by, node, **params)
        return json.loads(found) if isinstance(found, bytes) else found

    return asked


def product(**wanted: Any) -> Product:
    return Product.objects.filter(**wanted).order_by("pk")[0]


def again(record: Product) -> Product:
    return Product.objects.get(pk=record.pk)


def denied(told: Any) -> bool:
    return bool(told[0] == "permission_denied")


def fields(told: Any) -> list[tuple[str, str]]:
    return [(item.field, item.code) for item in told[2]]


# --- one source for all of it ----------------------------------------------------------------------------------------


def two_sources(*, order: int = 0) -> Principal:
    """The stock of what is active, the price of what is plenty; everything is seen."""
    return somebody(
        {
            (Product, "view"): Source(),
            (Product, "change"): (
                rule({"active": True}, write="stock name"),
                rule({"stock": {"$gt": 100}}, write="price name"),
            ),
        }
    )


def test_a_write_needs_one_source_for_all_its_fields(ask: Ask) -> None:
    both = product(active=True, stock__gt=100)
    by = two_sources()
    assert ask("ProductUpdate", by, id=both.pk, name="n", stock=150)["stock"] == 150
    assert ask("ProductUpdate", by, id=both.pk, name="m", price=1)["price"] == "1.00"
    assert denied(ask("ProductUpdate", by, id=both.pk, stock=160, price=2))
    assert (again(both).stock, again(both).price) == (150, Decimal(1))


def test_a_write_needs_the_row_before(ask: Ask) -> None:
    by = two_sources()
    few = product(active=True, stock__lte=100)
    assert denied(ask("ProductUpdate", by, id=few.pk, price=1))
    idle = product(active=False, stock__gt=100)
    assert denied(ask("ProductUpdate", by, id=idle.pk, stock=101))
    neither = product(active=False, stock__lte=100)
    assert denied(ask("ProductUpdate", by, id=neither.pk, name="n"))
    assert again(neither).name == neither.name


def test_a_write_needs_the_row_after(ask: Ask) -> None:
    by = somebody(
        {
            (Product, "view"): Source(),
            (Product, "change"): rule({"stock": {"$gt": 100}}, write="stock name"),
            (Product, "add"): rule({"active": True}, write="sku name price active"),
        }
    )
    many = product(stock__gt=100)
    assert denied(ask("ProductUpdate", by, id=many.pk, stock=100))
    assert denied(ask("ProductUpdate", by, id=many.pk, stock={"$dec": many.stock}))
    assert again(many).stock == many.stock
    assert ask("ProductUpdate", by, id=many.pk, stock=101)["stock"] == 101
    new = {"sku": "new", "name": "n", "price": 1}
    assert denied(ask("ProductCreate", by, **new, active=False))
    assert not Product.objects.filter(sku="new").exists()
    assert ask("ProductCreate", by, **new)["sku"] == "new"


def test_a_field_that_is_read_and_not_written_is_denied_one_that_is_neither_is_unknown(
    ask: Ask,
) -> None:
    by = somebody(
        {(Product, "view"): rule(read="id name sku"), (Product, "change"): rule(write="stock name")}
    )
    some = product()
    assert ask("ProductUpdate", by, id=some.pk, stock=1) == {
        "id": some.pk,
        "sku": some.sku,
        "name": some.name,
    }
    told = ask("ProductUpdate", by, id=some.pk, sku="x")
    assert (told[0], fields(told)) == ("permission_denied", [("sku", "read_only")])
    told = ask("ProductUpdate", by, id=some.pk, price=1)
    assert (told[0], fields(told)) == ("invalid", [("price", "unknown")])
    assert again(some).stock == 1


def test_an_update_of_nothing_needs_the_right_to_change(ask: Ask) -> None:
    by = two_sources()
    assert ask("ProductUpdate", by, id=product(active=True).pk)["active"] is True
    assert denied(ask("ProductUpdate", by, id=product(active=False, stock__lte=100).pk))


def test_a_hidden_row_is_no_row(ask: Ask) -> None:
    by = somebody({(Product, ALL): rule({"active": True}, "*", "*")})
    hidden = product(active=False)
    nothing = ask("ProductRead", by, id=0)
    for node, params in (
        ("ProductRead", {}),
        ("ProductUpdate", {"name": "n"}),
        ("ProductUpdate", {}),
        ("ProductUpdate", {"replace": True, "sku": "s", "name": "n", "price": 1}),
        ("ProductDelete", {}),
    ):
        assert ask(node, by, id=hidden.pk, **params) == nothing == ask(node, by, id=0, **params)
    row = {"id": hidden.pk, "name": "n"}
    told, other = (
        ask("ProductBulkUpdate", by, data=[{**row, "id": key}]) for key in (hidden.pk, 0)
    )
    assert told == other
    assert ask("ProductBulkDelete", by, ids=[hidden.pk])["skipped"] == 1
    assert again(hidden).name == hidden.name


# --- presets ---------------------------------------------------------------------------------------------------------


def preset(**more: Any) -> Principal:
    return somebody(
        {
            (Product, "view"): rule(read="id sku name price active"),
            (Product, "add change"): (
                rule(write="sku name", presets={"price": "9.50", "stock": 3}, order=2),
                rule(write="sku name", presets={"price": "1.00", "active": False}, order=5),
            ),
            (Category, "view"): Source(),
        }
    )


def test_the_presets_of_the_lowest_source_apply(ask: Ask) -> None:
    made = ask("ProductCreate", preset(), sku="new", name="n")
    assert made["price"] == "9.50"
    new = Product.objects.get(sku="new")
    assert (new.stock, new.active) == (3, True)
    ask("ProductUpdate", preset(), id=product().pk, name="n")
    assert (again(product()).price, again(product()).stock) == (Decimal("9.50"), 3)


def test_another_value_for_a_preset_is_denied(ask: Ask) -> None:
    told = ask("ProductCreate", preset(), sku="new", name="n", price=2)
    assert (told[0], fields(told)) == ("permission_denied", [("price", "preset")])
    assert ask("ProductCreate", preset(), sku="new", name="n", price="9.5")["price"] == "9.50"
    # the second source presets this price
    assert (
        ask("ProductCreate", preset(), sku="two", name="n", price=1, active=False)["active"]
        is False
    )
    told = ask("ProductCreate", preset(), sku="three", name="n", stock=3)
    assert (told[0], fields(told)) == ("invalid", [("stock", "unknown")])


def test_presets_fill_what_is_required(ask: Ask) -> None:
    by = somebody(
        {
            (Product, "view"): rule(read="id sku"),
            (Product, "add change"): (
                rule(write="sku name", order=1),
                rule(write="sku name", presets={"price": 5}, order=2),
            ),
        }
    )
    row = {"sku": "new", "name": "n"}
    assert ask("ProductCreate", by, **row)["sku"] == "new"
    assert ask("ProductUpsert", by, sku="two", name="n", conflict_on=["sku"])["created"] is True
    assert ask("ProductBulkCreate", by, data=[{"sku": "b", "name": "n"}])["inserted"] == 1
    assert (
        ask("ProductBulkUpsert", by, data=[{"sku": "c", "name": "n"}], conflict_on=["sku"])[
            "inserted"
        ]
        == 1
    )
    found = Product.objects.filter(sku__in=["new", "two", "b", "c"])
    assert {item.price for item in found} == {Decimal(5)}


def test_a_value_that_nobody_may_give_is_not_named(ask: Ask) -> None:
    by = somebody(
        {(Product, "view"): rule(read="id sku"), (Product, "add change"): rule(write="sku name")}
    )
    reason = 'a new record in "products" needs a value that you may not give'
    for node, params in (
        ("ProductCreate", {"sku": "s", "name": "n"}),
        ("ProductUpsert", {"sku": "s", "name": "n", "conflict_on": ["sku"]}),
        ("ProductBulkCreate", {"data": [{"sku": "s", "name": "n"}]}),
    ):
        assert ask(node, by, **params) == ("permission_denied", reason, ())
    told = ask("ProductCreate", by, sku="s")
    assert (told[0], fields(told)) == ("invalid", [("name", "required")])
    some = product()
    assert ask("ProductUpsert", by, sku=some.sku, name="n", conflict_on=["sku"])["created"] is False


# --- what an error must not tell -------------------------------------------------------------------------------------


def test_conflicts_name_what_may_be_known(ask: Ask) -> None:
    item = OrderItem.objects.order_by("pk")[0]
    other = OrderItem.objects.filter(order=item.order).exclude(pk=item.pk).order_by("pk")
    pair = (
        other[0]
        if other
        else OrderItem.objects.create(
            order=item.order,
            product=Product.objects.exclude(order_items__order=item.order)[0],
            unit_price=1,
        )
    )
    by = somebody(
        {
            (OrderItem, "view"): rule(read="id product_id"),
            (OrderItem, "change"): rule(write="product_id"),
            (Product, "view"): Source(),
        }
    )
    told = ask("OrderItemUpdate", by, id=pair.pk, product_id=item.product_id)
    assert told[:2] == ("conflict", 'a record with the same "product_id" exists')
    assert fields(told) == [("product_id", "unique")]
    everything = somebody(
        {(OrderItem, ALL): Source(), (Product, "view"): Source(), (Order, "view"): Source()}
    )
    told = ask("OrderItemUpdate", everything, id=pair.pk, product_id=item.product_id)
    assert fields(told) == [("order_id", "unique"), ("product_id", "unique")]


def test_a_violated_check_of_a_hidden_field_is_not_named(ask: Ask) -> None:
    by = somebody(
        {
            (OrderItem, "view"): rule(read="id"),
            (OrderItem, "change"): rule(write="unit_price", presets={"quantity": 0}),
        }
    )
    told = ask("OrderItemUpdate", by, id=OrderItem.objects.all()[0].pk, unit_price=1)
    assert told == ("invalid", "the values violate a check of the table", ())


def test_what_protects_a_record_is_named_to_whom_may_see_it(ask: Ask) -> None:
    sold = OrderItem.objects.all()[0].product_id
    blind = somebody({(Product, "view delete"): Source()})
    told = ask("ProductDelete", blind, id=sold)
    assert told == ("conflict", "the record can't be deleted: other records refer to it", ())
    seeing = somebody(
        {(Product, "view delete"): Source(), (OrderItem, "view"): rule({"id": 0}, "id")}
    )
    assert "order items" in ask("ProductDelete", seeing, id=sold)[1]


def test_a_hidden_value_is_not_computed_with(ask: Ask) -> None:
    """The range of the result would tell what the value is."""
    by = somebody(
        {
            (Product, "view"): (rule({"stock": {"$gt": 100}}, "id price"), rule(None, "id name")),
            (Product, "change"): Source(),
        }
    )
    few, many = product(stock__lte=100), product(stock__gt=100)
    assert (
        ask("ProductUpdate", by, id=many.pk, price={"$inc": 1})["price"] == f"{many.price + 1:.2f}"
    )
    told = ask("ProductUpdate", by, id=few.pk, price={"$inc": 1})
    assert (told[0], fields(told)) == ("permission_denied", [("price", "operator")])
    told = ask("ProductUpdate", by, id=many.pk, stock={"$inc": 1})
    assert (told[0], fields(told)) == ("permission_denied", [("stock", "operator")])
    told = ask(
        "ProductBulkUpdate", by, filter={}, confirmed=True, fields={"price": {"$inc": 10**7}}
    )
    assert told[0] == "permission_denied"
    assert ask("ProductUpdate", by, id=few.pk, price=1, stock=2)["id"] == few.pk
    assert (again(few).price, again(few).stock) == (Decimal(1), 2)


# --- references ------------------------------------------------------------------------------------------------------


def test_a_reference_to_a_hidden_row_is_one_to_nothing(ask: Ask) -> None:
    shown = Category.objects.get(slug="home")
    by = somebody(
        {
            (Product, ALL): Source(),
            (Category, "view"): rule({"slug": "home"}, "id"),
            (Tag, "view"): rule({"name": "eco"}, "id"),
        }
    )
    hidden = Category.objects.exclude(slug="home")[0].pk
    new = {"name": "n", "price": 1}
    some = product()
    told = []
    for key in (hidden, 999_999):
        told.append(ask("ProductCreate", by, sku="new", **new, category_id=key))
        assert told[-1] == ask("ProductUpdate", by, id=some.pk, category_id=key)
        assert told[-1] == ask(
            "ProductUpsert", by, sku="new", **new, category_id=key, conflict_on=["sku"]
        )
        assert told[-1][:1] == ("conflict",)
        assert fields(told[-1]) == [("category_id", "foreign_key")]
    assert told[0] == told[1]
    bulk = [
        ask("ProductBulkUpdate", by, filter={"id": some.pk}, fields={"category_id": key})
        for key in (hidden, 999_999)
    ]
    assert bulk[0] == bulk[1] == told[0]
    lists = [
        ask("ProductUpdate", by, id=some.pk, tags=[key])
        for key in (Tag.objects.get(name="gift").pk, 9999)
    ]
    assert lists[0] == lists[1]
    assert fields(lists[0]) == [("tags", "foreign_key")]
    assert ask("ProductUpdate", by, id=some.pk, category_id=shown.pk)["category_id"] == shown.pk


def test_a_list_of_ids_keeps_what_is_not_seen(ask: Ask) -> None:
    eco, gift, new = (Tag.objects.get(name=name) for name in ("eco", "gift", "new"))
    by = somebody(
        {(Product, ALL): Source(), (Tag, "view"): rule({"name": {"$ne": "gift"}}, "id name")}
    )
    some = product()
    some.tags.set([eco, gift])
    assert ask("ProductUpdate", by, id=some.pk, tags=[new.pk])["tags"] == [new.pk]
    assert set(some.tags.values_list("name", flat=True)) == {"gift", "new"}
    assert ask("ProductUpdate", by, id=some.pk, tags=[])["tags"] == []
    assert set(some.tags.values_list("name", flat=True)) == {"gift"}


# --- upsert ----------------------------------------------------------------------------------------------------------


def test_an_upsert_onto_a_hidden_row_is_the_conflict(ask: Ask) -> None:
    by = somebody({(Product, ALL): rule({"active": True}, "*", "*")})
    hidden = product(active=False)
    conflict = ask("ProductCreate", by, sku=hidden.sku, name="n", price=1)
    assert conflict[0] == "conflict"
    row = {"sku": hidden.sku, "name": "n", "price": 1}
    assert ask("ProductUpsert", by, **row, conflict_on=["sku"]) == conflict
    assert (
        ask("ProductUpsert", by, where={"sku": hidden.sku}, create={"name": "n", "price": 1})
        == conflict
    )
    told = ask("ProductBulkUpsert", by, data=[row], conflict_on=["sku"])
    assert (told[0], fields(told)) == ("conflict", [("data.0.sku", "unique")])
    result = ask("ProductBulkUpsert", by, data=[row], conflict_on=["sku"], on_error="continue")
    assert [item["code"] for item in result["errors"]] == ["conflict"]
    assert again(hidden).name == hidden.name


def test_an_upsert_onto_a_row_that_may_be_changed_and_not_seen(ask: Ask) -> None:
    by = somebody(
        {(Product, "view"): rule({"active": True}, "*"), (Product, "add change"): rule(write="*")}
    )
    hidden = product(active=False)
    told = ask("ProductUpsert", by, sku=hidden.sku, name="n", price=1, conflict_on=["sku"])
    assert told[0] == "conflict"


# --- bulk ------------------------------------------------------------------------------------------------------------


def test_bulk_writes_go_row_by_row(ask: Ask) -> None:
    by = somebody(
        {
            (Product, "view"): Source(),
            (Product, "add change delete"): rule(
                {"stock": {"$lt": 50}}, write="sku name price stock"
            ),
        }
    )
    rows = [
        {"sku": f"B-{n}", "name": "n", "price": 1, "stock": stock}
        for n, stock in enumerate((1, 99, 2))
    ]
    told = ask("ProductBulkCreate", by, data=rows)
    assert told[0] == "permission_denied"
    assert told[1].startswith("row 1:")
    assert not Product.objects.filter(sku__startswith="B-").exists()
    result = ask("ProductBulkCreate", by, data=rows, on_error="continue")
    assert (result["inserted"], [item["index"] for item in result["errors"]]) == (2, [1])
    few, many = product(stock__lt=50), product(stock__gte=50)
    changes = [{"id": few.pk, "name": "x"}, {"id": many.pk, "name": "x"}]
    assert denied(ask("ProductBulkUpdate", by, data=changes))
    assert again(few).name == few.name
    number = Product.objects.filter(stock__lt=50).count()
    result = ask("ProductBulkUpdate", by, filter={}, confirmed=True, fields={"name": "all"})
    assert result["updated"] == number == Product.objects.filter(name="all").count()
    told = ask("ProductBulkUpdate", by, filter={"stock": {"$lt": 50}}, fields={"stock": 60})
    assert denied(told)
    assert ask("ProductBulkDelete", by, ids=[many.pk])["skipped"] == 1


def test_bulk_filters_see_what_is_read(ask: Ask) -> None:
    by = somebody(
        {(Product, "view"): rule({"active": True}, "id name"), (Product, "change delete"): Source()}
    )
    hidden = {"filter": {"sku": "SKU-00001"}, "fields": {"name": "x"}}
    assert fields(ask("ProductBulkUpdate", by, **hidden)) == [("filter.sku", "unknown")]
    assert fields(ask("ProductBulkDelete", by, filter={"sku": "x"})) == [("filter.sku", "unknown")]
    assert fields(ask("ProductUpdate", by, filter={"sku": "x"}, name="x")) == [
        ("filter.sku", "unknown")
    ]
    named = ask("ProductBulkUpdate", by, filter={"name": {"$ne": ""}}, fields={"name": "x"})
    assert named["updated"] == Product.objects.filter(active=True).count()
    assert not Product.objects.filter(active=False, name="x").exists()


def test_a_change_without_sight(ask: Ask) -> None:
    by = somebody({(Product, "change delete"): Source()})
    some = product()
    assert ask("ProductUpdate", by, id=some.pk, name="n") == {}
    assert fields(ask("ProductUpdate", by, filter={"sku": some.sku}, name="n")) == [
        ("filter.sku", "unknown")
    ]
    assert (
        ask("ProductBulkUpdate", by, filter={}, confirmed=True, fields={"name": "n"})["updated"] > 1
    )
    free = Product.objects.create(sku="free", name="n", price=1)
    assert ask("ProductDelete", by, id=free.pk) == {"id": None, "deleted": True}
    assert ask("ProductList", by)[0] == "permission_denied"


def test_returned_ids_and_records_are_those_that_are_seen(ask: Ask) -> None:
    by = somebody(
        {(Product, "view"): rule({"active": True}, "id name"), (Product, "add delete"): Source()}
    )
    rows = [{"sku": f"B-{n}", "name": f"n{n}", "price": 1, "active": bool(n % 2)} for n in range(4)]
    result = ask("ProductBulkCreate", by, data=rows, **{"return": "records"})
    assert [item["name"] for item in result["records"]] == ["n1", "n3"]
    keys = list(
        Product.objects.filter(sku__startswith="B-").order_by("sku").values_list("pk", flat=True)
    )
    result = ask("ProductBulkDelete", by, ids=keys, **{"return": "ids"})
    assert result["ids"] == [None, keys[1], None, keys[3]]


# --- cascades --------------------------------------------------------------------------------------------------------


def test_a_cascade_needs_the_right_to_delete_what_goes(ask: Ask) -> None:
    customer = Order.objects.all()[0].customer
    held = {(Customer, "view delete"): Source(), (Order, "view delete"): Source()}
    refused = ("conflict", "the record can't be deleted: other records refer to it", ())
    assert (
        ask("CustomerDelete", somebody({(Customer, "view delete"): Source()}), id=customer.pk)
        == refused
    )
    assert ask("CustomerDelete", somebody(held), id=customer.pk) == refused
    first = {"order": {"number": Order.objects.filter(customer=customer)[0].number}}
    some = somebody({**held, (OrderItem, "view delete"): rule({"$not": first}, "*")})
    assert ask("CustomerDelete", some, id=customer.pk) == refused
    assert ask("CustomerBulkDelete", some, ids=[customer.pk])[0] == "conflict"
    assert Customer.objects.filter(pk=customer.pk).exists()
    whole = somebody({**held, (OrderItem, "view delete"): Source()})
    assert ask("CustomerDelete", whole, id=customer.pk)["deleted"] is True
    assert not Order.objects.filter(customer_id=customer.pk).exists()


def test_a_cascade_to_the_same_model_needs_it_too(ask: Ask) -> None:
    home = Category.objects.get(slug="home")
    by = somebody({(Category, ALL): rule({"slug": {"$in": ["home", "kitchen"]}}, "*", "*")})
    assert ask("CategoryDelete", by, id=home.pk)[0] == "conflict"
    kitchen = Category.objects.get(slug="kitchen")
    assert ask("CategoryBulkDelete", by, ids=[home.pk, kitchen.pk])[0] == "conflict"
    assert Category.objects.filter(slug="cookware").exists()
    by = somebody(
        {(Category, ALL): rule({"slug": {"$in": ["home", "kitchen", "cookware"]}}, "*", "*")}
    )
    assert ask("CategoryDelete", by, id=home.pk)["deleted"] is True
    assert not Category.objects.filter(slug__in=["home", "kitchen", "cookware"]).exists()


# --- models that save themselves, managers that hide -----------------------------------------------------------------


def test_rules_hold_for_models_that_save_themselves(ask: Ask) -> None:
    by = somebody({(Note, ALL): rule({"slug": {"$startswith": "my-"}}, "id title slug", "title")})
    assert denied(ask("NoteCreate", by, title="Other"))
    assert not Note.objects.exists()
    made = ask("NoteCreate", by, title="My note")
    assert made["slug"] == "my-note"
    assert denied(ask("NoteUpdate", by, id=made["id"], title="Other"))
    assert Note.objects.get().title == "My note"


def test_rows_that_a_manager_hides_are_hidden_from_rules_too(ask: Ask) -> None:
    alive = Document.objects.create(title="alive")
    dead = Document.objects.create(title="dead", deleted_at="2026-01-01T00:00:00Z")
    by = somebody({(Document, ALL): rule({"title": {"$ne": ""}}, "*", "*")})
    assert [item["id"] for item in ask("DocumentList", by)["records"]] == [alive.pk]
    assert ask("DocumentUpdate", by, id=dead.pk, title="x")[0] == "not_found"
    assert denied(ask("DocumentUpdate", by, id=alive.pk, deleted_at="2026-01-01"))


def test_composite_keys(ask: Ask) -> None:
    by = somebody({(PriceListEntry, ALL): rule({"code": {"$startswith": "MINE"}}, "*", "*")})
    row = {"code": "MINE-1", "valid_from": "2030-01-01", "price": 1}
    assert ask("PriceListEntryUpsert", by, **row)["created"] is True
    assert ask("PriceListEntryUpsert", by, **{**row, "price": 2})["record"]["price"] == "2.00"
    other = {"code": "SKU-00001", "valid_from": "2025-01-01"}
    assert ask("PriceListEntryUpsert", by, **other, price=1)[0] == "conflict"
    assert ask("PriceListEntryUpdate", by, id=other, price=1)[0] == "not_found"
    assert denied(ask("PriceListEntryCreate", by, **{**row, "code": "X"}))
