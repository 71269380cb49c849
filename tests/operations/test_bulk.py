"""Bulk writes: numbers, all or nothing, the good rows alone, and every way to be wrong."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from dataflow_nexus import Conflict, Invalid, LimitExceeded, NexusError, NotFound
from dataflow_nexus.exceptions import Malformed
from testproject.shop.models import (
    Category,
    Customer,
    Everything,
    Note,
    Order,
    OrderItem,
    PriceListEntry,
    Product,
    Promotion,
    Tag,
)
from tests.routing import POSTGRESQL

Run = Callable[..., Any]


def product(number: int, **more: Any) -> dict[str, Any]:
    return {"sku": f"B-{number}", "name": f"Bulk {number}", "price": "2.50", **more}


def products(number: int) -> list[dict[str, Any]]:
    return [product(n) for n in range(number)]


def numbers(result: dict[str, Any]) -> tuple[int, ...]:
    names = ("processed", "inserted", "updated", "deleted", "skipped")
    return tuple(result[name] for name in names)


def refused(run: Run, node: str, kind: type[NexusError], **params: Any) -> NexusError:
    with pytest.raises(kind) as caught:
        run(node, **params)
    return caught.value


def fields(error: NexusError) -> list[tuple[str, str]]:
    return [(item.field, item.code) for item in error.errors]


# --- create ----------------------------------------------------------------------------------------------------------


def test_create_answers_the_five_numbers(run: Run) -> None:
    result = run("ProductBulkCreate", data=products(3))
    assert result == {"processed": 3, "inserted": 3, "updated": 0, "deleted": 0, "skipped": 0}
    made = Product.objects.filter(sku__startswith="B-").order_by("sku")
    assert [(item.sku, item.price, item.stock, item.active, item.attrs) for item in made] == [
        (f"B-{n}", Decimal("2.50"), 0, True, {}) for n in range(3)
    ]


def test_create_of_nothing(run: Run) -> None:
    assert numbers(run("ProductBulkCreate", data=[])) == (0, 0, 0, 0, 0)


def test_create_returns_ids_in_the_order_of_the_rows(run: Run) -> None:
    rows = [
        product(1),
        product(2, stock=4),
        product(3),
        product(4, stock=1, attrs={"a": [1, None]}),
    ]
    ids = run("ProductBulkCreate", data=rows, **{"return": "ids"})["ids"]
    assert [Product.objects.get(pk=key).sku for key in ids] == ["B-1", "B-2", "B-3", "B-4"]


def test_create_returns_records_as_list_shows_them(run: Run) -> None:
    result = run("ProductBulkCreate", data=list(reversed(products(3))), **{"return": "records"})
    assert [item["sku"] for item in result["records"]] == ["B-2", "B-1", "B-0"]
    listed = run("ProductList", filter={"sku": {"$startswith": "B-"}}, order_by=["-sku"])
    assert result["records"] == listed["records"]


def test_create_returns_composite_keys(run: Run) -> None:
    rows = [{"code": "B", "valid_from": f"2030-01-0{n}", "price": 1} for n in (2, 1)]
    result = run("PriceListEntryBulkCreate", data=rows, **{"return": "ids"})
    assert result["ids"] == [{"code": "B", "valid_from": f"2030-01-0{n}"} for n in (2, 1)]
    result = run(
        "PriceListEntryBulkCreate", data=[{**rows[0], "code": "C"}], **{"return": "records"}
    )
    assert result["records"][0]["price"] == "1.00"


def test_create_writes_every_field_type(run: Run) -> None:
    row = {
        "text": 'snow ☃ "quoted" back\\slash\nline',
        "char_null": None,
        "level": 2,
        "big": -(2**63),
        "positive_big": 2**63 - 1,
        "float": 1e-300,
        "decimal": "-12345678.90",
        "decimal_fine": "0.000000001",
        "date": "2024-02-29",
        "time": "23:59:59.000001",
        "datetime": "2026-01-31T13:45:00.5+02:00",
        "duration": "P1DT2H3M4.5S",
        "uuid": "00000000-0000-4000-8000-000000000001",
        "binary": "AP8=",
        "json": {"n": None, "list": [1, 2.5, "x"], "big": 2**70},
        "ip": "::1",
        "boolean_null": True,
    }
    single = run("EverythingCreate", **row)
    many = run("EverythingBulkCreate", data=[row, row], **{"return": "records"})["records"]
    volatile = {"id", "updated_at", "db_default_datetime"}
    for record in many:
        for name, value in single.items():
            assert name in volatile or record[name] == value, name
        assert record["generated"] == 0
        assert record["db_default_char"] == "from the database"


def test_create_gives_each_row_its_own_default(run: Run) -> None:
    run("EverythingBulkCreate", data=[{"text": "own"}, {"text": "own"}])
    first, second = Everything.objects.filter(text="own")
    assert first.uuid != second.uuid
    assert first.datetime is not None


def test_create_takes_an_iterator(run: Run) -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield from products(5)

    assert numbers(run("ProductBulkCreate", data=rows())) == (5, 5, 0, 0, 0)


def test_create_is_one_statement_per_batch(run: Run, database: str, statements: Any) -> None:
    with statements() as seen:
        run("TagBulkCreate", data=[{"name": f"t{n}"} for n in range(100)], batch_size=50)
    inserts = [item for item in seen.captured_queries if item["sql"].startswith("INSERT")]
    assert len(inserts) == 2


def test_create_runs_the_code_of_models_that_have_some(run: Run) -> None:
    run("NoteBulkCreate", data=[{"title": "Bulk one"}, {"title": "Bulk two"}])
    assert set(Note.objects.values_list("slug", flat=True)) >= {"bulk-one", "bulk-two"}
    rows = [
        {"name": "good", "starts_on": "2026-01-01", "ends_on": "2026-01-02"},
        {"name": "bad", "starts_on": "2026-01-02", "ends_on": "2026-01-01"},
    ]
    error = refused(run, "PromotionBulkCreate", Invalid, data=rows)
    assert fields(error) == [("data.1.ends_on", "invalid")]
    assert not Promotion.objects.filter(name="good").exists()


def test_create_writes_lists_of_ids(run: Run) -> None:
    tags = list(Tag.objects.order_by("pk").values_list("pk", flat=True)[:2])
    run("ProductBulkCreate", data=[product(1, tags=tags), product(2)])
    assert (
        list(Product.objects.get(sku="B-1").tags.order_by("pk").values_list("pk", flat=True))
        == tags
    )


def test_every_wrong_row_is_named_and_nothing_is_written(run: Run) -> None:
    rows = [product(0), {"sku": "B-1"}, product(2, price="x"), product(3, colour="red"), 4]
    error = refused(run, "ProductBulkCreate", Invalid, data=rows)
    assert fields(error) == [
        ("data.1.name", "required"),
        ("data.1.price", "required"),
        ("data.2.price", "type"),
        ("data.3.colour", "unknown"),
        ("data.4", "type"),
    ]
    assert not Product.objects.filter(sku__startswith="B-").exists()


def test_a_refusal_by_the_database_names_the_row(run: Run) -> None:
    taken = Product.objects.values_list("sku", flat=True)[0]
    rows = [*products(40), product(40, sku=taken), *[product(n) for n in range(41, 60)]]
    error = refused(run, "ProductBulkCreate", Conflict, data=rows)
    assert fields(error) == [("data.40.sku", "unique")]
    assert not Product.objects.filter(sku__startswith="B-").exists()


def test_a_reference_to_nothing_names_the_row(run: Run) -> None:
    rows = [product(0), product(1, category_id=999_999), product(2)]
    error = refused(run, "ProductBulkCreate", Conflict, data=rows)
    assert fields(error) == [("data.1.category_id", "foreign_key")]
    assert not Product.objects.filter(sku__startswith="B-").exists()


def test_a_violated_check_names_the_row(run: Run) -> None:
    order, some = Order.objects.all()[0], Product.objects.all()[:2]
    OrderItem.objects.filter(order=order).delete()
    rows = [
        {"order_id": order.pk, "product_id": item.pk, "quantity": quantity, "unit_price": 1}
        for item, quantity in zip(some, (1, 0), strict=True)
    ]
    error = refused(run, "OrderItemBulkCreate", Invalid, data=rows)
    assert fields(error) == [("data.1.quantity", "check")]


def test_continue_keeps_the_good_rows_and_lists_the_bad(run: Run) -> None:
    taken = Product.objects.values_list("sku", flat=True)[0]
    rows = [
        product(0),
        product(1, price=None),
        product(2, sku=taken),
        product(3, category_id=999_999),
        Malformed("line 5 is not JSON"),
        product(5),
    ]
    result = run("ProductBulkCreate", data=rows, on_error="continue", **{"return": "ids"})
    assert numbers(result) == (6, 2, 0, 0, 0)
    assert [(item["index"], item["code"]) for item in result["errors"]] == [
        (1, "invalid"),
        (2, "conflict"),
        (3, "conflict"),
        (4, "malformed"),
    ]
    assert [item["errors"][0]["field"] for item in result["errors"]] == [
        "price",
        "sku",
        "category_id",
        "",
    ]
    made = Product.objects.filter(sku__startswith="B-").order_by("sku")
    assert [item.pk for item in made] == result["ids"]


def test_continue_without_errors_lists_none(run: Run) -> None:
    assert run("TagBulkCreate", data=[{"name": "x"}], on_error="continue")["errors"] == []


def test_an_unreadable_row_stops(run: Run) -> None:
    rows = [product(0), Malformed("line 2 is not JSON")]
    error = refused(run, "ProductBulkCreate", Malformed, data=iter(rows))
    assert fields(error) == [("data.1", "malformed")]


@pytest.mark.parametrize("name", ["sku", "id"])
def test_a_key_twice_in_one_data(run: Run, name: str) -> None:
    value = {"sku": "B-9", "id": 987_654}[name]
    rows = [product(0), product(1, **{name: value}), product(2, **{name: value})]
    error = refused(run, "ProductBulkCreate", Invalid, data=rows)
    assert fields(error) == [(f"data.2.{name}", "duplicate")]


def test_skip_leaves_existing_rows_alone(run: Run) -> None:
    taken = Product.objects.all()[0]
    rows = [product(0), product(1, sku=taken.sku)]
    result = run(
        "ProductBulkCreate",
        data=rows,
        conflict_resolution="skip",
        conflict_on=["sku"],
        **{"return": "ids"},
    )
    assert numbers(result) == (2, 1, 0, 0, 1)
    assert len(result["ids"]) == 1
    assert Product.objects.get(pk=taken.pk).name == taken.name


def test_skip_of_any_key_where_none_is_named(run: Run) -> None:
    taken = Product.objects.values_list("sku", flat=True)[0]
    rows = [product(0), product(1, sku=taken)]
    assert numbers(run("ProductBulkCreate", data=rows, conflict_resolution="skip")) == (
        2,
        1,
        0,
        0,
        1,
    )


def test_skip_of_one_key_does_not_hide_another(run: Run) -> None:
    taken = Product.objects.all()[0]
    rows = [product(1, sku=taken.sku)]
    refused(
        run,
        "ProductBulkCreate",
        Conflict,
        data=rows,
        conflict_resolution="skip",
        conflict_on=["id"],
    )


def test_dry_run_changes_nothing_and_answers_the_same(run: Run) -> None:
    result = run("ProductBulkCreate", data=products(3), dry_run=True, **{"return": "records"})
    assert numbers(result) == (3, 3, 0, 0, 0)
    assert [item["sku"] for item in result["records"]] == ["B-0", "B-1", "B-2"]
    assert not Product.objects.filter(sku__startswith="B-").exists()


def test_max_affected_rolls_back(run: Run) -> None:
    refused(run, "ProductBulkCreate", LimitExceeded, data=products(3), max_affected=2)
    assert not Product.objects.filter(sku__startswith="B-").exists()
    assert numbers(run("ProductBulkCreate", data=products(3), max_affected=3))[1] == 3


def test_too_many_rows(run: Run, nexus: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setattr(
        nexus.catalog, "configuration", replace(nexus.catalog.configuration, max_bulk_rows=5)
    )
    refused(run, "ProductBulkCreate", LimitExceeded, data=products(6))
    assert numbers(run("ProductBulkCreate", data=products(5)))[1] == 5


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "data"),
        ({"data": None}, "data"),
        ({"data": {"sku": "x"}}, "data"),
        ({"data": "rows"}, "data"),
        ({"data": 3}, "data"),
        ({"data": [], "batch_size": 0}, "batch_size"),
        ({"data": [], "batch_size": "10"}, "batch_size"),
        ({"data": [], "return": "all"}, "return"),
        ({"data": [], "on_error": "ignore"}, "on_error"),
        ({"data": [], "conflict_resolution": "update"}, "conflict_resolution"),
        ({"data": [], "conflict_on": ["name"]}, "conflict_on"),
        ({"data": [], "conflict_on": ["nothing"]}, "conflict_on.0"),
        ({"data": [], "conflict_on": []}, "conflict_on"),
        ({"data": [], "conflict_on": 5}, "conflict_on"),
        ({"data": [], "max_affected": -1}, "max_affected"),
        ({"data": [], "dry_run": "yes"}, "dry_run"),
        ({"data": [], "rows": []}, "rows"),
    ],
)
def test_wrong_parameters_are_named(run: Run, params: dict[str, Any], field: str) -> None:
    error = refused(run, "ProductBulkCreate", Invalid, **params)
    assert [item.field for item in error.errors] == [field]


# --- upsert ----------------------------------------------------------------------------------------------------------


def test_upsert_inserts_and_updates(run: Run) -> None:
    taken = Product.objects.all()[0]
    rows = [product(0), product(1, sku=taken.sku, stock=77)]
    result = run("ProductBulkUpsert", data=rows, conflict_on=["sku"], **{"return": "ids"})
    assert numbers(result) == (2, 1, 1, 0, 0)
    assert result["ids"][1] == taken.pk
    after = Product.objects.get(pk=taken.pk)
    assert (after.stock, after.name, after.description) == (77, "Bulk 1", taken.description)


def test_upsert_by_the_primary_key(run: Run) -> None:
    result = run(
        "CountryBulkUpsert",
        data=[{"code": "DE", "name": "Deutschland"}, {"code": "ZZ", "name": "Zed"}],
    )
    assert numbers(result) == (2, 1, 1, 0, 0)
    rows = [{"code": "SKU-00001", "valid_from": "2025-01-01", "price": "9.99"}]
    assert numbers(run("PriceListEntryBulkUpsert", data=rows)) == (1, 0, 1, 0, 0)
    entry = PriceListEntry.objects.get(code="SKU-00001", valid_from="2025-01-01")
    assert entry.price == Decimal("9.99")


def test_upsert_without_a_key_inserts(run: Run) -> None:
    assert numbers(run("ProductBulkUpsert", data=products(3))) == (3, 3, 0, 0, 0)


def test_upsert_changes_existing_rows_without_what_new_ones_need(run: Run) -> None:
    skus = list(Product.objects.order_by("pk").values_list("sku", flat=True)[:5])
    rows = [{"sku": sku, "stock": 1000 + n} for n, sku in enumerate(skus)]
    assert numbers(run("ProductBulkUpsert", data=rows, conflict_on=["sku"])) == (5, 0, 5, 0, 0)
    stocks = Product.objects.filter(sku__in=skus).order_by("pk").values_list("stock", flat=True)
    assert list(stocks) == [1000, 1001, 1002, 1003, 1004]
    rows.insert(2, {"sku": "B-1", "stock": 1})
    error = refused(run, "ProductBulkUpsert", Invalid, data=rows, conflict_on=["sku"])
    assert fields(error) == [("data.2.name", "required")] or fields(error) == [
        ("data.2.name", "required"),
        ("data.2.price", "required"),
    ]


def test_upsert_sets_auto_now(run: Run) -> None:
    key = run("EverythingCreate", text="a", char_unique="k")["id"]
    before = Everything.objects.get(pk=key)
    rows = [{"char_unique": "k", "text": "b"}]
    run("EverythingBulkUpsert", data=rows, conflict_on=["char_unique"])
    after = Everything.objects.get(pk=key)
    assert after.text == "b"
    assert after.updated_at > before.updated_at
    assert after.uuid == before.uuid


@pytest.mark.parametrize(("resolution", "expected"), [("skip", (2, 1, 0, 0, 1)), ("error", None)])
def test_upsert_resolutions(run: Run, resolution: str, expected: Any) -> None:
    taken = Product.objects.all()[0]
    params = {
        "data": [product(0), product(1, sku=taken.sku)],
        "conflict_on": ["sku"],
        "conflict_resolution": resolution,
    }
    if expected is None:
        refused(run, "ProductBulkUpsert", Conflict, **params)
    else:
        assert numbers(run("ProductBulkUpsert", **params)) == expected
    assert Product.objects.get(pk=taken.pk).name == taken.name


def test_upsert_needs_the_named_key(run: Run) -> None:
    error = refused(run, "ProductBulkUpsert", Invalid, data=[{"name": "x"}], conflict_on=["sku"])
    assert ("data.0.sku", "required") in fields(error)


def test_upsert_through_instances(run: Run) -> None:
    key = run("NoteCreate", title="Old title")["id"]
    result = run("NoteBulkUpsert", data=[{"id": key, "title": "New title"}, {"title": "Another"}])
    assert numbers(result) == (2, 1, 1, 0, 0)
    assert Note.objects.get(pk=key).slug == "new-title"


# --- update ----------------------------------------------------------------------------------------------------------


def test_update_by_filter(run: Run) -> None:
    wanted = Product.objects.filter(active=False).count()
    assert wanted
    result = run(
        "ProductBulkUpdate", filter={"active": False}, fields={"stock": {"$inc": 5}, "name": "x"}
    )
    assert numbers(result) == (wanted, 0, wanted, 0, 0)
    assert Product.objects.filter(active=False, name="x").count() == wanted


def test_update_by_filter_returns_records(run: Run) -> None:
    result = run(
        "ProductBulkUpdate",
        filter={"stock": {"$lt": 50}},
        fields={"price": {"$multiply": "1.1"}},
        **{"return": "records"},
    )
    listed = run("ProductList", filter={"stock": {"$lt": 50}}, order_by=["id"])
    assert result["records"] == listed["records"]


def test_update_by_filter_over_a_relation(run: Run) -> None:
    wanted = Product.objects.filter(category__slug="paper").count()
    result = run("ProductBulkUpdate", filter={"category.slug": "paper"}, fields={"stock": 1})
    assert numbers(result) == (wanted, 0, wanted, 0, 0)


@pytest.mark.parametrize("condition", [{}, {"$and": []}, {"id": {"$nin": []}}])
def test_an_empty_filter_has_to_be_confirmed(run: Run, condition: dict[str, Any]) -> None:
    error = refused(run, "ProductBulkUpdate", Invalid, filter=condition, fields={"stock": 3})
    assert fields(error) == [("confirmed", "required")]
    refused(run, "ProductBulkDelete", Invalid, filter=condition)
    total = Product.objects.count()
    result = run("ProductBulkUpdate", filter=condition, fields={"stock": 3}, confirmed=True)
    assert numbers(result) == (total, 0, total, 0, 0)


def test_update_with_other_values_per_row(run: Run) -> None:
    ids = list(Product.objects.order_by("pk").values_list("pk", flat=True)[:3])
    rows = [
        {"id": ids[0], "stock": 5},
        {"id": ids[1], "stock": 6, "category_id": None},
        {"id": ids[2], "stock": {"$inc": 7}, "name": "n"},
    ]
    before = Product.objects.get(pk=ids[2]).stock
    result = run("ProductBulkUpdate", data=rows, **{"return": "ids"})
    assert numbers(result) == (3, 0, 3, 0, 0)
    assert result["ids"] == ids
    assert [Product.objects.get(pk=key).stock for key in ids] == [5, 6, before + 7]


def test_update_of_composite_keys(run: Run) -> None:
    rows = [
        {"id": {"code": "SKU-00001", "valid_from": "2025-01-01"}, "note": "a"},
        {"code": "SKU-00002", "valid_from": "2025-01-01", "note": "b"},
    ]
    assert numbers(run("PriceListEntryBulkUpdate", data=rows)) == (2, 0, 2, 0, 0)
    notes = (
        PriceListEntry.objects.exclude(note=None).order_by("code").values_list("note", flat=True)
    )
    assert list(notes) == ["a", "b"]


def test_update_of_a_missing_row(run: Run) -> None:
    key = Product.objects.all()[0].pk
    rows = [{"id": key, "stock": 4242}, {"id": 999_999, "stock": 1}]
    error = refused(run, "ProductBulkUpdate", NotFound, data=rows)
    assert fields(error) == [("data.1", "not_found")]
    assert Product.objects.get(pk=key).stock != 4242
    result = run("ProductBulkUpdate", data=rows, on_error="continue")
    assert numbers(result) == (2, 0, 1, 0, 0)
    assert result["errors"][0]["code"] == "not_found"


def test_update_through_instances(run: Run) -> None:
    key = run("NoteCreate", title="Old title")["id"]
    run("NoteBulkUpdate", data=[{"id": key, "title": "By row"}])
    assert Note.objects.get(pk=key).slug == "by-row"
    run("NoteBulkUpdate", filter={"id": key}, fields={"title": "By filter"})
    assert Note.objects.get(pk=key).slug == "by-filter"


def test_update_of_lists_of_ids(run: Run) -> None:
    key = Product.objects.all()[0].pk
    run("ProductBulkUpdate", filter={"id": key}, fields={"tags": []})
    assert not Product.objects.get(pk=key).tags.exists()


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "filter"),
        ({"filter": {"stock": 1}}, "fields"),
        ({"filter": {"stock": 1}, "fields": {}}, "fields"),
        ({"filter": {"stock": 1}, "fields": []}, "fields"),
        ({"filter": [], "fields": {"stock": 1}}, "filter"),
        ({"filter": {"stock": 1}, "fields": {"id": 1}}, "fields.id"),
        ({"filter": {"stock": 1}, "fields": {"stok": 1}}, "fields.stok"),
        ({"filter": {"stock": 1}, "fields": {"stock": None}}, "fields.stock"),
        ({"filter": {"stock": 1}, "data": []}, "filter"),
        ({"data": [{"stock": 1}]}, "data.0.id"),
        ({"data": [{"id": "x", "stock": 1}]}, "data.0.id"),
        ({"data": [{"id": 1, "stock": 1}, {"id": 1, "stock": 2}]}, "data.1.id"),
        ({"data": [{"id": 1, "stock": {"$add": 1}}]}, "data.0.stock"),
        ({"data": [{"id": 1, "name": {"$inc": 1}}]}, "data.0.name"),
    ],
)
def test_wrong_updates_are_named(run: Run, params: dict[str, Any], field: str) -> None:
    error = refused(run, "ProductBulkUpdate", Invalid, **params)
    assert [item.field for item in error.errors] == [field]


def test_update_past_the_range_of_a_column(run: Run) -> None:
    stock = list(Product.objects.order_by("pk").values_list("stock", flat=True))
    change = {"stock": {"$inc": 2_147_483_647}}
    error = refused(run, "ProductBulkUpdate", Invalid, filter={"stock": {"$gt": 0}}, fields=change)
    assert fields(error) == [("stock", "range")]
    assert list(Product.objects.order_by("pk").values_list("stock", flat=True)) == stock


def test_update_dry_run_and_max_affected(run: Run) -> None:
    everything = {"filter": {}, "confirmed": True, "fields": {"stock": 123}}
    assert (
        run("ProductBulkUpdate", **everything, dry_run=True)["updated"] == Product.objects.count()
    )
    refused(run, "ProductBulkUpdate", LimitExceeded, **everything, max_affected=3)
    assert not Product.objects.filter(stock=123).exclude(stock__lt=123).count() > 3


# --- delete ----------------------------------------------------------------------------------------------------------


def test_delete_by_ids(run: Run) -> None:
    run("TagBulkCreate", data=[{"name": "one"}, {"name": "two"}])
    ids = list(Tag.objects.filter(name__in=["one", "two"]).values_list("pk", flat=True))
    result = run("TagBulkDelete", ids=[*ids, 999_999, ids[0]], **{"return": "ids"})
    assert numbers(result) == (3, 0, 0, 2, 1)
    assert result["ids"] == ids
    assert not Tag.objects.filter(pk__in=ids).exists()


def test_delete_by_filter_returns_what_was_there(run: Run) -> None:
    listed = run("PriceListEntryList", filter={"code": "SKU-00001"}, order_by=["valid_from"])
    result = run("PriceListEntryBulkDelete", filter={"code": "SKU-00001"}, **{"return": "records"})
    assert numbers(result) == (2, 0, 0, 2, 0)
    assert result["records"] == listed["records"]
    assert not PriceListEntry.objects.filter(code="SKU-00001").exists()


def test_delete_by_filter_is_one_statement_where_nothing_refers(run: Run, statements: Any) -> None:
    with statements() as seen:
        assert run("PriceListEntryBulkDelete", filter={"code": "SKU-00001"})["deleted"] == 2
    deletes = [item for item in seen.captured_queries if "DELETE" in item["sql"]]
    assert len(deletes) == 1


def test_delete_by_composite_ids(run: Run) -> None:
    ids = [{"code": "SKU-00001", "valid_from": "2025-01-01"}]
    assert numbers(run("PriceListEntryBulkDelete", ids=ids)) == (1, 0, 0, 1, 0)


def test_delete_honours_on_delete(run: Run) -> None:
    paper = Category.objects.get(slug="paper")
    inside = list(paper.products.values_list("pk", flat=True))
    assert numbers(run("CategoryBulkDelete", ids=[paper.pk]))[3] == 1
    assert not Product.objects.filter(pk__in=inside).exclude(category=None).exists()
    ordered = OrderItem.objects.all()[0].product_id
    refused(run, "ProductBulkDelete", Conflict, ids=[ordered])
    assert Product.objects.filter(pk=ordered).exists()


def test_delete_everything_only_when_confirmed(run: Run) -> None:
    error = refused(run, "PriceListEntryBulkDelete", Invalid, filter={})
    assert fields(error) == [("confirmed", "required")]
    total = PriceListEntry.objects.count()
    dry = run("PriceListEntryBulkDelete", filter={}, confirmed=True, dry_run=True)
    assert numbers(dry) == (total, 0, 0, total, 0)
    assert PriceListEntry.objects.count() == total
    refused(
        run, "PriceListEntryBulkDelete", LimitExceeded, filter={}, confirmed=True, max_affected=1
    )
    assert PriceListEntry.objects.count() == total
    assert run("PriceListEntryBulkDelete", filter={}, confirmed=True)["deleted"] == total


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "filter"),
        ({"ids": [], "filter": {}}, "ids"),
        ({"ids": 5}, "ids"),
        ({"ids": ["x"]}, "ids.0"),
        ({"ids": [None]}, "ids.0"),
        ({"ids": [1], "records": []}, "records"),
    ],
)
def test_wrong_deletes_are_named(run: Run, params: dict[str, Any], field: str) -> None:
    error = refused(run, "ProductBulkDelete", Invalid, **params)
    assert [item.field for item in error.errors] == [field]


def test_customers_go_with_their_orders(run: Run) -> None:
    customer = Customer.objects.filter(orders__isnull=False).first()
    assert customer is not None
    assert run("CustomerBulkDelete", ids=[customer.pk])["deleted"] == 1
    assert not Order.objects.filter(customer_id=customer.pk).exists()


def test_postgresql_reads_rows_from_one_document(run: Run, database: str, statements: Any) -> None:
    with statements() as seen:
        run("ProductBulkUpsert", data=products(10), conflict_on=["sku"])
    sent = [item["sql"] for item in seen.captured_queries if item["sql"].startswith("INSERT")]
    expected = 1 if connections[database].vendor == "postgresql" else 10
    assert len(sent) == expected
    assert ("json_populate_recordset" in sent[0]) == (database == POSTGRESQL)
