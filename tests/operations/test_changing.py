"""New values that the database computes from the old ones, and updates that replace a whole record."""

from decimal import Decimal
from typing import Any

import pytest

from dataflow_nexus import Invalid, NotFound
from testproject.shop.models import Everything, Product, Promotion
from tests.operations.bulks import Run, fields, product, refused


@pytest.mark.parametrize(
    ("name", "before", "change", "after"),
    [
        ("integer", 40, {"$inc": 2}, 42),
        ("integer", 40, {"$dec": 41}, -1),
        ("integer", 40, {"$multiply": 3}, 120),
        ("integer", 40, {"$set": 1}, 1),
        ("integer_null", None, {"$inc": 1}, None),
        ("decimal", "1.05", {"$inc": "0.10"}, "1.15"),
        ("decimal", "0.05", {"$multiply": "0.5"}, "0.03"),
        ("decimal", "10.00", {"$multiply": 0.9}, "9.00"),
        ("float", 0.5, {"$multiply": 3}, 1.5),
        ("float_null", None, {"$dec": 1}, None),
        ("char", "ab", {"$append": "ć"}, "abć"),
        ("char_null", None, {"$append": "x"}, "x"),
        ("json", [1], {"$append": {"a": None}}, [1, {"a": None}]),
        ("json", [1], {"$append": [2]}, [1, [2]]),
        ("json_null", None, {"$append": 1}, [1]),
        ("json", {}, {"$set": {"$inc": 1}}, {"$inc": 1}),
        ("json", {}, {"$set": [1]}, [1]),
        ("json", {}, {"inc": 1, "$x": 2}, {"inc": 1, "$x": 2}),
    ],
)
def test_operators(run: Run, name: str, before: Any, change: Any, after: Any) -> None:
    made = run("EverythingCreate", text="x", fields={name: {"$set": before}})
    assert made[name] == before
    changed = run("EverythingUpdate", id=made["id"], fields={name: change})
    assert changed[name] == after
    assert run("EverythingRead", id=made["id"]) == changed


@pytest.mark.parametrize(
    ("name", "value", "change", "code"),
    [
        ("small", 32_000, {"$inc": 1000}, "range"),
        ("positive", 1, {"$dec": 2}, "check"),
        ("big", 2**62, {"$multiply": 4}, "range"),
        ("integer", 1_999_999_999, {"$inc": 2}, "max_value"),
        ("decimal", "99999999.99", {"$inc": "0.01"}, "range"),
        ("code", "A1234567", {"$append": "8"}, "max_length"),
        ("code", "A1", {"$append": "x"}, "invalid"),
        ("level", 1, {"$inc": 5}, "choice"),
        ("json", {"a": 1}, {"$append": 1}, "type"),
        ("integer", 1, {"$inc": "x"}, "type"),
        ("integer", 1, {"$add": 1}, "unknown"),
        ("integer", 1, {"$inc": 1, "$dec": 2}, "operator"),
        ("boolean", True, {"$inc": 1}, "operator"),
        ("char", "x", {"$inc": 1}, "operator"),
        ("date", "2026-01-01", {"$append": 1}, "operator"),
        ("tags", [], {"$append": 1}, "operator"),
    ],
)
def test_limits_of_operators(run: Run, name: str, value: Any, change: Any, code: str) -> None:
    made = run("EverythingCreate", text="x", fields={name: value})
    error = refused(run, "EverythingUpdate", Invalid, id=made["id"], fields={name: change})
    assert [found for _, found in fields(error)] == [code]
    assert error.errors[0].field.removeprefix("fields.") == name
    assert run("EverythingRead", id=made["id"]) == made


@pytest.mark.parametrize("factor", ["1e400", "-1e400", 10**400, "1e999", "1e308"])
@pytest.mark.parametrize("name", ["decimal", "decimal_null", "float", "float_null", "big"])
def test_huge_factors(run: Run, name: str, factor: Any) -> None:
    """Zero times them is zero, null is null, and nothing else has room for the product."""
    operand = factor if name.startswith("decimal") else int(Decimal(factor))
    number = run("EverythingCreate", text="x", fields={name: 5})["id"]
    for params in ({"id": number}, {"id": number, "dry_run": True}):
        error = refused(
            run, "EverythingUpdate", Invalid, **params, fields={name: {"$multiply": operand}}
        )
        assert fields(error) in ([(name, "range")], [(f"fields.{name}", "range")])
    refused(
        run,
        "EverythingBulkUpdate",
        Invalid,
        filter={"id": number},
        fields={name: {"$multiply": operand}},
    )
    if name.startswith("decimal"):
        for before, after in (
            ((0, "0.00"), (None, None)) if name == "decimal_null" else ((0, "0.00"),)
        ):
            run("EverythingUpdate", id=number, fields={name: before})
            changed = run("EverythingUpdate", id=number, fields={name: {"$multiply": operand}})
            assert changed[name] == after


def test_operators_of_a_model_with_code_of_its_own(run: Run) -> None:
    made = run("PromotionCreate", name="P", starts_on="2026-01-01", ends_on="2026-01-02", percent=5)
    changed = run("PromotionUpdate", id=made["id"], percent={"$inc": 3}, name={"$append": "!"})
    assert (changed["percent"], changed["name"]) == (8, "P!")
    for change, code in (({"$dec": 9}, "range"), ({"$inc": 40_000}, "range")):
        error = refused(run, "PromotionUpdate", Invalid, id=made["id"], percent=change)
        assert fields(error) == [("percent", code)]
    assert Promotion.objects.get(pk=made["id"]).percent == 8


def test_several_operators_at_once_are_all_or_nothing(run: Run) -> None:
    made = run("ProductCreate", **product(1, stock=5))
    changed = run("ProductUpdate", id=made["id"], stock={"$dec": 2}, price={"$multiply": 2})
    assert (changed["stock"], changed["price"]) == (3, "5.00")
    wrong = {"stock": {"$inc": 2**31 - 1}, "price": {"$inc": 1}}
    refused(run, "ProductUpdate", Invalid, id=made["id"], **wrong)
    assert run("ProductRead", id=made["id"]) == changed


def test_operators_are_no_values_of_a_new_record(run: Run) -> None:
    error = refused(run, "ProductCreate", Invalid, **product(1, stock={"$inc": 1}))
    assert fields(error) == [("stock", "operator")]


# --- replace ---------------------------------------------------------------------------------------------------------


def test_replace_gives_absent_fields_their_defaults(run: Run) -> None:
    new = {
        "text": "x", "char_null": "c", "integer": 5, "db_default_integer": 1, "db_default_char": "y",
        "json": [1], "date": "2026-01-01", "country_id": "DE", "tags": [1], "uuid_null": None,
        "level": 2, "colour": "blue", "boolean": True,
    }  # fmt: skip
    made = run("EverythingCreate", **new)
    found = run("EverythingUpdate", id=made["id"], replace=True, text="y")
    assert {name: found[name] for name in new} == {
        "text": "y", "char_null": None, "integer": 0, "db_default_integer": 7,
        "db_default_char": "from the database", "json": {}, "date": None, "country_id": None, "tags": [],
        "uuid_null": None, "level": None, "colour": "red", "boolean": False,
    }  # fmt: skip
    assert found["uuid"] != made["uuid"]


def test_replace_needs_what_create_needs(run: Run) -> None:
    made = run("ProductCreate", **product(1, stock=5))
    error = refused(run, "ProductUpdate", Invalid, id=made["id"], replace=True, sku="B-2")
    assert fields(error) == [("name", "required"), ("price", "required")]
    assert run("ProductRead", id=made["id"]) == made


def test_replace_never_creates(run: Run) -> None:
    refused(run, "ProductUpdate", NotFound, id=999_999, replace=True, **product(1))
    assert not Product.objects.filter(sku="B-1").exists()


def test_replace_of_a_model_with_code_of_its_own(run: Run) -> None:
    made = run("NoteCreate", title="One", body="text", product_id=1)
    found = run("NoteUpdate", id=made["id"], replace=True, title="Two")
    assert found == {**made, "title": "Two", "slug": "two", "body": "", "product_id": None}


# --- nothing ---------------------------------------------------------------------------------------------------------


def test_an_update_of_nothing_answers_the_record(run: Run) -> None:
    made = run("EverythingCreate", text="x")
    for params in ({}, {"fields": {}}, {"dry_run": True}):
        assert run("EverythingUpdate", id=made["id"], **params) == made
    assert Everything.objects.get(pk=made["id"]).text == "x"
    refused(run, "EverythingUpdate", NotFound, id=999_999)
