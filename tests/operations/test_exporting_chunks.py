"""Export: a chunk at a time, over a connection of its own; what breaks off, and what is left behind."""

import csv
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from django.db import connections, models, transaction
from django.db.models import Func

from dataflow_nexus import NexusError
from dataflow_nexus.exceptions import DeadlineExceeded, Unavailable
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.operations.exporting import CHUNK_BYTES, FIRST_RECORDS
from testproject.shop.models import (
    Category,
    Customer,
    Everything,
    Order,
    OrderItem,
    Product,
)
from tests import routing
from tests.conftest import DATABASES
from tests.operations.exports import FORMATS, Export, catalog_of, exporter, table, whole
from tests.routing import POSTGRESQL


@pytest.fixture
def export(nexus: Nexus, database: str) -> Export:
    return exporter(nexus.catalog)


# --- chunks ----------------------------------------------------------------------------------------------------------


def customers(number: int, name: str = "x") -> None:
    Customer.objects.bulk_create(
        Customer(name=name[:100], email=f"many{n}@shop.example", phone="1") for n in range(number)
    )


@pytest.mark.parametrize("fmt", ["json", "ndjson", "csv"])
def test_every_record_comes_once_in_many_chunks(export: Export, fmt: str) -> None:
    customers(2500)
    chunks = list(export("Customer", fmt, fields=["id"], order_by=["-id"]))
    data = b"".join(chunks)
    if fmt == "json":
        ids = [record["id"] for record in msgspec.json.decode(data)]
    elif fmt == "ndjson":
        ids = [msgspec.json.decode(line)["id"] for line in data.splitlines()]
    else:
        ids = [int(row["id"]) for row in table(data)]
    assert ids == list(Customer.objects.order_by("-id").values_list("id", flat=True))
    assert len(chunks) > 3


def test_chunks_of_long_records_stay_small(export: Export) -> None:
    Everything.objects.bulk_create(Everything(text="long " * 4000) for _ in range(300))
    sizes = [len(chunk) for chunk in export("Everything", "ndjson")]
    assert sizes[0] > FIRST_RECORDS * 20_000
    assert max(sizes[1:]) < 1.5 * CHUNK_BYTES
    assert len(sizes) > 15


def test_the_number_of_statements_does_not_grow_with_relations(
    export: Export, statements: Any
) -> None:
    with statements() as seen:
        whole(export("OrderItem", "json", expand=["order.customer", "product.tags"]))
    starts = [query["sql"].split()[0] for query in seen]
    fetches = starts.count("FETCH")
    if export and connections[routing.current].vendor == "postgresql":
        assert starts == ["DECLARE", *["FETCH"] * fetches, "CLOSE"]
        assert fetches == 2
    else:
        assert len(starts) <= 1 + 2 * 4, "four relations for each of two batches"


# --- what breaks off -------------------------------------------------------------------------------------------------

SLOW = {
    "postgresql": "(CASE WHEN pg_sleep(0.02) IS NOT NULL THEN 1 END)",
    "sqlite": "(CASE WHEN id > 60 THEN (WITH RECURSIVE c(n) AS (SELECT id UNION ALL SELECT n + 1 FROM c"
    " WHERE n < 1000000000) SELECT count(*) FROM c) ELSE 0 END)",
}
"""A value that takes its time: on PostgreSQL before the first row, on SQLite from the 61st on."""


def slow(database: str) -> Export:
    template = SLOW[connections[database].vendor]
    value = Func(template=template, output_field=models.IntegerField())
    options = {"computed": {"slow": value}, "fields": ["quantity"]}
    return exporter(catalog_of(OrderItem, options, statement_timeout=0.4))


def broken(chunks: Iterator[bytes], kind: type[NexusError]) -> bytes:
    """What comes before the error."""
    found: list[bytes] = []
    with pytest.raises(kind):
        found.extend(chunks)
    return b"".join(found)


def check_broken(fmt: str, data: bytes) -> None:
    """No parser takes it, and people see why."""
    assert b"export interrupted: the " in data
    if fmt == "json":
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(data)
    elif fmt == "ndjson":
        *lines, last = data.split(b"\n")
        assert len([msgspec.json.decode(line)["id"] for line in lines]) == FIRST_RECORDS
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(last)
    else:
        with pytest.raises(csv.Error):
            table(data)


@pytest.mark.parametrize("fmt", FORMATS)
def test_what_is_too_slow_in_the_middle_never_looks_whole(database: str, fmt: str) -> None:
    data = broken(slow(database)("OrderItem", fmt), DeadlineExceeded)
    if database == POSTGRESQL:
        assert data == b""
    else:
        check_broken(fmt, data)


def test_what_is_too_slow_at_once_is_an_error_without_a_byte(database: str) -> None:
    chunks = slow(database)("OrderItem", "json", offset=70)
    with pytest.raises(DeadlineExceeded):
        next(chunks)


def test_the_time_of_a_slow_reader_does_not_count(database: str) -> None:
    export = exporter(catalog_of(OrderItem, {}, statement_timeout=0.4))
    chunks = export("OrderItem", "json", fields=["id"])
    data = next(chunks)
    time.sleep(0.9)
    data += whole(chunks)
    assert len(msgspec.json.decode(data)) == OrderItem.objects.count()


# --- connections -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=list(DATABASES))
def outside(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[str]:
    """A database outside of any transaction, with the sample data as it was committed."""
    before, routing.current = routing.current, DATABASES[request.param]
    with django_db_blocker.unblock():
        connections[routing.current].close()
        yield routing.current
        connections[routing.current].close()
    routing.current = before


def sessions(alias: str) -> int:
    """Connections of this process to PostgreSQL that are in a transaction or run something, but the asking one."""
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return int(cursor.fetchone()[0])


def test_a_snapshot_over_a_connection_of_its_own(nexus: Nexus, outside: str) -> None:
    number = OrderItem.objects.count()
    chunks = exporter(nexus.catalog)("OrderItem", "json", expand=["order"])
    data = next(chunks)
    assert connections[outside].get_autocommit()
    assert not connections[outside].in_atomic_block
    order = Order.objects.create(number="late", customer=Customer.objects.earliest("id"))
    late = OrderItem.objects.create(
        order=order, product=Product.objects.earliest("id"), unit_price=1
    )
    try:
        data += whole(chunks)
        assert len(msgspec.json.decode(data)) == number
        assert OrderItem.objects.count() == number + 1
    finally:
        late.delete()
        order.delete()
    if outside == POSTGRESQL:
        assert sessions(outside) == 0


@pytest.mark.parametrize("model", ["OrderItem", "Everything"])
def test_stopping_early_leaves_nothing_open(nexus: Nexus, outside: str, model: str) -> None:
    chunks = exporter(nexus.catalog)(model, "csv")
    next(chunks)
    if outside == POSTGRESQL:
        assert sessions(outside) == 1
    chunks.close()  # type: ignore[attr-defined]  # a generator
    if outside == POSTGRESQL:
        assert sessions(outside) == 0
    else:
        with transaction.atomic(outside):
            Product.objects.filter(sku="none").delete()


def test_an_export_that_nobody_reads_opens_nothing(nexus: Nexus, outside: str) -> None:
    chunks = exporter(nexus.catalog)("OrderItem", "csv")
    assert connections[outside].connection is None
    del chunks
    assert connections[outside].connection is None


def test_another_thread_may_read_on(nexus: Nexus, outside: str) -> None:
    chunks = exporter(nexus.catalog)("OrderItem", "json", expand=["order"])
    data = [next(chunks)]

    def rest() -> None:
        data.extend(chunks)
        connections[outside].close()

    thread = threading.Thread(target=rest)
    thread.start()
    thread.join()
    assert len(msgspec.json.decode(b"".join(data))) == OrderItem.objects.count()


def test_it_outlives_the_transaction_in_which_it_began(nexus: Nexus, outside: str) -> None:
    """As under ATOMIC_REQUESTS: the view returns, its transaction ends, and the server reads on."""
    with transaction.atomic(outside):
        chunks = exporter(nexus.catalog)("OrderItem", "json")
        data = next(chunks)
    data += whole(chunks)
    assert len(msgspec.json.decode(data)) == OrderItem.objects.count()
    assert connections[outside].is_usable()


def test_it_sees_the_rows_of_the_transaction_around_it(export: Export) -> None:
    Category.objects.create(name="Mine", slug="mine")
    found = msgspec.json.decode(whole(export("Category", "json", filter={"slug": "mine"})))
    assert [record["name"] for record in found] == ["Mine"]


@pytest.mark.parametrize("outside", ["postgresql"], indirect=True)
@pytest.mark.parametrize("fmt", FORMATS)
def test_what_loses_its_connection_in_the_middle_never_looks_whole(
    nexus: Nexus, outside: str, fmt: str
) -> None:
    chunks = exporter(nexus.catalog)("OrderItem", fmt)
    data = next(chunks)
    with connections[outside].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'FETCH FORWARD%%'"
        )
    data += broken(chunks, Unavailable)
    check_broken(fmt, data)
    assert sessions(outside) == 0
    assert Product.objects.count() == 40
