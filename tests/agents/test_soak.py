"""Thirty clients at once on one worker that takes one request at a time: nothing hangs, leaks or fails.

Some seconds in every run of the suite; ``make soak`` and CI give it a minute and print the figures.
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from mcp import Client

from tests.agents.servers import children, endpoint, resident, served, threads

pytestmark = pytest.mark.load
CLIENTS = 30
SECONDS = float(os.environ.get("SOAK_SECONDS", "5"))
WARM_UP = 2.0
CALLS = 10 * CLIENTS
"""The least that is done, whatever the time."""
PATIENCE = 60
"""No call may take so long: a hang, however busy the machine is."""
MORE_MEMORY = 8.0
"""MB; what allocators keep of a busy minute, and far less than one leaked answer per call."""


@dataclass
class Clients:
    """What the clients of one soak did."""

    url: str
    until: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    @property
    def tired(self) -> bool:
        """When the time is over, and on a slow machine not before there is something to judge."""
        return anyio.current_time() > self.until and self.done.total() >= CALLS

    async def one(self, number: int) -> None:
        """One session after the other: a client connects, works, and goes."""
        while not self.tired:
            async with Client(self.url, mode="legacy" if number % 2 else "auto") as client:
                for step in range(60):
                    if self.tired:
                        return
                    await self._step(client, number, step)

    async def _step(self, client: Client, number: int, step: int) -> None:
        begun = anyio.current_time()
        key = (7 * number + step) % 40 + 1
        name, arguments = (
            ("read_record", {"model": "products", "id": key}),
            ("list_records", {"model": "orders", "limit": 50, "expand": ["items.product"]}),
            ("aggregate_records", {"model": "orders", "group_by": ["status"],
                                   "aggregate": {"total": {"$sum": "total"}}}),
            ("update_records", {"model": "products", "data": [{"id": key, "stock": {"$inc": 1}}]}),
            ("search_models", {"query": f"product {step}"}),
            ("list_records", {"model": "products", "filter": {"prize": key}}),
        )[(step + number) % 6]  # fmt: skip
        with anyio.fail_after(PATIENCE):
            if step == 0:
                await client.list_tools()
            result = await client.call_tool(name, arguments)
        wrong = "prize" in str(arguments)
        assert result.is_error == wrong, result.content
        self.done["refused" if wrong else name] += 1
        self.slowest = max(self.slowest, anyio.current_time() - begun)

    async def all(self, seconds: float) -> None:
        self.until = anyio.current_time() + seconds
        async with anyio.create_task_group() as group:
            for number in range(CLIENTS):
                group.start_soon(self.one, number)


def soak(url: str, seconds: float) -> Clients:
    clients = Clients(url)
    anyio.run(clients.all, seconds)
    return clients


def test_thirty_clients_on_one_sync_worker(
    shop_url: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    with served("gunicorn", shop_url()) as server:
        (worker,) = children(server.process.pid)
        url = endpoint(server)
        soak(url, WARM_UP)
        before: dict[str, Any] = {"memory": resident(worker), "threads": threads(worker)}
        clients = soak(url, SECONDS)
        after: dict[str, Any] = {"memory": resident(worker), "threads": threads(worker)}
        with capsys.disabled():
            calls = clients.done.total()
            print(
                f"\nsoak: {CLIENTS} clients, {SECONDS:g} s or more, {calls} calls, the slowest"
                f" in {clients.slowest:.2f} s; worker {before['memory']:.1f} → {after['memory']:.1f} MB,"
                f" {before['threads']} → {after['threads']} threads"
            )
        assert children(server.process.pid) == [worker], "the worker was killed and replaced"
        assert set(clients.done) >= {"read_record", "list_records", "update_records", "refused"}
        assert after["threads"] <= before["threads"]
        assert after["memory"] - before["memory"] < MORE_MEMORY
        assert server.ask("GET", "/health/live")[0] == 200
    assert server.process.returncode == 0
