"""A database that is not as the models say, or that refuses: each has its code, none is an internal error."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connections

from dataflow_nexus import NexusError, PermissionDenied, TableNotFound, Unavailable
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.queries.faults import translate
from testproject.shop.models import Tag
from tests.queries.compiling import undone

ROW = {"name": "a new tag"}
OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("TagListNode", {}),
    ("TagReadNode", {"id": 1}),
    ("TagCountNode", {"filter": {"name": "eco"}}),
    ("TagCreateNode", ROW),
    ("TagUpdateNode", {"id": 1, **ROW}),
    ("TagUpsertNode", {**ROW, "conflict_on": "name"}),
    ("TagBulkCreateNode", {"data": [ROW]}),
    ("TagBulkCreateNode", {"data": [ROW], "on_error": "continue"}),
    ("TagAggregateNode", {"group_by": ["name"]}),
]
WRITES = [item for item in OPERATIONS if "data" in item[1] or "name" in item[1]]


def told(nexus: Nexus, node: str, params: dict[str, Any]) -> NexusError:
    with pytest.raises(NexusError) as caught:
        nexus.execute(node, params)
    assert "shop_" not in caught.value.detail
    return caught.value


@pytest.mark.parametrize(("node", "params"), OPERATIONS, ids=lambda value: str(value)[:30])
def test_a_column_is_missing(
    database: str, nexus: Nexus, node: str, params: dict[str, Any]
) -> None:
    with undone(database):
        with connections[database].cursor() as cursor:
            cursor.execute("ALTER TABLE shop_tag RENAME COLUMN name TO label")
        error = told(nexus, node, params)
    assert isinstance(error, TableNotFound)
    assert "lacks a column" in error.detail


@pytest.mark.parametrize(
    ("table", "node", "params", "named"),
    [
        ("shop_note", "NoteListNode", {}, 'the table of "notes"'),
        ("shop_note", "ProductListNode", {"expand": ["notes"]}, 'a table beside "products"'),
        ("shop_product_tags", "ProductListNode", {}, 'a table beside "products"'),
        ("shop_product_tags", "ProductListNode", {"fields": ["id"]}, None),
    ],
)
def test_the_missing_table_is_named(
    database: str, nexus: Nexus, table: str, node: str, params: dict[str, Any], named: str | None
) -> None:
    with undone(database):
        with connections[database].cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} RENAME TO elsewhere")
        if named is None:
            assert nexus.execute(node, params)["records"]
            return
        error = told(nexus, node, params)
    assert isinstance(error, TableNotFound)
    assert error.detail.startswith(f"{named} does not exist")


@pytest.mark.parametrize(("node", "params"), WRITES, ids=lambda value: str(value)[:30])
def test_a_database_that_takes_no_changes(
    database: str, nexus: Nexus, node: str, params: dict[str, Any]
) -> None:
    postgresql = connections[database].vendor == "postgresql"
    with undone(database), connections[database].cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY" if postgresql else "PRAGMA query_only = ON")
        try:
            error = told(nexus, node, params)
        finally:
            if not postgresql:
                cursor.execute("PRAGMA query_only = OFF")
    assert isinstance(error, Unavailable)
    assert "takes no changes" in error.detail


@pytest.mark.parametrize(("node", "params"), OPERATIONS, ids=lambda value: str(value)[:30])
def test_a_role_without_privileges(
    nexus: Nexus, on_postgresql: str, node: str, params: dict[str, Any]
) -> None:
    with undone(on_postgresql):
        with connections[on_postgresql].cursor() as cursor:
            cursor.execute("CREATE ROLE without_privileges")
            cursor.execute("SET LOCAL ROLE without_privileges")
        assert isinstance(told(nexus, node, params), PermissionDenied)


def test_a_file_that_is_no_database(nexus: Nexus, tmp_path: Path) -> None:
    path = tmp_path / "garbage.sqlite3"
    path.write_bytes(b"no database " * 1000)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        connection.execute("SELECT 1 FROM sqlite_master")
    connection.close()
    error = DatabaseError(str(caught.value))
    error.__cause__ = caught.value
    exposed = nexus.catalog.operations["TagListNode"].exposed
    assert exposed.model is Tag
    assert isinstance(translate(error, exposed, "default"), Unavailable)
