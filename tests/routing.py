"""One project, two databases: every query goes to the database that the running test is about."""

from typing import Any

SQLITE, POSTGRESQL = "default", "postgresql"
current = SQLITE


class CurrentDatabase:
    def db_for_read(self, model: Any, **hints: Any) -> str:
        return current

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return current

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """The types of `pgtypes` exist on PostgreSQL alone."""
        return db == POSTGRESQL if app_label == "pgtypes" else None
