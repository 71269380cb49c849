"""Where the models of a DataFlow live. Django's own tools never migrate into its database."""

from __future__ import annotations

from typing import Any

from django.db import models

_data_aliases: set[str] = set()


def claim(alias: str) -> None:
    """Mark an alias as the database of a DataFlow: data, not a place for other apps' tables."""
    _data_aliases.add(alias)


class DataFlowRouter:
    """Sends dynamic models to their database."""

    def db_for_read(self, model: type[models.Model], **_: Any) -> str | None:
        return getattr(model, "_dataflow_alias", None)

    def db_for_write(self, model: type[models.Model], **_: Any) -> str | None:
        return getattr(model, "_dataflow_alias", None)

    def allow_relation(self, first: models.Model, second: models.Model, **_: Any) -> bool | None:
        aliases = {getattr(item, "_dataflow_alias", None) for item in (first, second)}
        return True if len(aliases) == 1 and None not in aliases else None

    def allow_migrate(self, db: str, *_: Any, **__: Any) -> bool | None:
        return False if db in _data_aliases else None
