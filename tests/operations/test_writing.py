"""Create and Update keep Django's meaning: a model's own code, defaults, validators, constraints, lists of ids."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import signals
from django.utils import timezone

from dataflow_nexus import Conflict, Invalid, NotFound, PermissionDenied
from testproject.shop.models import (
    Country,
    Everything,
    Note,
    Order,
    OrderItem,
    PriceListEntry,
    Product,
    Promotion,
    Tag,
)
from tests.operations.bulks import Run, fields, product, refused

Listen = Callable[[signals.ModelSignal, Any, Callable[..., Any]], None]
SPRING = {"name": "Spring", "starts_on": "2026-03-01", "ends_on": "2026-03-31"}


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Connect a receiver of one model's signal for the length of a test."""
    connected: list[tuple[signals.ModelSignal, Any, Callable[..., Any]]] = []

    def connect(signal: signals.ModelSignal, sender: Any, receiver: Callable[..., Any]) -> None:
        signal.connect(receiver, sender=sender, weak=False)
        connected.append((signal, sender, receiver))

    yield connect
    for signal, sender, receiver in connected:
        signal.disconnect(receiver, sender=sender)


# --- a model's own code ----------------------------------------------------------------------------------------------


def test_save_runs(run: Run) -> None:
    made = run("NoteCreate", title="First Things")
    assert made["slug"] == "first-things"
    changed = run("NoteUpdate", id=made["id"], title="Second Things")
    assert changed["slug"] == Note.objects.get(pk=made["id"]).slug == "second-things"
    upserted = run("NoteUpsert", id=made["id"], title="Third Things")
    assert (upserted["created"], upserted["record"]["slug"]) == (False, "third-things")


def test_clean_refuses_two_fields_that_do_not_go_together(run: Run) -> None:
    error = refused(run, "PromotionCreate", Invalid, **{**SPRING, "ends_on": "2026-02-01"})
    assert fields(error) == [("ends_on", "invalid")]
    assert error.detail == "A promotion can't end before it starts."
    made = run("PromotionCreate", **SPRING)
    refused(run, "PromotionUpdate", Invalid, id=made["id"], starts_on="2026-04-01")
    assert str(Promotion.objects.get(pk=made["id"]).starts_on) == "2026-03-01"


def test_receivers_hear_of_writes_and_may_change_the_record(run: Run, listen: Listen) -> None:
    heard: list[tuple[str, bool]] = []

    def before(instance: Product, **_: Any) -> None:
        instance.name = instance.name.upper()

    def after(instance: Product, created: bool, **_: Any) -> None:
        heard.append((instance.name, created))

    listen(signals.pre_save, Product, before)
    listen(signals.post_save, Product, after)
    made = run("ProductCreate", **product(1, name="loud"))
    changed = run("ProductUpdate", id=made["id"], name="louder", stock={"$inc": 2})
    assert (made["name"], changed["name"], changed["stock"]) == ("LOUD", "LOUDER", 2)
    assert heard == [("LOUD", True), ("LOUDER", False)]


def test_a_receiver_that_refuses_names_the_field_and_nothing_is_written(
    run: Run, listen: Listen
) -> None:
    def refuse(instance: Product, **_: Any) -> None:
        raise ValidationError({"category": "Not today."}, code="closed")

    listen(signals.post_save, Product, refuse)
    error = refused(run, "ProductCreate", Invalid, **product(1))
    assert (error.detail, [item.field for item in error.errors]) == ("Not today.", ["category_id"])
    assert not Product.objects.filter(sku="B-1").exists()


def test_receivers_of_lists_of_ids_are_heard(run: Run, listen: Listen) -> None:
    actions: list[str] = []
    listen(
        signals.m2m_changed,
        Product.tags.through,
        lambda action, **_: actions.append(action),
    )
    made = run("ProductCreate", **product(1), tags=[Tag.objects.all()[0].pk])
    run("ProductUpdate", id=made["id"], tags=[])
    assert actions == ["pre_add", "post_add", "pre_remove", "post_remove"]


# --- values that are made --------------------------------------------------------------------------------------------


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_auto_now_follows_every_change_and_takes_no_value(run: Run) -> None:
    made = run("EverythingCreate", text="x")
    assert timezone.now() - moment(made["updated_at"]) < timedelta(minutes=1)
    Everything.objects.update(updated_at=moment("2020-01-01T00:00:00Z"))
    changed = run("EverythingUpdate", id=made["id"], small=1)
    assert moment(changed["updated_at"]) >= moment(made["updated_at"])
    error = refused(
        run, "EverythingUpdate", PermissionDenied, id=made["id"], updated_at="2020-01-01T00:00:00Z"
    )
    assert fields(error) == [("updated_at", "read_only")]


def test_an_update_of_nothing_leaves_auto_now(run: Run) -> None:
    made = run("EverythingCreate", text="x")
    old = moment("2020-01-01T00:00:00Z")
    Everything.objects.update(updated_at=old)
    assert moment(run("EverythingUpdate", id=made["id"])["updated_at"]) == old


def test_defaults_of_the_database(run: Run) -> None:
    made = run("EverythingCreate", text="x")
    assert (made["db_default_integer"], made["db_default_char"]) == (7, "from the database")
    assert timezone.now() - moment(made["db_default_datetime"]) < timedelta(minutes=1)
    given = run("EverythingCreate", text="x", db_default_integer=1, db_default_char="own")
    assert (given["db_default_integer"], given["db_default_char"]) == (1, "own")


def test_generated_columns_are_read_and_not_written(run: Run) -> None:
    made = run("EverythingCreate", text="x", integer=40, positive=2)
    assert made["generated"] == 42
    assert run("EverythingUpdate", id=made["id"], integer={"$inc": 8})["generated"] == 50
    for node, more in (("Create", {"text": "x"}), ("Update", {"id": made["id"]})):
        error = refused(run, f"Everything{node}", PermissionDenied, **more, generated=1)
        assert fields(error) == [("generated", "read_only")]
    assert Everything.objects.get(pk=made["id"]).generated == 50


def test_columns_that_are_not_editable_are_not_written(run: Run) -> None:
    error = refused(run, "NoteCreate", PermissionDenied, title="x", slug="y")
    assert fields(error) == [("slug", "read_only")]


# --- what a value must be --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("code", "lower", "invalid"),
        ("code", "A" + "1" * 8, "max_length"),
        ("email", "nobody", "invalid"),
        ("url", "no url", "invalid"),
        ("slug", "no slug", "invalid"),
        ("colour", "purple", "choice"),
        ("level", 3, "choice"),
        ("integer", 2_000_000_001, "max_value"),
        ("small", 2**15, "range"),
        ("positive", -1, "range"),
        ("text", None, "null"),
        ("boolean", None, "null"),
        ("text", "", "blank"),
    ],
)
def test_validators_and_choices_run_on_every_write(
    run: Run, name: str, value: Any, code: str
) -> None:
    found = run("EverythingCreate", text="x")
    for node, more in (
        ("Create", {"text": "x"}),
        ("Update", {"id": found["id"]}),
        ("Upsert", {"id": found["id"], "text": "x"}),
    ):
        error = refused(run, f"Everything{node}", Invalid, **{**more, name: value})
        assert fields(error) == [(name, code)], node
    assert run("EverythingRead", id=found["id"]) == found


def test_every_wrong_value_is_named_at_once(run: Run) -> None:
    error = refused(
        run, "ProductCreate", Invalid, sku="", price="x", colour="red", fields={"stock": "many"}
    )
    assert sorted(fields(error)) == [
        ("colour", "unknown"),
        ("fields.stock", "type"),
        ("name", "required"),
        ("price", "type"),
        ("sku", "blank"),
    ]


def test_unique_values_are_conflicts_that_name_the_field(run: Run) -> None:
    first, second = Product.objects.order_by("pk")[:2]
    error = refused(run, "ProductCreate", Conflict, **product(1, sku=first.sku))
    assert fields(error) == [("sku", "unique")]
    error = refused(run, "ProductUpdate", Conflict, id=second.pk, sku=first.sku, stock=1)
    assert fields(error) == [("sku", "unique")]
    assert Product.objects.get(pk=second.pk).stock == second.stock


def test_values_that_are_unique_together(run: Run) -> None:
    line = OrderItem.objects.all()[0]
    values = {"order_id": line.order_id, "product_id": line.product_id, "unit_price": 1}
    error = refused(run, "OrderItemCreate", Conflict, **values)
    assert fields(error) == [("order_id", "unique"), ("product_id", "unique")]


def test_checks_of_the_table_name_their_fields(run: Run) -> None:
    line = OrderItem.objects.all()[0]
    for change in (0, {"$dec": line.quantity}):
        error = refused(run, "OrderItemUpdate", Invalid, id=line.pk, quantity=change)
        assert fields(error) == [("quantity", "check")]
    assert OrderItem.objects.get(pk=line.pk).quantity == line.quantity


def test_references_to_nothing_are_conflicts_that_name_the_field(run: Run) -> None:
    error = refused(run, "ProductCreate", Conflict, **product(1, category_id=999_999))
    assert fields(error) == [("category_id", "foreign_key")]
    error = refused(run, "ProductCreate", Conflict, **product(1, tags=[999_999]))
    assert fields(error) == [("tags", "foreign_key")]
    assert not Product.objects.filter(sku="B-1").exists()


# --- lists of ids ----------------------------------------------------------------------------------------------------


def test_a_list_of_ids_is_replaced_whole(run: Run) -> None:
    one, two, three = Tag.objects.order_by("pk").values_list("pk", flat=True)[:3]
    made = run("ProductCreate", **product(1, tags=[two, one, two]))
    assert made["tags"] == [one, two]
    assert run("ProductUpdate", id=made["id"], tags=[three])["tags"] == [three]
    assert run("ProductUpdate", id=made["id"], stock=1)["tags"] == [three]
    assert run("ProductUpdate", id=made["id"], tags=[])["tags"] == []


def test_a_list_with_an_id_of_nothing_changes_nothing(run: Run) -> None:
    tag = Tag.objects.all()[0].pk
    made = run("ProductCreate", **product(1, tags=[tag]))
    refused(run, "ProductUpdate", Conflict, id=made["id"], tags=[999_999], stock=5)
    assert run("ProductRead", id=made["id"]) == made


# --- files -----------------------------------------------------------------------------------------------------------


def test_files_go_in_as_uploads_and_come_out_as_urls(run: Run) -> None:
    made = run("EverythingCreate", text="x", file=SimpleUploadedFile("one.txt", b"one"))
    assert made["file"].startswith("/media/everything/one")
    changed = run("EverythingUpdate", id=made["id"], file=SimpleUploadedFile("two.txt", b"two"))
    with Everything.objects.get(pk=made["id"]).file.open() as file:
        assert file.read() == b"two"
    assert run("EverythingUpdate", id=made["id"], small=1)["file"] == changed["file"]
    assert run("EverythingUpdate", id=made["id"], file=None)["file"] is None


@pytest.mark.parametrize("name", ["everything/one.txt", "../settings.py", "/etc/passwd", {}, 1])
def test_the_name_of_a_file_is_no_file(run: Run, name: Any) -> None:
    made = run("EverythingCreate", text="x")
    for node, more in (("Create", {"text": "x"}), ("Update", {"id": made["id"]})):
        error = refused(run, f"Everything{node}", Invalid, **more, file=name)
        assert fields(error) == [("file", "type")]


# --- keys ------------------------------------------------------------------------------------------------------------


def test_composite_keys(run: Run) -> None:
    key = {"code": "NEW", "valid_from": "2030-01-01"}
    made = run("PriceListEntryCreate", **key, price=1)
    assert made == {**key, "price": "1.00", "note": None}
    assert run("PriceListEntryUpdate", id=key, note="n")["note"] == "n"
    assert run("PriceListEntryUpdate", filter=key, price={"$inc": 1})["price"] == "2.00"
    error = refused(run, "PriceListEntryCreate", Conflict, **key, price=1)
    assert fields(error) == [("code", "unique"), ("valid_from", "unique")]
    assert PriceListEntry.objects.filter(code="NEW").count() == 1


def test_a_text_key_is_given_by_the_caller(run: Run) -> None:
    assert run("CountryCreate", code="NL", name="Netherlands")["code"] == "NL"
    assert run("CountryUpdate", id="NL", name="Nederland")["name"] == "Nederland"
    assert fields(refused(run, "CountryCreate", Invalid, name="x")) == [("code", "required")]


def test_a_key_can_be_given_where_the_database_makes_one(run: Run) -> None:
    assert run("ProductCreate", **product(1), id=987_654)["id"] == 987_654
    error = refused(run, "ProductCreate", Conflict, **product(2), id=987_654)
    assert fields(error) == [("id", "unique")]


@pytest.mark.parametrize(
    ("model", "key", "values"),
    [
        ("PriceListEntry", {"code": "NEW", "valid_from": "2030-01-01"}, {"code": "OTHER"}),
        ("Country", "DE", {"fields": {"code": "DD"}}),
        ("Product", 1, {"fields": {"id": 2}}),
    ],
)
def test_the_primary_key_can_not_change(
    run: Run, model: str, key: Any, values: dict[str, Any]
) -> None:
    if model == "PriceListEntry":
        run("PriceListEntryCreate", **key, price=1)
    error = refused(run, f"{model}Update", Invalid, id=key, **values)
    assert [code for _, code in fields(error)] == ["primary_key"]
    assert Country.objects.filter(code="DE").exists()


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    ("model", "key"),
    [("PriceListEntry", {"code": "SKU-00001", "valid_from": "2026-01-01"}), ("Country", "DE")],
)
def test_a_whole_record_may_be_sent_back(run: Run, model: str, key: Any, replace: bool) -> None:
    """The key among its fields is the one of the record, and so no change."""
    found = run(f"{model}Read", id=key)
    assert run(f"{model}Update", id=key, replace=replace, **found) == found
    rows = run(f"{model}BulkUpdate", data=[{"id": key, **found}], **{"return": "records"})
    assert rows["records"] == [found]
    assert run(f"{model}Upsert", where={"id": key}, update=found)["record"] == found


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ({"code": "SKU-00001", "valid_from": "2026-01-01"}, {"code": "OTHER", "price": 1}),
        ({"code": "SKU-00001", "valid_from": "2026-01-01"}, {"valid_from": "2027-01-01"}),
    ],
)
def test_rows_of_a_bulk_update_keep_their_keys(run: Run, key: Any, values: dict[str, Any]) -> None:
    data = [{"id": key, **values}]
    error = refused(run, "PriceListEntryBulkUpdate", Invalid, data=data)
    assert [code for _, code in fields(error)] == ["primary_key"]
    [reject] = run("PriceListEntryBulkUpdate", data=data, on_error="continue")["errors"]
    assert [item["code"] for item in reject["errors"]] == ["primary_key"]
    assert run("PriceListEntryRead", id=key)["code"] == "SKU-00001"


def test_a_filter_that_names_one_unique_key(run: Run) -> None:
    line = OrderItem.objects.all()[0]
    both = {"order_id": line.order_id, "product_id": line.product_id}
    assert run("OrderItemUpdate", filter=both, quantity=9)["id"] == line.pk
    sku = Product.objects.all()[0].sku
    assert run("ProductUpdate", filter={"sku": sku}, stock=1)["sku"] == sku
    for wrong in ({"order_id": 1}, {"order_id": 1, "quantity": 1}, {**both, "id": 1}, {}):
        error = refused(run, "OrderItemUpdate", Invalid, filter=wrong, quantity=1)
        assert fields(error) == [("filter", "unique_key")]
    refused(run, "ProductUpdate", NotFound, filter={"sku": "none"}, stock=1)


# --- dry run, names, numbers -----------------------------------------------------------------------------------------


def test_dry_run_answers_and_leaves_nothing(run: Run, listen: Listen) -> None:
    made = run("ProductCreate", **product(1, price="3.5"), dry_run=True)
    assert (made["sku"], made["price"], made["stock"]) == ("B-1", "3.50", 0)
    one = Product.objects.all()[0]
    changed = run("ProductUpdate", id=one.pk, stock={"$inc": 1}, tags=[], dry_run=True)
    assert (changed["stock"], changed["tags"]) == (one.stock + 1, [])
    assert not Product.objects.filter(sku="B-1").exists()
    assert Product.objects.get(pk=one.pk).stock == one.stock
    error = refused(run, "ProductCreate", Conflict, **product(1, sku=one.sku), dry_run=True)
    assert fields(error) == [("sku", "unique")]


def test_a_value_may_stand_flat_or_in_fields_and_not_in_both(run: Run) -> None:
    made = run("ProductCreate", name="x", fields={"sku": "B-1", "price": 1})
    assert (made["name"], made["sku"], made["price"]) == ("x", "B-1", "1.00")
    error = refused(run, "ProductUpdate", Invalid, id=made["id"], stock=1, fields={"stock": 1})
    assert fields(error) == [("stock", "duplicate")]


def test_numbers_are_stored_at_their_scale(run: Run) -> None:
    order = Order.objects.all()[0]
    run("OrderUpdate", id=order.pk, total="10.5")
    assert Order.objects.get(pk=order.pk).total == Decimal("10.50")
    error = refused(run, "OrderUpdate", Invalid, id=order.pk, total="10.555")
    assert [name for name, _ in fields(error)] == ["total"]
