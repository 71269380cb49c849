"""The arguments of ``Nexus(…)`` → its configuration. Reads settings, no model and no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dataflow_nexus import conf
from dataflow_nexus.conf import Configuration, Source, configure
from dataflow_nexus.dataflow import DataFlow
from dataflow_nexus.dataflow.standalone import is_standalone
from dataflow_nexus.exceptions import ConfigurationError

_ACCESS = "authentication_required"


@dataclass(frozen=True, kw_only=True)
class Configured:
    """What the arguments say together."""

    configuration: Configuration
    integrations: tuple[DataFlow, ...]
    open_to_others: bool
    """Whether the developer said that anybody may use it: without that a standalone Nexus serves this machine."""


def configured(
    named: Mapping[str, Any],
    dataflow_config: object,
    auth_config: object,
    monitoring_config: object,
) -> Configured:
    """The configuration of a Nexus; ``named`` are the arguments that have names of their own.

    Raises ``ConfigurationError`` on an unknown key, a wrong type, a feature that is not built, or
    dictionaries that contradict each other.
    """
    given = dict(_mapping(dataflow_config, "dataflow_config"))
    access = _mapping(auth_config, "auth_config")
    monitoring = _mapping(monitoring_config, "monitoring_config")
    integrations = _integrations(given.pop("integration", None))
    base = without_project() if is_standalone() else conf.from_settings()
    if integrations:  # its models are exposed, and nothing that the settings name unless told to
        base = replace(base, models=(), auto_discovery=False)
    for values, source in (
        ({key: value for key, value in named.items() if value is not None}, Source(name="Nexus")),
        (given, Source(name="dataflow_config", also=("integration",))),
        (access, Source(name="auth_config")),
        (monitoring, Source(name="monitoring_config")),
    ):
        base = configure(base, values, source)
    declared = [source[_ACCESS] for source in (given, access) if _ACCESS in source]
    _check_access(base, declared)
    return Configured(
        configuration=base, integrations=integrations, open_to_others=False in declared
    )


def without_project() -> Configuration:
    """The defaults of a program without a Django project."""
    return Configuration(authentication_required=False)


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where} must be a dictionary, not {type(value).__name__}")
    for key in value:
        if not isinstance(key, str):
            raise ConfigurationError(f"{where}: keys are text, not {key!r}")
    return value


def _integrations(value: object) -> tuple[DataFlow, ...]:
    items: Iterable[object] = (
        () if value is None else value if isinstance(value, (list, tuple)) else (value,)
    )
    found = []
    for item in items:
        if not isinstance(item, DataFlow):
            raise ConfigurationError(
                "dataflow_config: 'integration' must be a DataFlow or a list of them, not"
                f" {type(item).__name__}"
            )
        found.append(item)
    return tuple(found)


def _check_access(configuration: Configuration, declared: list[bool]) -> None:
    if len(set(declared)) > 1:
        raise ConfigurationError(
            f"dataflow_config and auth_config contradict each other about {_ACCESS!r}"
        )
    if is_standalone() and configuration.authentication_required:
        raise ConfigurationError(
            f"{_ACCESS!r} without a Django project arrives in a later release; remove it, and only"
            " this machine is served"
        )
