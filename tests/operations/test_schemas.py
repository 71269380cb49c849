"""JSON Schemas: valid ones, as a grant shows the model."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.conf import Configuration
from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.operations.verbs import VERBS
from dataflow_nexus.registry import Registry


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    registry = Registry()
    registry.register_pattern("shop.*")
    return Catalog(registry, Configuration(authentication_required=False), VERBS)


def input_of(catalog: Catalog, node: str, principal: Principal = SYSTEM) -> dict[str, Any]:
    operation = catalog.operations[f"{node}Node"]
    return schemas.input_schema(operation, schemas.grants_on(operation.exposed, principal))


def output_of(catalog: Catalog, node: str, principal: Principal = SYSTEM) -> dict[str, Any]:
    operation = catalog.operations[f"{node}Node"]
    return schemas.output_schema(operation, schemas.grants_on(operation.exposed, principal))


def accepts(schema: dict[str, Any], value: Any) -> bool:
    return bool(Draft202012Validator(schema).is_valid(value))


def test_every_schema_is_valid(catalog: Catalog) -> None:
    for operation in catalog.operations.values():
        grants = schemas.grants_on(operation.exposed, SYSTEM)
        Draft202012Validator.check_schema(schemas.input_schema(operation, grants))
        Draft202012Validator.check_schema(schemas.output_schema(operation, grants))


def test_every_parameter_is_described(catalog: Catalog) -> None:
    for operation in catalog.operations.values():
        properties = schemas.input_schema(operation, {})["properties"]
        assert set(operation.verb.parameters) <= set(properties)
        assert all(properties[name]["description"] for name in operation.verb.parameters)


def test_create(catalog: Catalog) -> None:
    schema = input_of(catalog, "ProductCreate")
    assert schema["required"] == ["sku", "name", "price"]
    assert schema["additionalProperties"] is False
    assert accepts(schema, {"sku": "a", "name": "b", "price": "1.50", "category_id": None})
    assert accepts(schema, {"sku": "a", "name": "b", "price": 1.5, "tags": [1]})
    assert not accepts(schema, {"sku": "a", "name": "b"})
    assert not accepts(schema, {"sku": "a", "name": "b", "price": 1, "stock": None})
    assert not accepts(schema, {"sku": "a" * 21, "name": "b", "price": 1})
    assert not accepts(schema, {"sku": "a", "name": "b", "price": 1, "prise": 2})


def test_choices_and_null(catalog: Catalog) -> None:
    schema = input_of(catalog, "EverythingCreate")
    assert accepts(schema, {"text": "x", "level": None})
    assert accepts(schema, {"text": "x", "level": 1})
    assert not accepts(schema, {"text": "x", "level": 3})
    assert not accepts(schema, {"text": "x", "colour": None})
    assert "generated" not in schema["properties"]


def test_a_write_shows_the_whole_record_or_nothing(catalog: Catalog) -> None:
    """Nothing where it took the record out of sight."""
    schema = output_of(catalog, "CountryUpdate")
    assert accepts(schema, {"code": "DE", "name": "Germany"})
    assert accepts(schema, {})
    assert not accepts(schema, {"code": "DE"})
    assert not accepts(output_of(catalog, "CountryRead"), {"other": 1})


def test_update_takes_operators(catalog: Catalog) -> None:
    schema = input_of(catalog, "ProductUpdate")
    assert "required" not in schema
    assert accepts(schema, {"id": 1, "stock": {"$inc": 1}, "price": {"$multiply": 0.9}})
    assert not accepts(schema, {"id": 1, "active": {"$inc": 1}})
    assert accepts(schema, {"id": 1, "name": {"$append": "!"}})


def test_keys(catalog: Catalog) -> None:
    assert input_of(catalog, "CountryRead")["properties"]["id"]["maxLength"] == 2
    schema = input_of(catalog, "PriceListEntryRead")
    assert accepts(schema, {"id": {"code": "A", "valid_from": "2026-01-01"}})
    assert not accepts(schema, {"id": {"code": "A"}})


def test_arrays() -> None:
    registry = Registry()
    registry.register_pattern("pgtypes.*")
    catalog = Catalog(registry, Configuration(authentication_required=False), VERBS)
    written, read = input_of(catalog, "ArraysCreate"), output_of(catalog, "ArraysRead")
    assert accepts(written, {"decimals": [1, "1.5", None], "integers": [None, 1], "nested": [[1]]})
    assert not accepts(written, {"integers": [2**31]})
    assert not accepts(written, {"texts": ["x" * 51]})
    assert accepts(read, {"decimals": ["1.50", None], "nested": [[1, None], [2, 3]]})
    assert not accepts(read, {"decimals": [1.5]})


def test_bulk(catalog: Catalog) -> None:
    schema = input_of(catalog, "ProductBulkCreate")
    assert schema["required"] == ["data"]
    assert schema["properties"]["conflict_resolution"]["enum"] == ["error", "skip"]
    numbers = dict.fromkeys(("processed", "inserted", "updated", "deleted", "skipped"), 0)
    assert accepts(output_of(catalog, "ProductBulkCreate"), numbers)
    assert accepts(output_of(catalog, "ProductBulkCreate"), {**numbers, "ids": [1, 2]})


@pytest.mark.parametrize(
    ("node", "result"),
    [
        ("ProductDelete", {"id": 1, "deleted": True}),
        ("ProductCount", {"count": 3}),
        ("ProductAggregate", {"groups": [{"sum_price": "1.50"}]}),
        ("CountryRead", {"code": "DE", "name": "Germany"}),
        ("CountryRead", {"name": "Germany", "customers": []}),
        ("CountryCreate", {"code": "DE", "name": "Germany"}),
        ("CountryUpsert", {"created": True, "record": {"code": "DE", "name": "Germany"}}),
        ("CountryList", {"records": [], "count": None, "limit": 1, "offset": 0, "next": None}),
    ],
)
def test_results(catalog: Catalog, node: str, result: dict[str, Any]) -> None:
    schema = output_of(catalog, node)
    assert accepts(schema, result)
    for name in result:
        assert node == "CountryRead" or not accepts(
            schema, {k: v for k, v in result.items() if k != name}
        )


def test_hidden_fields_are_in_no_schema(catalog: Catalog) -> None:
    source = Source(
        read=frozenset({"id", "name"}), write=frozenset({"name", "sku"}), presets={"sku": "x"}
    )
    actions = ("view", "add", "change", "delete")
    sam = Principal(kind="user", name="sam", held={("shop.product", a): (source,) for a in actions})
    assert list(output_of(catalog, "ProductCreate", sam)["properties"]) == ["id", "name"]
    create = input_of(catalog, "ProductCreate", sam)
    assert set(create["properties"]) == {"sku", "name", "fields", "dry_run"}
    assert create["required"] == ["name"]


def test_a_field_that_some_rows_hide_is_not_required(catalog: Catalog) -> None:
    sources = (
        Source(rows={"active": True}, read=frozenset({"id", "name"})),
        Source(rows={"active": False}, read=frozenset({"id"})),
    )
    sam = Principal(kind="user", name="sam", held={("shop.product", "view"): sources})
    operation = catalog.operations["ProductReadNode"]
    schema = schemas.record_schema(
        operation.exposed, schemas.grants_on(operation.exposed, sam)["view"]
    )
    assert (list(schema["properties"]), schema["required"]) == (["id", "name"], ["id"])


def test_nothing_is_shown_without_a_grant_to_view(catalog: Catalog) -> None:
    add = Principal(kind="user", name="sam", held={("shop.product", "add"): (Source(),)})
    assert output_of(catalog, "ProductCreate", add)["properties"] == {}
