"""A model is described as far as the grants of the asker show it."""

from typing import Any

import pytest

from dataflow_nexus.channels.mcp.asking import Selection
from testproject.shop.models import Category, Note, PriceListEntry, Product
from tests.access.asking import rule, somebody
from tests.channels.mcp.agent import Agent, catalog_of, registry_of
from tests.channels.mcp.sellers import SETS, SHOWN, agent_of, everything, seller


def test_a_description_shows_what_the_grant_shows() -> None:
    agent = agent_of(seller(), "compact")
    product, category = agent.call("describe_models", models=["products", "Category"])["models"]
    assert [field["name"] for field in product["fields"]] == SHOWN.split()
    assert product["relations"] == [
        {"name": "category", "model": "categories", "field": "category_id"}
    ]
    assert product["search_fields"] == ["name"]
    assert product["unique"] == [["sku"]]
    flags = {f["name"]: {k for k in f if f[k] is True} for f in product["fields"]}
    assert flags["sku"] == set(), "writable, and a preset fills it"
    assert flags["name"] == {"required"}
    assert flags["id"] == flags["category_id"] - {"nullable"} == {"read_only"}
    assert [field["name"] for field in category["fields"]] == ["id", "name"]
    assert category["unique"] == []
    assert category["relations"] == [{"name": "products", "model": "products", "many": True}], (
        "children is the other side of the parent, which is hidden"
    )
    assert category["operations"] == ["read", "list", "count", "aggregate"]


def related(agent: Agent, *models: str) -> list[list[str]]:
    described = agent.call("describe_models", models=list(models))["models"]
    return [[relation["name"] for relation in model["relations"]] for model in described]


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        ("id name", [[], []]),
        ("id name category_id", [["category"], ["products"]]),
    ],
)
def test_a_relation_is_told_on_both_sides_or_on_none(shown: str, names: Any, database: str) -> None:
    """As expand follows it."""
    principal = somebody(
        {(Product, "view"): rule(read=shown), (Category, "view"): rule(read="id name")}
    )
    agent = agent_of(principal, "compact")
    assert related(agent, "products", "categories") == names
    for model, name in (("products", "category"), ("categories", "products")):
        result = agent.result("list_records", {"model": model, "expand": [name]})
        assert ("isError" in result) is (not names[0])


def test_a_relation_whose_field_is_not_exposed_is_told_on_no_side() -> None:
    registry = registry_of(Product, Category, exclude=["category", "tags"])
    agent = Agent(catalog_of(registry), selection=Selection(tools="compact"))
    assert related(agent, "products", "categories") == [[], ["children", "parent"]]


def test_a_field_that_can_only_be_written() -> None:
    agent = agent_of(somebody({(Note, "add"): rule(write="title body")}), "compact")
    (note,) = agent.call("describe_models", models=["notes"])["models"]
    assert [(field["name"], field["write_only"]) for field in note["fields"]] == [
        ("title", True),
        ("body", True),
    ]
    assert note["key"] == []
    assert "relations" not in note


def test_a_composite_key_is_described_as_far_as_it_is_shown() -> None:
    some = somebody({(PriceListEntry, "view"): rule(read="code price")})
    (found,) = agent_of(some, "compact").call("describe_models", models=["PriceListEntry"])[
        "models"
    ]
    assert found["key"] == ["code"]
    assert [field["name"] for field in found["fields"]] == ["code", "price"]
    for tools in SETS:
        for where, text in everything(agent_of(some, tools)):
            assert "note" not in text, where
