"""The same in processes of their own: a server over HTTP, the `nexus` command, `nexus mcp`, and a program that
imports Python.

Each channel plays the same story, which ends where it began; what is written is committed.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import processes
from tests.channels.mcp.program import program
from tests.parity import agents
from tests.parity.channels import operation_of
from tests.parity.spelling import as_json, pairs, words

AT = "2026-01-02T03:04:05Z"
NEW = {"id": 9001, "sku": "STORY", "name": "Caf\u00e9 \u2603", "price": 12.5, "created_at": AT}
ROWS = [{"code": "S", "valid_from": f"2030-01-0{day}", "price": day} for day in (1, 2)]
STORY: list[tuple[str, dict[str, Any]]] = [
    ("ProductCreate", NEW),
    ("ProductCreate", NEW),
    ("ProductRead", {"id": 9001, "expand": ["category", "tags"]}),
    ("ProductUpdate", {"id": 9001, "stock": {"$inc": 3}, "tags": [1, 2]}),
    ("ProductUpsert", {"where": {"sku": "STORY"}, "update": {"category_id": 3}}),
    ("ProductList", {"filter": {"price": {"$gt": 10}}, "order_by": ["-price"], "limit": 3}),
    ("ProductAggregate", {"group_by": ["active"], "aggregate": {"total": {"$sum": "price"}}}),
    ("ProductDelete", {"id": 9001}),
    ("ProductDelete", {"id": 9001}),
    ("PriceListEntryBulkCreate", {"data": ROWS, "return": "records"}),
    ("PriceListEntryBulkUpsert", {"data": [{**ROWS[0], "note": "n"}], "return": "records"}),
    ("PriceListEntryBulkDelete", {"filter": {"code": "S"}, "return": "ids"}),
    ("PriceListEntryBulkDelete", {"filter": {}}),
]
PROGRAM = """
    import json, sys
    import django
    django.setup()
    from dataflow_nexus import NexusError
    from dataflow_nexus.nexus import default_nexus
    for node, params in json.load(sys.stdin):
        try:
            print(default_nexus().execute_json(f"{node}Node", params).decode())
        except NexusError as error:
            print(error.code, [item.field for item in error.errors])
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(
    request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[[], str]
) -> dict[str, str]:
    """The environment of a shop of its own, with the sample data."""
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/shop.sqlite3" if sqlite else new_database()
    env = {"DJANGO_SETTINGS_MODULE": "testproject.settings", "NEXUS_TEST_DATABASE_URL": url}
    for name in ("migrate", "shop_data"):
        done = processes.command(sys.executable, "manage.py", name, folder=processes.PROJECT, **env)
        assert done.code == 0, done.err
    return env


def by_server(env: dict[str, str]) -> tuple[list[str], list[str]]:
    """Over REST, and over MCP."""
    port = processes.free_port()
    words = (processes.NEXUS, "run", "--port", str(port))
    with (
        processes.serving(*words, folder=processes.PROJECT, port=port, **env) as server,
        closing(HTTPConnection(urlsplit(server.base).netloc)) as connection,
    ):

        def post(path: str, body: str | bytes) -> bytes:
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            return connection.getresponse().read()

        by_rest = [
            told(post(f"/api/workflows/{node}Node/execute", as_json(params)).decode())
            for node, params in STORY
        ]
        by_agent = [told(agents.told(post("/mcp", line)).raw) for line in lines()]
    return by_rest, by_agent


def lines() -> list[bytes]:
    """The story in calls of tools."""
    return [agents.message(agents.tool_of(operation_of(node)), params) for node, params in STORY]


def by_wire(env: dict[str, str]) -> list[str]:
    with program(processes.PROJECT, **env) as running:
        running.begin()
        found = []
        for line in lines():
            running.send(line)
            found.append(told(agents.told(running.receive_line()).raw))
        assert running.end() == (0, b"", b"")
    return found


def by_command(env: dict[str, str]) -> Iterator[str]:
    for node, params in STORY:
        operation = operation_of(node)
        given = pairs(operation, params)
        assert given is not None
        done = processes.nexus(
            "execute", operation.node, *words(operation, given), "--json",
            folder=processes.PROJECT, **env,
        )  # fmt: skip
        yield told(done.err if done.code else done.out.removesuffix("\n"))


def by_program(env: dict[str, str]) -> list[str]:
    done = processes.command(
        sys.executable, "-c", PROGRAM.replace("\n    ", "\n"),
        folder=processes.PROJECT, stdin=json.dumps(STORY), **env,
    )  # fmt: skip
    assert (done.code, done.err) == (0, "")
    return done.out.splitlines()


def told(text: str) -> str:
    """A result as it is; of an error what every channel must agree on."""
    found = json.loads(text)
    if "code" in found and "errors" in found:
        return f"{found['code']} {[item['field'] for item in found['errors']]}"
    return text


def test_a_story_is_told_the_same(settings: dict[str, str], record_property: Any) -> None:
    answers = by_program(settings)
    assert len(answers) == len(STORY)
    by_rest, by_agent = by_server(settings)
    assert answers == by_rest
    assert answers == by_agent
    assert answers == list(by_command(settings))
    assert answers == by_wire(settings)
    refused = [answer.partition(" ")[0] for answer in answers if not answer.startswith("{")]
    assert refused == ["conflict", "not_found", "invalid"]
    record_property("parity", 5 * len(STORY))
