"""Delete honours `on_delete`, a model's own code and the database's own references."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.db.models import signals
from django.utils import timezone

from dataflow_nexus import Conflict, Invalid, NotFound
from testproject.shop.models import (
    Category,
    Country,
    Customer,
    Document,
    Everything,
    Note,
    Order,
    OrderItem,
    Product,
    Promotion,
    Tag,
)
from tests.operations.bulks import Run, fields, product, refused

GONE = "there is no such record in"


def test_the_answer_names_the_key(run: Run) -> None:
    made = run("ProductCreate", **product(1))
    assert run("ProductDelete", id=made["id"]) == {"id": made["id"], "deleted": True}
    assert GONE in refused(run, "ProductDelete", NotFound, id=made["id"]).detail
    key = {"code": "NEW", "valid_from": "2030-01-01"}
    run("PriceListEntryCreate", **key, price=1)
    assert run("PriceListEntryDelete", filter=key) == {"id": key, "deleted": True}
    run("CountryCreate", code="NL", name="x")
    assert run("CountryDelete", id="NL") == {"id": "NL", "deleted": True}


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, [("id", "required")]),
        ({"id": "x"}, [("id", "type")]),
        ({"filter": {"order_id": 1}}, [("filter", "unique_key")]),
        ({"id": 1, "filter": {"id": 1}}, [("filter", "exclusive")]),
        ({"id": 1, "expand": []}, [("expand", "unknown")]),
    ],
)
def test_exactly_one_record_is_named(
    run: Run, params: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert fields(refused(run, "OrderItemDelete", Invalid, **params)) == found


def test_cascade_takes_what_refers(run: Run) -> None:
    order = Order.objects.filter(items__isnull=False)[0]
    customer = order.customer_id
    orders = set(Order.objects.filter(customer=customer).values_list("pk", flat=True))
    run("DocumentCreate", title="x", owner_id=customer)
    run("CustomerDelete", id=customer)
    assert not Order.objects.filter(pk__in=orders).exists()
    assert not OrderItem.objects.filter(order__in=orders).exists()
    assert not Document.all_objects.filter(owner=customer).exists()


def test_cascade_takes_what_a_manager_hides(run: Run) -> None:
    owner = Customer.objects.create(name="x", email="x@x.example")
    hidden = Document.all_objects.create(title="x", owner=owner, deleted_at=timezone.now())
    run("CustomerDelete", id=owner.pk)
    assert not Document.all_objects.filter(pk=hidden.pk).exists()


def test_cascade_down_a_tree(run: Run) -> None:
    home = Category.objects.get(slug="home")
    product_ids = list(
        Product.objects.filter(category__slug="cookware").values_list("pk", flat=True)
    )
    run("CategoryDelete", id=home.pk)
    assert not Category.objects.filter(slug__in=["home", "kitchen", "cookware"]).exists()
    assert Product.objects.filter(pk__in=product_ids, category=None).count() == len(product_ids)


def test_set_null_keeps_what_refers(run: Run) -> None:
    run("CountryCreate", code="NL", name="x")
    customer = Customer.objects.all()[0]
    Customer.objects.filter(pk=customer.pk).update(country_id="NL")
    run("CountryDelete", id="NL")
    assert Customer.objects.get(pk=customer.pk).country_id is None
    first = Everything.objects.create(text="x")
    second = Everything.objects.create(text="y", parent=first, twin=first)
    run("EverythingDelete", id=first.pk)
    second.refresh_from_db()
    assert (second.parent_id, second.twin_id) == (None, None)


def test_protect_is_a_conflict_that_says_what_refers(run: Run) -> None:
    line = OrderItem.objects.all()[0]
    error = refused(run, "ProductDelete", Conflict, id=line.product_id)
    assert error.detail == "the record can't be deleted: order items refer to it"
    Everything.objects.create(text="x", country_id="DE")
    error = refused(run, "CountryDelete", Conflict, id="DE")
    assert "everything refer to it" in error.detail
    assert Product.objects.filter(pk=line.product_id).exists()
    assert Country.objects.filter(code="DE").exists()


def test_lists_of_ids_go_with_either_side(run: Run) -> None:
    tag = Tag.objects.create(name="short-lived")
    made = run("ProductCreate", **product(1, tags=[tag.pk]))
    run("TagDelete", id=tag.pk)
    assert run("ProductRead", id=made["id"])["tags"] == []
    promotion = Promotion.objects.create(name="x", starts_on="2026-01-01", ends_on="2026-01-02")
    promotion.products.add(made["id"])
    run("ProductDelete", id=made["id"])
    assert list(promotion.products.all()) == []


@pytest.mark.parametrize("rule", ["RESTRICT", "NO ACTION"])
def test_references_that_only_the_database_knows(run: Run, database: str, rule: str) -> None:
    tag = Tag.objects.create(name="referred to")
    with connections[database].cursor() as cursor:
        cursor.execute(f"CREATE TABLE other (tag bigint REFERENCES shop_tag (id) ON DELETE {rule})")
        cursor.execute("INSERT INTO other VALUES (%s)", [tag.pk])
    for node, params in (("Delete", {"id": tag.pk}), ("BulkDelete", {"ids": [tag.pk]})):
        error = refused(run, f"Tag{node}", Conflict, **params)
        assert error.detail == "a reference to or from another record would break"
    assert Tag.objects.filter(pk=tag.pk).exists()


def test_receivers_hear_of_what_goes(run: Run) -> None:
    heard: list[tuple[str, Any]] = []

    def hear(sender: Any, instance: Any, **_: Any) -> None:
        heard.append((sender.__name__, instance.pk))

    made = run("ProductCreate", **product(1))
    note = run("NoteCreate", title="x", product_id=made["id"])
    models: list[Callable[..., Any]] = [Product, Note]
    for model in models:
        signals.post_delete.connect(hear, sender=model)
    try:
        run("ProductDelete", id=made["id"])
    finally:
        for model in models:
            signals.post_delete.disconnect(hear, sender=model)
    assert sorted(heard) == [("Note", note["id"]), ("Product", made["id"])]


def test_what_a_manager_hides_is_not_there_to_delete(run: Run) -> None:
    hidden = Document.all_objects.create(title="x", deleted_at=timezone.now())
    refused(run, "DocumentDelete", NotFound, id=hidden.pk)
    assert Document.all_objects.filter(pk=hidden.pk).exists()


def test_a_delete_of_its_own_runs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def softly(self: Document, using: str | None = None, **_: Any) -> None:
        self.deleted_at = timezone.now()
        self.save(using=using)

    monkeypatch.setattr(Document, "delete", softly)
    made = run("DocumentCreate", title="x")
    assert run("DocumentDelete", id=made["id"])["deleted"] is True
    assert Document.all_objects.get(pk=made["id"]).deleted_at is not None
    refused(run, "DocumentRead", NotFound, id=made["id"])


def test_dry_run_answers_and_leaves_all(run: Run) -> None:
    order = Order.objects.filter(items__isnull=False)[0]
    lines = order.items.count()
    assert run("OrderDelete", id=order.pk, dry_run=True) == {"id": order.pk, "deleted": True}
    assert OrderItem.objects.filter(order=order.pk).count() == lines > 0
    line = OrderItem.objects.all()[0]
    refused(run, "ProductDelete", Conflict, id=line.product_id, dry_run=True)
