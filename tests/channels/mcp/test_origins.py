"""Pages of other origins, and requests that are none, at `/mcp`."""

from typing import Any

import pytest
from django.test import Client

PING = {"jsonrpc": "2.0", "id": 7, "method": "ping"}


def asked(client: Client, message: object = PING, **headers: str) -> Any:
    return client.post("/mcp", message, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://testserver", 200),
        ("https://TESTSERVER", 200),
        ("https://app.example", 200),
        ("https://a.b.apps.example", 200),
        ("http://app.example", 403),
        ("http://a.apps.example", 403),
        ("https://xapps.example", 403),
        ("https://app.example.evil.example", 403),
        ("http://testserver:81", 403),
        ("http://testserver@evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
        ("http://[::1", 403),
    ],
)
def test_an_origin(client: Client, settings: Any, origin: str, status: int, on_sqlite: str) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example", "https://*.apps.example"]
    response = asked(client, Origin=origin)
    assert response.status_code == status
    assert ("error" in response.json()) == (status != 200)


@pytest.mark.parametrize(
    ("message", "known"),
    [
        ({"id": 7, "method": "ping"}, 7),
        ({"jsonrpc": "2.0", "id": "seven"}, "seven"),
        ({"jsonrpc": "2.0", "id": 7, "method": 1}, 7),
        ({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": []}, 7),
        ({"jsonrpc": "2.0", "id": True, "method": "ping"}, None),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}, None),
        ({"jsonrpc": "2.0", "id": None, "method": "ping"}, None),
    ],
)
def test_a_fault_says_whose_it_is(
    client: Client, message: object, known: object, on_sqlite: str
) -> None:
    """ "If there was an error in detecting the id, it must be null" (JSON-RPC 2.0, 5), and else the request's."""
    response = asked(client, message)
    assert response.status_code == 400
    told = response.json()
    assert (told["id"], told["error"]["code"]) == (known, -32600)
