"""Django system checks that need no database. Each is named in the documentation by its id.

What they look at is imported when they run, so that registering them costs a process nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.core import checks
from django.db import connections, models

from dataflow_nexus.exceptions import ConfigurationError

if TYPE_CHECKING:
    from dataflow_nexus.registry import Exposed

SQLITE_DIGITS = 15
"""SQLite keeps decimals as doubles."""


def connect() -> None:
    """Register the checks; called when the app is ready."""
    checks.register(check_configuration, "dataflow_nexus")


def check_configuration(
    *, app_configs: Sequence[AppConfig] | None = None, **_: Any
) -> list[checks.CheckMessage]:
    """``dataflow_nexus.E004``: the application can't be composed; warnings about what it exposes."""
    from dataflow_nexus.nexus import served_nexuses

    chosen: dict[type[models.Model], Exposed] = {}
    try:
        for nexus in served_nexuses():
            nexus.compose()
            chosen |= {exposed.model: exposed for exposed in nexus.registry if exposed.fields}
    except ConfigurationError as error:
        return [checks.Error(str(error), id="dataflow_nexus.E004")]
    labels = None if app_configs is None else {config.label for config in app_configs}
    return [
        message
        for model, exposed in chosen.items()
        if labels is None or model._meta.app_label in labels
        for message in (*_renamed(exposed), *_inexact(exposed))
    ]


def _renamed(exposed: Exposed) -> Iterator[checks.CheckMessage]:
    """``dataflow_nexus.W001``."""
    from dataflow_nexus.registry import COMMAND_WORDS, PATH_WORDS

    if exposed.resource.endswith("_") and exposed.resource[:-1] in PATH_WORDS | COMMAND_WORDS:
        yield checks.Warning(
            f'{exposed.model._meta.label} is the resource "{exposed.resource}", because'
            f' "{exposed.resource[:-1]}" is a fixed path or a command',
            hint="register it with another resource=",
            obj=exposed.model,
            id="dataflow_nexus.W001",
        )


def _inexact(exposed: Exposed) -> Iterator[checks.CheckMessage]:
    """``dataflow_nexus.W002``."""
    from dataflow_nexus.fields import storage_field

    alias = exposed.alias or "default"
    if connections.settings.get(alias, {}).get("ENGINE") != "django.db.backends.sqlite3":
        return
    for field in exposed.fields.values():
        if not isinstance(field.source, models.Field) or field.column is None:
            continue
        stored = storage_field(field.source)
        if isinstance(stored, models.DecimalField) and (stored.max_digits or 0) > SQLITE_DIGITS:
            yield checks.Warning(
                f"{exposed.model._meta.label}.{field.name} has {stored.max_digits} digits, and SQLite"
                f" keeps {SQLITE_DIGITS}",
                hint="use PostgreSQL for longer decimals, or fewer digits",
                obj=exposed.model,
                id="dataflow_nexus.W002",
            )
