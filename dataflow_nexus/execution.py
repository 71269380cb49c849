"""START HERE. One function runs any operation for anybody; every channel is a thin translator in front of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError

from dataflow_nexus import deadlines
from dataflow_nexus.access.grants import Grant, grant_for
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.exceptions import NotFound, PermissionDenied
from dataflow_nexus.operations import exporting, sizes
from dataflow_nexus.operations.base import Call, Operation
from dataflow_nexus.operations.values import from_validation
from dataflow_nexus.queries.faults import translated


def execute(
    operation: Operation,
    principal: Principal,
    params: Mapping[str, Any],
    *,
    max_bytes: int | None = None,
) -> bytes:
    """Run an operation and return its result as JSON bytes.

    ``params`` is one flat object of parameters (JSON values or native Python objects). A page of records ends before
    ``max_bytes``; any other result that is longer is ``LimitExceeded``. Raises a ``NexusError``; nothing is half-done
    then.
    """
    grants = authorize(operation, principal)
    call = Call(
        operation=operation,
        principal=principal,
        params=params,
        grants=grants,
        alias=operation.alias,
        max_bytes=max_bytes,
    )
    with (
        translated(call.exposed, call.alias, call.knows),
        deadlines.within(call.alias, call.configuration.statement_timeout),
    ):
        try:
            return sizes.run(call)
        except ValidationError as error:  # a hook, a receiver or a model's own code refuses so
            raise from_validation(error, call.exposed, call.knows) from error
        except DjangoPermissionDenied as error:
            raise PermissionDenied(str(error) or f"{operation.node} was refused") from error


def stream(
    operation: Operation, principal: Principal, params: Mapping[str, Any], fmt: str
) -> Iterator[bytes]:
    """Run a List operation as an export: chunks of ``csv``, ``ndjson`` or ``json``, without a page limit.

    Parameters are checked before the first chunk is asked for; ``fields`` of the export are List's.
    """
    grants = authorize(operation, principal)
    call = Call(
        operation=operation,
        principal=principal,
        params=params,
        grants=grants,
        alias=operation.alias,
    )
    return exporting.export(call, fmt)


def authorize(operation: Operation, principal: Principal) -> dict[str, Grant]:
    """The principal's grant per action that the operation needs.

    Raises ``NotFound`` where the principal holds nothing on the model, ``PermissionDenied`` where it holds something
    else.
    """
    label = operation.exposed.label
    held = {action: grant_for(principal, label, action) for action in operation.verb.actions}
    missing = [action for action, grant in held.items() if grant is None]
    if missing:
        actions = ("view", "add", "change", "delete")
        if all(grant_for(principal, label, action) is None for action in actions):
            raise NotFound(f'there is no resource "{operation.exposed.resource}"')
        raise PermissionDenied(
            f"{operation.node} needs the permission to {missing[0]} {operation.exposed.resource}"
        )
    return {action: grant for action, grant in held.items() if grant is not None}
