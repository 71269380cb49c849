"""JSON Schema (2020-12) of what operations take and give, as one principal's grants show it.

A field that the grants hide is in no schema. Input schemas list flat names only where a parameter
does not have the name already; such a field is written through ``fields``. They are told to people
and machines; what counts is what the operation itself checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dataflow_nexus.access.grants import Grant, grant_for
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.conf import Configuration
from dataflow_nexus.fields import Kind, nullable, schema_of
from dataflow_nexus.operations.base import Operation, Verb
from dataflow_nexus.registry import Exposed, ModelField

Schema = dict[str, Any]
Grants = Mapping[str, Grant]
ACTIONS = ("view", "add", "change", "delete")

_OBJECT: Schema = {"type": "object"}
_NAMES: Schema = {"type": "array", "items": {"type": "string"}}
_ROWS: Schema = {"type": "array", "items": _OBJECT}
_TRUTH: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXT: Schema = {"type": "string"}
_PARAMETERS: Mapping[str, Schema] = {
    "expand": _NAMES,
    "order_by": _NAMES,
    "conflict_on": _NAMES,
    "filter": _OBJECT,
    "having": _OBJECT,
    "aggregate": _OBJECT,
    "search": _TEXT,
    "cursor": _TEXT,
    "dry_run": _TRUTH,
    "replace": _TRUTH,
    "confirmed": _TRUTH,
    "group_by": {"type": "array", "items": {"type": ["string", "object"]}},
    "offset": _COUNT,
    "max_affected": _COUNT,
    "batch_size": {"type": "integer", "minimum": 1},
    "count": {"enum": ["none", "exact", "estimated"]},
    "return": {"enum": ["none", "ids", "records"]},
    "on_error": {"enum": ["stop", "continue"]},
}
_NUMBERS = frozenset({"integer", "decimal", "float"})
_WRITE_ACTIONS = {"create": "add", "bulk_create": "add", "upsert": "add", "bulk_upsert": "add"}


def grants_on(exposed: Exposed, principal: Principal) -> dict[str, Grant]:
    """Every grant that the principal holds on the model, by action."""
    found = {action: grant_for(principal, exposed.label, action) for action in ACTIONS}
    return {action: grant for action, grant in found.items() if grant is not None}


def description(operation: Operation) -> str:
    """One sentence about the operation, with the model's names in it."""
    meta = operation.exposed.model._meta
    return operation.verb.summary.format(one=meta.verbose_name, many=meta.verbose_name_plural)


# --- fields and records ---------------------------------------------------------------------------


def field_schema(field: ModelField) -> Schema:
    """Values of the field in a record."""
    if field.source is None:
        return {}
    if field.many:
        return {"type": "array", "items": dict(field.kind.schema)}
    schema = _plain(field)
    return nullable(schema) if field.nullable else schema


def _plain(field: ModelField) -> Schema:
    return schema_of(field.source) if field.source is not None else {}


def input_field_schema(field: ModelField, *, operators: bool = False) -> Schema:
    """Values of the field in a write; with ``operators`` also ``{"$inc": 1}`` and the like."""
    schema = field_schema(field) if field.many else _numbers_too(_plain(field), field.kind)
    types = schema.get("type")
    computes = (
        field.kind.name in _NUMBERS
        or types == "array"
        or (field.kind.name == "string" and "enum" not in schema)
    )
    if operators and types is not None and computes:
        schema["type"] = [*(types if isinstance(types, list) else [types]), "object"]
        schema.pop("enum", None)
    return nullable(schema) if field.nullable else schema


def _numbers_too(schema: Schema, kind: Kind) -> Schema:
    """A decimal is exact as a string, but a number is taken too."""
    if kind.name == "decimal":
        null = ["null"] if "null" in schema["type"] else []
        return {**schema, "type": ["string", "number", *null]}
    if kind.element is not None:
        return {**schema, "items": _numbers_too(schema["items"], kind.element)}
    return schema


def record_schema(exposed: Exposed, grant: Grant | None) -> Schema:
    """A whole record as the grant shows it; a field that is hidden on some rows is not required."""
    shown = [f for f in exposed.fields.values() if grant is not None and grant.reads(f.name)]
    return {
        "type": "object",
        "properties": {field.name: field_schema(field) for field in shown},
        "required": [f.name for f in shown if grant is not None and grant.reads_everywhere(f.name)],
        "additionalProperties": False,
    }


def written_record_schema(exposed: Exposed, grant: Grant | None) -> Schema:
    """A record that a write returns: nothing of it where the write took it out of the principal's sight."""
    schema = record_schema(exposed, grant)
    whole = {"required": schema.pop("required")}
    return {**schema, "anyOf": [whole, {"maxProperties": 0}]}


def chosen_record_schema(exposed: Exposed, grant: Grant | None) -> Schema:
    """A record after ``fields`` and ``expand``: some of its fields, and relations beside them."""
    schema = record_schema(exposed, grant)
    del schema["required"]
    for name, shown in schema["properties"].items():
        if exposed.fields[name].many:  # ids, or with expand the records themselves
            shown["items"] = {"anyOf": [shown["items"], _OBJECT]}
    schema["additionalProperties"] = {"type": ["object", "array", "null"]}
    return schema


def key_schema(exposed: Exposed, *, bounded: bool = True) -> Schema:
    """A primary key. Where it is not ``bounded`` a text may be longer than the field holds."""
    parts = {field.name: _plain(field) for field in exposed.key}
    if not bounded:
        parts = {name: _without(part, "maxLength") for name, part in parts.items()}
    if len(exposed.key) == 1:
        return parts[exposed.key[0].name]
    return {
        "type": "object",
        "properties": parts,
        "required": [field.name for field in exposed.key],
        "additionalProperties": False,
    }


def _without(schema: Schema, name: str) -> Schema:
    return {key: value for key, value in schema.items() if key != name}


def writable(exposed: Exposed, grant: Grant | None) -> list[ModelField]:
    if grant is None:
        return []
    return [f for f in exposed.fields.values() if f.writable and grant.writes(f.name)]


# --- parameters -----------------------------------------------------------------------------------


def input_schema(operation: Operation, grants: Grants) -> Schema:
    """The one flat object of parameters."""
    verb, exposed = operation.verb, operation.exposed
    properties: Schema = {}
    required: list[str] = []
    if verb.takes_fields:
        grant = grants.get(_WRITE_ACTIONS.get(verb.name, "change"))
        flat = [f for f in writable(exposed, grant) if f.name not in verb.parameters]
        operators = verb.name == "update"
        properties = {f.name: input_field_schema(f, operators=operators) for f in flat}
        if verb.name == "create":
            required = [f.name for f in flat if f.required and f.name not in _presets(grant)]
        if verb.name in ("create", "upsert") and _takes_id(exposed, flat):
            properties = {"id": key_schema(exposed), **properties}
            required = [name for name in required if name not in _key_names(exposed)]
    for name, text in verb.parameters.items():
        properties[name] = {**parameter_schema(operation, name), "description": text}
    if verb.name in ("bulk_create", "bulk_upsert"):
        required = ["data"]
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return {**schema, "additionalProperties": False}


def _takes_id(exposed: Exposed, flat: Iterable[ModelField]) -> bool:
    """Whether ``id`` may stand for the columns of a new record's key."""
    return exposed.composite_id and _key_names(exposed) <= {field.name for field in flat}


def _key_names(exposed: Exposed) -> set[str]:
    return {field.name for field in exposed.key}


def _presets(grant: Grant | None) -> set[str]:
    return {name for source in grant.sources for name in source.presets} if grant else set()


def parameter_schema(operation: Operation, name: str) -> Schema:
    """Values of one of the verb's own parameters."""
    if name == "id":
        return key_schema(operation.exposed)
    if name == "ids":
        # a key of no record is skipped, and so is one that no record can have
        return {"type": "array", "items": key_schema(operation.exposed, bounded=False)}
    return plain_parameter_schema(operation.verb, name, operation.catalog.configuration)


def plain_parameter_schema(verb: Verb, name: str, configuration: Configuration) -> Schema:
    """The same for any model: a key is of any type."""
    if name in _PARAMETERS:
        return _PARAMETERS[name]
    if name == "fields":
        return _NAMES if verb.effect == "read" else _OBJECT
    if name == "id":
        return {}
    if name == "ids":
        return {"type": "array"}
    if name == "limit":
        most = configuration.max_groups if verb.analytics else configuration.max_limit
        return {"type": "integer", "minimum": 0, "maximum": most}
    if name == "data":
        return {**_ROWS, "maxItems": configuration.max_bulk_rows}
    if name == "conflict_resolution":
        ways = ["error", "skip"] if verb.name == "bulk_create" else ["update", "skip", "error"]
        return {"enum": ways}
    return _OBJECT  # where, create, update: values by field name


# --- results --------------------------------------------------------------------------------------


def output_schema(operation: Operation, grants: Grants) -> Schema:
    """The result, one of the shapes of docs/operations.md."""
    whole = record_schema if operation.verb.bulk else written_record_schema
    return result_schema(
        operation,
        whole=lambda: whole(operation.exposed, grants.get("view")),
        chosen=lambda: chosen_record_schema(operation.exposed, grants.get("view")),
    )


def result_schema(operation: Operation, *, whole: Any, chosen: Any) -> Schema:
    """The result, where ``whole`` and ``chosen`` make the schema of a record or refer to it."""
    name = operation.verb.name
    if name == "read":
        return _schema(chosen)
    if name in ("create", "update"):
        return _schema(whole)
    if name == "delete":
        return _object({"id": key_schema(operation.exposed), "deleted": {"const": True}})
    if name == "list":
        return _object(
            {
                "records": {"type": "array", "items": _schema(chosen)},
                "count": nullable(_COUNT),
                "limit": _COUNT,
                "offset": _COUNT,
                "next": {"type": ["string", "null"]},
            }
        )
    if name == "count":
        return _object({"count": _COUNT})
    if name == "upsert":
        return _object({"created": _TRUTH, "record": _schema(whole)})
    if name == "aggregate":
        return _object({"groups": _ROWS})
    return _bulk(operation, whole)


def _schema(make: Any) -> Schema:
    found: Schema = make()
    return found


def _bulk(operation: Operation, whole: Any) -> Schema:
    numbers = ("processed", "inserted", "updated", "deleted", "skipped")
    schema = _object(dict.fromkeys(numbers, _COUNT))
    asked: Iterable[tuple[str, Schema]] = (
        ("ids", {"type": "array", "items": key_schema(operation.exposed)}),
        ("records", {"type": "array", "items": _schema(whole)}),
        ("errors", _ROWS),
    )
    schema["properties"].update(asked)
    return schema


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
