"""Requests that are wrong before any parameter is: type, method, Accept, size, encoding, path."""

from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.test import Client, override_settings

from tests.bad_input.checks import check_refusal, contents
from tests.parity.channels import Answer, http, rolled_back
from tests.routing import POSTGRESQL, SQLITE

pytestmark = pytest.mark.django_db(databases=[SQLITE, POSTGRESQL])
NEW = '{"sku": "N", "name": "n", "price": 1}'
NODE = "/api/workflows/ProductReadNode/execute"


def ask(method: str, path: str, body: str | bytes | None = None, **more: Any) -> Answer:
    """An answer to a request that must change nothing."""
    before = contents(SQLITE)
    with rolled_back(SQLITE):
        answer = http(method, path, body, **more)
        assert contents(SQLITE) == before
    return answer


# --- content types --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain", "application/xml", "application/x-www-form-urlencoded", "text/csv", "application/x-ndjson",
        "multipart/form-data; boundary=x", "application/json; charset=latin-1", "application/json; charset=utf-16",
        "application/jsonp", "json", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/products"),
        ("PATCH", "/api/products/1"),
        ("POST", NODE),
        ("POST", "/api/batch"),
    ],
)
def test_another_content_type(method: str, path: str, content_type: str) -> None:
    answer = ask(method, path, NEW, content_type=content_type)
    check_refusal(answer)
    assert (answer.status, answer.code) == (415, "malformed")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=UTF-8",
        "application/JSON",
        "application/vnd.shop+json",
    ],
)
def test_content_types_of_json(content_type: str) -> None:
    answer = ask("POST", "/api/products?dry_run=true", NEW, content_type=content_type)
    assert (answer.status, answer.error) == (200, None)


@pytest.mark.parametrize(
    ("coding", "status"), [("gzip", 415), ("br, gzip", 415), ("identity", 200)]
)
def test_a_body_that_says_it_is_compressed(coding: str, status: int) -> None:
    """It is not unpacked, so it is not read as if it were plain either."""
    answer = ask("POST", "/api/products?dry_run=true", NEW, HTTP_CONTENT_ENCODING=coding)
    assert answer.status == status
    if status == 415:
        check_refusal(answer)


@pytest.mark.parametrize(
    "content_type", ["text/csv; charset=utf-16", "application/x-ndjson; charset=latin-1"]
)
def test_rows_are_utf8(content_type: str) -> None:
    answer = ask("POST", "/api/tags/bulk", "name\na\n", content_type=content_type)
    check_refusal(answer)
    assert answer.status == 415


# --- methods --------------------------------------------------------------------------------------

METHODS: dict[str, set[str]] = {
    "/": {"GET", "HEAD"},
    "/health/live": {"GET", "HEAD"},
    "/health/ready": {"GET", "HEAD"},
    "/api/docs": {"GET", "HEAD"},
    "/api/openapi.json": {"GET", "HEAD"},
    "/api/workflows": {"GET", "HEAD"},
    NODE: {"POST"},
    "/api/batch": {"POST"},
    "/api/products": {"GET", "HEAD", "POST", "PUT"},
    "/api/products/1": {"GET", "HEAD", "PATCH", "PUT", "DELETE"},
    "/api/products/count": {"GET", "HEAD"},
    "/api/products/aggregate": {"GET", "HEAD", "POST"},
    "/api/products/export": {"GET", "HEAD"},
    "/api/products/bulk": {"POST", "PUT", "PATCH", "DELETE"},
}
ALL = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"}


@pytest.mark.parametrize("path", METHODS)
def test_another_method(path: str) -> None:
    client = Client(raise_request_exception=False)
    for method in ALL - METHODS[path]:
        response = client.generic(method, path)
        assert response.status_code == 405
        assert set(response["Allow"].split(", ")) == METHODS[path] | {"OPTIONS"}
        if method != "HEAD":
            assert response.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", METHODS)
def test_options_say_what_is_possible(path: str) -> None:
    response = Client().options(path)
    assert (response.status_code, response.content) == (200, b"")
    assert set(response["Allow"].split(", ")) == METHODS[path] | {"OPTIONS"}


@pytest.mark.parametrize("path", [path for path, methods in METHODS.items() if "HEAD" in methods])
def test_head_is_get_without_a_body(path: str) -> None:
    client = Client()
    with rolled_back(SQLITE):
        query = "?count=*" if path.endswith("aggregate") else ""
        whole, head = client.get(path + query), client.head(path + query)
        if whole.streaming:
            b"".join(whole)
    assert (whole.status_code, head.status_code, head.content) == (200, 200, b"")
    assert head["Content-Type"] == whole["Content-Type"]
    if not whole.streaming:
        assert head["Content-Length"] == str(len(whole.content))


def test_head_of_nothing() -> None:
    with rolled_back(SQLITE):
        response = Client().head("/api/products/999")
    assert (response.status_code, response.content) == (404, b"")


# --- Accept ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/xml, text/*",
        "*/*;q=0",
        "application/json;q=0",
        "application/json;q=0.0, */*",
        "x",
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/products", "/api/products/1", "/api/workflows", "/api/openapi.json"]
)
def test_what_cannot_be_served(path: str, accept: str) -> None:
    answer = ask("GET", path, HTTP_ACCEPT=accept)
    check_refusal(answer)
    assert (answer.status, answer.code) == (406, "not_acceptable")


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/*",
        "application/json",
        "text/html, application/json;q=0.1",
        "text/html, */*;q=0.8",
    ],
)
def test_what_can_be_served(accept: str) -> None:
    assert ask("GET", "/api/products/1", HTTP_ACCEPT=accept).status == 200


def test_what_an_export_serves() -> None:
    for accept, first in (
        ("text/csv", "id,sku"),
        ("application/x-ndjson", '{"id":1'),
        ("*/*", '[{"id":1'),
    ):
        assert ask("GET", "/api/products/export", HTTP_ACCEPT=accept).raw.startswith(first)
    for query, accept in (("", "image/png"), ("?format=json", "text/csv")):
        answer = ask("GET", f"/api/products/export{query}", HTTP_ACCEPT=accept)
        check_refusal(answer)
        assert answer.status == 406


# --- sizes ----------------------------------------------------------------------------------------


@override_settings(DATAFLOW_NEXUS={**settings.DATAFLOW_NEXUS, "MAX_BODY_BYTES": 1000})
def test_the_body_is_bounded() -> None:
    long = '{"name": "' + "x" * 1000 + '"}'
    rows = "name\n" + "x\n" * 1000
    for method, path, body, kind in (
        ("POST", NODE, long, "application/json"),
        ("POST", "/api/products", long, "application/json"),
        ("PATCH", "/api/products/1", long, "application/json"),
        ("POST", "/api/products/aggregate", long, "application/json"),
        ("POST", "/api/batch", long, "application/json"),
        ("POST", "/api/tags/bulk", rows, "text/csv"),
        ("PUT", "/api/tags/bulk", rows, "application/x-ndjson"),
        ("POST", "/api/everythings", long, "multipart/form-data; boundary=x"),
    ):
        answer = ask(method, path, body, content_type=kind)
        check_refusal(answer)
        assert (answer.status, answer.code) == (413, "limit_exceeded"), path


def test_the_query_string_is_bounded() -> None:
    answer = ask("GET", "/api/products?" + "&".join(f"a{n}=1" for n in range(1001)))
    check_refusal(answer)
    assert (answer.status, answer.code) == (413, "limit_exceeded")


def test_a_get_has_no_body() -> None:
    for path in ("/api/products", "/api/products/1", "/api/products/count"):
        answer = ask("GET", path, '{"limit": 1}')
        check_refusal(answer)
        assert (answer.status, answer.code) == (400, "malformed")


# --- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query", ["sku=%ff", "%ff=1", "sku=%", "sku=%zz", "sku=%2", "sku=%ed%a0%80", "filter=%c3%28"]
)
def test_a_broken_query_string(query: str) -> None:
    for path in ("/api/products", "/api/products/1", "/api/products/count", "/api/products/export"):
        answer = ask("GET", f"{path}?{query}")
        check_refusal(answer)
        assert (answer.status, answer.code) == (400, "malformed")


@pytest.mark.parametrize("key", ["%ff", "%", "%zz", "%ed%a0%80"])
def test_a_broken_path_names_no_record(key: str) -> None:
    answer = ask("GET", f"/api/countries/{key}")
    check_refusal(answer)
    assert (answer.status, answer.code) == (404, "not_found")


def test_nul_in_a_path() -> None:
    answer = ask("GET", "/api/countries/%00")
    check_refusal(answer)
    assert (answer.status, answer.faults) == (422, [("id", "null_character")])


# --- keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/countries/~", "invalid"),
        ("/api/countries/~!!", "invalid"),
        ("/api/countries/~eA", "invalid"),  # x
        ("/api/countries/~bnVsbA", "invalid"),  # null
        ("/api/countries/~NQ", "invalid"),  # 5
        ("/api/countries/~_w", "invalid"),  # no UTF-8
        ("/api/countries/~W1tbW1tbW1tbW1tbW1tb", "invalid"),
        ("/api/countries/~Ilx1ZDgwMCI", "invalid"),  # a lone surrogate
        ("/api/products/~IjEi", "invalid"),  # "1"
        ("/api/products/~MS41", "invalid"),  # 1.5
        ("/api/products/~dHJ1ZQ", "invalid"),
        ("/api/products/0x1", "invalid"),
        ("/api/products/1_0", "invalid"),
        ("/api/products/1,2", "invalid"),
        (f"/api/products/{quote(chr(0x663))}", "invalid"),
        ("/api/products/" + "9" * 5000, "invalid"),
        ("/api/products/-1", "not_found"),
        ("/api/price_list_entries/SKU-00001", "invalid"),
        ("/api/price_list_entries/SKU-00001,2025-01-01,x", "invalid"),
        ("/api/price_list_entries/SKU-00001,yesterday", "invalid"),
        ("/api/price_list_entries/,", "invalid"),
        ("/api/price_list_entries/~e30", "invalid"),  # {}
        ("/api/price_list_entries/~IlNLVS0wMDAwMSI", "invalid"),
    ],
)
def test_keys_that_are_none(path: str, code: str) -> None:
    for method in ("GET", "DELETE", "PATCH"):
        answer = ask(method, path, "{}" if method == "PATCH" else None)
        check_refusal(answer)
        assert answer.code == code
        assert code == "not_found" or answer.fields[0].partition(".")[0] == "id"


@pytest.mark.parametrize(
    "path",
    [
        "/api/countries/~IkRFIg",
        "/api/countries/~IkRFIg==",
        "/api/countries/~eyJjb2RlIjoiREUifQ",
        "/api/countries/DE",
    ],
)
def test_spellings_of_one_key(path: str) -> None:
    assert ask("GET", path).body == b'{"code":"DE","name":"Germany"}'


def test_the_key_of_the_path_counts() -> None:
    answer = ask("PATCH", "/api/countries/DE", '{"id": "FR", "name": "x"}')
    check_refusal(answer)
    assert (answer.code, answer.fields) == ("invalid", ["id"])


# --- paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/api", "/api/", "/api/products/", "/api/products/1/", "/api/products/1/2", "/api//products", "/api/nope",
        "/api/nope/1", "/api/PRODUCTS", "/api/users", "/api/workflows/ProductReadNode", "/api/docs/nope.js",
        "/api/products/bulk/", "/api/%00", "/api/~", "/api/products%0a",
    ],
)  # fmt: skip
def test_paths_to_nothing(path: str) -> None:
    answer = ask("GET", path)
    check_refusal(answer)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    "node", ["Nope", "UserReadNode", "ProductReadnode", "productReadNode", "%00", "__class__"]
)
def test_nodes_that_are_none(node: str) -> None:
    answer = ask("POST", f"/api/workflows/{node}/execute", "{}")
    check_refusal(answer)
    assert (answer.status, answer.code) == (404, "not_found")


def test_the_nearest_name_is_suggested() -> None:
    for path, name in (
        ("/api/product", "products"),
        ("/api/workflows/ProductRedNode/execute", "ProductReadNode"),
    ):
        answer = ask("POST", path, "{}")
        assert answer.error is not None
        assert f'did you mean "{name}"' in answer.error["detail"]


# --- what is given twice, or has no meaning yet ---------------------------------------------------


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/products?sku=a", "sku"),
        ("/api/products?colour=a", "colour"),
        ("/api/products?dry_run=maybe", "dry_run"),
        ("/api/products?dry_run=1&dry_run=1", "dry_run"),
        ("/api/batch?x=1", "x"),
        ("/api/workflows/ProductCreateNode/execute?sku=a", "sku"),
    ],
)
def test_a_query_string_beside_a_body(path: str, field: str) -> None:
    answer = ask("POST", path, NEW)
    check_refusal(answer)
    assert (answer.code, answer.fields) == ("invalid", [field])


@pytest.mark.parametrize("header", ["Idempotency-Key", "If-Match"])
def test_headers_without_a_meaning_yet_are_refused(header: str) -> None:
    name = "HTTP_" + header.upper().replace("-", "_")
    answer = ask("POST", "/api/products", NEW, **{name: "x"})
    check_refusal(answer)
    assert (answer.code, answer.fields) == ("invalid", [header])
