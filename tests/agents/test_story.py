"""The story of docs/mcp-transcript.md: an agent restocks the shop and tidies up, and the page says what happened.

``RENEW_TRANSCRIPT=1 make pytest ARGS=tests/agents/test_story.py`` writes the page anew, after a change that is meant.
"""

import os
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.agents import transcript
from tests.agents.servers import endpoint, served
from tests.agents.transcript import Transcript

pytestmark = pytest.mark.load
SETTINGS = "tests.agents.confirming"
LOW = 12
WANTED = 50
"""What the stock shall be filled up to."""


def test_the_page_holds_the_session(shop_url: Callable[[], str]) -> None:
    with served("granian", shop_url(), SETTINGS) as server:
        before = server.ask("GET", "/api/orders/count")[1]["count"]
        said = anyio.run(_session, endpoint(server))
        drafts = server.ask("GET", "/api/orders/count?number__startswith=PO-")[1]["count"]
        after = server.ask("GET", "/api/orders/count")[1]["count"]
    assert drafts > 0
    assert after == before + drafts - said.deleted
    if os.environ.get("RENEW_TRANSCRIPT"):
        transcript.write(said.text)
    assert transcript.written() == said.text, (
        "docs/mcp-transcript.md is out of date; RENEW_TRANSCRIPT=1 writes it anew"
    )


class Story(Transcript):
    deleted = 0


async def _session(url: str) -> Story:
    with anyio.fail_after(120):
        async with Client(url) as client:
            story = Story(client)
            await _find_out(story)
            products = await _look(story)
            await _order(story, products)
            await _tidy(story)
            return story


async def _find_out(story: Story) -> None:
    story.say("## Which models are there?")
    found = await story.call("search_models", {"query": "products stock orders", "limit": 3})
    assert {"products", "orders"} <= {model["model"] for model in found["models"]}
    story.say("Before it uses a model it asks what its fields are.")
    described = await story.call("describe_models", {"models": ["orders", "order_items"]})
    assert len(described["models"]) == 2


async def _look(story: Story) -> list[dict[str, Any]]:
    story.say("## What is running out?")
    story.say("A wrong name is answered with the right one, and the agent repeats the call.")
    arguments = {
        "model": "products",
        "filter": {"stok": {"$lt": LOW}, "active": True},
        "fields": ["id", "sku", "name", "stock", "price"],
        "order_by": ["stock", "id"],
    }
    refused = await story.call("list_records", arguments)
    assert refused["code"] == "invalid"
    right = {**arguments, "filter": {"stock": {"$lt": LOW}, "active": True}}
    page = await story.call("list_records", right)
    assert page["next"] is None
    products: list[dict[str, Any]] = page["records"]
    assert products
    assert all(product["stock"] < LOW for product in products)
    return products


async def _order(story: Story, products: list[dict[str, Any]]) -> None:
    story.say("## Purchase orders")
    story.say(
        "The shop keeps what it orders as orders of its own: one customer is the buyer, and each order has its items."
        " The agent tries the write first (`dry_run`), then does it: all rows or none."
    )
    buyer = await story.call(
        "list_records", {"model": "customers", "limit": 1, "fields": ["id", "name"]}
    )
    day = "2026-03-02T09:00:00Z"
    rows = [
        {
            "number": f"PO-{product['sku'].removeprefix('SKU-')}",
            "customer_id": buyer["records"][0]["id"],
            "placed_at": day,
        }
        for product in products
    ]
    new = {"model": "orders", "data": rows, "return": "ids"}
    tried = await story.call("create_records", {**new, "dry_run": True})
    assert tried["inserted"] == len(products)
    made = await story.call("create_records", new)
    items = [
        {
            "order_id": key,
            "product_id": product["id"],
            "quantity": WANTED - product["stock"],
            "unit_price": product["price"],
        }
        for key, product in zip(made["ids"], products, strict=True)
    ]
    await story.call("create_records", {"model": "order_items", "data": items})
    story.say("It reads back what it has made, relations included.")
    page = await story.call(
        "list_records",
        {
            "model": "orders",
            "filter": {"number": {"$startswith": "PO-"}},
            "fields": ["id", "number", "status"],
            "expand": ["items"],
            "count": "exact",
        },
    )
    assert page["count"] == len(products)
    assert sum(len(order["items"]) for order in page["records"]) == len(products)


async def _tidy(story: Story) -> None:
    story.say("## Tidying up, with a confirmation")
    story.say(
        "Cancelled orders of the first quarter shall go. `require_confirmation` names this tool, so that the first call"
        " deletes nothing: it answers what it would do, and a token."
    )
    chosen = {"status": "cancelled", "placed_at": {"$lt": "2025-04-01"}}
    arguments: dict[str, Any] = {"model": "orders", "filter": chosen}
    preview = await story.call("delete_records", arguments)
    assert preview["confirmation_required"]
    counted = await story.call("count_records", arguments)
    assert counted["count"] == preview["preview"]["deleted"] > 0
    story.say(
        "The agent shows the preview to a person, who agrees. The token is good for this very call and no other:"
        " with another filter it is refused."
    )
    token = {"confirmation_token": preview["confirmation_token"]}
    other = {"model": "orders", "filter": {"status": "cancelled"}}
    refused = await story.call("delete_records", {**other, **token})
    assert refused["code"] == "invalid"
    done = await story.call("delete_records", {**arguments, **token})
    story.deleted = done["deleted"]
    assert done["deleted"] == counted["count"]
    after = await story.call("count_records", arguments)
    assert after == {"count": 0}
