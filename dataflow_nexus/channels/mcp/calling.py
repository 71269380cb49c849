"""``tools/call``: a name and arguments → an operation and its parameters → one result, good or bad.

What goes wrong with an operation is a result with ``isError``, which the agent reads and mends its call by. The text of
a result is the bytes that every other channel answers.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
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
    Waiting,
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
from dataflow_nexus.fields import INTEGER, Rejected
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
    asker, configuration = toolset.asker, operation.catalog.configuration
    execution.authorize(operation, asker.principal)
    asks = confirmations.wanted(operation)
    token = params.pop(TOKEN, None) if asks else None
    bounded = _bounded(operation, params)
    if asks and params.get("dry_run") is not True:
        most = _confirmed(asker, operation, params, token)
        if most is None:
            return _preview(asker, operation, params, bounded)
        if operation.verb.bulk:
            bounded = _at_most(bounded, most)
    return execution.execute(
        operation, asker.principal, bounded, max_bytes=configuration.mcp_max_bytes
    )


def _confirmed(
    asker: Asker, operation: Operation, params: dict[str, Any], token: object
) -> int | None:
    """How many records the confirmed call may change; ``None`` where the confirmation has to be asked for.

    ``requestState`` that fails its verification is a fault of the protocol, and an answer that was left out is asked
    for again (MCP 2026-07-28, "Multi Round-Trip Requests"). Raises ``Invalid``, and ``PermissionDenied`` where the
    person said no.
    """
    call = Waiting(principal=asker.principal, operation=operation, params=params, asked=False)
    if token is not None:
        return read_token(token, call)
    if asker.state is None:
        return None
    try:
        most = read_token(asker.state, replace(call, asked=True))
    except ForeignToken:
        raise ProtocolError(_INVALID_PARAMS, "requestState is not of this request") from None
    said = confirmed(asker.inputs)
    if said is None and asker.elicitation == "answer":
        return None
    if not said:
        raise PermissionDenied("the person who was asked did not confirm it; nothing was changed")
    return most


def _preview(
    asker: Asker, operation: Operation, params: dict[str, Any], bounded: dict[str, Any]
) -> Confirmation:
    configuration = operation.catalog.configuration
    plain = bounded.get("dry_run") is None or bounded["dry_run"] is False
    dry = {**bounded, "dry_run": True} if plain else bounded  # a wrong type is refused
    preview = execution.execute(
        operation, asker.principal, dry, max_bytes=configuration.mcp_max_bytes
    )
    number = affected(msgspec.json.decode(preview))
    verb, resource = operation.verb.name, operation.exposed.resource
    asked = asker.elicitation != "none"
    waiting = Waiting(principal=asker.principal, operation=operation, params=params, asked=asked)
    return Confirmation(
        message=f"{verb} on {resource} would change {number} record{'' if number == 1 else 's'}.",
        preview=preview,
        token=write_token(waiting, number),
        seconds=int(configuration.confirmation_seconds),
    )


def _bounded(operation: Operation, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters under ``max_records_per_operation``."""
    configuration = operation.catalog.configuration
    most = configuration.max_records_per_operation
    if most is None:
        return params
    if operation.verb.name == "list":
        most = min(most, configuration.max_limit)
        if params.get("limit") is None:
            return {**params, "limit": min(configuration.default_limit, most)}
        if _exceeds(params["limit"], most):
            raise Invalid.field("limit", "range", f'"limit" must be between 0 and {most}')
    if operation.verb.bulk:
        for rows in (params.get("data"), params.get("ids")):
            if isinstance(rows, list) and len(rows) > most:
                raise LimitExceeded(f"one call may change at most {most} records, not {len(rows)}")
        return _at_most(params, most)
    return params


def _at_most(params: dict[str, Any], most: int) -> dict[str, Any]:
    """``max_affected`` no larger than that; a wrong one is left for the operation to refuse."""
    given = params.get("max_affected")
    if given is None or _exceeds(given, most):
        return {**params, "max_affected": most}
    return params


def _exceeds(value: object, most: int) -> bool:
    """Whether a parameter is a whole number, in any of its spellings, and larger."""
    try:
        return bool(INTEGER.coerce(value) > most)
    except Rejected:
        return False
