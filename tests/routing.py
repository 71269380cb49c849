"""One project, two databases: every query goes to the database that the running test is about."""

from typing import Any

SQLITE, POSTGRESQL = "default", "postgresql"
CHINOOK_SQLITE, CHINOOK_POSTGRESQL = "chinook_sqlite", "chinook_postgresql"
current = SQLITE


class CurrentDatabase:
    def db_for_read(self, model: Any, **hints: Any) -> str:
        return current

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return current

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """The types of `pgtypes` exist on PostgreSQL alone; Chinook's tables come from its file."""
        if db in (CHINOOK_SQLITE, CHINOOK_POSTGRESQL):
            return False
        return db == POSTGRESQL if app_label == "pgtypes" else None
