"""What a principal may run, with JSON Schemas: `GET /api/workflows` and `nexus workflows`."""

from __future__ import annotations

from typing import Any

import msgspec

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Catalog, Operation


def listing(catalog: Catalog, principal: Principal) -> bytes:
    """``{"workflows": [{"node", "model", …}]}``, in order of registration."""
    entries = [_entry(operation, principal) for operation in catalog.visible(principal)]
    return msgspec.json.encode({"workflows": entries})


def _entry(operation: Operation, principal: Principal) -> dict[str, Any]:
    exposed, verb = operation.exposed, operation.verb
    grants = schemas.grants_on(exposed, principal)
    return {
        "node": operation.node,
        "model": exposed.name,
        "resource": exposed.resource,
        "operation": verb.name,
        "effect": verb.effect,
        "idempotent": verb.idempotent,
        "description": schemas.description(operation),
        "input": schemas.input_schema(operation, grants),
        "output": schemas.output_schema(operation, grants),
    }
