"""Text that is no JSON, or JSON that no parameter takes, wherever JSON may stand."""

import json
from pathlib import Path

import pytest

from tests.bad_input.checks import check_refusal, contents
from tests.parity.channels import Answer, command, http, rolled_back
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
