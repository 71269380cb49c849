"""`nexus mcp`, as the processes that clients start: what is on their wire, and who asks."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.channels.cli.arguments import parse
from dataflow_nexus.channels.mcp.asking import Selection
from dataflow_nexus.channels.mcp.lines import message_of
from dataflow_nexus.channels.mcp.service import Service
from dataflow_nexus.launching.agents import selected
from dataflow_nexus.nexus import default_nexus
from tests import processes
from tests.channels.mcp.client import META, MODERN, SERVER_KEY, request
from tests.channels.mcp.program import program, project, value
from tests.parity.channels import command

CALL = "tools/call"
TALKATIVE = """
    import os
    import subprocess
    import sys

    from dataflow_nexus import register
    from library.models import Book

    print("while loading")


    def books(principal):
        print("from a hook")
        os.write(1, b"past Python\\n")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        assert sys.stdin.read() == ""
        return Book.objects.all()


    register(Book, queryset=books)
"""
SHOP = settings.DATAFLOW_NEXUS
CLOSED = {"MODELS": ["library.*", "auth.Group"], "AUTHENTICATION_REQUIRED": True}


# --- a conversation -------------------------------------------------------------------------------


def test_a_conversation(tmp_path: Path) -> None:
    with program(tmp_path, **project(tmp_path)) as running:
        begun = running.begin()
        assert begun["protocolVersion"] == "2025-11-25"
        assert {"tools", "resources", "prompts", "completions"} <= set(begun["capabilities"])
        tools = {tool["name"] for tool in running.ask("tools/list")["result"]["tools"]}
        assert {"create_book", "list_books"} <= tools
        made = running.ask(CALL, {"name": "create_book", "arguments": {"title": "\u2603"}})
        assert made["result"]["structuredContent"] == value(made) == {"id": 1, "title": "\u2603"}
        refused = running.ask(CALL, {"name": "create_book", "arguments": {"titel": "x"}})
        assert (refused["result"]["isError"], value(refused)["code"]) == (True, "invalid")
        assert running.ask("nothing")["error"]["code"] == -32601
        assert running.ask(CALL, {"name": 5})["error"]["code"] == -32602
        assert running.ask("ping", number="text")["result"] == {}
        call = {"name": "create_book", "arguments": {"title": "x"}}
        running.send(*(request(CALL, call, number) for number in range(20)))
        found = [running.receive() for _ in range(20)]  # each as it is done
        assert {answer["id"] for answer in found} == set(range(20))
        assert len({value(answer)["id"] for answer in found}) == 20
        assert running.end() == (0, b"", b"")


def test_a_conversation_of_2026(tmp_path: Path) -> None:
    with program(tmp_path, **project(tmp_path)) as running:
        found = running.ask("server/discover", {"_meta": META})["result"]
        assert MODERN in found["supportedVersions"]
        listed = running.ask("tools/list", {"_meta": META})["result"]
        assert (listed["resultType"], listed["cacheScope"]) == ("complete", "private")
        assert listed["ttlMs"] == 60_000
        assert listed["_meta"][SERVER_KEY]["name"] == "dataflow-nexus"
        counted = running.ask(CALL, {"name": "count_books", "arguments": {}, "_meta": META})
        assert value(counted) == {"count": 0}
        assert "ttlMs" not in counted["result"]
        gone = running.ask("resources/read", {"uri": "schema://models/x", "_meta": META})
        assert gone["error"]["code"] == -32602
        assert running.end() == (0, b"", b"")


# --- broken lines ---------------------------------------------------------------------------------

BROKEN: list[tuple[bytes, int]] = [
    (b"{", -32700),
    (b"nonsense", -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"\xff"}', -32700),
    (b'{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}', -32700),
    (b"[" * 1000 + b"]" * 1000, -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":NaN}', -32700),
    (b"[]", -32600),
    (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
    (b"5", -32600),
    (b"{}", -32600),
    (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":[],"method":"ping"}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32600),
    (b'{"jsonrpc":"2.0","method":"notifications/initialized","params":"x"}', -32600),
]


@pytest.mark.parametrize(("line", "code"), BROKEN)
def test_a_line_that_is_no_message(line: bytes, code: int) -> None:
    found = message_of(line)
    told = found.model_dump(mode="json", by_alias=True)
    assert (told["jsonrpc"], told["error"]["code"]) == ("2.0", code)


def test_broken_lines_end_nothing(tmp_path: Path) -> None:
    odd = [
        (request("\ud800", number="\ud800"), -32601),
        (request("prompts/get", {"name": "\ud800"}, number="\ud800"), -32602),
    ]
    with program(tmp_path, **project(tmp_path)) as running:
        running.begin()
        for line, code in BROKEN:
            running.send(b"", b"  ", line)
            assert running.receive()["error"]["code"] == code
        for message, code in odd:
            running.send(message)
            answer = running.receive()
            assert (answer["id"], answer["error"]["code"]) == ("\ud800", code)
        given = {"name": "explore_database", "arguments": {"question": "\ud800"}}
        assert "\ud800" in json.dumps(running.ask("prompts/get", given), ensure_ascii=False)
        call = {"name": "create_book", "arguments": {"title": "\ud800", "\ud800": 1}}
        assert value(running.ask(CALL, call))["code"] == "invalid"
        assert running.ask("ping")["result"] == {}
        assert running.end() == (0, b"", b"")


# --- the wire is the protocol's -------------------------------------------------------------------


def test_nothing_else_is_on_the_wire(tmp_path: Path) -> None:
    env = project(tmp_path, hooks=TALKATIVE, more='print("from the settings")\n')
    with program(tmp_path, **env) as running:
        running.begin()
        for _ in range(3):
            assert value(running.ask(CALL, {"name": "count_books"})) == {"count": 0}
        code, out, err = running.end()
    assert (code, out) == (0, b"")
    told = err.decode().splitlines()
    assert set(told) == {
        "from the settings", "while loading", "from a hook", "past Python", "from a child"
    }  # fmt: skip
    assert told.count("from a hook") == 3


# --- who asks, and what is shown ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "detail"),
    [
        ((), "access control is on: name a user with --as"),
        (("--as", "nobody"), 'there is no active user "nobody"'),
    ],
)
@override_settings(DATAFLOW_NEXUS={**SHOP, "AUTHENTICATION_REQUIRED": True})
def test_access_is_on(words: tuple[str, ...], detail: str, on_sqlite: str) -> None:
    answer = command("mcp", *words)  # which also looks at the exit code
    assert answer.error is not None
    assert (answer.code, answer.error["detail"]) == ("unauthenticated", detail)


USER = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import Permission, User
user = User.objects.create(username="sam")
user.user_permissions.add(Permission.objects.get(codename="view_group"))
"""


def test_a_user_has_its_own_tools_and_they_may_change(tmp_path: Path) -> None:
    env = project(tmp_path, CLOSED)
    made = processes.python(USER, folder=tmp_path, DJANGO_SETTINGS_MODULE="site_settings", **env)
    assert (made.code, made.err) == (0, "")
    with program(tmp_path, "--as", "sam", **env) as running:
        running.begin()
        tools = {tool["name"] for tool in running.ask("tools/list")["result"]["tools"]}
        assert tools == {"read_group", "list_groups", "count_groups", "aggregate_groups"}
        for name in ("create_group", "list_books", "list_nothing"):
            error = value(running.ask(CALL, {"name": name, "arguments": {}}))
            assert error["code"] == "not_found"
        assert value(running.ask(CALL, {"name": "count_groups"})) == {"count": 0}
        with closing(sqlite3.connect(tmp_path / "library.sqlite3")) as connection, connection:
            connection.execute("UPDATE auth_user SET is_active = 0")
        error = running.ask(CALL, {"name": "count_groups"})["error"]
        assert error == {"code": -32600, "message": 'there is no active user "sam"'}
        assert running.end() == (0, b"", b"")


@pytest.mark.parametrize(
    ("words", "selection"),
    [
        ((), Selection()),
        (("--read-only",), Selection(read_only=True)),
        (("--tools", "compact"), Selection(tools="compact")),
        (
            ("--tools=models", "--models=Product"),
            Selection(tools="models", models=frozenset({"products"})),
        ),
        (("--models", "orders,shop.Product"), Selection(models=frozenset({"products", "orders"}))),
    ],
)
def test_what_is_shown_is_chosen(words: tuple[str, ...], selection: Selection) -> None:
    service = Service(default_nexus().catalog)
    assert selected(parse(["mcp", *words]), service, SYSTEM) == selection


def test_what_is_chosen_is_shown(tmp_path: Path) -> None:
    env = project(tmp_path, {**CLOSED, "AUTHENTICATION_REQUIRED": False})
    with program(tmp_path, "--read-only", "--tools=models", "--models", "Book", **env) as running:
        running.begin()
        tools = {tool["name"] for tool in running.ask("tools/list")["result"]["tools"]}
        assert tools == {"read_book", "list_books", "count_books", "aggregate_books"}
        for name in ("create_book", "list_groups", "search_models"):
            assert value(running.ask(CALL, {"name": name}))["code"] == "not_found"
        assert running.end() == (0, b"", b"")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--tools", "all"), "invalid", '"tools" must be one of'),
        (("--models", "prodcuts"), "not_found", '"prodcuts" — did you mean "products"?'),
        (("--nonsense", "x"), "invalid", 'unknown option "nonsense"'),
        (("--tools", "auto", "--tools", "auto"), "invalid", '"tools" is given twice'),
        (("products",), "invalid", 'mcp takes no "products"'),
    ],
)
def test_a_wrong_option(words: tuple[str, ...], code: str, told: str) -> None:
    answer = command("mcp", *words)
    assert answer.error is not None
    assert answer.code == code
    assert told in answer.error["detail"]


@pytest.mark.parametrize("key", ["ENABLE_MCP", "AUTO_GENERATE_MCP_TOOLS"])
def test_it_can_be_switched_off(key: str) -> None:
    with override_settings(DATAFLOW_NEXUS={**SHOP, key: False}):
        assert command("mcp").code == "not_found"
