"""`include("dataflow_nexus.urls")`: what the settings say at the time of the request."""

from typing import Any

import pytest
from django.test import Client
from django.urls import include, path

from dataflow_nexus.exceptions import ConfigurationError


def test_settings_are_followed(client: Client, database: str, settings: Any) -> None:
    assert client.get("/api/countries/count").json() == {"count": 7}
    settings.DATAFLOW_NEXUS = {**settings.DATAFLOW_NEXUS, "API_PREFIX": "/v2"}
    assert client.get("/v2/countries/count").json() == {"count": 7}
    assert client.get("/api/countries/count").status_code == 404


def test_under_another_path(client: Client, database: str, settings: Any) -> None:
    patterns = [path("shop/", include("dataflow_nexus.urls"))]
    settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": patterns})
    assert client.get("/shop/api/countries/count").json() == {"count": 7}
    made = client.post("/shop/api/tags", {"name": "fresh"}, content_type="application/json")
    assert made["Location"] == f"/shop/api/tags/{made.json()['id']}"
    assert client.get("/health/live").status_code == 404
    assert client.get("/shop/health/live").status_code == 200


def test_settings_that_can_not_work_fail_every_request(settings: Any) -> None:
    settings.DATAFLOW_NEXUS = {"MODEL": []}
    for place in ("/api/products", "/", "/elsewhere"):
        with pytest.raises(ConfigurationError, match="unknown key 'MODEL'"):
            Client().get(place)
    answer = Client(raise_request_exception=False).get("/api/products")
    assert answer.status_code == 500
    assert b"MODEL" not in answer.content
