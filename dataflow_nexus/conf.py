"""The keys that configure an application, their types and defaults. Read when asked, never at import.

The same keys come as ``dataflow_config``, ``auth_config`` and ``monitoring_config`` of ``Nexus(…)`` in lower case, and
as ``DATAFLOW_NEXUS`` in Django's settings in upper case. An unknown key is an error with a suggestion, a wrong type is
an error, and a key whose feature is not built is refused: nothing is accepted and ignored.
"""

from __future__ import annotations

import difflib
import inspect
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from django.conf import settings

from dataflow_nexus.exceptions import ConfigurationError, UnknownArgumentError

SETTING = "DATAFLOW_NEXUS"
POSTGRESQL_SESSION = (
    "-c DateStyle=ISO,YMD -c IntervalStyle=postgres -c extra_float_digits=1 -c bytea_output=hex"
    " -c TimeZone=UTC"
)
"""Session settings that decide how PostgreSQL prints values (docs/values.md), as options of a connection."""


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
    trusted_origins: tuple[str, ...] = ()
    """Origins whose web pages may change data, beside this server's own and ``CSRF_TRUSTED_ORIGINS``."""
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
    mcp_max_tools: int = 60
    """Tools in a list over MCP; where a principal may run more operations, the list is the compact set."""
    mcp_max_bytes: int = 256 * 1024
    """The largest result of a tool; a longer list ends early, with ``next`` set."""
    require_confirmation: tuple[str, ...] = ()
    """Tools that answer a preview first: names of tools, nodes or verbs, or ``write``, ``destructive``."""
    confirmation_seconds: float = 300.0
    """How long the token of a preview lets the call through."""
    max_records_per_operation: int | None = None
    """Records that one tool call may list or change at most."""
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
    "mcp_max_tools",
    "mcp_max_bytes",
    "confirmation_seconds",
    "max_records_per_operation",
    "statement_timeout",
}
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "bool": ((bool,), "True or False"),
    "int": ((int,), "a whole number"),
    "int | None": ((int, type(None)), "a whole number or None"),
    "float": ((int, float), "a number"),
    "str": ((str,), "text"),
    "tuple[str, ...]": ((list, tuple), "a list of texts"),
}
"""The annotations of ``Configuration``: the types that they take, and what people call them."""
_ORIGIN = re.compile(r"https?://(\*\.)?[^/?#@*\s]+", re.IGNORECASE)
FIXED_PATHS = ("browse", "health", "mcp", "metrics", "ws")
"""What stands beside REST at the root of the site, so that it can't be REST's own prefix."""
_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where values come from, for messages: ``dataflow_config``, ``DATAFLOW_NEXUS`` (in upper case)."""

    name: str
    upper: bool = False
    also: tuple[str, ...] = ()
    """Keys that somebody else reads."""

    def spelled(self, key: str) -> str:
        return repr(key.upper() if self.upper else key)

    def error(self, message: str) -> ConfigurationError:
        return ConfigurationError(f"{self.name}: {message}")

    def unknown(self, key: str) -> ConfigurationError:
        known = [item.name for item in fields(Configuration)] + [*NOT_BUILT, *self.also]
        found = difflib.get_close_matches(key.lower(), known, n=1)
        near = f" (did you mean {self.spelled(found[0])}?)" if found else ""
        return self.error(f"unknown key {self.spelled(key)}{near}")


def refuse_arguments(owner: type, unknown: Iterable[str], also: str | None = None) -> None:
    """Raise ``UnknownArgumentError`` for the first unknown argument of a constructor, with the nearest that it has.

    ``also`` is the argument whose keys are those of ``Configuration``.
    """
    name = next(iter(unknown), None)
    if name is None:
        return
    message = f"{owner.__name__}: unknown argument {name!r}"
    keys = [item.name for item in fields(Configuration)] + [*NOT_BUILT]
    if also is not None and name in keys:
        raise UnknownArgumentError(f"{message}: it is a key of {also!r}")
    own = [
        item.name
        for item in inspect.signature(owner).parameters.values()
        if item.kind != item.VAR_KEYWORD
    ]
    found = difflib.get_close_matches(name, own, n=1)
    raise UnknownArgumentError(message + (f" (did you mean {found[0]!r}?)" if found else ""))


def _checked(key: str, value: Any, annotation: str, source: Source) -> Any:
    wanted, called = _TYPES[annotation]
    wrong = not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted)
    if wrong or (isinstance(value, (list, tuple)) and not all(isinstance(i, str) for i in value)):
        given = type(value).__name__
        raise source.error(f"{source.spelled(key)} must be {called}, not {given}")
    if key in _POSITIVE and value is not None and not 0 < value < math.inf:
        raise source.error(f"{source.spelled(key)} must be positive, not {value!r}")
    return tuple(value) if isinstance(value, list) else value


def configure(base: Configuration, values: Mapping[str, Any], source: Source) -> Configuration:
    """``base`` with ``values`` over it.

    Raises ``ConfigurationError`` on an unknown key, a wrong type, or a key whose feature is not built.
    """
    annotations = {item.name: str(item.type) for item in fields(Configuration)}
    changes: dict[str, Any] = {}
    for key, value in values.items():
        if key in annotations:
            changes[key] = _checked(key, value, annotations[key], source)
        elif key not in NOT_BUILT:
            raise source.unknown(key)
        elif not any(value is accepted for accepted in NOT_BUILT[key]):
            raise source.error(f"{source.spelled(key)} arrives in a later release; remove it")
    result = replace(base, **changes)
    if result.default_limit > result.max_limit:
        names = f"{source.spelled('default_limit')} is above {source.spelled('max_limit')}"
        raise source.error(names)
    if not _PREFIX.fullmatch(result.api_prefix):
        raise source.error(f"{source.spelled('api_prefix')} must be a path like /api")
    if result.api_prefix.split("/")[1] in FIXED_PATHS:
        taken = ", ".join(f"/{path}" for path in FIXED_PATHS)
        raise source.error(f"{source.spelled('api_prefix')} can't be under {taken}")
    for origin in result.trusted_origins:
        if not _ORIGIN.fullmatch(origin):
            known = "origins like https://shop.example or https://*.shop.example"
            raise source.error(f"{source.spelled('trusted_origins')} must be {known}: {origin!r}")
    return result


def from_settings() -> Configuration:
    """The configuration of a Django project, from ``settings.DATAFLOW_NEXUS`` as it is now."""
    values = getattr(settings, SETTING, {})
    if not isinstance(values, Mapping):
        raise ConfigurationError(f"{SETTING} must be a dictionary, not {type(values).__name__}")
    for key in values:
        if not isinstance(key, str) or key != key.upper():
            raise ConfigurationError(f"{SETTING}: keys are in upper case: {key!r}")
    lowered = {key.lower(): value for key, value in values.items()}
    return configure(Configuration(), lowered, Source(name=SETTING, upper=True))
