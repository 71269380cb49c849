"""Text that is no JSON, or JSON that no parameter takes, wherever JSON may stand."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from dataflow_nexus.nexus import default_nexus
from tests.bad_input.checks import LEAKS, check_refusal, contents
from tests.parity.channels import Answer, command, http, rolled_back
from tests.parity.wire import wire
from tests.routing import POSTGRESQL, SQLITE

pytestmark = pytest.mark.django_db(databases=[SQLITE, POSTGRESQL])

NOT_JSON: list[bytes] = [
    b"{", b"}", b"nul", b"{'sku': 1}", b'{"sku": "x",}', b'{"sku": NaN}', b'{"stock": -Infinity}', b'{"a": 1} {"b": 2}',
    b"\xef\xbb\xbf{}", b'{"sku": "\x01"}', b'{"sku": "\\x41"}', b'{"sku": "\\u12"}', b'{"stock": 01}', b'{"stock": .5}',
    b'{"stock": +1}', b"{sku: 1}", b'{"sku" "x"}', b"[1, 2", b"// comment\n{}", b"sku=x&name=y", b"<xml/>", b"\x00",
    b"{}\x00",
]  # fmt: skip
NOT_UTF8: list[bytes] = [
    b'{"sku": "\xff"}',
    b"\xff\xfe{}",
    '{"sku": "é"}'.encode("latin-1"),
    b'{"sku": "\xed\xa0\x80"}',
]
NO_OBJECT: list[bytes] = [b"[]", b'"text"', b"5", b"null", b"true", b'[{"sku": "x"}]']
TWICE: list[tuple[bytes, str]] = [
    (b'{"sku": "a", "sku": "b"}', "sku"),
    (b'{"sku": "a", "\\u0073ku": "a"}', "sku"),
    (b'{"attrs": {"a": 1, "a": 1}}', "a"),
    (b'{"fields": {"sku": "a", "sku": null}}', "sku"),
]  # fmt: skip
TOO_DEEP: list[bytes] = [b'{"attrs": ' + b"[" * n + b"]" * n + b"}" for n in (80, 1000, 100_000)]
TOO_DEEP.append(b'{"attrs": ' + b'{"a":' * 5000 + b"1" + b"}" * 5001)
NODE = "/api/workflows/ProductCreateNode/execute"
PATHS = [
    ("POST", NODE),
    ("POST", "/api/products"),
    ("PUT", "/api/products"),
    ("PATCH", "/api/products/1"),
    ("PUT", "/api/products/1"),
    ("POST", "/api/products/bulk"),
    ("PATCH", "/api/products/bulk"),
    ("DELETE", "/api/products/bulk"),
    ("POST", "/api/products/aggregate"),
    ("POST", "/api/batch"),
]


def answers(body: bytes) -> list[Answer]:
    """Of every path that takes JSON, on both databases; nothing is changed."""
    found = []
    for alias in (SQLITE, POSTGRESQL):
        before = contents(alias)
        with rolled_back(alias):
            found += [http(method, path, body) for method, path in PATHS]
            assert contents(alias) == before
    for answer in found:
        check_refusal(answer)
    return found


@pytest.mark.parametrize("body", [*NOT_JSON, *NOT_UTF8, b"", b"  \n"], ids=repr)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    assert {(answer.status, answer.code) for answer in answers(body)} == {(400, "malformed")}


@pytest.mark.parametrize("body", NO_OBJECT, ids=repr)
def test_parameters_are_an_object(body: bytes) -> None:
    assert {(answer.code, *answer.fields) for answer in answers(body)} == {("invalid", "body")}


@pytest.mark.parametrize(("body", "name"), TWICE)
def test_a_name_comes_once(body: bytes, name: str) -> None:
    assert {(answer.code, *answer.fields) for answer in answers(body)} == {("invalid", name)}


@pytest.mark.parametrize("body", TOO_DEEP, ids=len)
def test_depth_is_bounded(body: bytes) -> None:
    assert {(answer.status, answer.code) for answer in answers(body)} == {(413, "limit_exceeded")}


@pytest.mark.parametrize(
    "text", [b'{"stock": 1e999999999999999}', b'{"stock": ' + b"9" * 10_000 + b"}"]
)
def test_numbers_are_bounded(text: bytes) -> None:
    with rolled_back(SQLITE):
        answer = http("PATCH", "/api/products/1", text)
    check_refusal(answer)
    assert (answer.code, answer.faults) == ("invalid", [("stock", "range")])


@pytest.mark.parametrize("body", [body for body in NOT_JSON if b"\x00" not in body], ids=repr)
def test_a_parameter_that_is_no_json_is_named(body: bytes) -> None:
    text = body.decode()
    with rolled_back(SQLITE):
        told = [
            command("products", "create", f"--fields={text}"),
            command("products", "list", f"--filter={text}"),
            command("execute", "ProductUpdateNode", "--id=1", f"--attrs={text}"),
            command("products", "bulk-create", f"--data={text}"),
        ]
    names = [["fields"], ["filter"], ["attrs"], ["data"]]
    for answer, name in zip(told, names, strict=True):
        check_refusal(answer)
        assert (answer.code, answer.fields) == ("invalid", name)


@pytest.mark.parametrize(("body", "name"), TWICE)
def test_a_name_comes_once_on_the_command_line(body: bytes, name: str) -> None:
    with rolled_back(SQLITE):
        answer = command("products", "create", f"--fields={body.decode()}")
    check_refusal(answer)
    assert (answer.code, answer.fields) == ("invalid", [name])


@pytest.mark.parametrize("body", TOO_DEEP, ids=len)
def test_depth_is_bounded_on_the_command_line(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(b"[" + body + b"]")
    with rolled_back(SQLITE):
        told = [
            command("products", "create", f"--fields={body.decode()}"),
            command("products", "bulk-create", "--file", str(path)),
        ]
    for answer in told:
        check_refusal(answer)
        assert answer.code == "limit_exceeded"


@pytest.mark.parametrize("body", [*NOT_JSON, *NOT_UTF8, b""], ids=repr)
def test_a_file_that_is_no_json_is_malformed(body: bytes, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(body)
    with rolled_back(SQLITE):
        answer = command("products", "bulk-create", "--file", str(path))
    check_refusal(answer)
    assert answer.code == "malformed"


def test_inputs_are_unwrapped_where_they_are_all() -> None:
    wrapped = {"inputs": {"id": 1, "fields": ["id"]}}
    path = "/api/workflows/ProductReadNode/execute"
    with rolled_back(SQLITE):
        assert http("POST", path, json.dumps(wrapped)).body == b'{"id":1}'
        for more in ({**wrapped, "id": 1}, {"inputs": [1]}, {"inputs": None}):
            answer = http("POST", path, json.dumps(more))
            check_refusal(answer)
            assert (answer.code, answer.fields) == ("invalid", ["inputs"])


# --- the same as the arguments of a tool ----------------------------------------------------------


def tool_call(arguments: bytes, name: bytes = b"update_product") -> bytes:
    return (
        b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"%b","arguments":%b}}'
        % (name, arguments)
    )


def over_mcp(line: bytes) -> list[Any]:
    """What is answered over HTTP, and over the lines of `nexus mcp`; nothing is changed."""
    before = contents(SQLITE)
    with rolled_back(SQLITE):
        over_http = Client().post("/mcp", line, content_type="application/json").content
        over_lines = wire(default_nexus().catalog).ask(line)
        assert contents(SQLITE) == before
    for raw in (over_http, over_lines):
        assert not LEAKS.search(raw.decode()), raw
    return [json.loads(over_http), json.loads(over_lines)]


@pytest.mark.parametrize(
    "body",
    [
        *(body for body in NOT_JSON if b"\n" not in body),
        *NOT_UTF8,
        *(body for body, _ in TWICE),
        *TOO_DEEP,
    ],
    ids=lambda body: repr(body[:30]),
)
def test_arguments_that_are_no_json_are_a_fault_of_the_protocol(body: bytes) -> None:
    for answer in over_mcp(tool_call(body)):
        assert (answer["id"], answer["error"]["code"]) == (None, -32700)


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"true", b'[{"sku": "x"}]'], ids=repr)
def test_arguments_are_an_object(body: bytes) -> None:
    for answer in over_mcp(tool_call(body)):
        assert (answer["id"], answer["error"]["code"]) == (7, -32602)


@pytest.mark.parametrize(
    ("arguments", "code", "fields"),
    [
        (b'{"id": 1, "stock": 1e999999999999999}', "invalid", ["stock"]),
        (b'{"id": 1, "stock": ' + b"9" * 10_000 + b"}", "invalid", ["stock"]),
        (b'{"id": 1, "\\ud800": 1}', "invalid", ["\ud800"]),
        (b'{"id": 1, "fields": {"\\ud800": 1}}', "invalid", ["fields.\ud800"]),
        (b"{}", "invalid", ["id"]),
        (b"null", "invalid", ["id"]),
        (b'{"id": 1, "confirmation_token": "x"}', "invalid", ["confirmation_token"]),
    ],
)
def test_arguments_that_are_wrong(arguments: bytes, code: str, fields: list[str]) -> None:
    for answer in over_mcp(tool_call(arguments)):
        error = json.loads(answer["result"]["content"][0]["text"])
        assert answer["result"]["isError"] is True
        assert (error["code"], [item["field"] for item in error["errors"]]) == (code, fields)


@pytest.mark.parametrize(
    "name", [b"list_users", b"nothing", b"", b"\\ud800", b"a\\u0000", b"x" * 10_000, b"__class__"]
)
def test_tools_that_are_none(name: bytes) -> None:
    for answer in over_mcp(tool_call(b"{}", name)):
        error = json.loads(answer["result"]["content"][0]["text"])
        assert (answer["result"]["isError"], error["code"]) == (True, "not_found")


@pytest.mark.parametrize(
    ("name", "arguments", "code", "fields"),
    [
        ("run_workflow", {}, "invalid", ["node"]),
        ("run_workflow", {"node": 5}, "invalid", ["node"]),
        ("run_workflow", {"node": "Nope"}, "not_found", []),
        ("run_workflow", {"node": "UserListNode"}, "not_found", []),
        ("run_workflow", {"node": "ProductListNode", "params": []}, "invalid", ["params"]),
        ("run_workflow", {"node": "ProductListNode", "limit": 1}, "invalid", ["limit"]),
        ("list_records", {}, "invalid", ["model"]),
        ("list_records", {"model": 5}, "invalid", ["model"]),
        ("list_records", {"model": "auth.User"}, "not_found", []),
        ("list_records", {"model": "\ud800"}, "not_found", []),
        ("list_records", {"model": "products", "limt": 1}, "invalid", ["limt"]),
        ("search_models", {"query": 5}, "invalid", ["query"]),
        ("search_models", {"query": "x", "limit": 0}, "invalid", ["limit"]),
        ("search_models", {"query": "\ud800", "limit": True}, "invalid", ["limit"]),
        ("describe_models", {"models": [5]}, "invalid", ["models"]),
        ("describe_models", {"models": ["\ud800"]}, "not_found", []),
        ("describe_models", {"models": ["products"] * 50}, "limit_exceeded", []),
    ],
)
def test_tools_over_all_models_refuse(
    name: str, arguments: dict[str, Any], code: str, fields: list[str]
) -> None:
    for answer in over_mcp(tool_call(json.dumps(arguments).encode(), name.encode())):
        error = json.loads(answer["result"]["content"][0]["text"])
        assert (error["code"], [item["field"] for item in error["errors"]]) == (code, fields)
