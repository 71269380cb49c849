"""JSON-RPC over HTTP in both eras: what is well asked, and what is not."""

import json
from typing import Any

import pytest

from dataflow_nexus.channels.mcp.service import INSTRUCTIONS
from tests.channels.mcp.client import (
    CAPABILITIES_KEY,
    ERAS,
    HANDSHAKE,
    HANDSHAKES,
    META,
    MODERN,
    SERVER_KEY,
    VERSION_KEY,
    Reply,
    ask,
    ask_modern,
    request,
    send,
)

pytestmark = pytest.mark.django_db
PARSE, INVALID, METHOD, PARAMS, HEADERS, VERSION = -32700, -32600, -32601, -32602, -32020, -32022
PING = request("ping")
READ = {"name": "read_product", "arguments": {"id": 1}}


# --- messages that are none -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b" ", b"{", b"}", b"nul", b"{'id': 1}", b'{"id": 1,}', b'{"id": NaN}', b"\xef\xbb\xbf{}", b"{}\x00",
        b'{"jsonrpc":"2.0","id":1,"method":"ping"} {}', b"id=1", b'{"id": "\x01"}', b'{"id": 01}',
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_json(body: bytes) -> None:
    reply = send(body)
    assert (reply.fault, reply.json["id"]) == ((400, PARSE), None)


@pytest.mark.parametrize("body", [b'"\xff"', b"\xff\xfe{}", '{"é": 1}'.encode("latin-1")])
def test_what_is_no_utf8(body: bytes) -> None:
    reply = send(body)
    assert (reply.fault, reply.message) == ((400, PARSE), "Parse error: not UTF-8")


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
        b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1,"a":1}}',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":1,"\\u0061":2}}}',
    ],
)
def test_a_name_comes_once(body: bytes) -> None:
    reply = send(body)
    assert reply.fault == (400, PARSE)
    assert "comes twice" in reply.message


@pytest.mark.parametrize("levels", [80, 5000, 200_000])
def test_depth_is_bounded(levels: int) -> None:
    deep = b"[" * levels + b"]" * levels
    reply = send(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + deep + b"}}")
    assert (reply.fault, reply.json["id"]) == ((400, PARSE), None)


@pytest.mark.parametrize(
    "message",
    [
        [], [PING], [PING, PING], "ping", 5, None, True, {},
        {"id": 1, "method": "ping"},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": 2.0, "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 5},
        {"jsonrpc": "2.0", "id": 1, "method": None},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": "x"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "method": 5},
        {"jsonrpc": "2.0", "method": "notifications/initialized", "params": []},
        {"method": "notifications/initialized"},
        *({"jsonrpc": "2.0", "id": number, "method": "ping"} for number in (None, 1.5, True, [], {})),
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_request(message: object) -> None:
    assert send(message).fault == (400, INVALID)


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**30, "", "x", "\u2603", "\x00", "\ud800"])
def test_an_id_comes_back(number: object) -> None:
    reply = send(request("ping", number=number))
    assert (reply.result, reply.json["id"]) == ({}, number)


# --- methods and parameters -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["", "pong", "tools/delete", "rpc.discover", "\u2603", "x" * 9999]
)
def test_a_method_that_is_not_there(method: str) -> None:
    reply = ask(method)
    assert (reply.fault, reply.json["id"]) == ((200, METHOD), 1)
    assert len(reply.message) < 200


@pytest.mark.parametrize(
    "method",
    ["pong", "initialize", "ping", "logging/setLevel", "resources/subscribe", "tasks/list"],
)
def test_a_method_that_is_not_there_any_more(method: str) -> None:
    assert ask_modern(method).fault == (404, METHOD)


@pytest.mark.parametrize(
    "method", ["resources/subscribe", "resources/unsubscribe", "logging/setLevel"]
)
def test_a_method_that_is_not_offered(method: str) -> None:
    assert ask(method, {"uri": "schema://models/products", "level": "info"}).fault == (200, METHOD)


@pytest.mark.parametrize("method", ["server/discover", "subscriptions/listen"])
def test_a_method_that_is_not_there_yet(method: str) -> None:
    assert ask(method).fault == (200, METHOD)


WRONG: list[tuple[str, Any]] = [
    ("tools/call", {}),
    ("tools/call", {"name": 5}),
    ("tools/call", {"name": None, "arguments": {}}),
    ("tools/call", {"name": "read_product", "arguments": []}),
    ("tools/call", {"name": "read_product", "arguments": "x"}),
    ("tools/list", {"cursor": 5}),
    ("tools/list", {"cursor": "nonsense"}),
    ("tools/list", {"cursor": ""}),
    ("tools/list", {"cursor": "\u2603"}),
    ("tools/list", {"cursor": "LTE="}),
    ("tools/list", {"cursor": "OTk5OTk5"}),
    ("resources/list", {"cursor": "eA=="}),
    ("resources/read", {}),
    ("resources/read", {"uri": 5}),
    ("prompts/get", {}),
    ("prompts/get", {"name": "nothing"}),
    ("prompts/get", {"name": "bulk_change"}),
    ("prompts/get", {"name": "bulk_change", "arguments": {"model": "products"}}),
    ("prompts/get", {"name": "bulk_change", "arguments": {"model": "nothing", "change": "x"}}),
    ("prompts/get", {"name": "bulk_change", "arguments": {"model": 5, "change": "x"}}),
    ("prompts/get", {"name": "explore_database", "arguments": {"what": "x"}}),
    ("completion/complete", {}),
    ("completion/complete", {"ref": {"type": "ref/prompt", "name": "x"}}),
    ("completion/complete", {"ref": {"type": "x"}, "argument": {"name": "model", "value": ""}}),
]


@pytest.mark.parametrize(("method", "params"), WRONG)
def test_wrong_parameters(method: str, params: dict[str, Any]) -> None:
    reply = ask(method, params)
    assert (reply.fault, reply.json["id"]) == ((200, PARAMS), 1)
    reply = ask_modern(method, params)
    by_header = isinstance(params.get("name", params.get("uri")), int)
    assert reply.fault == (400, HEADERS if by_header else PARAMS)


@pytest.mark.parametrize("era", ERAS)
def test_a_tool_that_is_not_there_is_a_result(era: str) -> None:
    result = ERAS[era]("tools/call", {"name": "list_nothing", "arguments": {}}).result
    assert result["isError"] is True
    error = json.loads(result["content"][0]["text"])
    assert (error["code"], error["status"]) == ("not_found", 404)
    assert "structuredContent" not in result


@pytest.mark.parametrize("arguments", [{"\ud800": 1}, {"filter": {"\ud800": 1}}, {"a\x00": 1}])
def test_names_that_nobody_can_encode(arguments: dict[str, Any], database: str) -> None:
    result = ask("tools/call", {"name": "list_products", "arguments": arguments}).result
    assert json.loads(result["content"][0]["text"])["code"] == "invalid"


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("\ud800", {}, METHOD),
        ("prompts/get", {"name": "\ud800"}, PARAMS),
        ("prompts/get", {"name": "explore_database", "arguments": {"\ud800": "x"}}, PARAMS),
        (
            "prompts/get",
            {"name": "bulk_change", "arguments": {"model": "\ud800", "change": "x"}},
            PARAMS,
        ),
        ("resources/read", {"uri": "schema://models/\ud800"}, -32002),
        ("tools/list", {"cursor": "\ud800"}, PARAMS),
    ],
)
def test_text_that_nobody_can_encode(method: str, params: dict[str, Any], code: int) -> None:
    assert ask(method, params).fault == (200, code)


def test_text_that_nobody_can_encode_in_a_result() -> None:
    given = {"name": "explore_database", "arguments": {"question": "\ud800?"}}
    (message,) = ask("prompts/get", given).result["messages"]
    assert message["content"]["text"].startswith("\ud800?")


# --- revisions up to 2025-11-25 -------------------------------------------------------------------


def initialized(version: object) -> Reply:
    client = {"name": "tests", "version": "1"}
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": client}
    return send(request("initialize", params))


@pytest.mark.parametrize("version", HANDSHAKES)
def test_a_version_is_agreed_on(version: str) -> None:
    reply = initialized(version)
    assert "Mcp-Session-Id" not in reply.response
    assert reply.result == {
        "protocolVersion": version,
        "capabilities": {"tools": {}, "resources": {}, "prompts": {}, "completions": {}},
        "serverInfo": {"name": "Sample shop", "version": "1.0.0"},
        "instructions": INSTRUCTIONS,
    }


@pytest.mark.parametrize("version", ["1999-01-01", "2026-07-28", "x", ""])
def test_a_version_that_is_not_known_gets_the_latest(version: str) -> None:
    assert initialized(version).result["protocolVersion"] == HANDSHAKE


@pytest.mark.parametrize("version", [None, 5, {}])
def test_a_version_is_text(version: object) -> None:
    assert initialized(version).fault == (200, PARAMS)


@pytest.mark.parametrize("version", HANDSHAKES)
def test_every_old_version_is_served(version: str, database: str) -> None:
    result = ask("tools/call", READ, version=version).result
    assert result["structuredContent"]["id"] == 1
    assert "resultType" not in result
    assert set(ask("tools/list", version=version).result) <= {"tools", "nextCursor"}


def test_without_a_version_header_it_is_an_old_one(database: str) -> None:
    assert send(request("tools/call", READ)).result["structuredContent"]["id"] == 1


@pytest.mark.parametrize("version", ["1999-01-01", "2027-01-01", "x", ""])
def test_a_version_header_that_is_not_known(version: str) -> None:
    status, code = send(PING, MCP_Protocol_Version=version).fault
    assert status == 400
    assert code in (PARAMS, VERSION)


# --- 2026-07-28 -----------------------------------------------------------------------------------


def test_discovery() -> None:
    result = ask_modern("server/discover").result
    assert result["supportedVersions"] == [MODERN]
    assert set(result["capabilities"]) == {"tools", "resources", "prompts", "completions"}
    assert result["_meta"][SERVER_KEY] == {"name": "Sample shop", "version": "1.0.0"}
    assert (result["resultType"], result["cacheScope"]) == ("complete", "private")
    assert result["ttlMs"] >= 0


@pytest.mark.parametrize(
    ("method", "params", "kept"),
    [
        ("tools/list", {}, True),
        ("tools/call", READ, False),
        ("resources/list", {}, True),
        ("resources/templates/list", {}, True),
        ("resources/read", {"uri": "schema://models/products"}, True),
        ("prompts/list", {}, True),
        ("prompts/get", {"name": "explore_database"}, False),
    ],
)
def test_every_result_says_what_it_is(
    method: str, params: dict[str, Any], kept: bool, database: str
) -> None:
    result = ask_modern(method, params).result
    assert result["resultType"] == "complete"
    assert result["_meta"][SERVER_KEY]["name"] == "Sample shop"
    assert (result.get("ttlMs"), result.get("cacheScope")) == (
        (60_000, "private") if kept else (None, None)
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"MCP_Protocol_Version": HANDSHAKE},
        {"MCP_Protocol_Version": None},
        {"Mcp_Method": None},
        {"Mcp_Method": "tools/list"},
        {"Mcp_Name": None},
        {"Mcp_Name": "list_products"},
        {"Mcp_Name": "=?base64?!?="},
    ],
    ids=str,
)
def test_headers_and_message_agree(headers: dict[str, str | None]) -> None:
    assert ask_modern("tools/call", READ, **headers).fault == (400, HEADERS)


def test_a_name_in_base64(database: str) -> None:
    name = "=?base64?cmVhZF9wcm9kdWN0?="
    assert ask_modern("tools/call", READ, Mcp_Name=name).result["structuredContent"]["id"] == 1


@pytest.mark.parametrize(
    "meta",
    [{}, {VERSION_KEY: MODERN}, {CAPABILITIES_KEY: {}}],
    ids=["nothing", "version", "capabilities"],
)
def test_an_envelope_is_whole(meta: dict[str, Any]) -> None:
    assert ask_modern("tools/list", meta=meta).fault == (400, PARAMS)


@pytest.mark.parametrize("value", [5, None, [], {}])
def test_the_version_of_an_envelope_is_text(value: object) -> None:
    status, code = ask_modern("tools/list", meta={**META, VERSION_KEY: value}).fault
    assert (status, code) in ((400, PARAMS), (400, HEADERS))


@pytest.mark.parametrize("value", [5, None, [], "x"])
def test_the_capabilities_of_an_envelope_are_an_object(value: object) -> None:
    assert ask_modern("tools/list", meta={**META, CAPABILITIES_KEY: value}).fault == (400, PARAMS)


@pytest.mark.parametrize("meta", [5, None, [], "x"])
def test_an_envelope_is_an_object(meta: object) -> None:
    reply = send(
        request("tools/list", {"_meta": meta}),
        MCP_Protocol_Version=MODERN,
        Mcp_Method="tools/list",
    )
    assert reply.fault == (400, PARAMS)


def test_a_version_that_is_not_served() -> None:
    version = "2099-01-01"
    reply = ask_modern(
        "tools/list", meta={**META, VERSION_KEY: version}, MCP_Protocol_Version=version
    )
    assert reply.fault == (400, VERSION)
    assert reply.json["error"]["data"] == {"supported": [MODERN], "requested": version}


# --- notifications --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method",
    ["notifications/initialized", "notifications/cancelled", "notifications/nothing", "ping"],
)
@pytest.mark.parametrize("version", [*HANDSHAKES, MODERN])
def test_notifications_are_taken(method: str, version: str) -> None:
    message = {"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}}
    reply = send(message, MCP_Protocol_Version=version)
    assert (reply.status, reply.response.content) == (202, b"")


def test_a_notification_of_a_version_that_is_not_served() -> None:
    message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert send(message, MCP_Protocol_Version="2099-01-01").fault == (400, VERSION)
