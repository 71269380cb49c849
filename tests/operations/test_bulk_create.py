"""Bulk create: all or nothing, the good rows alone, and every way to be wrong."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from dataflow_nexus import Conflict, Invalid, LimitExceeded
from dataflow_nexus.exceptions import Malformed
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.queries import copying
from testproject.shop.models import (
    Everything,
    Note,
    Order,
    OrderItem,
    Product,
    Promotion,
    Tag,
)
from tests.operations.bulks import Run, fields, numbers, product, products, refused


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
        rows = [{"name": f"t{n}"} for n in range(100)]
        run("TagBulkCreate", data=rows, batch_size=50, **{"return": "ids"})
    inserts = [item for item in seen.captured_queries if item["sql"].startswith("INSERT")]
    assert len(inserts) == 2


def test_rows_whose_keys_nobody_wants_are_copied(nexus: Nexus, on_postgresql: str) -> None:
    """Every character that COPY gives a meaning, and a null in each place."""
    texts = ["tab\t", "line\nbreak\r", "back\\slash", "\\N", "\\.", "N", ",\"'{}", "☃ 𝄞"]
    rows = [
        {"text": text, "char_null": None if n % 2 else text, "json": [text], "binary": "AAEC/w=="}
        for n, text in enumerate(texts)
    ]
    with CaptureQueriesContext(connections[on_postgresql]) as seen:
        found = nexus.execute("EverythingBulkCreateNode", data=rows)
    assert found["inserted"] == len(texts)
    assert not [item for item in seen.captured_queries if "INSERT" in item["sql"]]
    made = list(Everything.objects.filter(text__in=texts).order_by("pk"))
    assert [item.text for item in made] == texts
    assert [item.char_null for item in made] == [row["char_null"] for row in rows]
    assert [item.json for item in made] == [[text] for text in texts]
    assert bytes(made[0].binary) == b"\x00\x01\x02\xff"


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE shop_tag ENABLE ROW LEVEL SECURITY",
        "CREATE RULE quiet AS ON INSERT TO shop_tag DO ALSO SELECT 1",
    ],
)
def test_tables_that_are_more_than_tables_take_inserts(
    nexus: Nexus, on_postgresql: str, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_known", {})
    connection = connections[on_postgresql]
    with connection.cursor() as cursor:
        cursor.execute(change)
    with CaptureQueriesContext(connection) as seen:
        assert nexus.execute("TagBulkCreateNode", data=[{"name": "one"}])["inserted"] == 1
    assert [item for item in seen.captured_queries if item["sql"].startswith("INSERT")]


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


def test_skip_looks_at_no_reference_of_a_row_that_is_there(run: Run) -> None:
    run("ProductBulkCreate", data=products(1))
    rows = [product(0, category_id=987_654), product(1)]
    result = run("ProductBulkCreate", data=rows, conflict_resolution="skip")
    assert numbers(result) == (2, 1, 0, 0, 1)
    assert Product.objects.get(sku="B-0").category_id != 987_654
    rows = [product(0, category_id=987_654), product(2, category_id=987_654)]
    error = refused(run, "ProductBulkCreate", Conflict, data=rows, conflict_resolution="skip")
    assert fields(error) == [("data.1.category_id", "foreign_key")]


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
