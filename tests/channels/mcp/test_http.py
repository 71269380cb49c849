"""`/mcp` as a resource of HTTP: methods, types, sizes, credentials, what the query string chooses."""

import asyncio
import io
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from dataflow_nexus import execution
from tests.channels.mcp.client import ERAS, HANDSHAKE, ask, ask_modern, request, send
from tests.routing import SQLITE

pytestmark = pytest.mark.django_db
PING = request("ping")
READ = {"name": "read_product", "arguments": {"id": 1}}
Statements = Callable[[], AbstractContextManager[CaptureQueriesContext]]


def configured(**keys: Any) -> Any:
    return override_settings(DATAFLOW_NEXUS={**settings.DATAFLOW_NEXUS, **keys})


def names(path: str = "/mcp") -> list[str]:
    """The tools of all pages."""
    found: list[str] = []
    params: dict[str, Any] = {}
    while True:
        page = ask("tools/list", params, path=path).result
        found += [tool["name"] for tool in page["tools"]]
        if "nextCursor" not in page:
            return found
        params = {"cursor": page["nextCursor"]}


# --- before the message ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_another_method(client: Client, method: str) -> None:
    response = client.generic(method, "/mcp", headers={"Accept": "text/event-stream"})
    assert (response.status_code, response["Allow"]) == (405, "POST")
    if method != "HEAD":
        assert response.json()["error"]["code"] == -32600
        assert response.json()["id"] is None


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp",
        "application/json; charset=latin-1", "application/json; charset=utf-16", "json",
    ],
)  # fmt: skip
def test_another_content_type(kind: str) -> None:
    assert send(PING, Content_Type=kind).fault == (415, -32600)


def test_no_content_type(client: Client) -> None:
    assert client.generic("POST", "/mcp", b"", content_type="").status_code == 415


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=UTF-8", "Application/JSON"]
)
def test_content_types_of_json(kind: str) -> None:
    assert send(PING, Content_Type=kind).result == {}


@pytest.mark.parametrize(("coding", "status"), [("gzip", 415), ("br", 415), ("identity", 200)])
def test_a_body_that_says_it_is_compressed(coding: str, status: int) -> None:
    assert send(PING, Content_Encoding=coding).status == status


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json, text/event-stream", 200),
        ("APPLICATION/JSON", 200),
        ("application/*;q=0.1", 200),
        ("*/*", 200),
        ("text/html, */*;q=0.8", 200),
        ("", 200),
        ("text/event-stream", 406),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/json;q=0.0, text/html", 406),
        (",;", 406),
    ],
)
def test_what_the_client_takes(accept: str, status: int) -> None:
    reply = send(PING, Accept=accept)
    assert reply.status == status
    assert reply.response["Content-Type"] == "application/json"
    if status == 406:
        assert reply.fault == (406, -32600)


@pytest.mark.parametrize(("host", "status"), [("testserver", 200), ("evil.example", 421)])
def test_the_view_knows_its_hosts(host: str, status: int) -> None:
    """Django's own middleware would say 400 first; see `channels.handlers`."""
    quiet = [name for name in settings.MIDDLEWARE if "CommonMiddleware" not in name]
    with override_settings(ALLOWED_HOSTS=["testserver"], MIDDLEWARE=quiet):
        assert send(PING, Host=host).status == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://testserver", 200), ("http://evil.example", 403), ("null", 403)],
)
def test_pages_of_another_origin(origin: str, status: int) -> None:
    assert send(PING, Origin=origin).status == status


def test_requests_have_an_id() -> None:
    assert send(PING, X_Request_Id="mine-1").response["X-Request-Id"] == "mine-1"
    assert len(send(PING, X_Request_Id="no good").response["X-Request-Id"]) == 32


# --- credentials ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("body", [b"{", json.dumps(PING).encode()])
@configured(AUTHENTICATION_REQUIRED=True)
def test_credentials_come_first(client: Client, method: str, body: bytes) -> None:
    for kind in ("application/json", "text/plain"):
        response = client.generic(method, "/mcp?nonsense=1", body, content_type=kind)
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
        assert response["Content-Type"] == "application/problem+json"
        problem = response.json()
        assert (problem["code"], problem["status"]) == ("unauthenticated", 401)
        assert problem["request_id"] == response["X-Request-Id"]


@pytest.mark.parametrize("key", ["ENABLE_MCP", "AUTO_GENERATE_MCP_TOOLS"])
def test_it_can_be_switched_off(key: str) -> None:
    with configured(**{key: False}):
        assert send(PING).status == 404
    assert send(PING).status == 200


# --- bodies ---------------------------------------------------------------------------------------


@configured(MAX_BODY_BYTES=1000)
def test_the_body_is_bounded() -> None:
    assert send(request("ping", {"x": "x" * 1000})).fault == (413, -32600)
    room = 1000 - len(json.dumps(request("ping", {"x": ""})))
    assert send(request("ping", {"x": "x" * room})).status == 200
    assert send(request("ping", {"x": "x" * (room + 1)})).status == 413


def served(**environ: Any) -> tuple[str, bytes]:
    """Status and body of a POST as a WSGI server hands it over."""
    told: list[str] = []
    given = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/mcp", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "wsgi.errors": io.StringIO(),
        "CONTENT_TYPE": "application/json", **environ,
    }  # fmt: skip
    response = WSGIHandler()(given, lambda status, _: told.append(status))
    return told[0][:3], b"".join(response)


def test_a_chunked_body() -> None:
    raw = json.dumps(PING).encode()
    chunked: dict[str, Any] = {"wsgi.input": io.BytesIO(raw), "wsgi.input_terminated": True}
    assert served(**chunked) == ("200", b'{"jsonrpc":"2.0","id":1,"result":{}}')
    with configured(MAX_BODY_BYTES=10):
        assert served(**chunked | {"wsgi.input": io.BytesIO(raw)})[0] == "413"


class Broken(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError("the client is gone")


@pytest.mark.parametrize("more", [{"CONTENT_LENGTH": "50"}, {"wsgi.input_terminated": True}])
def test_a_body_that_breaks_off(more: dict[str, Any]) -> None:
    status, body = served(**{"wsgi.input": Broken()}, **more)
    assert (status, json.loads(body)["error"]["code"]) == ("400", -32600)


def test_a_refused_body_is_read_to_its_end() -> None:
    source = io.BytesIO(b"x" * 100)
    status, _ = served(**{"wsgi.input": source, "CONTENT_LENGTH": "100", "CONTENT_TYPE": "text/x"})
    assert (status, source.read()) == ("415", b"")


def test_it_answers_under_asgi(on_sqlite: str) -> None:
    async def asked() -> tuple[int, bytes]:
        headers = [(b"host", b"testserver"), (b"content-type", b"application/json")]
        scope = {
            "type": "http", "method": "POST", "path": "/mcp", "query_string": b"tools=models",
            "headers": headers, "server": ("testserver", 80), "scheme": "http", "http_version": "1.1",
        }  # fmt: skip
        communicator = ApplicationCommunicator(ASGIHandler(), scope)
        body = json.dumps(request("tools/list")).encode()
        await communicator.send_input({"type": "http.request", "body": body})
        start = await communicator.receive_output(30)
        found, more = b"", True
        while more:
            part = await communicator.receive_output(30)
            found, more = found + part.get("body", b""), part.get("more_body", False)
        await communicator.wait(30)
        return start["status"], found

    status, body = asyncio.run(asked())
    assert status == 200
    assert json.loads(body)["result"] == ask("tools/list", path="/mcp?tools=models").result


# --- the query string -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("tool=models", 'unknown parameter "tool" — did you mean "tools"?'),
        ("=x", 'unknown parameter ""'),
        ("tools=all", '"tools" must be one of "auto", "models", "compact", not "all"'),
        ("tools=", '"tools" must be one of'),
        ("tools=models&tools=models", '"tools" is given twice'),
        ("read_only=yes", '"read_only" must be 1 or 0'),
        ("read_only=", '"read_only" must be 1 or 0'),
        ("models=prodcuts", 'there is no model "prodcuts" — did you mean "products"?'),
        ("models=products,", 'there is no model ""'),
        ("models=auth.User", 'there is no model "auth.User"'),
        ("models=%ff", "UTF-8"),
        ("&".join(f"a{number}=1" for number in range(50)), "the query string takes"),
    ],
)
def test_a_wrong_choice_is_named(query: str, named: str) -> None:
    reply = ask("tools/list", path=f"/mcp?{query}")
    assert reply.fault == (400, -32602)
    assert named in reply.message


def test_a_choice_of_models() -> None:
    for given in ("products,orders", "Product,Order", "shop.Product, orders"):
        found = names(f"/mcp?tools=models&models={given}")
        assert len(found) == 24
        assert {name.split("_")[-1] for name in found} == {"product", "products", "order", "orders"}
    assert "search_models" in names("/mcp?models=products&tools=compact")
    assert "list_products" in names("/mcp?models=products")
    models = ask("resources/list", path="/mcp?models=products").result["resources"]
    assert [item["name"] for item in models] == ["products"]


@pytest.mark.parametrize("value", ["1", "true", "TRUE"])
def test_a_choice_that_only_reads(value: str, database: str) -> None:
    path = f"/mcp?tools=models&read_only={value}"
    verbs = {name.partition("_")[0] for name in names(path)}
    assert verbs == {"read", "list", "count", "aggregate"}
    for tool in ("delete_product", "delete_nothing"):
        result = ask("tools/call", {"name": tool, "arguments": {"id": 1}}, path=path).result
        error = json.loads(result["content"][0]["text"])
        assert (result["isError"], error["code"]) == (True, "not_found")
        assert error["detail"].startswith(f'there is no tool "{tool}"')


@pytest.mark.parametrize("value", ["0", "false", "False"])
def test_a_choice_that_writes(value: str) -> None:
    assert names(f"/mcp?read_only={value}&tools=models") == names("/mcp?tools=models")


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("era", ERAS)
def test_pages_of_tools(era: str) -> None:
    path = "/mcp?tools=models"
    whole = names(path)
    assert len(whole) == len(set(whole)) > 60
    first = ERAS[era]("tools/list", path=path).result
    assert [tool["name"] for tool in first["tools"]] == whole[:60]
    second = ERAS[era]("tools/list", {"cursor": first["nextCursor"]}, path=path).result
    assert [tool["name"] for tool in second["tools"]] == whole[60:120]


def test_a_page_holds_what_is_configured() -> None:
    with configured(MCP_MAX_TOOLS=7):
        page = ask("tools/list", path="/mcp?tools=models").result
        assert len(page["tools"]) == 7
        assert len(names("/mcp")) == 11


def test_a_list_that_fits_is_one_page() -> None:
    result = ask("tools/list", path="/mcp?tools=models&models=products,orders").result
    assert len(result["tools"]) == 24
    assert "nextCursor" not in result


# --- what is asked of the database ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("ping", None),
        ("tools/list", None),
        ("resources/list", None),
        ("resources/read", {"uri": "schema://models/products"}),
        ("prompts/list", None),
        ("tools/call", {"name": "search_models", "arguments": {"query": "product"}}),
        ("tools/call", {"name": "describe_models", "arguments": {"models": ["products"]}}),
        ("tools/call", {"name": "list_nothing"}),
    ],
)
def test_what_asks_no_database(method: str, params: Any, statements: Statements) -> None:
    with statements() as seen:
        assert ask(method, params).result is not None
    assert len(seen) == 0


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read_product", {"id": 1}),
        ("list_products", {"limit": 3, "filter": {"active": True}}),
        ("count_products", {}),
        ("read_record", {"model": "Product", "id": 1}),
        ("run_workflow", {"node": "ProductReadNode", "params": {"id": 1}}),
    ],
)
def test_a_read_asks_no_more_than_the_operation(
    era: str, name: str, arguments: Any, statements: Statements, database: str
) -> None:
    with statements() as seen:
        result = ERAS[era]("tools/call", {"name": name, "arguments": arguments}).result
    assert "isError" not in result
    related = database == SQLITE and name != "count_products"  # the products' tags
    assert len(seen) == 1 + related


def test_a_defect_is_told_without_its_inside(
    database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(execution, "execute", broken)
    reply = ask_modern("tools/call", READ)
    assert b"secret" not in reply.response.content
    error = json.loads(reply.result["content"][0]["text"])
    assert (error["code"], error["request_id"]) == ("internal", reply.response["X-Request-Id"])
    assert error["request_id"] in caplog.text
    assert "secret of the inside" in caplog.text


def test_both_eras_show_the_same_tools() -> None:
    old, new = ask("tools/list", version=HANDSHAKE).result, ask_modern("tools/list").result
    assert old["tools"] == new["tools"]
