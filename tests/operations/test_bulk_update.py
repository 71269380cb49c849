"""Bulk update and bulk delete: by filter, by row, by key."""

from typing import Any

import pytest

from dataflow_nexus import Conflict, Invalid, LimitExceeded, NotFound
from testproject.shop.models import (
    Category,
    Customer,
    Note,
    Order,
    OrderItem,
    PriceListEntry,
    Product,
    Tag,
)
from tests.operations.bulks import Run, fields, numbers, refused


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


@pytest.mark.parametrize(
    ("node", "params", "name"),
    [
        ("ProductBulkUpdate", {"data": [], "confirmed": {}}, "confirmed"),
        ("ProductBulkUpdate", {"filter": {"id": 1}, "fields": {"stock": 1}, "confirmed": 1}, "confirmed"),
        ("ProductBulkUpdate", {"filter": {"id": 1}, "fields": {"stock": 1}, "on_error": "x"}, "on_error"),
        ("ProductBulkUpdate", {"filter": {"id": 1}, "fields": {"stock": 1}, "batch_size": 0}, "batch_size"),
        ("ProductBulkDelete", {"ids": [], "confirmed": "yes"}, "confirmed"),
        ("ProductBulkDelete", {"filter": {"id": 1}, "confirmed": "yes"}, "confirmed"),
    ],
)  # fmt: skip
def test_idle_parameters_are_checked_too(
    run: Run, node: str, params: dict[str, Any], name: str
) -> None:
    error = refused(run, node, Invalid, **params)
    assert [item.field for item in error.errors] == [name]


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
