"""The official client, in both eras of the protocol, on every server that the shop may stand behind."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

from tests.agents.servers import SERVERS, endpoint, served
from tests.processes import Server

pytestmark = pytest.mark.load
PATIENCE = 60
ERAS = {"legacy": LATEST_HANDSHAKE_VERSION, "auto": LATEST_MODERN_VERSION}


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, stocked: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    path = tmp_path_factory.mktemp(request.param) / "shop.sqlite3"
    path.write_bytes(stocked.read_bytes())
    with served(request.param, f"sqlite:///{path}") as running:
        yield running


def talk(server: Server, mode: str, work: Callable[[Client], Any], query: str = "") -> Any:
    """What ``work`` returns of a session in that era."""

    async def session() -> Any:
        with anyio.fail_after(PATIENCE):
            async with Client(endpoint(server, query), mode=mode) as client:
                assert client.protocol_version == ERAS[mode]
                return await work(client)

    return anyio.run(session)


@pytest.mark.parametrize("mode", ERAS)
def test_a_session(server: Server, mode: str) -> None:
    """Listing, describing, reading, writing, failing, completing: each answered, the texts as REST has them."""

    async def work(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert {"search_models", "list_records", "delete_records"} <= set(tools)
        found = await client.call_tool("search_models", {"query": "order"})
        assert "orders" in {item["model"] for item in found.structured_content["models"]}
        page = await client.call_tool(
            "list_records", {"model": "products", "filter": {"stock": {"$lt": 20}}, "limit": 3}
        )
        status, rest = await anyio.to_thread.run_sync(
            server.ask, "GET", "/api/products?stock__lt=20&limit=3"
        )
        assert (status, json.loads(page.content[0].text)) == (200, rest)
        assert page.structured_content == rest
        made = await client.call_tool(
            "create_records", {"model": "tags", "data": [{"name": f"by {mode}"}], "return": "ids"}
        )
        assert made.structured_content["inserted"] == 1
        wrong = await client.call_tool(
            "list_records", {"model": "products", "filter": {"prize": 1}}
        )
        assert wrong.is_error
        assert json.loads(wrong.content[0].text)["code"] == "invalid"
        resource = await client.read_resource("schema://models/products")
        assert json.loads(resource.contents[0].text)["model"] == "products"
        assert {prompt.name for prompt in (await client.list_prompts()).prompts}
        await client.call_tool(
            "delete_records", {"model": "tags", "ids": made.structured_content["ids"]}
        )

    talk(server, mode, work)


@pytest.mark.parametrize("mode", ERAS)
def test_every_tool_of_a_model(server: Server, mode: str) -> None:
    """The official client checks each structured result against the output schema that was listed."""

    async def work(client: Client) -> None:
        assert len((await client.list_tools()).tools) == 12
        new = {"name": f"every {mode}"}
        tag = (await client.call_tool("create_tag", new)).structured_content
        key = {"id": tag["id"]}
        for name, arguments in (
            ("read_tag", key),
            ("update_tag", {**key, "name": f"all {mode}"}),
            ("list_tags", {"count": "exact"}),
            ("count_tags", {}),
            ("aggregate_tags", {"aggregate": {"n": {"$count": "*"}}}),
            ("upsert_tag", {**new, "conflict_on": ["name"]}),
            ("bulk_create_tags", {"data": [{"name": f"bulk {mode}"}], "return": "records"}),
            ("bulk_update_tags", {"data": [{**key, "name": f"any {mode}"}]}),
            ("bulk_upsert_tags", {"data": [new], "conflict_on": ["name"]}),
            ("delete_tag", key),
            ("bulk_delete_tags", {"filter": {"name": {"$endswith": f" {mode}"}}}),
        ):
            result = await client.call_tool(name, arguments)
            assert not result.is_error, (name, result.content[0].text)
            assert json.loads(result.content[0].text) == result.structured_content

    talk(server, mode, work, "?tools=models&models=tags")


def test_other_methods_end_at_once(server: Server) -> None:
    """A GET asks for a stream that there is none of; a server with one worker would wait for ever."""
    assert [server.ask(method, "/mcp")[0] for method in ("GET", "DELETE")] == [405, 405]
    assert server.ask("GET", "/health/live")[0] == 200
