"""What a person opens in a browser, and what a load balancer asks."""

import re
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.channels.rest.conftest import Ask

LINK = re.compile(r'(?:href|src|data-url)="([^"]+)"')


def test_the_root_links_to_everything(ask: Ask) -> None:
    reply = ask("GET", "/")
    links = LINK.findall(reply.body.decode())
    assert (reply.status, reply["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert links == ["/api/docs", "/api/openapi.json", "/api/workflows", "/admin/"]
    for link in links:
        assert Client().get(link, follow=True).status_code == 200
    assert "<h1>Sample shop</h1>" in reply.body.decode()


def test_the_docs_load_what_they_need(ask: Ask) -> None:
    reply = ask("GET", "/api/docs")
    assert (reply.status, reply["Content-Type"]) == (200, "text/html; charset=utf-8")
    links = LINK.findall(reply.body.decode())
    assert "/api/openapi.json" in links
    for link in links:
        assert link.startswith("/api/")
        asset = ask("GET", link)
        assert asset.status == 200
        assert asset.body
    assert ask("GET", "/api/docs/swagger-ui.css")["Content-Type"] == "text/css; charset=utf-8"
    assert ask("GET", "/api/docs/start.js")["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    "name", ["nope.js", "..", "..%2Fsettings.py", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "__init__.py"]
)
def test_the_docs_serve_nothing_else(ask: Ask, name: str) -> None:
    assert ask("GET", f"/api/docs/{name}").status == 404


def test_pages_need_no_inline_script(ask: Ask) -> None:
    """So that a strict Content-Security-Policy may stand."""
    for path in ("/", "/api/docs"):
        page = ask("GET", path).body.decode()
        assert not re.search(r"<script[^>]*>[^<]", page)
        assert not re.search(r"\son\w+=|javascript:", page)


@override_settings(SECURE_CONTENT_TYPE_NOSNIFF=True)
def test_no_answer_is_sniffed(ask: Ask) -> None:
    for path in ("/api/products/1", "/api/products/999", "/api/products/export?format=csv"):
        assert ask("GET", path)["X-Content-Type-Options"] == "nosniff"


# --- probes ---------------------------------------------------------------------------------------


def test_live(ask: Ask, statements: Any) -> None:
    with statements() as seen:
        reply = ask("GET", "/health/live")
    assert (reply.status, reply.json, len(seen)) == (200, {"status": "ok"}, 0)


def test_ready(ask: Ask) -> None:
    assert ask("GET", "/health/ready").json == {"status": "ok"}
