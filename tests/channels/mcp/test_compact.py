"""The compact set: an agent finds its way among hundreds of models, and does its work in few calls."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import models
from mcp import Client, StdioServerParameters, stdio_client

from dataflow_nexus.channels.mcp.asking import Selection
from dataflow_nexus.channels.mcp.searching import MAX_FIELDS
from dataflow_nexus.operations.base import Catalog
from testproject.shop.models import Category, Product
from tests.access.asking import rule, somebody
from tests.channels.mcp import business
from tests.channels.mcp.agent import Agent, catalog_of, registry_of, shop_agent
from tests.processes import NEXUS, PROJECT, environment

COMPACT = Selection(tools="compact")


def searched(agent: Agent, query: str, **more: Any) -> list[str]:
    """The resources found, best first."""
    return [item["model"] for item in agent.call("search_models", query=query, **more)["models"]]


# --- searching the shop -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("unit quantity", "order_items"),
        ("orders", "orders"),
        ("products", "products"),
        ("product", "products"),
        ("Product", "products"),
        ("PRODUCTS", "products"),
        ("categories", "categories"),
        ("category", "categories"),
        ("OrderItem", "order_items"),
        ("order items", "order_items"),
        ("order_item", "order_items"),
        ("items of an order", "order_items"),
        ("cust", "customers"),
        ("promo", "promotions"),
        ("countries", "countries"),
        ("price list", "price_list_entries"),
        ("newsletter", "customers"),
        ("quantity", "order_items"),
        ("which customers are there?", "customers"),
        ("composite key", "price_list_entries"),
        ("starts ends percent", "promotions"),
    ],
)
def test_words_find_the_model_that_they_mean(query: str, first: str) -> None:
    assert searched(shop_agent(tools="compact"), query)[0] == first


def test_names_count_more_than_descriptions_and_fields() -> None:
    """`products` is also a field of promotions, and a product one of order items."""
    found = searched(shop_agent(tools="compact"), "products")
    assert found[0] == "products"
    assert {"promotions", "order_items", "notes"} <= set(found)


def test_what_is_found_is_told() -> None:
    answer = shop_agent(tools="compact").call("search_models", query="tree", limit=1)
    assert answer == {
        "models": [
            {
                "model": "categories",
                "name": "Category",
                "description": "A tree.",
                "fields": ["id", "name", "slug", "parent_id"],
            }
        ],
        "total": 1,
    }


@pytest.mark.parametrize("query", ["", "   ", "!?", "☃"])
def test_no_words_find_everything(query: str) -> None:
    agent = shop_agent(tools="compact")
    resources = [exposed.resource for exposed in agent.catalog.registry]
    assert searched(agent, query, limit=50) == resources
    assert searched(agent, query) == resources[:10]
    assert agent.call("search_models", query=query)["total"] == len(resources)


@pytest.mark.parametrize("query", ["zzz", "the", "of is", "z" * 100_000])
def test_other_words_find_nothing(query: str) -> None:
    answer = shop_agent(tools="compact").call("search_models", query=query)
    assert answer == {"models": [], "total": 0}


def test_the_limit() -> None:
    agent = shop_agent(tools="compact")
    for limit, length in ((1, 1), (3, 3), (3.0, 3), (None, 10)):
        assert len(searched(agent, "", limit=limit)) == length
    assert agent.call("search_models", query="", limit=1)["total"] > 10


@pytest.mark.parametrize(
    ("arguments", "field", "code"),
    [
        ({}, "query", "required"),
        ({"query": None}, "query", "required"),
        ({"query": 5}, "query", "type"),
        ({"query": ["a"]}, "query", "type"),
        ({"query": "a", "limit": 0}, "limit", "range"),
        ({"query": "a", "limit": 51}, "limit", "range"),
        ({"query": "a", "limit": -1}, "limit", "range"),
        ({"query": "a", "limit": 2**70}, "limit", "range"),
        ({"query": "a", "limit": "5"}, "limit", "type"),
        ({"query": "a", "limit": True}, "limit", "type"),
        ({"query": "a", "limit": 1.5}, "limit", "type"),
        ({"query": "a", "words": "b"}, "words", "unknown"),
    ],
)
def test_wrong_arguments_of_a_search_are_named(
    arguments: dict[str, Any], field: str, code: str
) -> None:
    problem = shop_agent(tools="compact").error("search_models", **arguments)
    assert problem["code"] == "invalid"
    assert [(item["field"], item["code"]) for item in problem["errors"]] == [(field, code)]


def test_fields_that_are_hidden_find_nothing_and_are_not_told() -> None:
    asker = somebody(
        {(Product, "view"): rule(read="id name"), (Category, "add"): rule(write="slug")}
    )
    agent = shop_agent(asker, tools="compact")
    assert (
        searched(agent, "price") == searched(agent, "stock") == searched(agent, "customers") == []
    )
    assert searched(agent, "parent") == []
    found = agent.call("search_models", query="")["models"]
    assert [(item["model"], item["fields"]) for item in found] == [
        ("products", ["id", "name"]),
        ("categories", ["slug"]),
    ]


def wide(number: int, length: int = 0) -> type[models.Model]:
    fields = {
        f"column_{index:03}": models.IntegerField(help_text="h" * length) for index in range(number)
    }
    meta = type("Meta", (), {"app_label": "wide", "managed": False})
    return type(
        f"Wide{number}x{length}", (models.Model,), {"__module__": __name__, "Meta": meta, **fields}
    )


def test_a_search_tells_only_the_first_fields_of_a_wide_model() -> None:
    agent = Agent(catalog_of(registry_of(wide(100))), selection=COMPACT)
    (found,) = agent.call("search_models", query="column 099")["models"]
    assert len(found["fields"]) == MAX_FIELDS
    assert found["more_fields"] == 101 - MAX_FIELDS


# --- describing -------------------------------------------------------------------------------------------------------


def described(agent: Agent, *names: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = agent.call("describe_models", models=list(names))["models"]
    return found


@pytest.mark.parametrize("name", ["products", "Product", "shop.Product"])
def test_a_model_is_described_by_any_of_its_names(name: str) -> None:
    (found,) = described(shop_agent(tools="compact"), name)
    assert (found["model"], found["name"]) == ("products", "Product")


def test_models_come_in_the_order_asked_for_and_each_once() -> None:
    agent = shop_agent(tools="compact")
    found = described(agent, "tags", "products", "Tag", "shop.Product", "tags")
    assert [item["model"] for item in found] == ["tags", "products"]


def test_a_name_of_two_classes_wants_its_app() -> None:
    other = type(
        "Product",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": type("Meta", (), {"app_label": "other", "managed": False}),
        },
    )
    registry = registry_of(Product)
    registry.register(other, resource="other_products")
    agent = Agent(catalog_of(registry), selection=COMPACT)
    assert described(agent, "other.Product")[0]["model"] == "other_products"
    assert described(agent, "shop.Product", "OtherProduct")[1]["name"] == "OtherProduct"
    assert agent.error("describe_models", models=["Product"])["code"] == "not_found"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("product", ' — did you mean "products"?'),
        ("order_item", ' — did you mean "order_items"?'),
        ("zzz", ""),
        ("", ""),
        ("auth.User", ""),
        ("x" * 10_000, ""),
    ],
)
def test_an_unknown_model_is_named_with_the_nearest(name: str, near: str) -> None:
    problem = shop_agent(tools="compact").error("describe_models", models=["tags", name])
    assert (problem["code"], problem["detail"]) == (
        "not_found",
        f'there is no model "{name}"{near}',
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "required"),
        ({"models": None}, "required"),
        ({"models": []}, "required"),
        ({"models": 5}, "type"),
        ({"models": [5]}, "type"),
        ({"models": ["tags", None]}, "type"),
        ({"models": {"a": 1}}, "type"),
    ],
)
def test_wrong_names_are_named(arguments: dict[str, Any], code: str) -> None:
    problem = shop_agent(tools="compact").error("describe_models", **arguments)
    assert [(item["field"], item["code"]) for item in problem["errors"]] == [("models", code)]


def test_not_too_many_at_a_time() -> None:
    agent = shop_agent(tools="compact")
    assert described(agent, *["tags"] * 20)
    assert agent.error("describe_models", models=["tags"] * 21)["code"] == "limit_exceeded"
    wide_agent = Agent(catalog_of(registry_of(wide(100, 3000))), selection=COMPACT)
    problem = wide_agent.error("describe_models", models=["Wide100x3000"])
    assert problem["code"] == "limit_exceeded"
    assert "describe fewer models" in problem["detail"]


# --- 500 models -------------------------------------------------------------------------------------------------------


@cache
def company() -> Catalog:
    """The 500 models without their database."""
    registry = registry_of()
    kinds: Mapping[str, Any] = {
        "int": models.IntegerField, "date": models.DateField, "datetime": models.DateTimeField,
        "float": models.FloatField,
    }  # fmt: skip
    made: dict[str, type[models.Model]] = {}
    for domain in business.DOMAINS:
        for entity, text in business.ENTITIES.items():
            meta = type("Meta", (), {"app_label": "company", "managed": False})
            body: dict[str, Any] = {"__module__": __name__, "Meta": meta}
            for item in text.format(domain).split("; "):
                name, kind = item.split(": ")
                if kind in made:
                    body[name] = models.ForeignKey(made[kind], models.CASCADE)
                elif kind == "Decimal":
                    body[name] = models.DecimalField(max_digits=19, decimal_places=4)
                else:
                    body[name] = kinds.get(kind, models.TextField)()
            made[domain + entity] = type(domain + entity, (models.Model,), body)
            registry.register(made[domain + entity])
    return catalog_of(registry)


def test_a_plain_name_finds_each_of_500_models() -> None:
    agent = Agent(company())
    assert len(business.NAMES) == 500
    missed = []
    for name in business.NAMES:
        exposed = company().registry.named(name)
        assert exposed is not None
        words = exposed.resource.replace("_", " ")
        if searched(agent, words, limit=1) != [exposed.resource]:
            missed.append(words)
    assert missed == []


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What did we spend on vehicle inspections in mining?", "mining_inspections"),
        ("comments on hotel tickets", "hotel_ticket_comments"),
        ("lines of purchase orders of the school", "school_purchase_order_lines"),
        ("Which employees of the laundry were absent?", "laundry_employees"),
        ("plates of fleet vehicles", "fleet_vehicles"),
        ("warehouse stock movements by reason", "warehouse_stock_movements"),
    ],
)
def test_questions_find_models(question: str, first: str) -> None:
    assert first in searched(Agent(company()), question, limit=3)


@pytest.fixture(params=["sqlite", "postgresql"])
def application(
    request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[[], str]
) -> Path:
    """The company's program, with rows about freight in its database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/company.db"
        with sqlite3.connect(tmp_path / "company.db") as connection:
            connection.executescript(business.TABLES.format(**business.SQLITE))
        connection.close()
    else:
        url = new_database()
        with psycopg.connect(url) as server:
            server.execute(business.TABLES.format(**business.POSTGRESQL))
    path = tmp_path / "company.py"
    path.write_text(business.APPLICATION.format(url=url))
    return path


async def answer_a_question(application: Path) -> tuple[list[str], Any]:
    """Which account in the north has paid most freight invoices? Only what answers said is used to ask on."""
    calls: list[str] = []
    server = StdioServerParameters(
        command=NEXUS,
        args=["--app", str(application), "mcp"],
        env=environment(PYTHONPATH=str(PROJECT)),
        cwd=application.parent,
    )
    async with Client(stdio_client(server)) as client:

        async def call(name: str, **arguments: Any) -> Any:
            calls.append(name)
            result = await client.call_tool(name, arguments)
            assert not result.is_error, result.content
            return result.structured_content

        assert len((await client.list_tools()).tools) == 11
        found = await call("search_models", query="freight invoices and their accounts", limit=2)
        names = [item["model"] for item in found["models"]]
        told = (await call("describe_models", models=names))["models"]
        invoices = next(item for item in told if item["name"].endswith("Invoice"))
        accounts = next(item for item in told if item is not invoices)
        relation = next(r["name"] for r in invoices["relations"] if r["model"] == accounts["model"])
        money = next(field["name"] for field in invoices["fields"] if field["type"] == "decimal")
        filter_ = {relation: {"region": "north"}, "status": "paid"}
        page = await call(
            "list_records", model=invoices["model"], filter=filter_, expand=[relation]
        )
        assert {record[relation]["region"] for record in page["records"]} == {"north"}
        sums = await call(
            "aggregate_records",
            model=invoices["model"],
            filter=filter_,
            group_by=[f"{relation}.name"],
            aggregate={"paid": {"$sum": money}},
            order_by=["-paid"],
        )
        return calls, json.loads(json.dumps([names, len(page["records"]), sums["groups"]]))


def test_a_question_about_500_models_takes_few_calls(application: Path) -> None:
    calls, (names, rows, groups) = asyncio.run(answer_a_question(application))
    assert names == ["freight_invoices", "freight_accounts"]
    assert rows == 3
    assert [group["account.name"] for group in groups] == ["Harbour", "Quay"]
    assert [float(group["paid"]) for group in groups] == [30.5, 5.25]
    assert len(calls) <= 6
