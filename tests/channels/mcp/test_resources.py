"""Resources, prompts and completion over HTTP, in both eras."""

import json
from typing import Any

import pytest

from tests.channels.mcp.client import ask, ask_modern

pytestmark = pytest.mark.django_db
PARAMS, HEADERS = -32602, -32020


@pytest.mark.parametrize(
    "uri", ["schema://models/nothing", "schema://models/", "schema://x", "x", "", "a\x00"]
)
def test_a_resource_that_is_not_there(uri: str) -> None:
    reply = ask("resources/read", {"uri": uri})
    assert (reply.fault, reply.json["error"]["data"]) == ((200, -32002), {"uri": uri})
    reply = ask_modern("resources/read", {"uri": uri})
    if reply.fault[1] != HEADERS:  # not every uri can be a header as it is
        assert (reply.fault, reply.json["error"]["data"]) == ((400, PARAMS), {"uri": uri})


@pytest.mark.parametrize("name", ["products", "Product", "shop.Product"])
def test_a_resource_by_any_name(name: str) -> None:
    uri = f"schema://models/{name}"
    (content,) = ask("resources/read", {"uri": uri}).result["contents"]
    assert (content["uri"], content["mimeType"]) == (uri, "application/json")
    described = json.loads(content["text"])
    assert described["model"] == "products"
    found = ask("tools/call", {"name": "describe_models", "arguments": {"models": [name]}}).result
    assert found["structuredContent"] == {"models": [described]}


def test_every_resource_that_is_listed_can_be_read() -> None:
    listed = ask("resources/list").result["resources"]
    assert {"schema://models/products", "schema://models/order_items"} <= {r["uri"] for r in listed}
    for item in listed:
        (content,) = ask("resources/read", {"uri": item["uri"]}).result["contents"]
        assert json.loads(content["text"])["model"] == item["name"]
    (template,) = ask("resources/templates/list").result["resourceTemplates"]
    assert template["uriTemplate"] == "schema://models/{name}"


@pytest.mark.parametrize("path", ["/mcp?tools=models", "/mcp?tools=compact"])
def test_prompts(path: str) -> None:
    prompts = {item["name"]: item for item in ask("prompts/list", path=path).result["prompts"]}
    assert set(prompts) == {"explore_database", "bulk_change"}
    given = {"model": "Product", "change": "double the price"}
    found = ask("prompts/get", {"name": "bulk_change", "arguments": given}, path=path).result
    text = found["messages"][0]["content"]["text"]
    assert "double the price" in text
    assert ("update_records" in text) == ("compact" in path)
    assert ("bulk_update_products" in text) == ("models" in path)
    assert ask("prompts/get", {"name": "explore_database"}, path=path).result["messages"]


@pytest.mark.parametrize(
    ("ref", "argument", "values"),
    [
        (
            {"type": "ref/prompt", "name": "bulk_change"},
            {"name": "model", "value": "prod"},
            ["products"],
        ),
        (
            {"type": "ref/resource", "uri": "schema://models/{name}"},
            {"name": "name", "value": "pri"},
            None,
        ),
        ({"type": "ref/prompt", "name": "bulk_change"}, {"name": "change", "value": ""}, []),
        ({"type": "ref/prompt", "name": "bulk_change"}, {"name": "model", "value": "\x00"}, []),
    ],
)
def test_completion(ref: Any, argument: Any, values: list[str] | None) -> None:
    found = ask("completion/complete", {"ref": ref, "argument": argument}).result["completion"]
    if values is None:
        assert found["values"]
        assert all(value.startswith(argument["value"]) for value in found["values"])
    else:
        assert found["values"] == values
    assert (found["total"], found["hasMore"]) == (len(found["values"]), False)
