"""``DataFlow``: one database and the models declared on it. Opens no connection and issues no DDL."""

from __future__ import annotations

import os
import sys
from typing import Any, Never, NoReturn, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, models, router

from dataflow_nexus.conf import refuse_arguments
from dataflow_nexus.dataflow import databases, routing
from dataflow_nexus.dataflow.declaring import declare
from dataflow_nexus.dataflow.installing import install
from dataflow_nexus.dataflow.standalone import ensure_django, is_standalone
from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.registry import Exposed, Registry

C = TypeVar("C", bound=type)
_made: list[DataFlow] = []
_entries: dict[str, dict[str, Any]] = {}


def made() -> tuple[DataFlow, ...]:
    """Every DataFlow of the process, oldest first."""
    return tuple(_made)


class DataFlow:
    """A database by its URL (``postgresql://…``, ``sqlite:///…``) and the models that ``@db.model`` declares on it.

    Without a URL: ``DATABASE_URL``, else the ``default`` database of the Django project. ``pool_size`` connections and
    ``pool_max_overflow`` more are the most that one process opens to PostgreSQL, and a request waits for one of them
    for ``pool_timeout`` seconds. Raises ``ConfigurationError`` for what
    is not built yet; nothing is taken and ignored.
    """

    def __init__(  # noqa: PLR0913  # the documented constructor
        self,
        database_url: str | None = None,
        *,
        auto_migrate: bool = False,
        enable_model_persistence: bool = False,
        existing_schema_mode: bool = False,
        pool_size: int | None = None,
        pool_max_overflow: int | None = None,
        pool_timeout: float | None = None,
        monitoring: bool = False,
        slow_query_threshold: float | None = None,
        multi_tenant: bool = False,
        **unknown: Never,
    ) -> None:
        refuse_arguments(DataFlow, unknown)
        flags = {
            "auto_migrate": auto_migrate,
            "enable_model_persistence": enable_model_persistence,
            "existing_schema_mode": existing_schema_mode,
            "monitoring": monitoring,
            "multi_tenant": multi_tenant,
        }
        for name, value in flags.items():
            if not isinstance(value, bool):
                raise ConfigurationError(
                    f"DataFlow: {name} must be True or False, not {type(value).__name__}"
                )
            if value and name != "existing_schema_mode":
                raise ConfigurationError(
                    f"DataFlow: {name}=True arrives in a later release; remove it"
                )
        if slow_query_threshold is not None:
            raise ConfigurationError(
                "DataFlow: slow_query_threshold arrives in a later release; remove it"
            )
        self.existing_schema_mode = existing_schema_mode
        self.registry = Registry()
        self.integrated = False
        """Whether a ``Nexus`` was made around it, which then alone exposes its models."""
        pool = {
            "pool_size": pool_size,
            "pool_max_overflow": pool_max_overflow,
            "pool_timeout": pool_timeout,
        }
        self.alias = self._connect(database_url, pool)
        self._label: str | None = None
        _made.append(self)

    def __repr__(self) -> str:
        return f"<DataFlow on {self.alias!r}>"

    # --- the database ------------------------------------------------------------------------------------------------

    def _connect(self, url: str | None, pool: dict[str, Any]) -> str:
        """The alias of the database; made, not connected."""
        url = url if url is not None else os.environ.get("DATABASE_URL") or None
        entry = (
            None
            if url is None
            else databases.entry(url, **pool, must_exist=self.existing_schema_mode)
        )
        ensure_django()
        if entry is not None:
            return _add_database(entry)
        if is_standalone():
            raise ConfigurationError(
                "DataFlow() has no database: give database_url, set DATABASE_URL, or use it in a Django project"
            )
        for name, value in pool.items():
            if value is not None:
                raise ConfigurationError(
                    f"DataFlow: {name} needs a database_url; the pool of the project's database is in DATABASES"
                )
        return DEFAULT_DB_ALIAS

    # --- models ------------------------------------------------------------------------------------------------------

    def model(self, cls: C) -> C:
        """Declare a model: a plain annotated class becomes a Django model; a Django model is registered as it is."""
        given: object = cls
        if not isinstance(given, type):
            raise ConfigurationError(f"@db.model decorates a class, not {type(given).__name__}")
        if issubclass(cls, models.Model):
            self.register(cls)
            return cls
        if self._label is None:
            self._label = install()
        names = dict(sys._getframe(1).f_locals)
        declared = declare(cls, label=self._label, alias=self.alias, names=names)
        self.registry.register(declared.model, **declared.options)
        return declared.model  # type: ignore[return-value]  # stands for the class that it replaces

    def register(self, model: type[models.Model], **options: Any) -> Exposed:
        """Expose a Django model, in this database where the DataFlow has one of its own."""
        if self.alias != DEFAULT_DB_ALIAS:
            options.setdefault("using", self.alias)
        return self.registry.register(model, **options)

    # --- what a later release brings ---------------------------------------------------------------------------------

    def discover_schema(self, *_: object, **__: object) -> NoReturn:
        """Arrives in a later release."""
        raise _later("discover_schema")

    def register_schema_as_models(self, *_: object, **__: object) -> NoReturn:
        """Arrives in a later release."""
        raise _later("register_schema_as_models")


def _later(method: str) -> ConfigurationError:
    return ConfigurationError(f"{method} arrives in a later release; declare models with @db.model")


def _add_database(entry: dict[str, Any]) -> str:
    """An alias for a database: a new one, or the one that an equal DataFlow made."""
    for known, same in _entries.items():
        if same == entry:
            return known
    number = 1
    while (alias := "dataflow" if number == 1 else f"dataflow_{number}") in connections.settings:
        number += 1
    _entries[alias] = entry
    configured = connections.configure_settings({DEFAULT_DB_ALIAS: {}, alias: dict(entry)})[alias]
    connections.settings[alias] = configured
    if settings.DATABASES is not connections.settings:
        settings.DATABASES[alias] = configured
    if not any(isinstance(item, routing.DataFlowRouter) for item in router.routers):
        router.routers.insert(0, routing.DataFlowRouter())
    routing.claim(alias)
    return alias
