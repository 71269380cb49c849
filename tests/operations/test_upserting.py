"""Upsert, in both forms: one record is made, or the one that has the key is changed."""

from typing import Any

import pytest

from dataflow_nexus import Conflict, Invalid, NotFound
from testproject.shop.models import Everything, OrderItem, Product, Tag
from tests.operations.bulks import Run, fields, product, refused


def test_flat_values_make_a_record_and_then_change_it(run: Run) -> None:
    first = run("ProductUpsert", **product(1, stock=3), conflict_on=["sku"])
    assert first["created"] is True
    assert first["record"] == run("ProductRead", filter={"sku": "B-1"})
    second = run("ProductUpsert", **product(1, name="other"), conflict_on=["sku"])
    assert second == {"created": False, "record": {**first["record"], "name": "other"}}
    assert Product.objects.filter(sku="B-1").count() == 1


def test_an_existing_record_needs_no_more_than_its_key(run: Run) -> None:
    run("ProductUpsert", **product(1), conflict_on=["sku"])
    changed = run("ProductUpsert", sku="B-1", stock=9, conflict_on="sku")
    assert (changed["created"], changed["record"]["stock"]) == (False, 9)
    same = run("ProductUpsert", sku="B-1", conflict_on=["sku"])
    assert same == changed


def test_a_new_record_needs_what_create_needs(run: Run) -> None:
    error = refused(run, "ProductUpsert", Invalid, sku="B-1", stock=1, conflict_on=["sku"])
    assert fields(error) == [("name", "required"), ("price", "required")]
    error = refused(run, "ProductUpsert", Invalid, where={"sku": "B-1"}, update={"stock": 1})
    assert sorted(fields(error)) == [("name", "required"), ("price", "required")]
    assert not Product.objects.filter(sku="B-1").exists()


def test_the_primary_key_is_the_default(run: Run) -> None:
    made = run("ProductUpsert", **product(1), id=987_654)
    assert (made["created"], made["record"]["id"]) == (True, 987_654)
    assert run("ProductUpsert", id=987_654, stock=2)["created"] is False
    assert fields(refused(run, "ProductUpsert", Invalid, **product(2))) == [("id", "required")]
    key = {"code": "NEW", "valid_from": "2030-01-01"}
    assert run("PriceListEntryUpsert", **key, price=1)["created"] is True
    changed = run("PriceListEntryUpsert", **key, price=2)
    assert changed == {"created": False, "record": {**key, "price": "2.00", "note": None}}


def test_where_with_create_and_update(run: Run) -> None:
    params: dict[str, Any] = {
        "where": {"sku": "B-1"},
        "create": {"name": "x", "price": 1, "stock": 1},
        "update": {"stock": {"$inc": 10}},
    }
    stocks = [run("ProductUpsert", **params)["record"]["stock"] for _ in range(3)]
    assert stocks == [1, 11, 21]
    assert run("ProductUpsert", where={"sku": "B-1"})["record"]["stock"] == 21


def test_an_update_of_the_key_itself(run: Run) -> None:
    run("ProductCreate", **product(1))
    moved = run("ProductUpsert", where={"sku": "B-1"}, update={"sku": "B-2"})
    assert (moved["created"], moved["record"]["sku"]) == (False, "B-2")
    error = refused(run, "ProductUpsert", Invalid, where={"id": 1}, update={"id": 2})
    assert fields(error) == [("update.id", "primary_key")]


def test_keys_of_several_fields_in_any_order(run: Run) -> None:
    line = OrderItem.objects.all()[0]
    values = {"product_id": line.product_id, "order_id": line.order_id, "quantity": 7}
    for key in (["order_id", "product_id"], ["product_id", "order_id"]):
        found = run("OrderItemUpsert", **values, unit_price=1, conflict_on=key)
        assert (found["created"], found["record"]["id"]) == (False, line.pk)
    assert OrderItem.objects.get(pk=line.pk).quantity == 7


def test_null_in_the_key_inserts(run: Run) -> None:
    for _ in range(2):
        made = run("EverythingUpsert", text="null", char_unique=None, conflict_on=["char_unique"])
        assert made["created"] is True
    made = run(
        "EverythingUpsert",
        where={"char_unique": None},
        create={"text": "null"},
        update={"small": 1},
    )
    assert (made["created"], made["record"]["small"]) == (True, 0)
    assert Everything.objects.filter(text="null").count() == 3


def test_another_unique_key_is_a_conflict(run: Run) -> None:
    first, second = Product.objects.order_by("pk")[:2]
    for params in (
        {"id": first.pk, "sku": second.sku},
        {"where": {"id": first.pk}, "update": {"sku": second.sku}},
        {**product(1), "id": 987_654, "sku": second.sku},
        {**product(1), "sku": "B-1", "id": first.pk, "conflict_on": ["sku"]},
    ):
        error = refused(run, "ProductUpsert", Conflict, **params)
        assert [code for _, code in fields(error)] == ["unique"]
    assert Product.objects.get(pk=first.pk).sku == first.sku
    assert not Product.objects.filter(sku="B-1").exists()


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({**product(1), "conflict_on": ["name"]}, [("conflict_on", "unique_key")]),
        ({**product(1), "conflict_on": ["skew"]}, [("conflict_on.0", "unknown")]),
        ({"name": "x", "conflict_on": ["sku"]}, [("sku", "required")]),
        ({**product(1), "stock": {"$inc": 1}, "conflict_on": ["sku"]}, [("stock", "operator")]),
        ({"where": {"name": "x"}}, [("where", "unique_key")]),
        ({"where": {"sku": "B-1", "id": 1}}, [("where", "unique_key")]),
        ({"where": {"sku": "B-1"}, "create": {"sku": "B-2"}}, [("create.sku", "exclusive")]),
        (
            {"where": {"sku": "B-1"}, "create": {"stock": {"$inc": 1}}},
            [("create.stock", "operator")],
        ),
        ({"where": {"sku": "B-1"}, "update": {"prise": 1}}, [("update.prise", "unknown")]),
        ({"where": {"sku": "B-1"}, "stock": 1}, [("stock", "exclusive")]),
        ({"where": {"sku": "B-1"}, "conflict_on": ["sku"]}, [("conflict_on", "exclusive")]),
        ({"create": product(1)}, [("create", "exclusive")]),
    ],
)
def test_wrong_parameters_are_named(
    run: Run, params: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    error = refused(run, "ProductUpsert", Invalid, **params)
    assert fields(error) == found
    assert not Product.objects.filter(sku="B-1").exists()


def test_a_model_with_its_own_code_is_made_and_changed_through_it(run: Run) -> None:
    values = {"starts_on": "2026-01-01", "ends_on": "2026-01-02"}
    made = run("PromotionUpsert", name="P", **values, conflict_on=["name"])
    assert made["created"] is True
    changed = run("PromotionUpsert", name="P", percent=20, conflict_on=["name"])
    assert (changed["created"], changed["record"]["percent"]) == (False, 20)
    error = refused(
        run, "PromotionUpsert", Invalid, name="P", ends_on="2020-01-01", conflict_on=["name"]
    )
    assert fields(error) == [("ends_on", "invalid")]


def test_lists_of_ids(run: Run) -> None:
    one, two = Tag.objects.order_by("pk").values_list("pk", flat=True)[:2]
    made = run("ProductUpsert", **product(1), tags=[one, two], conflict_on=["sku"])
    assert (made["created"], made["record"]["tags"]) == (True, [one, two])
    changed = run("ProductUpsert", **product(1), tags=[two], conflict_on=["sku"])
    assert (changed["created"], changed["record"]["tags"]) == (False, [two])
    error = refused(run, "ProductUpsert", Conflict, sku="B-1", tags=[999_999], conflict_on=["sku"])
    assert fields(error) == [("tags", "foreign_key")]


def test_auto_now_and_defaults_follow_django(run: Run) -> None:
    made = run("EverythingUpsert", text="x", char_unique="u", conflict_on=["char_unique"])["record"]
    changed = run("EverythingUpsert", text="y", char_unique="u", conflict_on=["char_unique"])
    record = changed["record"]
    assert (record["db_default_integer"], record["uuid"]) == (7, made["uuid"])
    assert record["updated_at"] > made["updated_at"]
    assert record["datetime"] == made["datetime"]


def test_dry_run_answers_and_leaves_nothing(run: Run) -> None:
    made = run("ProductUpsert", **product(1), conflict_on=["sku"], dry_run=True)
    assert (made["created"], made["record"]["sku"]) == (True, "B-1")
    refused(run, "ProductRead", NotFound, filter={"sku": "B-1"})
    one = Product.objects.all()[0]
    changed = run("ProductUpsert", where={"id": one.pk}, update={"stock": -1}, dry_run=True)
    assert (changed["created"], changed["record"]["stock"]) == (False, -1)
    assert Product.objects.get(pk=one.pk).stock == one.stock
