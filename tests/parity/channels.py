"""One operation with one object of parameters, asked through every channel."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

import inflection
from django.apps import apps
from django.db import connections, transaction
from django.test import Client

from dataflow_nexus.channels.cli.output import Streams
from dataflow_nexus.channels.errors import problem, translate
from dataflow_nexus.exceptions import NexusError
from dataflow_nexus.launching import main
from dataflow_nexus.nexus import Nexus, default_nexus
from dataflow_nexus.operations.base import Operation
from tests import routing
from tests.parity.agents import by_line, by_records, by_tool, by_workflow
from tests.parity.answers import Answer
from tests.parity.spelling import as_json, key_segment, pairs, words
from tests.routing import POSTGRESQL

Params = Mapping[str, Any]
FIRST_ID = 5000
"""What the next record of every model is given as its id."""


Channel = Callable[[Operation, Params], Answer | None]
"""`None` where the channel has no way to say the parameters."""


# --- Python ---------------------------------------------------------------------------------------


def by_python(operation: Operation, params: Params) -> Answer:
    try:
        body = default_nexus().execute_json(operation.node, params)
    except NexusError as error:
        return _refused(error)
    return Answer(body, None)


def _refused(error: NexusError) -> Answer:
    return Answer(b"", problem(error, ""), raw=str(error))


# --- REST -----------------------------------------------------------------------------------------


def http(method: str, path: str, body: str | bytes | None = None, **more: Any) -> Answer:
    """One HTTP request; an error must be problem details with the status of its code."""
    given = {"content_type": "application/json", **more} if body is not None else more
    client = Client(raise_request_exception=False)
    response = client.generic(method, path, b"" if body is None else body, **given)
    raw = b"".join(response) if response.streaming else response.content
    status = response.status_code
    if status < 400:
        return Answer(raw, None, raw=raw.decode(), status=status)
    assert response["Content-Type"] == "application/problem+json", raw
    error = json.loads(raw)
    assert error["status"] == status
    assert error["request_id"] == response["X-Request-Id"]
    return Answer(b"", error, raw=raw.decode(), status=status)


def by_node(operation: Operation, params: Params) -> Answer:
    return http("POST", f"/api/workflows/{operation.node}/execute", as_json(params))


def by_inputs(operation: Operation, params: Params) -> Answer:
    return http("POST", f"/api/workflows/{operation.node}/execute", as_json({"inputs": params}))


_METHODS = {
    "create": ("POST", ""),
    "upsert": ("PUT", ""),
    "bulk_create": ("POST", "/bulk"),
    "bulk_update": ("PATCH", "/bulk"),
    "bulk_delete": ("DELETE", "/bulk"),
    "bulk_upsert": ("PUT", "/bulk"),
}
_QUERIES = {"list": "", "count": "/count", "aggregate": "/aggregate"}


def by_resource(operation: Operation, params: Params) -> Answer | None:
    verb = operation.verb.name
    base = f"/api/{operation.exposed.resource}"
    if verb in _METHODS:
        method, suffix = _METHODS[verb]
        return http(method, base + suffix, as_json(params))
    if verb in _QUERIES:
        given = pairs(operation, params)
        return None if given is None else _get(base + _QUERIES[verb], given)
    if params.get("id") is None:
        return None  # a record is named by its path
    rest = {name: value for name, value in params.items() if name != "id"}
    path = f"{base}/{quote(key_segment(operation, params['id']), safe=',~:')}"
    if verb == "update":
        replaces = rest.get("replace") is True
        return http("PUT" if replaces else "PATCH", path, as_json(rest))
    given = pairs(operation, rest)
    if given is None:
        return None
    return _get(path, given) if verb == "read" else http("DELETE", path + query(given))


def _get(path: str, given: list[tuple[str, str]]) -> Answer | None:
    """`None` for a lone surrogate, which no URL holds."""
    try:
        return http("GET", path + query(given))
    except UnicodeEncodeError:
        return None


def by_aggregate_body(operation: Operation, params: Params) -> Answer | None:
    if operation.verb.name != "aggregate":
        return None
    return http("POST", f"/api/{operation.exposed.resource}/aggregate", as_json(params))


def query(given: list[tuple[str, str]]) -> str:
    return "?" + urlencode(given) if given else ""


# --- the command line -----------------------------------------------------------------------------


def command(*argv: str, stdin: bytes = b"") -> Answer:
    """The `nexus` command in this process; an error must come with the exit code of its code."""
    out, err = io.BytesIO(), io.StringIO()
    streams = Streams(out=out, err=err, input=io.BytesIO(stdin), terminal=False, progress=False)
    code = main.run(["--json", *argv], streams)
    printed, told = out.getvalue(), err.getvalue()
    if code == 0:
        assert (printed[-1:], told) == (b"\n", "")
        return Answer(printed[:-1], None, raw=printed.decode())
    assert printed == b""
    error = json.loads(told)
    assert code == _exit_codes()[error["status"]], told
    return Answer(b"", error, raw=told, status=error["status"])


def _exit_codes() -> dict[int, int]:
    from dataflow_nexus.channels.errors import TABLE

    return {item.status: item.exit_code for item in TABLE.values()}


def by_execute(operation: Operation, params: Params) -> Answer | None:
    given = pairs(operation, params)
    if given is None:
        return None
    return command("execute", operation.node, *words(operation, given))


def by_command(operation: Operation, params: Params) -> Answer | None:
    verb = inflection.dasherize(operation.verb.name)
    if "id" not in operation.verb.parameters or params.get("id") is None:
        given, key = pairs(operation, params), []
    else:
        given = pairs(operation, {name: params[name] for name in params if name != "id"})
        key = [key_segment(operation, params["id"])]
    if given is None:
        return None
    return command(operation.exposed.resource, verb, *words(operation, given), "--", *key)


# --- all of them ----------------------------------------------------------------------------------

CHANNELS: dict[str, Channel] = {
    "Python": by_python,
    "REST node": by_node,
    "REST resource": by_resource,
    "REST resource, body": by_aggregate_body,
    "CLI execute": by_execute,
    "CLI resource": by_command,
    "MCP tool": by_tool,
    "MCP records": by_records,
    "MCP workflow": by_workflow,
    "MCP line": by_line,
}


def operation_of(node: str, nexus: Nexus | None = None) -> Operation:
    return (nexus or default_nexus()).catalog.operations[f"{node}Node"]


def ask(
    alias: str, node: str, params: Params, channels: Iterable[str] = tuple(CHANNELS)
) -> Iterator[tuple[str, Answer]]:
    """Each channel's answer, from the same state of the database."""
    operation = operation_of(node)
    for name in channels:
        with rolled_back(alias):
            if operation.writes:
                start_ids(alias)
            answer = CHANNELS[name](operation, params)
        if answer is not None:
            yield name, answer


@contextmanager
def rolled_back(alias: str) -> Iterator[None]:
    """Operations go to a database, and a savepoint leaves nothing behind."""
    before, routing.current = routing.current, alias
    try:
        with transaction.atomic(using=alias):
            yield
            transaction.set_rollback(True, using=alias)
    finally:
        routing.current = before


def start_ids(alias: str) -> None:
    """PostgreSQL's sequences do not roll back; SQLite's do, and are a table."""
    with connections[alias].cursor() as cursor:
        if alias == POSTGRESQL:
            tables = [model._meta.db_table for model in apps.get_models()]
            cursor.execute(
                "SELECT setval(oid, %s, false) FROM pg_class"
                " WHERE relkind = 'S' AND relname = ANY(%s)",
                [FIRST_ID, [f"{table}_id_seq" for table in tables]],
            )
        else:
            cursor.execute("UPDATE sqlite_sequence SET seq = %s", [FIRST_ID - 1])


def exit_code(error: NexusError) -> int:
    return translate(error).exit_code
