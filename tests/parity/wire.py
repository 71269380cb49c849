"""`nexus mcp` in this process: the SDK's server behind our lines, on the thread and in the transaction of the test.

One server lives through many tests. Its work is handed back to the thread that asked, so that it sees what the test
wrote; reading and writing lines go their usual ways.
"""

import asyncio
import json
import queue
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, cast

from mcp_types.version import LATEST_HANDSHAKE_VERSION

from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.channels.mcp import stdio
from dataflow_nexus.channels.mcp.asking import EVERYTHING, Selection
from dataflow_nexus.channels.mcp.lines import messages
from dataflow_nexus.channels.mcp.service import Service
from dataflow_nexus.operations.base import Catalog


class _Input:
    """Lines that somebody still types."""

    def __init__(self) -> None:
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def readline(self) -> bytes:
        return self.lines.get()


class _Output:
    """Tells of each line that is written."""

    def __init__(self, tell: Callable[[bytes], object]) -> None:
        self.write = tell


class Wire:
    """A client's end of the server."""

    def __init__(
        self, catalog: Catalog, principal: Principal = SYSTEM, selection: Selection = EVERYTHING
    ) -> None:
        self.catalog = catalog
        self._loop = asyncio.new_event_loop()
        self._input = _Input()
        self._told: asyncio.Queue[Any] = asyncio.Queue()
        server = stdio.make_server(Service(catalog), lambda: principal, selection, self._work)
        self._serving = self._loop.create_task(self._serve(server))

    async def _serve(self, server: Any) -> None:
        output = _Output(lambda line: self._loop.call_soon_threadsafe(self._told.put_nowait, line))
        wires = cast(BinaryIO, self._input), cast(BinaryIO, output)
        async with messages(*wires) as (received, sending):
            await server.run(received, sending, server.create_initialization_options())

    async def _work(self, work: Callable[[], stdio.Found]) -> stdio.Found:
        done: asyncio.Future[stdio.Found] = self._loop.create_future()
        self._told.put_nowait((work, done))
        return await done

    def send(self, line: bytes) -> None:
        self._input.lines.put(line + b"\n")

    def receive(self) -> bytes:
        """The next line of the server; what it has to do for it is done here, outside of its loop."""
        while True:
            told = self._loop.run_until_complete(self._told.get())
            if isinstance(told, bytes):
                return told
            work, done = told
            try:
                found = work()
            except Exception as error:  # noqa: BLE001  # it is the server's to handle
                done.set_exception(error)
            else:
                done.set_result(found)

    def ask(self, line: bytes) -> bytes:
        self.send(line)
        return self.receive()

    def shake_hands(self, version: str = LATEST_HANDSHAKE_VERSION, **capabilities: Any) -> Any:
        """Begin as clients of revisions up to 2025-11-25 do; returns the result of `initialize`."""
        client = {"name": "tests", "version": "1"}
        params = {"protocolVersion": version, "capabilities": capabilities, "clientInfo": client}
        begin = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        found = json.loads(self.ask(json.dumps(begin).encode()))
        self.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
        return found["result"]

    def close(self) -> None:
        """End the input, and with it the server."""
        if self._loop.is_closed():
            return
        self._input.lines.put(b"")
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._serving)
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


_open: list[Wire] = []


def wire(catalog: Catalog) -> Wire:
    """The wire of an application, which is kept."""
    if not _open or _open[0].catalog is not catalog:
        close_all()
        _open.append(Wire(catalog))
        _open[0].shake_hands()
    return _open[0]


def close_all() -> None:
    while _open:
        _open.pop().close()
