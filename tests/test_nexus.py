"""`Nexus`: its arguments, what it exposes, its switches, and calls from Python."""

import asyncio
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import path

import dataflow_nexus
from dataflow_nexus import ConfigurationError, Invalid, Nexus, NotFound, PermissionDenied
from dataflow_nexus import nexus as nexuses
from dataflow_nexus.access.principal import ANONYMOUS
from dataflow_nexus.dataflow import DataFlow, flow
from dataflow_nexus.nexus import current_nexus, default_nexus, loopback
from testproject.shop.models import Country, Product


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test makes is not left to the others."""
    monkeypatch.setattr(nexuses, "_nexuses", [])
    monkeypatch.setattr(flow, "_made", [])


def of(**config: Any) -> Nexus:
    """A Nexus that exposes countries alone, open to everybody."""
    db = DataFlow()
    db.register(Country)
    return Nexus(dataflow_config={"integration": db, "authentication_required": False, **config})


def test_public_names() -> None:
    for name in dataflow_nexus.__all__:
        assert getattr(dataflow_nexus, name) is not None
    assert set(dataflow_nexus.__all__) <= set(dir(dataflow_nexus))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        dataflow_nexus.Nothing  # noqa: B018


# --- arguments ------------------------------------------------------------------------------------


def test_every_argument_of_the_documented_constructor() -> None:
    found = Nexus(
        title="Shop",
        version="2.0",
        enable_api=True,
        enable_cli=False,
        enable_mcp=True,
        dataflow_config={"auto_discovery": False, "expose_analytics": False},
        auth_config={"authentication_required": False},
        monitoring_config={},
    ).configuration
    assert (found.title, found.version, found.enable_cli) == ("Shop", "2.0", False)
    assert (found.expose_analytics, found.authentication_required) == (False, False)


def test_settings_are_the_defaults(settings: Any) -> None:
    settings.DATAFLOW_NEXUS = {"MAX_LIMIT": 500, "TITLE": "From settings"}
    found = Nexus(title="Named").configuration
    assert (found.max_limit, found.title) == (500, "Named")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"title": 1}, "Nexus: 'title' must be text, not int"),
        ({"enable_api": "yes"}, "Nexus: 'enable_api' must be True or False, not str"),
        ({"dataflow_config": []}, "dataflow_config must be a dictionary, not list"),
        ({"auth_config": "x"}, "auth_config must be a dictionary, not str"),
        ({"monitoring_config": {"x": 1}}, "monitoring_config: unknown key 'x'"),
        ({"dataflow_config": {1: 2}}, "dataflow_config: keys are text, not 1"),
        ({"dataflow_config": {"integration": 1}}, "must be a DataFlow or a list of them, not int"),
        ({"dataflow_config": {"integration": [1]}}, "must be a DataFlow or a list of them"),
        ({"dataflow_config": {"integraton": 1}}, "(did you mean 'integration'?)"),
        ({"dataflow_config": {"enable_caching": True}}, "'enable_caching' arrives in a later"),
        ({"dataflow_config": {"cache_ttl": 300}}, "'cache_ttl' arrives in a later release"),
        ({"dataflow_config": {"rate_limiting": True}}, "'rate_limiting' arrives in a later"),
        ({"dataflow_config": {"read_only": True}}, "'read_only' arrives in a later release"),
        ({"dataflow_config": {"rbac_enabled": True}}, "'rbac_enabled' arrives in a later release"),
        ({"auth_config": {"providers": ["apikey"]}}, "auth_config: 'providers' arrives in a later"),
        ({"auth_config": {"rbac_enabled": True}}, "auth_config: 'rbac_enabled' arrives in a later"),
        ({"auth_config": {"authentication_required": True},
          "dataflow_config": {"authentication_required": False}}, "contradict each other"),
    ],
)  # fmt: skip
def test_wrong_arguments(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Nexus(**given)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("owner", "argument", "message"),
    [
        (Nexus, "titel", "Nexus: unknown argument 'titel' (did you mean 'title'?)"),
        (Nexus, "foo", "Nexus: unknown argument 'foo'"),
        (
            Nexus,
            "max_limit",
            "Nexus: unknown argument 'max_limit': it is a key of 'dataflow_config'",
        ),
        (
            Nexus,
            "read_only",
            "Nexus: unknown argument 'read_only': it is a key of 'dataflow_config'",
        ),
        (
            DataFlow,
            "pool_sise",
            "DataFlow: unknown argument 'pool_sise' (did you mean 'pool_size'?)",
        ),
        (DataFlow, "foo", "DataFlow: unknown argument 'foo'"),
    ],
)
def test_unknown_arguments(owner: Any, argument: str, message: str) -> None:
    """Like unknown keys; and a `TypeError`, as Python has it."""
    for kind in (ConfigurationError, TypeError):
        with pytest.raises(kind) as raised:
            owner(**{argument: 1})
        assert str(raised.value) == message


# --- what is exposed ------------------------------------------------------------------------------


def resources(found: Nexus) -> set[str]:
    return {exposed.resource for exposed in found.registry}


def test_an_integration_alone_is_exposed() -> None:
    assert resources(of()) == {"countries"}


def test_several_integrations() -> None:
    first, second = DataFlow(), DataFlow()
    first.register(Country)
    second.register(Product, resource="goods")
    found = Nexus(dataflow_config={"integration": [first, second]})
    assert resources(found) == {"countries", "goods"}


def test_without_an_integration_the_project_is_exposed(nexus: Nexus) -> None:
    assert resources(Nexus()) == resources(nexus)


def test_a_registration_that_comes_later_is_seen() -> None:
    found = of()
    assert "ProductListNode" not in found.catalog.operations
    found.register(Product)
    assert "ProductListNode" in found.catalog.operations
    assert resources(found) == {"countries", "products"}


def test_own_options_win() -> None:
    found = of()
    found.register(Country, operations=["list"])
    assert set(found.catalog.operations) == {"CountryListNode"}


def test_the_current_nexus() -> None:
    assert current_nexus() is default_nexus()
    found = of()
    assert current_nexus() is found
    assert default_nexus() is not found


def test_the_default_follows_the_settings(settings: Any) -> None:
    before = default_nexus()
    settings.DATAFLOW_NEXUS = {"MODELS": ["shop.Country"]}
    assert default_nexus() is not before
    assert default_nexus().configuration.models == ("shop.Country",)


# --- switches -------------------------------------------------------------------------------------

BULK = {f"CountryBulk{verb}Node" for verb in ("Create", "Update", "Delete", "Upsert")}


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({}, set()),
        ({"expose_bulk_operations": False}, BULK),
        ({"expose_analytics": False}, {"CountryAggregateNode"}),
        ({"expose_bulk_operations": False, "expose_analytics": False},
         {*BULK, "CountryAggregateNode"}),
    ],
)  # fmt: skip
def test_switches_of_nodes(config: dict[str, Any], missing: set[str]) -> None:
    found = set(of(**config).catalog.operations)
    assert len(found) == 12 - len(missing)
    assert not found & missing


@pytest.fixture
def client_of(settings: Any, database: str) -> Any:
    """A client of one Nexus, as `path("", nexus.urls)` serves it."""

    def client(found: Nexus) -> Client:
        settings.ROOT_URLCONF = type("urls", (), {"urlpatterns": [path("", found.urls)]})
        return Client(raise_request_exception=False)

    return client


def test_switched_off_nodes_are_not_found(client_of: Any) -> None:
    client = client_of(of(expose_bulk_operations=False, expose_analytics=False))
    for method, place in (
        ("get", "/api/countries/aggregate"),
        ("post", "/api/countries/bulk"),
        ("post", "/api/workflows/CountryBulkCreateNode/execute"),
        ("post", "/api/workflows/CountryAggregateNode/execute"),
    ):
        answer = getattr(client, method)(place, {}, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    listed = client.get("/api/workflows").json()["workflows"]
    assert len(listed) == 7
    with pytest.raises(NotFound):
        of(expose_analytics=False).execute("CountryAggregateNode")


@pytest.mark.parametrize("switch", ["enable_api", "auto_generate_endpoints"])
def test_rest_can_be_switched_off(client_of: Any, switch: str) -> None:
    """The probes stay; Python does not mind."""
    found = of(**{switch: False})
    client = client_of(found)
    for place in ("/api/countries", "/api/workflows", "/api/docs", "/api/openapi.json"):
        assert client.get(place).status_code == 404
    assert client.get("/health/live").status_code == 200
    assert found.execute("CountryCountNode")["count"] == 7


def test_another_prefix(client_of: Any) -> None:
    client = client_of(of(api_prefix="/v1/data"))
    assert client.get("/v1/data/countries/count").json() == {"count": 7}
    assert client.get("/api/countries").status_code == 404


def test_access_is_on_in_a_project(client_of: Any, settings: Any) -> None:
    settings.DATAFLOW_NEXUS = {}
    client = client_of(Nexus())
    answer = client.get("/api/countries")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer["WWW-Authenticate"]


# --- Python ---------------------------------------------------------------------------------------


def test_parameters_as_a_mapping_as_keywords_or_both(database: str) -> None:
    found = of()
    for answer in (
        found.execute("CountryListNode", {"limit": 1, "order_by": ["code"]}),
        found.execute("CountryListNode", limit=1, order_by=["code"]),
        found.execute("CountryListNode", {"limit": 1}, order_by=["code"]),
        json.loads(found.execute_json("CountryListNode", limit=1, order_by=["code"])),
    ):
        assert [record["code"] for record in answer["records"]] == ["AT"]


def test_errors_are_those_of_the_contract(database: str) -> None:
    found = of()
    with pytest.raises(Invalid, match='unknown parameter "limt"'):
        found.execute("CountryCountNode", limt=1)
    with pytest.raises(NotFound, match='did you mean "CountryListNode"'):
        found.execute("CountryLisNode")
    with pytest.raises((NotFound, PermissionDenied)):
        found.execute("CountryListNode", principal=ANONYMOUS)


def test_aexecute(database: str) -> None:
    """On a thread of its own, which sees what is committed and closes its connection."""
    found = of()
    answer = asyncio.run(found.aexecute("CountryCountNode", filter={"code": {"$in": ["AT", "xx"]}}))
    assert answer == {"count": 1}


# --- hosts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("[::1]", True),
        ("0.0.0.0", False), ("::", False), ("192.168.0.1", False), ("example.org", False), ("", False),
    ],
)  # fmt: skip
def test_loopback(host: str, expected: bool) -> None:
    assert loopback(host) is expected
