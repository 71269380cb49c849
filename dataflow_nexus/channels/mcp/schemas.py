"""Definitions of tools, as small as they can be and still teach: they are read by every agent before its first call.

They are ``operations.schemas`` with fewer words: what the instructions of the server say once is not said per tool,
and records inside of bulk results are not spelled out again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dataflow_nexus.access.grants import Grant
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.channels.mcp.compact import Compact
from dataflow_nexus.conf import Configuration
from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Operation, Verb
from dataflow_nexus.operations.verbs import VERBS
from dataflow_nexus.registry import Exposed

Schema = dict[str, Any]
TOKEN = "confirmation_token"  # noqa: S105  # the name of a parameter
_OBJECT: Schema = {"type": "object"}
_NAMES: Schema = {"type": "array", "items": {"type": "string"}}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_VERBS = {verb.name: verb for verb in VERBS}
_DESCRIPTIONS = {
    "search": "Words that must all occur.",
    "order_by": 'Like ["-created_at", "id"].',
    "cursor": "next of the page before.",
    "expand": "Relations to embed.",
    "group_by": 'Fields, or {"$date_trunc": ["month", field]}.',
    "aggregate": 'Like {"n": {"$count": "*"}, "total": {"$sum": field}}.',
    "having": "Conditions on the results.",
    "dry_run": "Run, answer, roll back.",
    "replace": "Reset the fields that are not given.",
    "confirmed": "Must be true where the filter is empty.",
    "max_affected": "Roll back where more would change.",
    "where": "Values of one unique key.",
    "conflict_on": "A unique key; the primary key by default.",
    "ids": "Primary keys.",
}
_CONFIRMATION: Schema = {
    "type": "object",
    "properties": {
        "confirmation_required": {"const": True},
        "message": {"type": "string"},
        "preview": _OBJECT,
        TOKEN: {"type": "string"},
        "expires_in": _COUNT,
    },
    "required": ["confirmation_required", "preview", TOKEN],
}
_FOUND: Schema = {
    "type": "object",
    "properties": {"models": {"type": "array", "items": _OBJECT}, "total": _COUNT},
    "required": ["models"],
}


def hints(title: str, *, reads: bool, additive: bool, idempotent: bool) -> Schema:
    """All four hints of MCP. What is not additive may overwrite or remove, which is MCP's "destructive"."""
    return {
        "title": title,
        "readOnlyHint": reads,
        "destructiveHint": not reads and not additive,
        "idempotentHint": idempotent,
        "openWorldHint": False,
    }


def definition(operation: Operation, name: str, principal: Principal, *, asks: bool) -> bytes:
    """The JSON of one operation's tool; ``asks`` where it wants a confirmation."""
    verb = operation.verb
    grants = schemas.grants_on(operation.exposed, principal)
    summary = schemas.description(operation)
    tool = {
        "name": name,
        "description": f"{summary} {_ASKS}" if asks else summary,
        "inputSchema": _input(operation, grants, asks=asks),
        "outputSchema": _output(operation, grants, asks=asks),
        "annotations": hints(
            _title(operation),
            reads=verb.effect == "read",
            additive=verb.actions == ("add",),
            idempotent=verb.idempotent,
        ),
    }
    return msgspec.json.encode(tool)


_ASKS = "Answers a preview first; run it by repeating the call with its confirmation_token."


def _title(operation: Operation) -> str:
    meta = operation.exposed.model._meta
    one = operation.verb.name in ("create", "read", "update", "delete", "upsert")
    noun = meta.verbose_name if one else meta.verbose_name_plural
    return f"{operation.verb.name.replace('_', ' ').capitalize()} {noun}"


def _input(operation: Operation, grants: schemas.Grants, *, asks: bool) -> Schema:
    schema = schemas.input_schema(operation, grants)
    configuration = operation.catalog.configuration
    example = _example(operation.exposed, grants.get("view"))
    for name in operation.verb.parameters:
        given = _bounded(operation.verb, name, schema["properties"][name], configuration)
        schema["properties"][name] = _briefly(name, given, example)
    if asks:
        schema["properties"][TOKEN] = {"type": "string"}
    return schema


def _bounded(verb: Verb, name: str, schema: Schema, configuration: Configuration) -> Schema:
    """The schema of a parameter under ``max_records_per_operation``."""
    most = configuration.max_records_per_operation
    if most is None:
        return schema
    if verb.name == "list" and name == "limit":
        return {**schema, "maximum": min(most, configuration.max_limit)}
    if name in ("data", "ids"):
        return {**schema, "maxItems": min(most, configuration.max_bulk_rows)}
    return schema


def _briefly(name: str, schema: Schema, example: str) -> Schema:
    found = {key: value for key, value in schema.items() if key != "description"}
    text = example if name == "filter" else _DESCRIPTIONS.get(name)
    return {**found, "description": text} if text else found


def _example(exposed: Exposed, view: Grant | None) -> str:
    """A filter on a field that the asker may read."""
    for field in exposed.fields.values():
        number = field.kind.name in ("decimal", "integer", "float")
        if number and not field.primary_key and view is not None and view.reads(field.name):
            return f'Like {{"{field.name}": {{"$gte": 1}}}}.'
    return "Conditions by field."


def _output(operation: Operation, grants: schemas.Grants, *, asks: bool) -> Schema:
    exposed, view = operation.exposed, grants.get("view")
    bulk = operation.verb.bulk
    schema = schemas.result_schema(
        operation,
        whole=lambda: _OBJECT if bulk else schemas.written_record_schema(exposed, view),
        chosen=lambda: schemas.chosen_record_schema(exposed, view),
    )
    return {"type": "object", "anyOf": [schema, _CONFIRMATION]} if asks else schema


# --- the compact set --------------------------------------------------------------------------------------------------


def compact_definition(
    compact: Compact, configuration: Configuration, *, reads: bool, asks: bool
) -> bytes:
    """The JSON of a tool over all models."""
    verb = _VERBS.get(compact.verb or "")
    summary = compact.description
    tool = {
        "name": compact.name,
        "description": f"{summary} {_ASKS}" if asks else summary,
        "inputSchema": _compact_input(compact, verb, configuration, asks=asks),
        "outputSchema": _compact_output(compact, asks=asks),
        "annotations": hints(
            compact.title,
            reads=reads,
            additive=verb is not None and verb.actions == ("add",),
            idempotent=verb.idempotent if verb is not None else reads,
        ),
    }
    return msgspec.json.encode(tool)


def _compact_input(
    compact: Compact, verb: Verb | None, configuration: Configuration, *, asks: bool
) -> Schema:
    properties: Schema = dict(compact.properties or {"model": {"type": "string"}})
    required = list(compact.required)
    if verb is not None:
        for name in verb.parameters:
            schema = schemas.plain_parameter_schema(verb, name, configuration)
            given = _bounded(verb, name, schema, configuration)
            properties[name] = _briefly(name, given, 'Like {"name": {"$icontains": "x"}}.')
        if "data" in properties and verb.name != "bulk_update":
            required.append("data")
    if asks:
        properties[TOKEN] = {"type": "string"}
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _compact_output(compact: Compact, *, asks: bool) -> Schema:
    if compact.name in ("search_models", "describe_models"):
        return _FOUND
    shapes: dict[str | None, Schema] = {
        "list": _required(records={"type": "array", "items": _OBJECT}, next={}),
        "count": _required(count=_COUNT),
        "aggregate": _required(groups={"type": "array", "items": _OBJECT}),
        "read": _OBJECT,
        None: _OBJECT,
    }
    numbers = ("processed", "inserted", "updated", "deleted", "skipped")
    schema = shapes.get(compact.verb) or _required(**dict.fromkeys(numbers, _COUNT))
    return {"type": "object", "anyOf": [schema, _CONFIRMATION]} if asks else schema


def _required(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}
