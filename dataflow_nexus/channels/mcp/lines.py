"""JSON-RPC messages as lines of standard input and output.

Lines are parsed as every channel parses JSON, strictly and with exact decimals; the SDK's own transport would round
them.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import BinaryIO

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError, JSONRPCMessage
from mcp_types.jsonrpc import jsonrpc_message_adapter
from pydantic import ValidationError

from dataflow_nexus.exceptions import NexusError
from dataflow_nexus.operations.json_text import NotJSONError, parse

Received = anyio.abc.ObjectReceiveStream[SessionMessage | Exception]
Sending = anyio.abc.ObjectSendStream[SessionMessage]


@contextmanager
def standard_streams() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The wire. While it is in use, what others print goes to standard error, and what they read is empty."""
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    # closefd=False: a thread may still wait for a line when everything else has ended
    try:
        yield (
            os.fdopen(incoming, "rb", closefd=False),
            os.fdopen(outgoing, "wb", buffering=0, closefd=False),
        )
    finally:
        os.dup2(incoming, 0)
        os.dup2(outgoing, 1)


@asynccontextmanager
async def messages(
    incoming: BinaryIO, outgoing: BinaryIO
) -> AsyncIterator[tuple[Received, Sending]]:
    """Streams of messages for the SDK's server. They end with the input."""
    to_server, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sending, to_client = anyio.create_memory_object_stream[SessionMessage](0)
    wire = anyio.wrap_file(outgoing)

    async def read() -> None:
        faults = sending.clone()
        async with to_server, faults:
            async for line in anyio.wrap_file(incoming):
                if line.strip():
                    message = message_of(line)
                    if isinstance(message, JSONRPCError) and message.id is None:
                        await faults.send(SessionMessage(message))
                    else:
                        await to_server.send(SessionMessage(message))

    async def write() -> None:
        async with to_client:
            async for message in to_client:
                text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
                await wire.write(text.encode() + b"\n")

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        group.start_soon(write)
        yield received, sending


def message_of(line: bytes) -> JSONRPCMessage:
    """The message of a line, or the error that answers it (its id is null)."""
    try:
        return jsonrpc_message_adapter.validate_python(parse(line.decode()), by_name=False)
    except UnicodeDecodeError:
        return _fault(PARSE_ERROR, "Parse error: not UTF-8")
    except (NotJSONError, NexusError) as error:
        return _fault(PARSE_ERROR, f"Parse error: {error}")
    except ValidationError:
        return _fault(INVALID_REQUEST, "Invalid request: not one JSON-RPC message")


def _fault(code: int, text: str) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=None, error=ErrorData(code=code, message=text))
