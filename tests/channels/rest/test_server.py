"""What only a real socket shows: probes while the database is gone, chunked bodies, kept connections, odd bytes."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest

from tests import processes
from tests.channels.rest.test_resources import NEW
from tests.processes import PROJECT, Server

SOON = 5.0
"""Seconds; the probe itself gives a database two."""


@contextmanager
def shop(url: str) -> Iterator[Server]:
    """The sample shop, served on a database."""
    port = processes.free_port()
    words = (processes.NEXUS, "run", "--port", str(port))
    env = {"DJANGO_SETTINGS_MODULE": "testproject.settings", "NEXUS_TEST_DATABASE_URL": url}
    with processes.serving(*words, folder=PROJECT, port=port, **env) as server:
        yield server


# --- a database that is gone ----------------------------------------------------------------------


@contextmanager
def refusing() -> Iterator[str]:
    yield f"postgresql://postgres@127.0.0.1:{processes.free_port()}/shop"


@contextmanager
def silent() -> Iterator[str]:
    """A server that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield f"postgresql://postgres@127.0.0.1:{listening.getsockname()[1]}/shop"


@pytest.mark.parametrize("broken", [refusing, silent])
def test_ready_says_soon_that_the_database_is_gone(broken: object) -> None:
    with broken() as url, shop(url) as server:  # type: ignore[operator]
        for _ in range(2):
            started = time.monotonic()
            status, problem = server.ask("GET", "/health/ready")
            assert time.monotonic() - started < SOON
            assert (status, problem["code"]) == (503, "unavailable")
            assert "127.0.0.1" not in json.dumps(problem)
        assert server.ask("GET", "/health/live") == (200, {"status": "ok"})
        assert server.ask("GET", "/api/openapi.json")[0] == 200


# --- HTTP/1.1 -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A shop of its own on SQLite, empty but for its tables."""
    url = f"sqlite:///{tmp_path_factory.mktemp('served')}/shop.sqlite3"
    env = {"DJANGO_SETTINGS_MODULE": "testproject.settings", "NEXUS_TEST_DATABASE_URL": url}
    words = ("manage", "migrate", "--verbosity", "0")
    assert processes.nexus(*words, folder=PROJECT, **env).code == 0
    with shop(url) as server:
        yield server


@pytest.fixture
def connection(served: Server) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection(urlsplit(served.base).netloc, timeout=30)) as found:
        yield found


def answer(
    connection: HTTPConnection, method: str, path: str, *more: object
) -> tuple[HTTPResponse, bytes]:
    connection.request(method, path, *more)  # type: ignore[arg-type]
    response = connection.getresponse()
    return response, response.read()


def test_a_connection_is_kept_through_errors(connection: HTTPConnection) -> None:
    sent = {"Content-Type": "application/json"}
    for path, body, status in (
        ("/api/products", b"{", 400),
        ("/api/nope", b"{}", 404),
        ("/api/products", b'{"sku": 5}', 422),
        ("/api/products", b'{"sku": "K", "name": "n", "price": 1}', 201),
    ):
        response, _ = answer(connection, "POST", path, body, sent)
        assert response.status == status
        assert not response.will_close
    response, body = answer(connection, "GET", "/api/products/count?sku=K")
    assert (response.status, body) == (200, b'{"count":1}')


def test_a_chunked_body(connection: HTTPConnection) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"name\n"
        for number in range(500):
            yield b"chunk %d\n" % number

    response, body = answer(
        connection, "POST", "/api/tags/bulk", chunks(), {"Content-Type": "text/csv"}
    )
    assert (response.status, json.loads(body)["inserted"]) == (200, 500)


def test_a_chunked_body_beyond_the_limit(connection: HTTPConnection) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"name\n"
        for _ in range(40):
            yield b"x\n" * 512 * 1024

    try:
        response, body = answer(
            connection, "POST", "/api/tags/bulk", chunks(), {"Content-Type": "text/csv"}
        )
    except (BrokenPipeError, ConnectionResetError):  # told before all was sent
        return
    assert (response.status, json.loads(body)["code"]) == (413, "limit_exceeded")


def test_head_has_no_body(connection: HTTPConnection) -> None:
    for path in ("/api/products?limit=1", "/api/products/export", "/api/docs", "/api/nope"):
        response, body = answer(connection, "HEAD", path)
        assert (response.status, body) == (404 if path.endswith("nope") else 200, b"")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /api/countries/%ff HTTP/1.1", 404),
        (b"GET /api/countries/%zz HTTP/1.1", 404),
        (b"GET /api/products?name=%ff HTTP/1.1", 400),
        (b"GET /api/products?name=%zz HTTP/1.1", 400),
        (b"GET /api/products?name=\xff HTTP/1.1", 400),
        (b"GET /api/products?name=\xc3\xa9 HTTP/1.1", 200),
        (b"GET /api/price_list_entries/a%2Cb,2030-01-01 HTTP/1.1", 422),
        (b"GET /api/countries/a%2Fb HTTP/1.1", 404),
    ],
)
def test_a_request_line_of_odd_bytes(served: Server, line: bytes, status: int) -> None:
    host, _, port = urlsplit(served.base).netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as raw:
        raw.sendall(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        text = b""
        while chunk := raw.recv(65536):
            text += chunk
    assert text.split(b" ", 2)[1] == str(status).encode(), text[:500]
    assert b"Traceback" not in text


def test_a_large_export_streams(connection: HTTPConnection) -> None:
    rows = b"".join(b'{"name": "%s %d"}\n' % (b"e" * 40, number) for number in range(20_000))
    response, _ = answer(
        connection, "POST", "/api/tags/bulk", rows, {"Content-Type": "application/x-ndjson"}
    )
    assert response.status == 200
    response, body = answer(
        connection, "GET", "/api/tags/export?format=ndjson&name__startswith=eee"
    )
    assert (response.status, len(body.splitlines())) == (200, 20_000)
    assert response.getheader("Content-Length") is None


def test_what_was_written_stays(served: Server) -> None:
    status, record = served.ask("POST", "/api/products", NEW)
    assert status == 201
    assert served.ask("GET", f"/api/products/{record['id']}") == (200, record)
