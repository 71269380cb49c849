"""What a Host that is not served is told: 400, and 421 on the path of MCP, standalone and in a project."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.urls import include, path

from dataflow_nexus.nexus import Nexus
from tests import processes, projects
from tests.launching import apps
from tests.processes import NEXUS, Server, free_port

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
APP = apps.IMPORTS + apps.MODEL + apps.NEXUS
EVIL = ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "a b", "")
MISDIRECTED = {
    "jsonrpc": "2.0",
    "id": None,
    "error": {"code": -32600, "message": "this server does not answer to that Host"},
}
urlpatterns = [
    path("mounted/", include("dataflow_nexus.urls")),
    path("other/mcp", lambda request: None),
]


@contextmanager
def standalone(folder: Path) -> Iterator[Server]:
    apps.make(folder, APP)
    port = free_port()
    words = (NEXUS, "run", "app.py", "--port", str(port))
    with processes.serving(*words, folder=folder, port=port) as server:
        yield server


@contextmanager
def project(folder: Path) -> Iterator[Server]:
    more = """
        ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
        MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
    """
    given = {"MODELS": ["library.*"], "AUTHENTICATION_REQUIRED": False}
    env = projects.make(folder, given, more=more) | {"DJANGO_SETTINGS_MODULE": "site_settings"}
    port = free_port()
    words = (NEXUS, "run", "--port", str(port))
    with processes.serving(*words, folder=folder, port=port, **env) as server:
        yield server


@pytest.mark.parametrize("served", [standalone, project])
def test_nexus_run(served: Callable[[Path], Any], tmp_path: Path) -> None:
    with served(tmp_path) as server:
        for host in EVIL:
            assert server.ask("POST", "/mcp", PING, Host=host) == (421, MISDIRECTED)
            assert server.ask("POST", "/api/batch/mcp", PING, Host=host)[0] == 400
            assert server.ask("GET", "/api/workflows", Host=host)[0] == 400
        origin = {"Host": "localhost", "Origin": "http://evil.example"}
        assert server.ask("POST", "/mcp", PING, **origin)[0] == 403
        for host in ("localhost", "127.0.0.1:1", "LOCALHOST:80"):
            assert server.ask("POST", "/mcp", PING, Host=host)[0] == 200


# --- the applications of a project, for other servers -----------------------------------------------------------------


def by_wsgi(nexus: Nexus, where: str, host: str) -> tuple[int, bytes]:
    told: list[str] = []
    body = json.dumps(PING).encode()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": where,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": host,
        "wsgi.input": BytesIO(body),
    }
    setup_testing_defaults(environ)
    answer = nexus.wsgi(environ, lambda status, headers: told.append(status))
    return int(told[0].split()[0]), b"".join(answer)


def by_asgi(nexus: Nexus, where: str, host: str) -> tuple[int, bytes]:
    sent: list[dict[str, Any]] = []
    body = json.dumps(PING).encode()
    scope = {
        "type": "http",
        "method": "POST",
        "path": where,
        "query_string": b"",
        "headers": [(b"host", host.encode()), (b"content-type", b"application/json")],
    }
    waiting = [{"type": "http.request", "body": body}]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(nexus.asgi(scope, receive, send))  # type: ignore[arg-type]  # Django types scopes of its own
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


@pytest.mark.parametrize("ask", [by_wsgi, by_asgi])
def test_the_applications_of_a_project(
    ask: Callable[[Nexus, str, str], tuple[int, bytes]],
    nexus: Nexus,
    settings: Any,
    on_sqlite: str,
) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    assert ask(nexus, "/mcp", "shop.example")[0] == 200
    status, told = ask(nexus, "/mcp", "evil.example")
    assert (status, json.loads(told)) == (421, MISDIRECTED)
    assert ask(nexus, "/api/workflows", "evil.example")[0] == 400
    assert ask(nexus, "/nothing/mcp", "evil.example")[0] == 400


@pytest.mark.parametrize("ask", [by_wsgi, by_asgi])
def test_it_holds_where_the_project_put_it(
    ask: Callable[[Nexus, str, str], tuple[int, bytes]],
    nexus: Nexus,
    settings: Any,
    on_sqlite: str,
) -> None:
    settings.ROOT_URLCONF = __name__
    settings.ALLOWED_HOSTS = ["shop.example"]
    assert ask(nexus, "/mounted/mcp", "shop.example")[0] == 200
    assert ask(nexus, "/mounted/mcp", "evil.example")[0] == 421
    assert ask(nexus, "/other/mcp", "evil.example")[0] == 400
