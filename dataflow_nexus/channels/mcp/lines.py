"""JSON-RPC messages as lines of standard input and output.

Lines are parsed as every channel parses JSON, strictly and with exact decimals; the SDK's own transport would round
them.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, suppress
from typing import BinaryIO

import anyio
from anyio.from_thread import BlockingPortal
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError, JSONRPCMessage
from mcp_types.jsonrpc import jsonrpc_message_adapter
from pydantic import ValidationError

from dataflow_nexus.channels.mcp.encoding import encoded
from dataflow_nexus.exceptions import NexusError
from dataflow_nexus.operations.json_text import NotJSONError, parse

Received = anyio.abc.ObjectReceiveStream[SessionMessage | Exception]
Sending = anyio.abc.ObjectSendStream[SessionMessage]
_CHUNK = 65_536
_IDS = (str, int)


@asynccontextmanager
async def messages(
    incoming: BinaryIO, outgoing: BinaryIO
) -> AsyncIterator[tuple[Received, Sending]]:
    """Streams of messages for the SDK's server. They end with the input."""
    to_server, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sending, to_client = anyio.create_memory_object_stream[SessionMessage](0)
    wire = anyio.wrap_file(outgoing)

    async def read(lines: anyio.abc.ObjectReceiveStream[bytes]) -> None:
        faults = sending.clone()
        async with to_server, faults, lines:
            async for line in lines:
                if line.strip():
                    message = message_of(line)
                    if isinstance(message, JSONRPCError) and message.id is None:
                        await faults.send(SessionMessage(message))
                    else:
                        await to_server.send(SessionMessage(message))

    async def write() -> None:
        async with to_client:
            async for message in to_client:
                value = message.message.model_dump(by_alias=True, exclude_unset=True)
                await wire.write(encoded(value) + b"\n")

    async with BlockingPortal() as portal, anyio.create_task_group() as group:
        group.start_soon(read, _read_by_thread(incoming, portal))
        group.start_soon(write)
        yield received, sending


def _read_by_thread(
    incoming: BinaryIO, portal: BlockingPortal
) -> anyio.abc.ObjectReceiveStream[bytes]:
    """The lines of a raw stream. Nobody waits for the thread: it may be reading when everything else has ended."""
    given, lines = anyio.create_memory_object_stream[bytes](0)

    def read() -> None:
        # RuntimeError: the portal is closed
        with suppress(anyio.BrokenResourceError, CancelledError, RuntimeError):
            for line in _lines(incoming):
                portal.call(given.send, line)
            portal.call(given.aclose)

    threading.Thread(target=read, name="dataflow-nexus-lines", daemon=True).start()
    return lines


def _lines(incoming: BinaryIO) -> Iterator[bytes]:
    started: list[bytes] = []
    while chunk := incoming.read(_CHUNK):
        first, *others = chunk.split(b"\n")
        started.append(first)
        for line in others:
            yield b"".join(started)
            started = [line]
    yield b"".join(started)


def message_of(line: bytes) -> JSONRPCMessage:
    """The message of a line, or the error that answers it (its id is null)."""
    try:
        found = parse(line.decode())
        if isinstance(found, dict) and "method" in found and type(found.get("id", 0)) not in _IDS:
            return _fault(INVALID_REQUEST, "Invalid request: an id is text or a whole number")
        return jsonrpc_message_adapter.validate_python(found, by_name=False)
    except UnicodeDecodeError:
        return _fault(PARSE_ERROR, "Parse error: not UTF-8")
    except (NotJSONError, NexusError) as error:
        return _fault(PARSE_ERROR, f"Parse error: {error}")
    except ValidationError:
        return _fault(INVALID_REQUEST, "Invalid request: not one JSON-RPC message")


def _fault(code: int, text: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=text))
