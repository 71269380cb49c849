"""Statements that PostgreSQL keeps: which ones, over which connections, and that a changed table changes answers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from dataflow_nexus import NotFound
from dataflow_nexus.nexus import Nexus
from testproject.shop.models import Country


def kept(alias: str) -> list[str]:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [text for (text,) in cursor.fetchall()]


@pytest.fixture
def execute(nexus: Nexus, on_postgresql: str) -> Callable[..., Any]:
    raw: Any = connections[on_postgresql].connection
    raw.execute("DEALLOCATE ALL")
    raw._prepared.clear()
    return nexus.execute


def test_a_test_connection_is_direct(on_postgresql: str) -> None:
    raw: Any = connections[on_postgresql].connection
    assert raw.dataflow_nexus_direct is True


def test_reads_by_key_plain_lists_and_creates_are_kept(
    execute: Callable[..., Any], on_postgresql: str
) -> None:
    for code in ("DE", "AT"):
        assert execute("CountryReadNode", id=code)["code"] == code
        assert execute("CountryListNode", limit=2)["limit"] == 2
    assert len(kept(on_postgresql)) == 2


def test_what_a_caller_composes_is_not(execute: Callable[..., Any], on_postgresql: str) -> None:
    execute("CountryListNode", filter={"name": {"$gt": "B"}})
    execute("CountryReadNode", filter={"code": "DE"})
    execute("CountryReadNode", id="DE", fields=["name"])
    execute("ProductListNode", search="kettle")
    assert kept(on_postgresql) == []


def test_nothing_is_kept_behind_a_pooler(execute: Callable[..., Any], on_postgresql: str) -> None:
    raw: Any = connections[on_postgresql].connection
    raw.dataflow_nexus_direct = False
    try:
        assert execute("CountryReadNode", id="DE")["code"] == "DE"
        assert kept(on_postgresql) == []
    finally:
        raw.dataflow_nexus_direct = True


def test_a_changed_table_changes_the_answer(
    execute: Callable[..., Any], on_postgresql: str
) -> None:
    table = Country._meta.db_table
    assert execute("CountryReadNode", id="DE")["name"] == "Germany"
    with connections[on_postgresql].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ALTER name TYPE text USING upper(name)")
        cursor.execute(f"ALTER TABLE {table} ADD more integer DEFAULT 1")
    assert execute("CountryReadNode", id="DE") == {"code": "DE", "name": "GERMANY"}
    assert execute("CountryListNode", limit=1)["records"] == [{"code": "AT", "name": "AUSTRIA"}]


def test_a_kept_statement_finds_what_is_new_and_misses_what_is_gone(
    execute: Callable[..., Any],
) -> None:
    with pytest.raises(NotFound):
        execute("CountryReadNode", id="XX")
    execute("CountryCreateNode", code="XX", name="New")
    assert execute("CountryReadNode", id="XX")["name"] == "New"
    execute("CountryDeleteNode", id="XX")
    with pytest.raises(NotFound):
        execute("CountryReadNode", id="XX")
