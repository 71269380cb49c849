"""Keys of the configuration: types, defaults, suggestions, and features that are not built."""

import math
from dataclasses import Field, fields
from typing import Any

import pytest

from dataflow_nexus.conf import NOT_BUILT, Configuration, Source, configure, from_settings
from dataflow_nexus.exceptions import ConfigurationError

SOURCE = Source(name="dataflow_config", also=("integration",))


def refused(values: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        configure(Configuration(), values, SOURCE)
    return str(raised.value)


def test_access_is_on_and_discovery_off_by_default() -> None:
    defaults = Configuration()
    assert (defaults.authentication_required, defaults.auto_discovery) == (True, False)
    assert (defaults.default_limit, defaults.max_limit, defaults.api_prefix) == (100, 1000, "/api")
    for switch in (
        "enable_api", "enable_cli", "enable_mcp", "auto_generate_endpoints",
        "auto_generate_cli_commands", "auto_generate_mcp_tools", "expose_bulk_operations",
        "expose_analytics",
    ):  # fmt: skip
        assert getattr(defaults, switch) is True


def test_values_are_taken_and_the_base_is_kept() -> None:
    base = Configuration(title="Base", max_groups=7)
    found = configure(base, {"title": "Shop", "statement_timeout": 2, "models": ["a.*"]}, SOURCE)
    assert (found.title, found.max_groups, found.models) == ("Shop", 7, ("a.*",))
    assert base.title == "Base"


@pytest.mark.parametrize("item", fields(Configuration), ids=lambda item: item.name)
def test_every_key_has_a_type(item: Field[object]) -> None:
    wrong = [object()] if item.default is None else [object(), None]
    for value in wrong:
        assert refused({item.name: value}).startswith(f"dataflow_config: '{item.name}' must be ")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"expose_bulk_operations": 1}, "'expose_bulk_operations' must be True or False, not int"),
        ({"expose_bulk_operations": "no"}, "must be True or False, not str"),
        ({"max_limit": True}, "'max_limit' must be a whole number, not bool"),
        ({"max_limit": 1.5}, "'max_limit' must be a whole number, not float"),
        ({"max_limit": 0}, "'max_limit' must be positive, not 0"),
        ({"statement_timeout": -1.0}, "'statement_timeout' must be positive"),
        ({"statement_timeout": math.nan}, "'statement_timeout' must be positive"),
        ({"statement_timeout": math.inf}, "'statement_timeout' must be positive"),
        ({"models": "shop.*"}, "'models' must be a list of texts, not str"),
        ({"models": [1]}, "'models' must be a list of texts, not list"),
        ({"default_limit": 2000}, "'default_limit' is above 'max_limit'"),
        ({"api_prefix": "api"}, "'api_prefix' must be a path like /api"),
        ({"api_prefix": "/api/"}, "'api_prefix' must be a path like /api"),
        ({"api_prefix": "/<int:x>"}, "'api_prefix' must be a path like /api"),
        ({"api_prefix": ""}, "'api_prefix' must be a path like /api"),
        ({"api_prefix": "/mcp"}, "'api_prefix' can't be under /browse, /health, /mcp"),
        ({"api_prefix": "/health/api"}, "'api_prefix' can't be under /browse, /health, /mcp"),
        ({"trusted_origins": "https://a.example"}, "must be a list of texts, not str"),
        ({"trusted_origins": ["a.example"]}, "'trusted_origins' must be origins like"),
        ({"trusted_origins": ["https://a.example/"]}, "'trusted_origins' must be origins like"),
        ({"trusted_origins": ["*"]}, "'trusted_origins' must be origins like"),
        ({"trusted_origins": ["https://a.*.example"]}, "'trusted_origins' must be origins like"),
    ],
)
def test_wrong_values(values: dict[str, Any], message: str) -> None:
    assert message in refused(values)


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("auto_discover", "auto_discovery"),
        ("expose_bulk", "expose_bulk_operations"),
        ("integraton", "integration"),
        ("enable_cachin", "enable_caching"),
        ("MAX_LIMIT", "max_limit"),
    ],
)
def test_unknown_keys_suggest(key: str, near: str) -> None:
    assert refused({key: True}) == (
        f"dataflow_config: unknown key '{key}' (did you mean '{near}'?)"
    )
    assert refused({"xyz": 1}) == "dataflow_config: unknown key 'xyz'"


@pytest.mark.parametrize("key", NOT_BUILT)
def test_what_is_not_built_is_refused(key: str) -> None:
    """With the values that ask for nothing it is taken."""
    for value in (True, 300, ["apikey"]):
        assert refused({key: value}) == (
            f"dataflow_config: '{key}' arrives in a later release; remove it"
        )
    for value in NOT_BUILT[key]:
        assert configure(Configuration(), {key: value}, SOURCE) == Configuration()


def test_settings(settings: Any) -> None:
    settings.DATAFLOW_NEXUS = {"TITLE": "Shop", "EXPOSE_ANALYTICS": False}
    assert from_settings() == Configuration(title="Shop", expose_analytics=False)
    del settings.DATAFLOW_NEXUS
    assert from_settings() == Configuration()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "DATAFLOW_NEXUS must be a dictionary, not list"),
        ({"title": "x"}, "DATAFLOW_NEXUS: keys are in upper case: 'title'"),
        ({1: "x"}, "DATAFLOW_NEXUS: keys are in upper case: 1"),
        ({"TITEL": "x"}, "DATAFLOW_NEXUS: unknown key 'TITEL' (did you mean 'TITLE'?)"),
        ({"READ_ONLY": True}, "DATAFLOW_NEXUS: 'READ_ONLY' arrives in a later release; remove it"),
        ({"MAX_LIMIT": "x"}, "DATAFLOW_NEXUS: 'MAX_LIMIT' must be a whole number, not str"),
    ],
)
def test_wrong_settings(settings: Any, value: Any, message: str) -> None:
    settings.DATAFLOW_NEXUS = value
    with pytest.raises(ConfigurationError) as raised:
        from_settings()
    assert str(raised.value) == message
