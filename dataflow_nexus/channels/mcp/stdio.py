"""``nexus mcp``: the service over standard input and output, for clients that start their servers themselves.

The SDK's low-level server keeps the session (both eras, cancellation, questions to the client); every request runs on a
thread of its own. Standard output carries the protocol and nothing else: what the application prints goes to standard
error.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import anyio
import anyio.to_thread
from django.db import connections
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    RequestParams,
)
from mcp_types.methods import CACHEABLE_METHODS
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from dataflow_nexus import deadlines
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.channels.mcp.asking import (
    RESOURCE_NOT_FOUND,
    Asker,
    Elicitation,
    ProtocolError,
    Selection,
)
from dataflow_nexus.channels.mcp.confirming import ANSWER, FORM, Confirmation
from dataflow_nexus.channels.mcp.encoding import encoded
from dataflow_nexus.channels.mcp.lines import messages
from dataflow_nexus.channels.mcp.service import HANDLERS, TTL_MS, Service
from dataflow_nexus.channels.mcp.wires import Wires
from dataflow_nexus.exceptions import NexusError

THREADS = 4
"""Requests that run at a time, and connections per database."""
Context = ServerRequestContext[Any, Any]
WhoAsks = Callable[[], Principal]
Found = dict[str, Any] | Confirmation | None
Run = Callable[[Callable[[], Found]], Awaitable[Found]]
"""Runs the work of one request, which waits for databases, while others are read."""


def serve(service: Service, who: WhoAsks, selection: Selection, wires: Wires) -> None:
    """Serve until the client closes its end. ``who`` is asked for every request."""
    anyio.run(_serve, service, who, selection, wires)


async def _serve(service: Service, who: WhoAsks, selection: Selection, wires: Wires) -> None:
    # a client that does not wait for the end asks for it so: running statements are cancelled, as with Ctrl-C
    interrupted = signal.getsignal(signal.SIGINT)
    if callable(interrupted):  # a shell has its background jobs ignore Ctrl-C, and not the end
        signal.signal(signal.SIGTERM, interrupted)
    server = make_server(service, who, selection, on_threads())
    async with messages(*wires) as (received, sending):
        await server.run(received, sending, server.create_initialization_options())


def on_threads() -> Run:
    """Each request on a thread that gives its connections back; one that is cancelled cancels its statement."""
    limiter = anyio.CapacityLimiter(THREADS)

    async def run(work: Callable[[], Found]) -> Found:
        threads: list[int] = []

        def on_thread() -> Found:
            threads.append(threading.get_ident())
            try:
                return work()
            finally:
                connections.close_all()

        try:
            return await anyio.to_thread.run_sync(
                on_thread, abandon_on_cancel=True, limiter=limiter
            )
        except anyio.get_cancelled_exc_class():
            for ident in threads:
                deadlines.cancel(ident)
            raise

    return run


def make_server(service: Service, who: WhoAsks, selection: Selection, run: Run) -> Server[Any]:
    """The SDK's server with our methods; ``who`` names the principal of each request."""
    info = service.info
    server: Server[Any] = Server(
        info["name"], version=info["version"], instructions=service.instructions
    )
    add_methods(server, service, who, selection, run)
    return server


def add_methods(
    server: Server[Any], service: Service, who: WhoAsks, selection: Selection, run: Run
) -> None:
    """Let a server of the SDK answer with the service, whatever it answered before."""
    for method in HANDLERS:
        handler = _Method(service, who, selection, method, run)
        server.add_request_handler(method, RequestParams, handler.handle)


class _Method:
    """One method of the service as a handler of the SDK."""

    def __init__(  # what a server has, and the method
        self, service: Service, who: WhoAsks, selection: Selection, method: str, run: Run
    ) -> None:
        self._service = service
        self._who = who
        self._selection = selection
        self._method = method
        self._run_work = run

    async def handle(self, context: Context, _: RequestParams) -> dict[str, Any]:
        params = dict(context.params or {})
        elicitation = _elicitation(context)
        found = await self._run(params, _with_answers(params, elicitation))
        if isinstance(found, Confirmation):
            answer = await context.session.elicit_form(
                found.message, dict(FORM), related_request_id=context.request_id
            )
            given = answer.model_dump(by_alias=True, mode="json", exclude_none=True)
            again = {"requestState": found.token, "inputResponses": {ANSWER: given}}
            found = await self._run(params, _with_answers(again, elicitation))
        assert isinstance(found, dict)
        result: dict[str, Any] = json.loads(encoded(found))
        if context.protocol_version in MODERN_PROTOCOL_VERSIONS:  # the SDK adds who answers
            result = {"resultType": "complete", **result}
            if self._method in CACHEABLE_METHODS:
                result |= {"ttlMs": TTL_MS, "cacheScope": "private"}
        return result

    async def _run(self, params: dict[str, Any], answers: dict[str, Any]) -> Found:
        def work() -> Found:
            asker = Asker(principal=self._who(), request_id=uuid4().hex, selection=self._selection)
            return self._service.handle(self._method, params, replace(asker, **answers))

        try:
            return await self._run_work(work)
        except ProtocolError as error:
            raise _told(error) from None
        except NexusError as error:  # the user is no more, or can't be looked up
            raise MCPError(code=INVALID_REQUEST, message=error.detail) from None


def _told(error: ProtocolError) -> MCPError:
    code = INVALID_PARAMS if error.code == RESOURCE_NOT_FOUND else error.code
    return MCPError(code=code, message=error.message, data=error.data)


def _elicitation(context: Context) -> Elicitation:
    """How the person can be asked with a form: a client that opens addresses alone is asked nothing."""
    capabilities = context.session.client_capabilities
    told = None if capabilities is None else capabilities.elicitation
    # a client that names no way takes forms, as before there were others
    if told is None or (told.form is None and told.url is not None):
        return "none"
    return "answer" if context.protocol_version in MODERN_PROTOCOL_VERSIONS else "request"


def _with_answers(params: dict[str, Any], elicitation: Elicitation) -> dict[str, Any]:
    return {
        "elicitation": elicitation,
        "state": params.get("requestState"),
        "inputs": params.get("inputResponses") or {},
    }
