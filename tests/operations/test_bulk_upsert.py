"""Bulk upsert: rows are new, change one that is there, or are left alone."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connections

from dataflow_nexus import Conflict, Invalid
from testproject.shop.models import (
    Everything,
    Note,
    PriceListEntry,
    Product,
)
from tests.operations.bulks import Run, fields, numbers, product, products, refused
from tests.routing import POSTGRESQL


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


def test_upsert_keeps_the_primary_key(run: Run) -> None:
    """A row may repeat the key of the record that it changes, or choose the key of a new one; it moves none."""
    one, two = Product.objects.order_by("pk")[:2]
    rows = [
        product(0, id=one.pk, sku=one.sku),
        {"id": two.pk, "sku": two.sku, "stock": 7},
        product(2, id=123_456),
    ]
    result = run("ProductBulkUpsert", data=rows, conflict_on=["sku"], **{"return": "ids"})
    assert numbers(result) == (3, 1, 2, 0, 0)
    assert result["ids"] == [one.pk, two.pk, 123_456]
    moved = [
        product(0, id=77_777, sku=one.sku, stock=1),
        {"id": 77_778, "sku": two.sku, "stock": 1},
    ]
    for row in moved:
        error = refused(run, "ProductBulkUpsert", Invalid, data=[row], conflict_on=["sku"])
        assert fields(error) == [("data.0.id", "primary_key")]
        error = refused(run, "ProductUpsert", Invalid, **row, conflict_on=["sku"])
        assert fields(error) == [("id", "primary_key")]
    where = {"where": {"sku": one.sku}, "create": {"id": 77_777}, "update": {"id": 77_777}}
    assert fields(refused(run, "ProductUpsert", Invalid, **where)) == [("update.id", "primary_key")]
    kept = run("ProductUpsert", **product(0, id=one.pk, sku=one.sku, stock=9), conflict_on="sku")
    assert (kept["created"], kept["record"]["id"], kept["record"]["stock"]) == (False, one.pk, 9)
    result = run("ProductBulkUpsert", data=moved, conflict_on=["sku"], on_error="continue")
    assert numbers(result) == (2, 0, 0, 0, 0)
    assert not Product.objects.filter(pk__gte=77_777, pk__lt=77_779).exists()


def test_upsert_through_instances(run: Run) -> None:
    key = run("NoteCreate", title="Old title")["id"]
    result = run("NoteBulkUpsert", data=[{"id": key, "title": "New title"}, {"title": "Another"}])
    assert numbers(result) == (2, 1, 1, 0, 0)
    assert Note.objects.get(pk=key).slug == "new-title"


def test_postgresql_reads_rows_from_one_document(run: Run, database: str, statements: Any) -> None:
    with statements() as seen:
        run("ProductBulkUpsert", data=products(10), conflict_on=["sku"])
    sent = [item["sql"] for item in seen.captured_queries if item["sql"].startswith("INSERT")]
    expected = 1 if connections[database].vendor == "postgresql" else 10
    assert len(sent) == expected
    assert ("json_populate_recordset" in sent[0]) == (database == POSTGRESQL)
