"""The OpenAPI 3.1 document, built from the registry: concrete paths per resource over the generic
routes, as one principal's grants show them.

Ninja could only describe the generic routes; classes per model would cost seconds for many models.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from dataflow_nexus.access.grants import Grant
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.channels.rest.links import links
from dataflow_nexus.fields import nullable
from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Catalog, Operation
from dataflow_nexus.operations.lookups import LOOKUPS
from dataflow_nexus.operations.schemas import Schema
from dataflow_nexus.operations.texts import AGGREGATES
from dataflow_nexus.registry import Exposed

_JSON = "application/json"
_ROUTES: dict[str, tuple[tuple[str, str], ...]] = {
    "list": (("get", ""), ("get", "/export")),
    "create": (("post", ""),),
    "upsert": (("put", ""),),
    "count": (("get", "/count"),),
    "aggregate": (("get", "/aggregate"), ("post", "/aggregate")),
    "bulk_create": (("post", "/bulk"),),
    "bulk_update": (("patch", "/bulk"),),
    "bulk_delete": (("delete", "/bulk"),),
    "bulk_upsert": (("put", "/bulk"),),
    "read": (("get", "/{key}"),),
    "update": (("patch", "/{key}"), ("put", "/{key}")),
    "delete": (("delete", "/{key}"),),
}
_PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable, for machines."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
                "required": ["field", "code", "message"],
            },
        },
        "request_id": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail", "code", "errors", "request_id"],
}
_ERRORS = {
    "4XX": {"$ref": "#/components/responses/Problem"},
    "5XX": {"$ref": "#/components/responses/Problem"},
}
_INTRODUCTION = (
    "**Conditions.** Where records are listed, counted, aggregated or exported, every field that"
    " can be filtered is a query parameter, also with a lookup (`price__gte=10`) or through"
    f" relations (`category__name=x`). Lookups: {', '.join(f'`{name}`' for name in LOOKUPS)}.\n\n"
    "**Aggregates.** In a query string"
    f" {', '.join(f'`{name}=field`' for name in AGGREGATES)} give results named `sum_field` and so"
    " on, and `count=*` gives `count`."
)
_KEY: Schema = {
    "name": "key",
    "in": "path",
    "required": True,
    "description": "The primary key; a composite one as its values with commas between. Any key may"
    " be written `~` + base64url (without padding) of its JSON.",
    "schema": {"type": "string", "minLength": 1},
}
_ARRAYS = frozenset({"fields", "expand", "order_by", "group_by"})


def document(catalog: Catalog, principal: Principal, root: str) -> bytes:
    """The document as JSON. ``root`` is the path under which the application is mounted."""
    configuration = catalog.configuration
    paths: Schema = _fixed(configuration.api_prefix)
    components: Schema = {}
    shared: Schema = {"key": _KEY}
    by_model: dict[str, tuple[Exposed, list[Operation]]] = {}
    for operation in catalog.visible(principal):
        exposed = operation.exposed
        by_model.setdefault(exposed.label, (exposed, []))[1].append(operation)
    for exposed, operations in by_model.values():
        model = _Model(exposed, schemas.grants_on(exposed, principal), components, shared)
        model.verbs = [operation.verb.name for operation in operations]
        for operation in operations:
            for method, suffix in _ROUTES[operation.verb.name]:
                path = f"{configuration.api_prefix}/{exposed.resource}{suffix}"
                paths.setdefault(path, {})[method] = model.described(operation, method, suffix)
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": configuration.title,
                "version": configuration.version,
                "description": _INTRODUCTION,
            },
            "servers": [{"url": root or "/"}],
            "tags": [{"name": exposed.resource} for exposed, _ in by_model.values()],
            "paths": paths,
            "components": {
                "schemas": {"Problem": _PROBLEM, **components},
                "responses": {
                    "Problem": _content("An error.", "application/problem+json", _ref("Problem"))
                },
                "parameters": shared,
            },
        }
    )


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(description: str, media_type: str, schema: Schema) -> Schema:
    return {"description": description, "content": {media_type: {"schema": schema}}}


class _Model:
    """One model's part of the document: its records are components that its operations refer to."""

    def __init__(
        self, exposed: Exposed, grants: dict[str, Grant], components: Schema, shared: Schema
    ) -> None:
        self.exposed = exposed
        self.grants = grants
        self.components = components
        self.shared = shared
        self.verbs: list[str] = []
        self.name = "".join(c if c.isalnum() or c in "._-" else "_" for c in exposed.name)
        if self.name == "Problem":
            self.name = "ProblemRecord"

    def described(self, operation: Operation, method: str, suffix: str) -> Schema:
        """The operation object of one path and method."""
        verb = operation.verb
        replaces = verb.name == "update" and method == "put"
        found: Schema = {
            "operationId": _operation_id(operation, method, suffix),
            "tags": [self.exposed.resource],
            "summary": schemas.description(operation),
            "responses": {**self._results(operation, suffix), **_ERRORS},
        }
        if replaces:
            found["summary"] = "Absent fields take their default or null. " + found["summary"]
        parameters = [{"$ref": "#/components/parameters/key"}] if suffix == "/{key}" else []
        if method == "get":
            parameters = [*parameters, *self._query(operation, suffix)]
        else:
            found["requestBody"] = self._body(operation)
        if parameters:
            found["parameters"] = parameters
        return found

    # --- requests --------------------------------------------------------------------------------

    def _query(self, operation: Operation, suffix: str) -> Iterable[Schema]:
        verb = operation.verb
        if suffix == "/export":
            yield _parameter("format", "", {"enum": ["json", "ndjson", "csv"]})
        left_out = ("limit", "offset", "cursor", "count") if suffix == "/export" else ("id",)
        for name, text in verb.parameters.items():
            if name not in left_out:
                shared = f"{verb.name}_{name}"
                if shared not in self.shared:
                    schema = schemas.parameter_schema(operation, name)
                    self.shared[shared] = _parameter(name, text, schema)
                yield {"$ref": f"#/components/parameters/{shared}"}
        if verb.name in ("list", "count", "aggregate"):
            yield from self._conditions(taken=set(verb.parameters))

    def _conditions(self, taken: set[str]) -> Iterable[Schema]:
        grant = self.grants.get("view")
        for field in self.exposed.fields.values():
            listed = field.in_database and field.name not in taken and field.kind.name != "json"
            if listed and grant is not None and grant.reads(field.name):
                yield _parameter(field.name, "", {"type": "string"})

    def _body(self, operation: Operation) -> Schema:
        verb = operation.verb
        schema = schemas.input_schema(operation, self.grants)
        if verb.name == "update":
            del schema["properties"]["id"]
        for parameter in verb.parameters.keys() & schema["properties"].keys():
            if parameter not in ("id", *schema.get("required", ())):
                asked = schema["properties"][parameter]  # null is no value, as if it were not there
                schema["properties"][parameter] = nullable(asked)
        name = self.name + "".join(part.capitalize() for part in verb.name.split("_"))
        self.components[name] = schema
        content: Schema = {_JSON: {"schema": _ref(name)}}
        if verb.name in ("bulk_create", "bulk_upsert"):
            content["application/x-ndjson"] = {"schema": {"type": "string"}}
            content["text/csv"] = {"schema": {"type": "string"}}
        has_files = any(field.kind.name == "file" for field in self.exposed.fields.values())
        if has_files and verb.name in ("create", "update"):
            content["multipart/form-data"] = {"schema": {"type": "object"}}
        return {"required": verb.name != "delete", "content": content}

    # --- results ---------------------------------------------------------------------------------

    def _results(self, operation: Operation, suffix: str) -> Schema:
        if suffix == "/export":
            kinds = (_JSON, "application/x-ndjson", "text/csv")
            content: Schema = {kind: {"schema": {"type": "string"}} for kind in kinds}
            content[_JSON] = {"schema": {"type": "array", "items": self._chosen()}}
            return {"200": {"description": "All records that match.", "content": content}}
        schema = schemas.result_schema(operation, whole=self._whole, chosen=self._chosen)
        result = _content("The result.", _JSON, schema)
        verb, shown = operation.verb.name, self.grants.get("view")
        next_ones = links(self.exposed, verb, verbs=self.verbs, shown=shown)
        linked = {**result, "links": next_ones} if next_ones else result
        if verb == "create":  # what a dry run answers is not there
            return {"201": {**linked, "headers": _LOCATION}, "200": result}
        if verb == "upsert":
            return {"200": result, "201": {**linked, "headers": _LOCATION}}
        return {"200": linked}

    def _whole(self) -> Schema:
        return self._component(self.name, schemas.record_schema)

    def _chosen(self) -> Schema:
        return self._component(f"{self.name}Chosen", schemas.chosen_record_schema)

    def _component(self, name: str, make: Any) -> Schema:
        if name not in self.components:
            self.components[name] = make(self.exposed, self.grants.get("view"))
        return _ref(name)


_LOCATION = {
    "Location": {"description": "The new record.", "schema": {"type": "string"}},
}


def _parameter(name: str, text: str, schema: Schema) -> Schema:
    found: Schema = {"name": name, "in": "query"}
    if text:
        found["description"] = text
    if name in _ARRAYS:  # comma-separated
        return {**found, "schema": {"type": "array", "items": {"type": "string"}}, "explode": False}
    if schema.get("type") == "object":
        return {**found, "content": {_JSON: {"schema": schema}}}
    return {**found, "schema": schema}


def _operation_id(operation: Operation, method: str, suffix: str) -> str:
    name, resource = operation.verb.name, operation.exposed.resource
    if suffix == "/export":
        return f"export_{resource}"
    if name == "update" and method == "put":
        return f"replace_{resource}"
    if name == "aggregate" and method == "post":
        return f"aggregate_{resource}_by_body"
    return f"{name}_{resource}"


def _fixed(prefix: str) -> Schema:
    """The paths that do not depend on a model."""
    any_object: Schema = {"type": "object"}
    body: Schema = {"required": True, "content": {_JSON: {"schema": any_object}}}
    result = {"200": _content("The result.", _JSON, any_object), **_ERRORS}
    node = {"name": "node", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        f"{prefix}/workflows": {
            "get": {
                "operationId": "list_workflows",
                "summary": "What can be run by name, with schemas.",
                "responses": result,
            }
        },
        f"{prefix}/workflows/{{node}}/execute": {
            "post": {
                "operationId": "execute_workflow",
                "summary": "Run an operation by its node name.",
                "parameters": [node],
                "requestBody": body,
                "responses": result,
            }
        },
        f"{prefix}/batch": {
            "post": {
                "operationId": "run_batch",
                "summary": "Run several operations in one transaction.",
                "requestBody": body,
                "responses": result,
            }
        },
        "/health/live": {"get": {"operationId": "live", "responses": result}},
        "/health/ready": {"get": {"operationId": "ready", "responses": result}},
    }
