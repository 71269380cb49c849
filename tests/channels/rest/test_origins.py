"""A web page of another origin changes nothing, whatever it sends; programs and trusted pages are let through."""

from typing import Any

import pytest
from django.test import Client

from testproject.shop.models import Tag
from tests.channels.rest.conftest import Ask

EVIL = "https://evil.example"
CROSS: list[dict[str, str]] = [
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "cross-site", "Origin": EVIL},
    {"Sec_Fetch_Site": "cross-site", "Origin": "null"},
    {"Sec_Fetch_Site": "same-site", "Origin": "http://testserver:3000"},
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://[broken"},
    {"Origin": "http://testserver:3000"},
    {"Origin": "https://testserver.evil.example"},
]
OWN: list[dict[str, str]] = [
    {},
    {"Sec_Fetch_Site": "same-origin", "Origin": "http://testserver"},
    {"Sec_Fetch_Site": "same-origin", "Origin": "http://localhost:5173"},  # through its proxy
    {"Sec_Fetch_Site": "none"},
    {"Origin": "http://testserver"},
    {"Origin": "HTTP://TestServer"},
]


@pytest.mark.parametrize("headers", CROSS, ids=str)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/tags", {"name": "made elsewhere"}),
        ("PUT", "/api/tags", {"name": "made elsewhere", "conflict_on": ["name"]}),
        ("DELETE", "/api/tags/bulk", {"filter": {}, "confirmed": True}),
        ("POST", "/api/workflows/TagCreateNode/execute", {"name": "made elsewhere"}),
        ("POST", "/api/batch", {"operations": []}),
        ("POST", "/api/tags/aggregate", {}),
    ],
)
def test_pages_of_other_origins_change_nothing(
    ask: Ask, headers: dict[str, str], method: str, path: str, body: Any
) -> None:
    before = Tag.objects.count()
    reply = ask(method, path, body, **headers)
    assert (reply.status, reply.json["code"]) == (403, "permission_denied")
    assert "trusted_origins" in reply.json["detail"]
    assert Tag.objects.count() == before


def test_a_form_makes_no_record(database: str) -> None:
    """A browser sends forms without asking first."""
    form = {"string": "made elsewhere"}
    reply = Client().post("/api/everything", form, headers={"Origin": EVIL})
    assert (reply.status_code, reply.json()["code"]) == (403, "permission_denied")
    assert EVIL in reply.json()["detail"]


@pytest.mark.parametrize("headers", CROSS, ids=str)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_is_the_browsers_business(ask: Ask, headers: dict[str, str], method: str) -> None:
    assert ask(method, "/api/tags", **headers).status == 200


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_programs_and_own_pages(ask: Ask, headers: dict[str, str]) -> None:
    assert ask("POST", "/api/tags", {"name": "made here"}, **headers).status == 201


@pytest.mark.parametrize(
    ("trusted", "origin", "status"),
    [
        ("https://shop.example", "https://shop.example", 201),
        ("https://Shop.example", "https://shop.EXAMPLE", 201),
        ("https://shop.example", "http://shop.example", 403),
        ("https://shop.example", "https://shop.example:444", 403),
        ("https://*.shop.example", "https://a.b.shop.example", 201),
        ("https://*.shop.example", "http://a.shop.example", 403),
        ("https://*.shop.example", "https://evilshop.example", 403),
    ],
)
@pytest.mark.parametrize("ours", [True, False])
def test_trusted_origins(
    ask: Ask, settings: Any, ours: bool, trusted: str, origin: str, status: int
) -> None:
    if ours:
        settings.DATAFLOW_NEXUS = {**settings.DATAFLOW_NEXUS, "TRUSTED_ORIGINS": [trusted]}
    else:
        settings.CSRF_TRUSTED_ORIGINS = [trusted]
    for number, site in enumerate(({}, {"Sec_Fetch_Site": "cross-site"})):
        reply = ask("POST", "/api/tags", {"name": f"made {number}"}, Origin=origin, **site)
        assert reply.status == status
