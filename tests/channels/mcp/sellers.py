"""Somebody who may know a part of the shop, and what that is."""

import json
from collections.abc import Iterator
from typing import Any

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.channels.mcp.asking import Selection
from testproject.shop.models import (
    Category,
    Customer,
    Document,
    Note,
    Order,
    OrderItem,
    PriceListEntry,
    Product,
    Tag,
)
from tests.access.asking import rule, somebody
from tests.channels.mcp.agent import Agent, catalog_of, registry_of

SETS: list[Any] = ["models", "compact"]
SHOWN = "id sku name active category_id"
HIDDEN = (
    "price",
    "stock",
    "description",
    "attrs",
    "created_at",
    "tags",
    "promotions",
    "order_items",
)
"""Of products, for the seller: fields, lists and relations."""
PRESET = {"sku": "PRESET", "price": "1.00"}


def seller() -> Principal:
    """Sees some fields of active products, makes products with a preset, and knows two models."""
    return somebody(
        {
            (Product, "view"): rule({"active": True}, SHOWN),
            (Product, "add"): rule(read=SHOWN, write="name sku active", presets=PRESET),
            (Product, "change"): rule({"active": True}, SHOWN, "name"),
            (Category, "view"): rule(read="id name"),
        }
    )


def application(**configuration: Any) -> Any:
    models = (Product, Category, Tag, Order, OrderItem, Customer, Note, Document, PriceListEntry)
    registry = registry_of(*models, search_fields=["name", "description", "category__name"])
    return catalog_of(registry, **configuration)


def agent_of(principal: Principal, tools: Any = "models", **configuration: Any) -> Agent:
    return Agent(application(**configuration), principal, Selection(tools=tools))


def everything(agent: Agent) -> Iterator[tuple[str, str]]:
    """All that is told to the asker before it calls an operation."""
    yield "tools", json.dumps(agent.tools())
    listed = agent.ask("resources/list")["resources"]
    yield "resources", json.dumps(listed)
    for item in listed:
        yield item["uri"], json.dumps(agent.ask("resources/read", {"uri": item["uri"]}))
    yield "search", json.dumps(agent.result("search_models", {"query": ""}))
    for letter in "abcdefghijklmnopqrstuvwxyz":
        yield f"completion {letter}", json.dumps(completed(agent, letter))
    yield "prompts", json.dumps(agent.ask("prompts/list"))


def completed(agent: Agent, started: str) -> list[str]:
    params = {
        "ref": {"type": "ref/prompt", "name": "bulk_change"},
        "argument": {"name": "model", "value": started},
    }
    found: list[str] = agent.ask("completion/complete", params)["completion"]["values"]
    return found
