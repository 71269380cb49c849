"""The OpenAPI document: valid, complete, and true of what is answered."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from dataflow_nexus.nexus import Nexus
from tests.channels.rest import snapshot
from tests.channels.rest.conftest import Ask, Reply

METHODS = {"get", "put", "post", "delete", "patch"}
ROUTES = {
    "list": [("get", "")], "create": [("post", "")], "upsert": [("put", "")], "count": [("get", "/count")],
    "aggregate": [("get", "/aggregate"), ("post", "/aggregate")], "bulk_create": [("post", "/bulk")],
    "bulk_update": [("patch", "/bulk")], "bulk_delete": [("delete", "/bulk")], "bulk_upsert": [("put", "/bulk")],
    "read": [("get", "/{key}")], "update": [("patch", "/{key}"), ("put", "/{key}")], "delete": [("delete", "/{key}")],
}  # fmt: skip
Schema = dict[str, Any]


@pytest.fixture
def document(ask: Ask) -> Schema:
    reply = ask("GET", "/api/openapi.json")
    assert (reply.status, reply["Content-Type"]) == (200, "application/json")
    found: Schema = reply.json
    return found


def operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, item in document["paths"].items():
        assert path.startswith("/")
        assert set(item) <= METHODS
        for method, operation in item.items():
            yield path, method, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def resolved(document: Schema, value: Schema) -> Schema:
    while "$ref" in value:
        found: Any = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        value = found
    return value


def schemas(document: Schema) -> Iterator[Schema]:
    yield from document["components"]["schemas"].values()
    for _, _, operation in operations(document):
        contents = [operation.get("requestBody", {})]
        contents += [resolved(document, item) for item in operation["responses"].values()]
        for parameter in operation.get("parameters", []):
            found = resolved(document, parameter)
            yield from (found[name] for name in ("schema",) if name in found)
            contents.append(found)
        for item in contents:
            yield from (media["schema"] for media in item.get("content", {}).values())


# --- the document itself --------------------------------------------------------------------------


def test_the_document_is_one_of_openapi(document: Schema) -> None:
    assert document["openapi"] == "3.1.0"
    assert set(document) == {"openapi", "info", "servers", "tags", "paths", "components"}
    assert document["info"]["title"] == "Sample shop"
    assert document["info"]["version"]
    assert document["servers"] == [{"url": "/"}]
    names = [name for kind in document["components"].values() for name in kind]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)


def test_links_lead_on(ask: Ask, document: Schema) -> None:
    """From a record that an answer holds, to what can be done with it."""
    known = {operation["operationId"] for _, _, operation in operations(document)}
    for _, _, operation in operations(document):
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                assert link["operationId"] in known
                assert list(link["parameters"]) == ["key"]
    tags = document["paths"]["/api/tags"]
    for method, status, body, pointer in (
        ("post", 201, {"name": "linked"}, "/id"),
        ("put", 201, {"name": "linked too", "conflict_on": ["name"]}, "/record/id"),
        ("get", 200, None, "/records/0/id"),
    ):
        reply = ask(method.upper(), "/api/tags", body)
        assert reply.status == status
        links = tags[method]["responses"][str(status)]["links"]
        assert links["read"]["parameters"]["key"] == f"$response.body#{pointer}"
        assert set(links) == ({"read"} if body is None else {"read", "update", "replace", "delete"})
        found: Any = reply.json
        for step in pointer.removeprefix("/").split("/"):
            found = found[int(step) if step.isdigit() else step]
        assert ask("GET", f"/api/tags/{found}").status == 200
    # what a text looks like in a path is not to be said in a link
    assert "links" not in document["paths"]["/api/countries"]["post"]["responses"]["201"]


def test_every_reference_leads_somewhere(document: Schema) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        assert resolved(document, {"$ref": reference})


def test_every_schema_is_valid(document: Schema) -> None:
    found = list(schemas(document))
    assert len(found) > 100
    for schema in found:
        Draft202012Validator.check_schema(schema)


def test_every_operation_is_described(document: Schema) -> None:
    ids = []
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in operations(document):
        ids.append(operation["operationId"])
        assert set(operation.get("tags", [])) <= tags
        assert set(operation["responses"]) >= {"4XX", "5XX"}
        assert any(status.startswith("2") for status in operation["responses"])
        parameters = [resolved(document, item) for item in operation.get("parameters", [])]
        places = [(item["in"], item["name"]) for item in parameters]
        assert len(set(places)) == len(places), (path, method)
        assert {name for place, name in places if place == "path"} == set(
            re.findall(r"{(\w+)}", path)
        )
        assert all(item["required"] for item in parameters if item["in"] == "path")
        assert all(("schema" in item) != ("content" in item) for item in parameters)
        assert ("requestBody" in operation) == (method != "get")
    assert len(set(ids)) == len(ids)


def test_every_operation_is_there(document: Schema, nexus: Nexus) -> None:
    for operation in nexus.catalog.operations.values():
        for method, suffix in ROUTES[operation.verb.name]:
            found = document["paths"][f"/api/{operation.exposed.resource}{suffix}"][method]
            assert found["tags"] == [operation.exposed.resource]
    for path in (
        "/api/workflows",
        "/api/workflows/{node}/execute",
        "/api/batch",
        "/health/live",
        "/health/ready",
    ):
        assert path in document["paths"]
    assert {f"/api/{exposed.resource}/export" for exposed in nexus.registry} <= set(
        document["paths"]
    )


def test_every_parameter_is_there(document: Schema, nexus: Nexus) -> None:
    for verb in ("list", "count", "aggregate", "read"):
        operation = nexus.catalog.operations[f"Product{verb.capitalize()}Node"]
        ((_, suffix), *_) = ROUTES[verb]
        given = document["paths"][f"/api/products{suffix}"]["get"]["parameters"]
        names = {resolved(document, item)["name"] for item in given}
        assert set(operation.verb.parameters) - {"id"} <= names


def test_the_snapshot_of_one_model(document: Schema) -> None:
    """What clients are generated from; a change here is a change for them."""
    assert snapshot.part(document) == json.loads(snapshot.FILE.read_text())


def test_the_prefix_is_followed(ask: Ask) -> None:
    assert ask("GET", "/api/openapi.json").body == ask("GET", "/api/openapi.json").body
    assert ask("HEAD", "/api/openapi.json").status == 200


# --- what is answered -----------------------------------------------------------------------------

NEW = {"sku": "N", "name": "n", "price": "1.00"}
EVERY = ["tags", "country", "parent", "children"]
ANSWERS: list[tuple[str, str, str, Any]] = [
    ("get", "/api/products", "?limit=3&count=exact", None),
    ("get", "/api/products", "?fields=id,price&expand=category,tags,order_items.order", None),
    ("post", "/api/products", "", NEW),
    ("post", "/api/products", "?dry_run=1", NEW),
    ("put", "/api/products", "", {**NEW, "conflict_on": ["sku"]}),
    ("put", "/api/products", "", {"id": 1, "stock": 1}),
    ("get", "/api/products/count", "?active=true", None),
    ("get", "/api/products/aggregate", "?group_by=active&avg=price", None),
    ("post", "/api/products/aggregate", "", {"aggregate": {"n": {"$count": "*"}}}),
    ("post", "/api/products/bulk", "", {"data": [NEW], "return": "records"}),
    ("post", "/api/products/bulk", "", {"data": [NEW, {}], "on_error": "continue"}),
    ("put", "/api/products/bulk", "", {"data": [{"id": 1, "stock": 1}], "return": "ids"}),
    ("patch", "/api/products/bulk", "", {"filter": {"id": 1}, "fields": {"stock": 1}}),
    ("delete", "/api/order_items/bulk", "", {"ids": [1], "return": "records"}),
    ("get", "/api/products/{key}", "?expand=category", None),
    ("patch", "/api/products/{key}", "", {"stock": {"$inc": 1}}),
    ("put", "/api/products/{key}", "", NEW),
    ("delete", "/api/order_items/{key}", "", None),
    ("get", "/api/products/export", "?limit=2", None),
    ("get", "/api/workflows", "", None),
    ("post", "/api/batch", "", {"operations": [{"node": "ProductCountNode"}]}),
    ("get", "/health/live", "", None),
    ("get", "/health/ready", "", None),
    ("post", "/api/everythings", "", {"text": "x", "json": {"a": [1]}, "tags": [1], "duration": "P1D", "level": 1}),
    ("post", "/api/everythings", "", {"text": "x", "decimal": "1.5", "uuid_null": None, "binary": "AA=="}),
    ("post", "/api/notes", "", {"title": "x"}),
    ("post", "/api/promotions", "", {"name": "x", "starts_on": "2026-01-01", "ends_on": "2026-01-02"}),
]  # fmt: skip
REFUSED: list[tuple[str, str, str, Any]] = [
    ("get", "/api/products", "?prise=1", None),
    ("post", "/api/products", "", {}),
    ("delete", "/api/products/{key}", "", None),
    ("get", "/api/nope", "", None),
    ("post", "/api/batch", "", {"operations": []}),
]


def validator(document: Schema, schema: Schema) -> Draft202012Validator:
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    rooted = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
    return Draft202012Validator(rooted, registry=Registry().with_resource("urn:document", resource))


def request(ask: Ask, method: str, path: str, query: str, body: Any) -> Reply:
    return ask(method.upper(), path.replace("{key}", "1") + query, body)


@pytest.mark.parametrize(("method", "path", "query", "body"), ANSWERS)
def test_answers_are_as_described(
    ask: Ask, document: Schema, method: str, path: str, query: str, body: Any
) -> None:
    operation = document["paths"][path][method]
    reply = request(ask, method, path, query, body)
    described = resolved(document, operation["responses"][str(reply.status)])
    schema = described["content"][reply["Content-Type"]]["schema"]
    errors = [error.message for error in validator(document, schema).iter_errors(reply.json)]
    assert errors == []
    assert reply.has("Location") == (reply.status == 201)
    if body is not None:
        sent = operation["requestBody"]["content"]["application/json"]["schema"]
        assert [error.message for error in validator(document, sent).iter_errors(body)] == []


@pytest.mark.parametrize(("method", "path", "query", "body"), REFUSED)
def test_problems_are_as_described(
    ask: Ask, document: Schema, method: str, path: str, query: str, body: Any
) -> None:
    reply = request(ask, method, path, query, body)
    described = resolved(document, document["components"]["responses"]["Problem"])
    schema = described["content"][reply["Content-Type"]]["schema"]
    assert reply.status >= 400
    assert [error.message for error in validator(document, schema).iter_errors(reply.json)] == []


def test_a_schema_refuses_what_an_operation_refuses(ask: Ask, document: Schema) -> None:
    """Not all of it (a schema knows no other record), but types, required fields and unknown names."""
    schema = document["paths"]["/api/products"]["post"]["requestBody"]["content"][
        "application/json"
    ]["schema"]
    for body in (
        {},
        {**NEW, "colour": 1},
        {**NEW, "name": None},
        {**NEW, "stock": "1"},
        {**NEW, "sku": "x" * 21},
    ):
        assert not validator(document, schema).is_valid(body)
        assert ask("POST", "/api/products", body).status == 422
