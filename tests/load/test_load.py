"""Many callers at once on real servers: no 5xx, nothing lost, connections bounded."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.load.client import Caller, together
from tests.load.conftest import Shop

pytestmark = pytest.mark.load

CONNECTIONS = 8
REQUESTS = 10_000
WRITERS = 50
POOL = 8
"""The largest pool that the shop's settings allow (testproject.databases)."""


@contextmanager
def watched(shop: Shop) -> Iterator[list[int]]:
    """Numbers of connections to the server's database, looked at all the time; none for SQLite."""
    found: list[int] = []
    done = threading.Event()

    def look() -> None:
        count = """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """  # an autovacuum worker is in the database as well, and none of ours
        with psycopg.connect(shop.url, autocommit=True) as connection:
            while not done.wait(0.02):
                row = connection.execute(count).fetchone()
                assert row is not None
                found.append(row[0])

    if shop.url.startswith("sqlite"):
        yield found
        return
    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


class Mix:
    """What one caller does: reads, writes of rows that are its own, wrong requests."""

    def __init__(self, caller: Caller, number: int) -> None:
        self.caller = caller
        self.number = number
        self.dice = random.Random(number)
        self.made: list[int] = []
        self.names = 0
        self.added = 0

    def _sku(self) -> str:
        self.names += 1
        return f"L{self.number}-{self.names}"

    def _new(self) -> dict[str, Any]:
        return {"sku": self._sku(), "name": f"Load {self.number}", "price": "1.50"}

    def read_page(self) -> None:
        page = self.caller.ask(
            "GET", f"/api/products?limit={self.dice.randrange(1, 100)}&sort=-price,name"
        )
        assert len(page["records"]) <= page["limit"]

    def filter_page(self) -> None:
        page = self.caller.ask(
            "GET", "/api/products?category__name=Paper&expand=category,order_items.order&limit=20"
        )
        assert all(record["category"]["name"] == "Paper" for record in page["records"])

    def read_one(self) -> None:
        key = self.dice.randrange(1, 41)
        assert self.caller.ask("GET", f"/api/products/{key}")["id"] == key

    def count(self) -> None:
        assert self.caller.ask("GET", "/api/orders/count?status=paid")["count"] > 0

    def aggregate(self) -> None:
        body = {"group_by": ["status"], "aggregate": {"total": {"$sum": "total"}}}
        assert len(self.caller.ask("POST", "/api/orders/aggregate", body)["groups"]) == 4

    def create(self) -> None:
        self.made.append(self.caller.ask("POST", "/api/products", self._new(), fine=[201])["id"])

    def update(self) -> None:
        if self.made:
            path = f"/api/products/{self.dice.choice(self.made)}"
            self.caller.ask("PATCH", path, {"stock": {"$inc": 1}})
            self.added += 1

    def note(self) -> None:
        title = f"By {self.number} {self.dice.random()}"
        assert self.caller.ask("POST", "/api/notes", {"title": title}, fine=[201])["slug"]

    def delete(self) -> None:
        if len(self.made) > 5:
            key = self.made.pop(self.dice.randrange(len(self.made)))
            self.added -= self.caller.ask("GET", f"/api/products/{key}")["stock"]
            assert self.caller.ask("DELETE", f"/api/products/{key}")["deleted"]

    def upsert(self) -> None:
        body = {**self._new(), "conflict_on": ["sku"]}
        self.made.append(self.caller.ask("PUT", "/api/products", body, fine=[201])["record"]["id"])

    def bulk(self) -> None:
        body = {"data": [self._new() for _ in range(5)], "return": "ids"}
        self.made += self.caller.ask("POST", "/api/products/bulk", body)["ids"]

    def wrong(self) -> None:
        self.caller.ask("GET", "/api/products?prize=3", fine=[422])
        self.caller.ask("GET", "/api/products/987654321", fine=[404])
        self.caller.ask(
            "POST", "/api/products", {"sku": "SKU-00001", "name": "x", "price": 1}, fine=[409]
        )

    def run(self) -> Counter[int]:
        steps: list[tuple[Callable[[], None], int]] = [
            (self.read_page, 20), (self.filter_page, 8), (self.read_one, 25), (self.count, 5), (self.aggregate, 4),
            (self.create, 10), (self.update, 14), (self.note, 3), (self.delete, 5), (self.upsert, 3), (self.bulk, 1),
            (self.wrong, 2),
        ]  # fmt: skip
        chosen = self.dice.choices(
            [step for step, _ in steps], [weight for _, weight in steps], k=REQUESTS
        )
        for step in chosen:
            if self.caller.seen.total() >= REQUESTS // CONNECTIONS:
                break
            step()
        return self.caller.seen


def test_ten_thousand_mixed_requests(shop: Shop) -> None:
    before = shop.server.ask("GET", "/api/products/count")[1]["count"]
    mixes: list[Mix] = []

    def work(caller: Caller, number: int) -> Counter[int]:
        mixes.append(Mix(caller, number))
        return mixes[-1].run()

    with watched(shop) as connections:
        seen = sum(together(shop.port, CONNECTIONS, work), Counter())
    assert seen.total() >= REQUESTS
    assert not [status for status in seen if status >= 500]
    assert max(connections, default=0) <= POOL
    assert bool(connections) != shop.url.startswith("sqlite")
    made = sum(len(mix.made) for mix in mixes)
    assert shop.server.ask("GET", "/api/products/count")[1]["count"] == before + made
    body = {"aggregate": {"stock": {"$sum": "stock"}}, "filter": {"sku": {"$startswith": "L"}}}
    groups = shop.server.ask("POST", "/api/products/aggregate", body)[1]["groups"]
    assert groups == [{"stock": sum(mix.added for mix in mixes)}]


def test_fifty_writers_lose_nothing(shop: Shop) -> None:
    before = shop.server.ask("GET", "/api/products/1")[1]["stock"]

    def work(caller: Caller, number: int) -> None:
        for _ in range(4):
            caller.ask("PATCH", "/api/products/1", {"stock": {"$inc": 1}})

    with watched(shop) as connections:
        together(shop.port, WRITERS, work)
    assert shop.server.ask("GET", "/api/products/1")[1]["stock"] == before + 4 * WRITERS
    assert max(connections, default=0) <= POOL


def test_upserts_of_one_key_make_one_row(shop: Shop) -> None:
    body = {"sku": "ONE", "name": "One", "price": "1", "conflict_on": ["sku"]}

    def work(caller: Caller, number: int) -> bool:
        found = caller.ask("PUT", "/api/products", {**body, "stock": number}, fine=[200, 201])
        return bool(found["created"])

    assert together(shop.port, WRITERS, work).count(True) == 1
    assert shop.server.ask("GET", "/api/products/count?sku=ONE")[1]["count"] == 1


def test_deletes_and_changes_of_one_record(shop: Shop) -> None:
    key = shop.server.ask("POST", "/api/tags", {"name": "contested"})[1]["id"]

    def work(caller: Caller, number: int) -> int:
        if number % 2:
            caller.ask(
                "PATCH", f"/api/tags/{key}", {"name": f"contested {number}"}, fine=[200, 404]
            )
            return 0
        return int("deleted" in caller.ask("DELETE", f"/api/tags/{key}", fine=[200, 404]))

    assert sum(together(shop.port, 20, work)) == 1


@pytest.mark.parametrize("shop", ["postgresql"], indirect=True)
def test_killed_connections_are_an_error_once(shop: Shop) -> None:
    """Every connection dies under load: callers are told, and the next requests find new connections."""
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"
    killed = threading.Event()

    def work(caller: Caller, number: int) -> list[str]:
        codes = []
        for step in range(150):
            if number == 0 and step in (30, 60, 90):
                with psycopg.connect(shop.url, autocommit=True) as connection:
                    connection.execute(kill, (connection.info.backend_pid,))
                killed.set()
            found = caller.ask("GET", f"/api/products/{step % 40 + 1}", fine=[200, 503])
            codes.append(found.get("code", "fine"))
        return codes

    codes = [code for found in together(shop.port, CONNECTIONS, work) for code in found]
    assert killed.is_set()
    assert set(codes) == {"fine", "unavailable"}
    assert codes.count("unavailable") <= 3 * POOL, "each connection dies once"
    after = [shop.server.ask("GET", "/api/products/1")[0] for _ in range(3 * POOL)]
    assert after[-POOL:] == [200] * POOL
