"""The keys that configure an application, their types and defaults. Read when asked, never at import.

The same keys come as ``dataflow_config``, ``auth_config`` and ``monitoring_config`` of ``Nexus(…)`` in lower case, and
as ``DATAFLOW_NEXUS`` in Django's settings in upper case. An unknown key is an error with a suggestion, a wrong type is
an error, and a key whose feature is not built is refused: nothing is accepted and ignored.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from django.conf import settings

from dataflow_nexus.exceptions import ConfigurationError

SETTING = "DATAFLOW_NEXUS"


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """Everything that can be set. Sizes are in bytes, times in seconds."""

    title: str = "dataflow-nexus"
    version: str = "1.0.0"
    enable_api: bool = True
    enable_cli: bool = True
    enable_mcp: bool = True
    auto_generate_endpoints: bool = True
    auto_generate_cli_commands: bool = True
    auto_generate_mcp_tools: bool = True
    expose_bulk_operations: bool = True
    expose_analytics: bool = True
    auto_discovery: bool = False
    authentication_required: bool = True
    models: tuple[str, ...] = ()
    api_prefix: str = "/api"
    default_limit: int = 100
    """Records in a page when ``limit`` is not given."""
    max_limit: int = 1000
    """The largest ``limit``; more is ``invalid``."""
    max_body_bytes: int = 32 * 1024 * 1024
    max_bulk_rows: int = 100_000
    """Rows in one bulk write; more is ``limit_exceeded``."""
    max_filter_depth: int = 10
    max_filter_conditions: int = 200
    max_in_values: int = 5_000
    expand_depth: int = 3
    expand_limit: int = 100
    """Related records per parent in a to-many expand."""
    max_groups: int = 1000
    """Groups that Aggregate returns at most."""
    statement_timeout: float = 30.0
    """An operation that the database has not finished by then is cancelled."""
    enable_sqlite_regex: bool = False
    """``$regex`` on SQLite runs in this process and may be made slow by its pattern, so it is off."""
    csv_neutralize: bool = True
    """Whether CSV cells that a spreadsheet would run get a leading apostrophe."""


NOT_BUILT: Mapping[str, tuple[object, ...]] = {
    "enable_caching": (False,),
    "cache_ttl": (None,),
    "rate_limiting": (False, None),
    "rbac_enabled": (False,),
    "read_only": (False,),
    "providers": (None,),
    "rules": (None,),
    "require_confirmation": (None,),
    "max_records_per_operation": (None,),
    "mcp_max_tools": (None,),
    "mcp_max_bytes": (None,),
    "audit_agent_actions": (False, None),
    "audit_changes": (False, None),
    "access_ttl": (None,),
    "state_database": (None,),
    "startup_guard": (None,),
    "monitoring": (False, None),
}
"""Keys of features that are not built, with the values that ask for nothing and are therefore taken."""

_POSITIVE = {
    "default_limit",
    "max_limit",
    "max_body_bytes",
    "max_bulk_rows",
    "max_filter_depth",
    "max_filter_conditions",
    "max_in_values",
    "expand_depth",
    "expand_limit",
    "max_groups",
    "statement_timeout",
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "tuple[str, ...]": (list, tuple),
}


def _suggestion(key: str) -> str:
    known = [item.name for item in fields(Configuration)] + list(NOT_BUILT)
    found = difflib.get_close_matches(key, known, n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""


def _checked(key: str, value: Any, annotation: str, where: str) -> Any:
    wanted = _TYPES[annotation]
    positive: Any = value
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise ConfigurationError(
            f"{where}: {key!r} must be {annotation}, not {type(value).__name__}"
        )
    if key in _POSITIVE and positive <= 0:
        raise ConfigurationError(f"{where}: {key!r} must be positive, not {value!r}")
    return tuple(value) if isinstance(value, list) else value


def configure(base: Configuration, values: Mapping[str, Any], where: str) -> Configuration:
    """``base`` with ``values`` over it.

    ``where`` names the source for messages (``dataflow_config``). Raises ``ConfigurationError`` on an unknown key, a
    wrong type, or a key whose feature is not built.
    """
    annotations = {item.name: str(item.type) for item in fields(Configuration)}
    changes: dict[str, Any] = {}
    for key, value in values.items():
        if key in annotations:
            changes[key] = _checked(key, value, annotations[key], where)
        elif key in NOT_BUILT:
            if value not in NOT_BUILT[key]:
                raise ConfigurationError(f"{where}: {key!r} arrives in a later release; remove it")
        else:
            raise ConfigurationError(f"{where}: unknown key {key!r}{_suggestion(key)}")
    result = replace(base, **changes)
    if result.default_limit > result.max_limit:
        raise ConfigurationError(f"{where}: 'default_limit' is above 'max_limit'")
    if not result.api_prefix.startswith("/") or result.api_prefix.endswith("/"):
        raise ConfigurationError(
            f"{where}: 'api_prefix' must start with a slash and not end with one"
        )
    return result


def from_settings() -> Configuration:
    """The configuration of a Django project, from ``settings.DATAFLOW_NEXUS`` as it is now."""
    values = getattr(settings, SETTING, {})
    if not isinstance(values, Mapping):
        raise ConfigurationError(f"{SETTING} must be a dictionary")
    for key in values:
        if not isinstance(key, str) or key != key.upper():
            raise ConfigurationError(f"{SETTING}: keys are in upper case: {key!r}")
    return configure(
        Configuration(), {key.lower(): value for key, value in values.items()}, SETTING
    )
