"""A record that is answered is what the database holds after its triggers; one that refuses is the caller's error."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from dataflow_nexus import Conflict, Invalid, NotFound
from dataflow_nexus.operations import triggers
from testproject.shop.models import Product
from tests.operations.bulks import Run, product, refused
from tests.routing import POSTGRESQL

Trigger = Callable[..., None]
CHANGES = {
    POSTGRESQL: "UPDATE shop_product SET name = 'after ' || name WHERE id = NEW.id; RETURN NULL;",
    "default": "UPDATE shop_product SET name = 'after ' || name WHERE id = NEW.id;",
}
REFUSES = {
    POSTGRESQL: "RAISE EXCEPTION 'no product today';",
    "default": "SELECT RAISE(ABORT, 'no product today');",
}
SWALLOWS = {POSTGRESQL: "RETURN NULL;", "default": "SELECT RAISE(IGNORE);"}


@pytest.fixture
def trigger(database: str, monkeypatch: pytest.MonkeyPatch) -> Trigger:
    """Make a trigger on the products for the length of the test's transaction."""
    monkeypatch.setattr(triggers, "_known", {})

    def make(when: str, body: str, name: str = "changing") -> None:
        triggers._known.clear()
        start = f"CREATE TRIGGER {name} {when} ON shop_product FOR EACH ROW"
        statements = [f"{start} BEGIN {body} END"]
        if database == POSTGRESQL:
            function = f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
            statements = [
                f"{function} AS $$ BEGIN {body} END $$",
                f"{start} EXECUTE FUNCTION {name}()",
            ]
        with connections[database].cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    return make


def held(key: int) -> str:
    return str(Product.objects.get(pk=key).name)


def test_a_trigger_before_the_write(run: Run, database: str, trigger: Trigger) -> None:
    if database != POSTGRESQL:
        pytest.skip("a trigger of SQLite can't change the row before it is written")
    trigger("BEFORE INSERT OR UPDATE", "NEW.name := upper(NEW.name); RETURN NEW;")
    made = run("ProductCreate", **product(1, name="low"))
    changed = run("ProductUpdate", id=made["id"], name="lower")
    upserted = run("ProductUpsert", **product(1, name="lowest"), conflict_on=["sku"])
    names = (made["name"], changed["name"], upserted["record"]["name"])
    assert names == ("LOW", "LOWER", "LOWEST")
    bulk = run("ProductBulkUpdate", data=[{"id": made["id"], "name": "b"}], **{"return": "records"})
    assert bulk["records"][0]["name"] == held(made["id"]) == "B"


def test_a_trigger_after_the_insert(run: Run, database: str, trigger: Trigger) -> None:
    trigger("AFTER INSERT", CHANGES[database])
    made = run("ProductCreate", **product(1, name="one"))
    assert made["name"] == held(made["id"]) == "after one"
    upserted = run("ProductUpsert", **product(2, name="two"), conflict_on=["sku"])
    assert (upserted["created"], upserted["record"]["name"]) == (True, "after two")
    bulk = run("ProductBulkCreate", data=[product(3, name="three")], **{"return": "records"})
    assert [item["name"] for item in bulk["records"]] == ["after three"]


def test_a_trigger_after_the_update(run: Run, database: str, trigger: Trigger) -> None:
    made = run("ProductCreate", **product(1, name="one"))
    trigger("AFTER UPDATE OF stock", CHANGES[database])
    changed = run("ProductUpdate", id=made["id"], stock={"$inc": 1})
    assert (changed["name"], changed["stock"]) == ("after one", 1)
    upserted = run("ProductUpsert", sku="B-1", stock=5, conflict_on=["sku"])
    assert (upserted["created"], upserted["record"]["name"]) == (False, "after after one")
    assert held(made["id"]) == "after after one"


@pytest.mark.parametrize(
    ("node", "params"),
    [
        ("ProductCreate", product(1)),
        ("ProductUpdate", {"id": 1, "stock": 7}),
        ("ProductUpdate", {"id": 1, "stock": 7, "tags": [1]}),
        ("ProductUpsert", {**product(1), "conflict_on": ["sku"]}),
        ("ProductUpsert", {"id": 1, "stock": 7}),
        ("ProductBulkCreate", {"data": [product(1), product(2)]}),
        ("ProductBulkUpdate", {"filter": {"id": 1}, "fields": {"stock": 7}}),
        ("ProductBulkUpdate", {"data": [{"id": 1, "stock": 7}]}),
    ],
)
def test_what_a_trigger_refuses_is_invalid(
    run: Run, database: str, trigger: Trigger, node: str, params: dict[str, Any]
) -> None:
    before = list(Product.objects.order_by("pk").values())
    for number, event in enumerate(("INSERT", "UPDATE")):
        trigger(f"BEFORE {event}", REFUSES[database], f"refusing_{number}")
    error = refused(run, node, Invalid, **params)
    assert "no product today" in str([error.detail, error.errors])
    assert list(Product.objects.order_by("pk").values()) == before


def test_a_delete_that_a_trigger_refuses(run: Run, database: str, trigger: Trigger) -> None:
    made = run("ProductCreate", **product(1))
    trigger("BEFORE DELETE", REFUSES[database])
    for node, params in (
        ("Delete", {"id": made["id"]}),
        ("BulkDelete", {"ids": [made["id"]]}),
    ):
        error = refused(run, f"Product{node}", Invalid, **params)
        assert "no product today" in error.detail
    assert Product.objects.filter(pk=made["id"]).exists()


@pytest.mark.parametrize(
    ("node", "params"),
    [
        ("ProductCreate", product(1)),
        ("ProductCreate", product(1, tags=[1])),
        ("ProductUpdate", {"id": 1, "stock": 7}),
        ("ProductUpsert", {**product(1), "conflict_on": ["sku"]}),
        ("ProductUpsert", {**product(1), "tags": [1], "conflict_on": ["sku"]}),
        ("ProductUpsert", {"id": 1, "stock": 7}),
    ],
)
def test_a_write_that_a_trigger_swallows_is_never_answered_as_done(
    run: Run, database: str, trigger: Trigger, node: str, params: dict[str, Any]
) -> None:
    before = list(Product.objects.order_by("pk").values())
    for number, event in enumerate(("INSERT", "UPDATE")):
        trigger(f"BEFORE {event}", SWALLOWS[database], f"swallowing_{number}")
    assert "trigger" in refused(run, node, Conflict, **params).detail
    assert list(Product.objects.order_by("pk").values()) == before


def test_no_trigger_makes_a_missing_record_a_conflict(
    run: Run, database: str, trigger: Trigger
) -> None:
    trigger("BEFORE UPDATE", SWALLOWS[database])
    refused(run, "ProductUpdate", NotFound, id=999_999, stock=1)
