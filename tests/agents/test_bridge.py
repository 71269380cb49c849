"""The bridge against the real django-mcp-server, in processes of their own."""

import json
import sys
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from tests.agents.servers import served
from tests.processes import PROJECT, Ran, environment, python

pytestmark = pytest.mark.load
SETTINGS = "tests.agents.bridged.settings"
OWN = {"shelf_of", "break_down", "get_server_instructions"}
ERAS = ("legacy", "auto")


def run(body: str, url: str, **env: str) -> Ran:
    """A program in the shop with the bridge; `client` is the official one, on the global server object."""
    program = f"""
import json, anyio, django
django.setup()
from mcp import Client
from mcp_server import mcp_server

async def main():
    async with Client(mcp_server) as client:
{body}
anyio.run(main)
"""
    chosen = {"DJANGO_SETTINGS_MODULE": SETTINGS, "NEXUS_TEST_DATABASE_URL": url}
    return python(program, folder=PROJECT, **chosen, **env)


def test_the_package_needs_the_names() -> None:
    """Where this fails the package has found its way to the current SDK, and the adapter can go."""
    ran = python("import mcp_server", folder=PROJECT, DJANGO_SETTINGS_MODULE="testproject.settings")
    assert ran.code == 1
    assert "cannot import name 'FastMCP'" in ran.err


def test_nothing_is_put_anywhere_by_an_import() -> None:
    code = """
        import mcp.server, sys
        from dataflow_nexus.channels.mcp import bridge
        assert not hasattr(mcp.server, "FastMCP") and "mcp.server.fastmcp" not in sys.modules
        assert "mcp_server" not in sys.modules
        bridge.install()
        bridge.install()
        from mcp.server.fastmcp import Context, FastMCP
        assert FastMCP is mcp.server.FastMCP is bridge.FastMCP and "mcp_server" not in sys.modules
        server = FastMCP("name", "instructions", warn_on_duplicate_tools=False)
        assert (server.name, server.instructions, server.title) == ("name", "instructions", None)
    """
    ran = python(code, folder=PROJECT)
    assert (ran.code, ran.err) == (0, "")


def test_a_missing_package_is_named() -> None:
    code = """
        import sys
        sys.modules["mcp_server"] = None
        from dataflow_nexus import exceptions
        from dataflow_nexus.channels.mcp import bridge
        try:
            bridge.install()
        except exceptions.ConfigurationError as error:
            print(error)
    """
    ran = python(code, folder=PROJECT)
    assert "pip install 'dataflow-nexus[mcp-server]'" in ran.out


def test_mcp_that_is_off_offers_nothing(shop_url: Callable[[], str]) -> None:
    code = """
        import django
        from django.conf import settings
        settings.DATAFLOW_NEXUS["ENABLE_MCP"] = False
        django.setup()
        import mcp_server
        try:
            mcp_server.mcp_server.nexus_service.catalog
        except Exception as error:
            print(type(error).__name__, error)
    """
    chosen = {"DJANGO_SETTINGS_MODULE": SETTINGS, "NEXUS_TEST_DATABASE_URL": shop_url()}
    ran = python(code, folder=PROJECT, **chosen)
    assert "ConfigurationError the bridge has nothing to offer: MCP is switched off" in ran.out


# --- the server object ------------------------------------------------------------------------------------------------


def test_tools_on_the_server_object(shop_url: Callable[[], str]) -> None:
    ran = run(
        """
        listed = [tool.name for tool in (await client.list_tools()).tools]
        assert listed == [tool.name for tool in await mcp_server.list_tools()]
        found = await client.call_tool("count_records", {"model": "products"})
        again = await mcp_server.call_tool("count_records", {"model": "products"})
        print(json.dumps([listed, found.content[0].text, again.content[0].text]))
""",
        shop_url(),
    )
    assert ran.code == 0, ran.err
    listed, found, again = ran.json
    assert {"search_models", "list_records", "delete_records", "list_products", *OWN} <= set(listed)
    assert "query_data_collections" not in listed
    assert (found, again) == ('{"count":40}', '{"count":40}')


@pytest.mark.parametrize("user", ["sam", "sue"])
def test_the_permissions_of_who_asks(user: str, shop_url: Callable[[], str]) -> None:
    """The users' group decides, as `nexus … --as` has it; the project's own tools know no such thing."""
    ran = run(
        """
        names = [tool.name for tool in (await client.list_tools()).tools]
        answers = []
        for name, arguments in (
            ("count_orders", {}),
            ("update_customer", {"id": 1, "phone": "1"}),
            ("create_order", {"number": "N", "customer_id": 1}),
            ("delete_product", {"id": 1}),
            ("count_promotions", {}),
        ):
            result = await client.call_tool(name, arguments)
            answers.append(json.loads(result.content[0].text).get("code", "fine"))
        print(json.dumps([names, answers]))
""",
        shop_url(),
        SHOP_USER=user,
    )
    assert ran.code == 0, ran.err
    names, answers = ran.json
    may_order = user == "sam"
    assert ("create_order" in names) == may_order
    assert not {"delete_product", "count_promotions"} & set(names)
    assert set(names) >= OWN
    order = "fine" if may_order else "not_found"
    assert answers == ["fine", "fine", order, "not_found", "not_found"]


def test_the_command_of_the_package(shop_url: Callable[[], str]) -> None:
    """`manage.py stdio_server`, in both eras."""
    chosen = {"DJANGO_SETTINGS_MODULE": SETTINGS, "NEXUS_TEST_DATABASE_URL": shop_url()}
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["manage.py", "stdio_server"],
        cwd=PROJECT,
        env=environment(**chosen),
    )

    async def session() -> None:
        for mode in ERAS:
            with anyio.fail_after(60):
                async with Client(parameters, mode=mode) as client:
                    found = await client.call_tool("read_record", {"model": "products", "id": 1})
                    assert found.structured_content["sku"] == "SKU-00001"

    anyio.run(session)


# --- the view ---------------------------------------------------------------------------------------------------------


async def _ask_everything(url: str, mode: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with anyio.fail_after(60):
        async with Client(url, mode=mode) as client:
            found["instructions"] = client.instructions
            found["tools"] = {tool.name for tool in (await client.list_tools()).tools}
            for name, arguments in (
                ("list_records", {"model": "products", "limit": 2}),
                ("shelf_of", {"sku": "SKU-00001"}),
                ("shelf_of", {"sku": 7}),
                ("break_down", {}),
                ("list_products", {}),
                ("query_data_collections", {"collection": "product", "search_pipeline": []}),
            ):
                found[f"{name} {list(arguments.values())}"] = await client.call_tool(
                    name, arguments
                )
            resources = (await client.list_resources()).resources
            found["resources"] = {str(resource.uri) for resource in resources}
            shelves = await client.read_resource("shelves://all")
            products = await client.read_resource("schema://models/products")
            found["read"] = [
                shelves.contents[0].text,
                json.loads(products.contents[0].text)["model"],
            ]
            found["prompts"] = {prompt.name for prompt in (await client.list_prompts()).prompts}
            prompt = await client.get_prompt("restock", {"sku": "X"})
            found["prompt"] = prompt.messages[0].content.text
    return found


@pytest.mark.parametrize("name", ["gunicorn", "uvicorn"])
def test_the_view_is_ours(name: str, shop_url: Callable[[], str]) -> None:
    """At the package's own URL, in both eras; a GET, on which the package's way waits for ever, is answered."""
    with served(name, shop_url(), SETTINGS) as server:
        found = {mode: anyio.run(_ask_everything, f"{server.base}/agents", mode) for mode in ERAS}
        assert server.ask("GET", "/agents")[0] == 405
        assert server.ask("GET", "/agents", Accept="text/event-stream")[0] in (405, 406)
        assert server.ask("DELETE", "/agents", Mcp_Session_Id="x")[0] == 200
        rest = server.ask("GET", "/api/products?limit=2")[1]
        reading = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        shown = server.ask("POST", "/agents?read_only=1", reading)[1]["result"]["tools"]
        params = {"name": "list_products", "arguments": {"limit": 2}}
        calling = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}
        ours = server.ask("POST", "/agents?tools=models&models=products", calling)[1]["result"]
    for answers in found.values():
        _check(answers, rest)
    assert ours["structuredContent"] == rest, "a name that both have is ours where ours is listed"
    assert not {tool["name"] for tool in shown} & (OWN | {"delete_records"})


def _check(found: dict[str, Any], rest: Any) -> None:
    assert "$gt" in found["instructions"]
    assert {"list_records", "delete_records", *OWN} <= found["tools"]
    assert "query_data_collections" not in found["tools"]
    page = found["list_records ['products', 2]"]
    assert json.loads(page.content[0].text) == page.structured_content == rest
    assert "shelf 9, asked by POST" in found["shelf_of ['SKU-00001']"].content[0].text
    assert found["shelf_of [7]"].is_error
    broken = found["break_down []"]
    assert broken.is_error
    assert "secret" not in broken.content[0].text
    own = found["list_products []"].content[0].text
    assert own == "the project's own", (
        "what is called is what is listed, and the list is the compact set"
    )
    refused = found["query_data_collections ['product', []]"]
    assert json.loads(refused.content[0].text)["code"] == "not_found"
    assert {"shelves://all", "schema://models/products"} <= found["resources"]
    assert found["read"] == ["1 to 9", "products"]
    assert {"explore_database", "restock"} <= found["prompts"]
    assert found["prompt"] == "Restock X."
