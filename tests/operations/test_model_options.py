"""What `register` says about one model: operations, fields, computed values, the rows that exist."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import CharField, Count, DecimalField, ExpressionWrapper, F
from django.db.models.functions import Upper

from dataflow_nexus import Invalid, Nexus, NotFound, PermissionDenied
from dataflow_nexus.access.principal import Principal
from testproject.shop.models import Category, Document, Note, Product, Tag
from tests.operations.bulks import fields, product, refused

Shop = Callable[..., Callable[..., Any]]
WORTH = ExpressionWrapper(
    F("price") * F("stock"), output_field=DecimalField(max_digits=14, decimal_places=2)
)


@pytest.fixture
def shop(database: str) -> Shop:
    """`shop(fields=…)` runs nodes of a shop whose products are registered so."""

    def make(model: Any = Product, **options: Any) -> Callable[..., Any]:
        nexus = Nexus()
        for other in {Category, Tag} - {model}:
            nexus.register(other)
        nexus.register(model, **options)
        return lambda node, **params: nexus.execute(f"{node}Node", params)

    return make


# --- operations ------------------------------------------------------------------------------------------------------


def test_only_the_chosen_operations_exist(shop: Shop) -> None:
    run = shop(operations=["read", "list"])
    assert run("ProductRead", id=1)["id"] == 1
    assert run("ProductList", limit=1)["records"]
    for node, params in (
        ("Create", product(1)),
        ("Update", {"id": 1, "stock": 1}),
        ("Delete", {"id": 1}),
        ("Count", {}),
        ("BulkDelete", {"ids": [1]}),
        ("Upsert", {"id": 1}),
    ):
        refused(run, f"Product{node}", NotFound, **params)
    assert run("TagCreate", name="free")["name"] == "free"


# --- fields ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"fields": ["id", "sku", "name", "price", "category"]},
        {
            "exclude": [
                "description", "stock", "active", "tags", "attrs", "created_at",
            ]
        },
    ],
    ids=["fields", "exclude"],
)  # fmt: skip
def test_other_fields_do_not_exist(shop: Shop, options: dict[str, Any]) -> None:
    run = shop(**options)
    made = run("ProductCreate", **product(1))
    assert list(made) == ["id", "sku", "name", "price", "category_id"]
    assert Product.objects.get(pk=made["id"]).stock == 0
    Product.objects.filter(pk=made["id"]).update(stock=5)
    assert run("ProductRead", id=made["id"], expand=["category"])["category"] is None
    for node, params in (
        ("Create", product(2, stock=1)),
        ("Update", {"id": 1, "stock": 1}),
        ("List", {"filter": {"stock": 1}}),
        ("List", {"order_by": ["stock"]}),
        ("List", {"fields": ["stock"]}),
        ("List", {"expand": ["tags"]}),
        ("Aggregate", {"aggregate": {"n": {"$sum": "stock"}}}),
        ("BulkCreate", {"data": [product(2, stock=1)]}),
    ):
        error = refused(run, f"Product{node}", Invalid, **params)
        assert [code for _, code in fields(error)] == ["unknown"], node
    replaced = run("ProductUpdate", id=made["id"], replace=True, sku="B-1", name="n", price=2)
    assert (replaced["name"], Product.objects.get(pk=made["id"]).stock) == ("n", 5)


def test_the_key_is_always_shown(shop: Shop) -> None:
    assert list(shop(fields=["name"])("ProductRead", id=1)) == ["id", "name"]


def test_a_field_that_is_hidden_carries_no_relation(shop: Shop) -> None:
    run = shop(exclude=["category"])
    error = refused(run, "ProductList", Invalid, expand=["category"])
    assert fields(error) == [("expand.category", "unknown")]
    error = refused(run, "CategoryList", Invalid, expand=["products"])
    assert fields(error) == [("expand.products", "unknown")]
    refused(run, "ProductList", Invalid, filter={"category": {"slug": "desks"}})


# --- computed --------------------------------------------------------------------------------------------------------


def shout(instance: Product) -> str:
    return instance.name.upper() + "!"


def test_an_expression_is_a_field_of_every_answer(shop: Shop) -> None:
    run = shop(computed={"worth": WORTH})
    made = run("ProductCreate", **product(1, stock=3))
    assert (list(made)[-1], made["worth"]) == ("worth", "7.50")
    assert run("ProductUpdate", id=made["id"], stock={"$inc": 1})["worth"] == "10.00"
    upserted = run("ProductUpsert", sku="B-1", stock=2, conflict_on=["sku"])
    assert upserted["record"]["worth"] == "5.00"
    bulk = run("ProductBulkCreate", data=[product(2, stock=2)], **{"return": "records"})
    assert bulk["records"][0]["worth"] == "5.00"
    found = run("ProductList", filter={"worth": {"$gt": 1000}}, order_by=["-worth"])["records"]
    expected = sorted((item.price * item.stock for item in Product.objects.all()), reverse=True)
    assert [Decimal(item["worth"]) for item in found] == [item for item in expected if item > 1000]
    assert run("ProductRead", id=made["id"], fields=["worth"]) == {"worth": "5.00"}


def test_a_callable_is_a_field_of_every_answer(shop: Shop) -> None:
    run = shop(computed={"shout": shout, "kind": lambda item: {"active": item.active, "n": [1]}})
    made = run("ProductCreate", **product(1))
    assert (made["shout"], made["kind"]) == ("BULK 1!", {"active": True, "n": [1]})
    assert run("ProductUpdate", id=made["id"], name="x")["shout"] == "X!"
    listed = run("ProductList", fields=["id", "shout"])["records"]
    assert {item["id"]: item["shout"] for item in listed} == {
        item.pk: shout(item) for item in Product.objects.all()
    }
    error = refused(run, "ProductList", Invalid, filter={"shout": "X!"})
    assert [name for name, _ in fields(error)] == ["filter.shout"]


def test_computed_values_of_related_records(shop: Shop) -> None:
    run = shop(computed={"shout": shout, "worth": WORTH})
    category = Category.objects.filter(products__isnull=False)[0]
    [first, *_] = run("CategoryRead", id=category.pk, expand=["products"])["products"]
    item = Product.objects.get(pk=first["id"])
    assert (first["shout"], Decimal(first["worth"])) == (shout(item), item.price * item.stock)


@pytest.mark.parametrize("computed", [WORTH, shout], ids=["expression", "callable"])
def test_computed_values_are_not_written(shop: Shop, computed: Any) -> None:
    run = shop(computed={"extra": computed})
    for node, params in (
        ("Create", product(1, extra=1)),
        ("Update", {"id": 1, "extra": 1}),
        ("Upsert", {"id": 1, "extra": 1}),
        ("BulkCreate", {"data": [product(1, extra=1)]}),
    ):
        error = refused(run, f"Product{node}", PermissionDenied, **params)
        assert fields(error)[0][1] == "read_only", node


def test_computed_values_of_a_model_with_code_of_its_own(shop: Shop) -> None:
    run = shop(
        Note,
        computed={
            "loud": Upper("slug", output_field=CharField()),
            "size": lambda note: len(note.title),
        },
    )
    made = run("NoteCreate", title="One Two")
    assert (made["slug"], made["loud"], made["size"]) == ("one-two", "ONE-TWO", 7)


# --- queryset --------------------------------------------------------------------------------------------------------


def test_rows_outside_of_the_queryset_do_not_exist(shop: Shop) -> None:
    run = shop(queryset=Product.objects.filter(active=True))
    hidden = Product.objects.filter(active=False)[0]
    total = Product.objects.filter(active=True).count()
    assert run("ProductCount") == {"count": total}
    assert run("ProductList", count="exact")["count"] == total
    for node, params in (("Read", {}), ("Update", {"stock": 1}), ("Delete", {})):
        refused(run, f"Product{node}", NotFound, id=hidden.pk, **params)
    changed = run("ProductBulkUpdate", filter={}, fields={"stock": 1}, confirmed=True)
    assert changed["updated"] == total
    assert Product.objects.get(pk=hidden.pk).stock == hidden.stock
    category = run("CategoryList", expand=["products"])["records"]
    assert hidden.pk not in {item["id"] for row in category for item in row["products"]}


def test_a_queryset_of_the_principal(database: str) -> None:
    nexus = Nexus()
    nexus.register(
        Product, queryset=lambda principal: Product.objects.filter(sku__endswith=principal.name)
    )

    def count(name: str) -> Any:
        asking = Principal(kind="user", name=name, unrestricted=True)
        return nexus.execute("ProductCountNode", {}, principal=asking)["count"]

    assert count("7") == Product.objects.filter(sku__endswith="7").count() > 0
    assert count("none") == 0


def test_a_queryset_may_show_what_the_default_manager_hides(shop: Shop) -> None:
    run = shop(Document, queryset=Document.all_objects)
    made = run("DocumentCreate", title="x", deleted_at="2026-01-01T00:00:00Z")
    assert run("DocumentRead", id=made["id"]) == made
    assert run("DocumentUpdate", id=made["id"], deleted_at=None)["deleted_at"] is None
    assert run("DocumentDelete", id=made["id"]) == {"id": made["id"], "deleted": True}


GONE = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("node", "params"),
    [
        ("Create", {"title": "x", "deleted_at": GONE}),
        ("Update", {"id": 0, "deleted_at": GONE}),
        ("Upsert", {"id": 0, "title": "x", "deleted_at": GONE}),
        ("Upsert", {"title": "x", "id": 999_999, "deleted_at": GONE}),
        ("BulkCreate", {"data": [{"title": "x", "deleted_at": GONE}], "return": "records"}),
        ("BulkUpdate", {"data": [{"id": 0, "deleted_at": GONE}], "return": "records"}),
        (
            "BulkUpsert",
            {"data": [{"id": 0, "title": "x", "deleted_at": GONE}], "return": "records"},
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("hidden_by", ["manager", "queryset"])
def test_a_write_that_hides_its_record(
    shop: Shop, node: str, params: dict[str, Any], hidden_by: str
) -> None:
    """A manager hides it from the next read on; a queryset of the registration says who may see it at all."""
    run = shop(
        Document, **({"queryset": Document.objects.all()} if hidden_by == "queryset" else {})
    )
    made = run("DocumentCreate", title="x")
    text = json.dumps(params).replace('"id": 0', f'"id": {made["id"]}')
    answer = run(f"Document{node}", **json.loads(text))
    record = (
        next(iter(answer["records"]), {}) if "records" in answer else answer.get("record", answer)
    )
    if hidden_by == "queryset":
        assert record == {}
        return
    assert (record["title"], record["deleted_at"]) == ("x", GONE)
    refused(run, "DocumentRead", NotFound, id=record["id"])
    assert Document.all_objects.filter(pk=record["id"], deleted_at=GONE).exists()


def test_a_queryset_that_counts(shop: Shop) -> None:
    run = shop(queryset=lambda _: Product.objects.annotate(n=Count("tags")).filter(n__gte=2))
    found = {item["id"] for item in run("ProductList")["records"]}
    expected = Product.objects.annotate(n=Count("tags")).filter(n__gte=2)
    assert found == set(expected.values_list("pk", flat=True)) != set()
