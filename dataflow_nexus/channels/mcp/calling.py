"""``tools/call``: a name and arguments → an operation and its parameters → one result, good or bad.

What goes wrong with an operation is a result with ``isError``, which the agent reads and mends its call by. The text of
a result is the bytes that every other channel answers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from dataflow_nexus import execution
from dataflow_nexus.channels.errors import problem_json
from dataflow_nexus.channels.mcp import searching
from dataflow_nexus.channels.mcp.asking import Asker, ProtocolError
from dataflow_nexus.channels.mcp.compact import Compact
from dataflow_nexus.channels.mcp.confirming import (
    Confirmation,
    Confirmations,
    ForeignToken,
    affected,
    confirmed,
    read_token,
    write_token,
)
from dataflow_nexus.channels.mcp.schemas import TOKEN
from dataflow_nexus.channels.mcp.toolset import Toolset
from dataflow_nexus.exceptions import (
    Internal,
    Invalid,
    LimitExceeded,
    NexusError,
    PermissionDenied,
)
from dataflow_nexus.operations.base import Operation
from dataflow_nexus.queries.names import unknown

logger = logging.getLogger("dataflow_nexus.mcp")
_INVALID_PARAMS = -32602
UNTRUSTED = {"dataflow-nexus/untrusted": True}
"""Marks what comes from the database: data, whatever they say."""
Arguments = Mapping[str, Any]


def call(
    toolset: Toolset, confirmations: Confirmations, name: str, arguments: Arguments
) -> dict[str, Any] | Confirmation:
    """The result of a tool, or what has to be confirmed before it runs.

    Raises ``ProtocolError`` for a ``requestState`` that is not ours, and nothing else.
    """
    request_id = toolset.asker.request_id
    try:
        found = _called(toolset, confirmations, name, arguments)
    except NexusError as error:
        return failed(error, request_id)
    except ProtocolError:
        raise
    except Exception:  # the one place where this channel turns a defect into an answer
        logger.exception("tool call %s failed", request_id)
        return failed(Internal(f"an internal error, logged as {request_id}"), request_id)
    return found if isinstance(found, Confirmation) else succeeded(found)


def succeeded(body: bytes) -> dict[str, Any]:
    return {
        "content": [{"type": "text", "text": body.decode()}],
        "structuredContent": msgspec.Raw(body),
        "_meta": UNTRUSTED,
    }


def failed(error: NexusError, request_id: str) -> dict[str, Any]:
    """The error object as text alone: some clients hold structured content to the schema of good results."""
    text = problem_json(error, request_id).decode()
    return {"content": [{"type": "text", "text": text}], "isError": True}


def _called(
    toolset: Toolset, confirmations: Confirmations, name: str, arguments: Arguments
) -> bytes | Confirmation:
    target = toolset.find(name)
    if isinstance(target, Operation):
        return _operate(toolset, confirmations, target, dict(arguments))
    if target.name == "search_models":
        return searching.search(toolset, arguments)
    if target.name == "describe_models":
        return searching.describe(toolset, arguments)
    operation, params = _resolved(toolset, target, dict(arguments))
    return _operate(toolset, confirmations, operation, params)


def _resolved(
    toolset: Toolset, target: Compact, arguments: dict[str, Any]
) -> tuple[Operation, dict[str, Any]]:
    """The operation that a call of a compact tool means, and its parameters."""
    if target.verb is not None:
        model = _text(arguments, "model", "a resource or class name; search_models finds it")
        operation = toolset.on_model(model, target.verb)
        return operation, arguments
    node = _text(arguments, "node", "such as ProductUpdateNode")
    operation = toolset.on_node(node)
    params = arguments.pop("params", None)
    token = arguments.pop(TOKEN, None)
    for other in arguments:
        raise unknown("parameter", other, ("node", "params"))
    if params is not None and not isinstance(params, Mapping):
        raise Invalid.field("params", "type", '"params" must be an object')
    return operation, {**(params or {}), **({} if token is None else {TOKEN: token})}


def _text(arguments: dict[str, Any], name: str, what: str) -> str:
    value = arguments.pop(name, None)
    if value is None:
        raise Invalid.field(name, "required", f'"{name}" is required: {what}')
    if not isinstance(value, str):
        raise Invalid.field(name, "type", f'"{name}" must be a string: {what}')
    return value


# --- running ----------------------------------------------------------------------------------------------------------


def _operate(
    toolset: Toolset, confirmations: Confirmations, operation: Operation, params: dict[str, Any]
) -> bytes | Confirmation:
    principal, configuration = toolset.asker.principal, operation.catalog.configuration
    execution.authorize(operation, principal)
    asks = confirmations.wanted(operation)
    token = params.pop(TOKEN, None) if asks else None
    bounded = _bounded(operation, params)
    if asks and params.get("dry_run") is not True:
        most = _let_through(toolset.asker, operation, params, token)
        if most is None:
            return _preview(toolset, operation, params, bounded)
        if operation.verb.bulk:
            bounded = _at_most(bounded, most)
    return execution.execute(operation, principal, bounded, max_bytes=configuration.mcp_max_bytes)


def _let_through(
    asker: Asker, operation: Operation, params: dict[str, Any], token: object
) -> int | None:
    """How many records a confirmed call may change; ``None`` where the confirmation has to be asked for.

    ``requestState`` that fails its verification is a fault of the protocol, and an answer that was left out is asked
    for again (MCP 2026-07-28, "Multi Round-Trip Requests").
    """
    given = asker.state if token is None else token
    if given is None:
        return None
    try:
        most = read_token(given, asker.principal, operation, params)
    except ForeignToken:
        if token is not None:
            raise
        raise ProtocolError(_INVALID_PARAMS, "requestState is not of this request") from None
    if given == asker.state:
        said = confirmed(asker.inputs)
        if said is None and asker.elicitation == "answer":
            return None
        if not said:
            message = "the person who was asked did not confirm it; nothing was changed"
            raise PermissionDenied(message)
    return most


def _preview(
    toolset: Toolset, operation: Operation, params: dict[str, Any], bounded: dict[str, Any]
) -> Confirmation:
    principal, configuration = toolset.asker.principal, operation.catalog.configuration
    dry = {**bounded, "dry_run": True}
    preview = execution.execute(operation, principal, dry, max_bytes=configuration.mcp_max_bytes)
    number = affected(msgspec.json.decode(preview))
    verb, resource = operation.verb.name, operation.exposed.resource
    return Confirmation(
        message=f"{verb} on {resource} would change {number} record{'' if number == 1 else 's'}.",
        preview=preview,
        token=write_token(principal, operation, params, number),
        seconds=int(configuration.confirmation_seconds),
    )


def _bounded(operation: Operation, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters under ``max_records_per_operation``."""
    most = operation.catalog.configuration.max_records_per_operation
    if most is None:
        return params
    if operation.verb.name == "list":
        limit = params.get("limit")
        if limit is None:
            default = min(operation.catalog.configuration.default_limit, most)
            return {**params, "limit": default}
        if isinstance(limit, int) and limit > most:
            raise Invalid.field("limit", "range", f'"limit" must be between 0 and {most}')
    if operation.verb.bulk:
        rows = params.get("data", params.get("ids"))
        if isinstance(rows, list) and len(rows) > most:
            raise LimitExceeded(f"one call may change at most {most} records, not {len(rows)}")
        return _at_most(params, most)
    return params


def _at_most(params: dict[str, Any], most: int) -> dict[str, Any]:
    """``max_affected`` no larger than that; a wrong one is left for the operation to refuse."""
    given = params.get("max_affected")
    if given is None or (isinstance(given, int) and not isinstance(given, bool) and given > most):
        return {**params, "max_affected": most}
    return params
