"""MCP Inspector's command line at the sample shop: `/mcp` under `nexus run`, and `nexus mcp`.

With `--strict` it ends with an error where a client may have to refuse the schema of a tool.
"""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.channels.mcp.conformance import packages
from tests.processes import NEXUS, PROJECT

pytestmark = pytest.mark.conformance
Ask = Callable[..., Any]
LIST = {"model": "products", "filter": {"price": {"$gt": 1}}, "limit": 2, "fields": ["id", "price"]}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the shop with its sample data."""
    packages.demand()
    file = tmp_path_factory.mktemp("shop") / "shop.sqlite3"
    env = {
        "DJANGO_SETTINGS_MODULE": "testproject.settings",
        "NEXUS_TEST_DATABASE_URL": f"sqlite:///{file}",
    }
    for command in (("migrate", "--verbosity", "0"), ("shop_data",)):
        ran = processes.command(sys.executable, "manage.py", *command, folder=PROJECT, **env)
        assert ran.code == 0, ran.err
    return env


@pytest.fixture(scope="module")
def address(shop: dict[str, str]) -> Iterator[str]:
    port = processes.free_port()
    words = (NEXUS, "run", "--port", str(port))
    with processes.serving(*words, folder=PROJECT, port=port, **shop) as server:
        yield f"{server.base}/mcp"


@pytest.fixture(params=["http", "stdio"])
def target(request: pytest.FixtureRequest, shop: dict[str, str]) -> list[str]:
    """How Inspector is told where the server is."""
    if request.param == "http":
        return [request.getfixturevalue("address")]
    given = [word for name, value in shop.items() for word in ("-e", f"{name}={value}")]
    return [*given, "--cwd", str(PROJECT), NEXUS, "mcp"]


@pytest.fixture(params=["legacy", "modern"])
def ask(request: pytest.FixtureRequest, target: list[str], tmp_path: Path) -> Ask:
    """`ask("tools/list")`: what Inspector prints of the result, in both eras of the protocol."""

    def asked(method: str, *words: str) -> Any:
        given = (*target, "--protocol-era", request.param, "--method", method, *words)
        script = "inspector/clients/launcher/build/index.js"
        ran = packages.run(script, "--cli", *given, folder=tmp_path)
        assert ran.code == 0, ran.out + ran.err
        return json.loads(ran.out)

    return asked


def test_tools(ask: Ask) -> None:
    listed = ask("tools/list", "--strict")
    assert [tool["name"] for tool in listed["tools"]][:3] == [
        "search_models",
        "describe_models",
        "list_records",
    ]
    arguments = json.dumps(LIST)
    called = ask("tools/call", "--tool-name", "list_records", "--tool-args-json", arguments)
    assert json.loads(called["content"][0]["text"]) == called["structuredContent"]
    assert [record["id"] for record in called["structuredContent"]["records"]] == [1, 2]


def test_resources_and_prompts(ask: Ask) -> None:
    uris = [resource["uri"] for resource in ask("resources/list")["resources"]]
    assert "schema://models/products" in uris
    (content,) = ask("resources/read", "--uri", "schema://models/products")["contents"]
    assert json.loads(content["text"])["name"] == "Product"
    names = [prompt["name"] for prompt in ask("prompts/list")["prompts"]]
    assert names == ["explore_database", "bulk_change"]
    words = ("--prompt-name", names[0], "--prompt-args", "question=How many?")
    (message,) = ask("prompts/get", *words)["messages"]
    assert message["content"]["text"].startswith("How many?\n")


def test_one_tool_per_operation_is_portable_too(address: str, tmp_path: Path) -> None:
    """No schema that a client has to refuse, on every page of the list."""
    script = "inspector/clients/launcher/build/index.js"
    words = ("--cli", f"{address}?tools=models", "--method", "tools/list", "--strict")
    ran = packages.run(script, *words, folder=tmp_path)
    assert ran.code == 0, ran.err
    assert len(json.loads(ran.out)["tools"]) > 100
