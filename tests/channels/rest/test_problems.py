"""Errors over HTTP: problem details (RFC 9457), request ids, credentials."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connections, transaction
from django.test import override_settings

from tests.channels.rest.conftest import Ask

MEMBERS = ["type", "title", "status", "detail", "code", "errors", "request_id"]
CLOSED = {**settings.DATAFLOW_NEXUS, "AUTHENTICATION_REQUIRED": True}
PUBLIC = ["/", "/api/docs", "/api/openapi.json", "/api/workflows", "/health/live", "/health/ready"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/api/products?prise=1", None, 422, "invalid"),
        ("POST", "/api/products", b"{", 400, "malformed"),
        ("GET", "/api/products/999", None, 404, "not_found"),
        ("PATCH", "/api/products", {}, 405, "method_not_allowed"),
        ("POST", "/api/countries", {"code": "DE", "name": "x"}, 409, "conflict"),
        ("DELETE", "/api/products/1", None, 409, "conflict"),
        ("PATCH", "/api/notes/1", {"slug": "x"}, 403, "permission_denied"),
        (
            "POST",
            "/api/tags/bulk",
            {"data": [{"name": "x"}], "max_affected": 0},
            413,
            "limit_exceeded",
        ),
    ],
)
def test_a_problem(ask: Ask, method: str, path: str, body: Any, status: int, code: str) -> None:
    reply = ask(method, path, body)
    problem = reply.json
    assert (reply.status, reply["Content-Type"]) == (status, "application/problem+json")
    assert list(problem) == MEMBERS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:dataflow-nexus:error:{code}"
    assert all(isinstance(problem[name], str) and problem[name] for name in ("title", "detail"))
    for item in problem["errors"]:
        assert list(item) == ["field", "code", "message"]


def test_one_title_per_code(ask: Ask) -> None:
    titles = {
        ask("GET", path).json["title"]
        for path in ("/api/products/999", "/api/nope", "/api/products/")
    }
    assert titles == {"Not found"}


def test_every_reply_has_a_request_id(ask: Ask) -> None:
    first, second = ask("GET", "/api/products/999"), ask("GET", "/api/products/999")
    for reply in (first, second):
        assert re.fullmatch(r"[0-9a-f]{32}", reply["X-Request-Id"])
        assert reply.json["request_id"] == reply["X-Request-Id"]
    assert first["X-Request-Id"] != second["X-Request-Id"]
    assert ask("GET", "/api/products/1").has("X-Request-Id")
    assert ask("OPTIONS", "/api/products").has("X-Request-Id")


def test_a_request_id_of_the_caller_is_kept(ask: Ask) -> None:
    reply = ask("GET", "/api/products/999", X_Request_Id="abc-1.2_3")
    assert reply["X-Request-Id"] == reply.json["request_id"] == "abc-1.2_3"


@pytest.mark.parametrize("wished", ["", "a b", 'a"b', "x" * 129, "é", "<script>"])
def test_a_request_id_that_could_harm_is_not(ask: Ask, wished: str) -> None:
    assert re.fullmatch(
        r"[0-9a-f]{32}", ask("GET", "/api/products/999", X_Request_Id=wished)["X-Request-Id"]
    )


# --- credentials ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/products"),
        ("POST", "/api/products"),
        ("GET", "/api/products/1"),
        ("DELETE", "/api/products/bulk"),
        ("GET", "/api/products/export"),
        ("GET", "/api/nope"),
        ("GET", "/api/nope/nothing/at/all"),
        ("GET", "/api/products/"),
        ("PROPFIND", "/api/products"),
        ("OPTIONS", "/api/products"),
        ("POST", "/api/batch"),
        ("POST", "/api/workflows/ProductReadNode/execute"),
        ("POST", "/api/workflows/Nope/execute"),
    ],
)
@override_settings(DATAFLOW_NEXUS=CLOSED)
def test_credentials_come_first(ask: Ask, method: str, path: str) -> None:
    """Before method, type, existence and parameters: nobody learns anything without them."""
    for accept in ("application/json", "image/png"):
        reply = ask(method, path, b"{" if method == "POST" else None, Accept=accept)
        assert (reply.status, reply["WWW-Authenticate"]) == (401, "Bearer")
        assert reply.json["code"] == "unauthenticated"


@pytest.mark.parametrize("path", PUBLIC)
def test_public_paths_answer_everybody(ask: Ask, path: str) -> None:
    with override_settings(DATAFLOW_NEXUS=CLOSED):
        reply = ask("GET", path)
    assert reply.status == 200
    if path != "/":
        assert b"roduct" not in reply.body.replace(b"roduction", b"")


@override_settings(DATAFLOW_NEXUS=CLOSED)
def test_nobody_sees_a_model_without_credentials(ask: Ask) -> None:
    assert ask("GET", "/api/workflows").json == {"workflows": []}
    document = ask("GET", "/api/openapi.json").json
    assert document["tags"] == []
    assert set(document["components"]["schemas"]) == {"Problem"}
    assert not any("product" in path for path in document["paths"])


# --- the database ---------------------------------------------------------------------------------


@pytest.fixture
def failing(database: str) -> Iterator[None]:
    """Every statement of the test fails as if the server were gone."""

    def fail(*args: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed: password secret")

    with connections[database].execute_wrapper(fail):
        yield


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/products", None),
        ("GET", "/api/products/1", None),
        ("POST", "/api/products", {"sku": "X", "name": "x", "price": 1}),
        ("POST", "/api/batch", {"operations": [{"node": "ProductCountNode"}]}),
        ("GET", "/api/products/aggregate?count=*", None),
        ("GET", "/api/products/export", None),
    ],
)
def test_a_database_that_is_gone(
    ask: Ask, failing: None, method: str, path: str, body: Any
) -> None:
    reply = ask(method, path, body)
    assert (reply.status, reply.json["code"]) == (503, "unavailable")
    assert b"10.0.0.1" not in reply.body
    assert b"secret" not in reply.body


def test_a_table_that_is_missing(ask: Ask, database: str) -> None:
    with connections[database].cursor() as cursor:
        cursor.execute("DROP TABLE shop_note")
    for method, path, body in (
        ("GET", "/api/notes", None),
        ("GET", "/api/notes/1", None),
        ("GET", "/api/notes/count", None),
        ("POST", "/api/notes", {"title": "x"}),
        ("DELETE", "/api/notes/1", None),
        ("GET", "/api/notes/export", None),
        ("POST", "/api/notes/bulk", {"data": [{"title": "x"}]}),
    ):
        with transaction.atomic(using=database):  # a request of its own
            reply = ask(method, path, body)
            transaction.set_rollback(True, using=database)
        assert (reply.status, reply.json["code"]) == (503, "table_not_found"), path
        assert "existing_schema_mode=False" in reply.json["detail"]
        assert b"shop_note" not in reply.body
