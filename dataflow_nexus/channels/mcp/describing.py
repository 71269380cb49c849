"""One model as an agent needs to know it: fields, keys, relations, operations, as far as the principal may see them.

Nothing here comes from a row: names, choices and help texts are the developer's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dataflow_nexus.access.grants import Grant, grant_for
from dataflow_nexus.channels.mcp.toolset import Toolset
from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Operation
from dataflow_nexus.queries.scope import is_shown
from dataflow_nexus.registry import Exposed, ModelField

MAX_CHOICES = 50
"""Choices that are listed; a longer list is cut and says so."""
_OF_A_SCHEMA = ("format", "maxLength", "minimum", "maximum", "items")


def summary(exposed: Exposed) -> str:
    """The developer's docstring where there is one, else the verbose name."""
    documented = (exposed.model.__doc__ or "").strip()
    generated = documented.startswith(f"{exposed.model.__name__}(")  # Django's own
    if documented and not generated:
        return " ".join(documented.split("\n\n")[0].split())
    return str(exposed.model._meta.verbose_name_plural).capitalize()


def described(toolset: Toolset, operations: Sequence[Operation]) -> dict[str, Any]:
    """The description of the model that all ``operations`` are of: those that the asker may run."""
    exposed, principal = operations[0].exposed, toolset.asker.principal
    grants = schemas.grants_on(exposed, principal)
    view = grants.get("view")
    found: dict[str, Any] = {
        "model": exposed.resource,
        "name": exposed.name,
        "description": summary(exposed),
        "key": [
            field.name
            for field in exposed.key
            if any(_knows(grant, field) for grant in grants.values())
        ],
        "fields": [
            _field(field, grants)
            for field in exposed.fields.values()
            if any(_knows(grant, field) for grant in grants.values())
        ],
    }
    if view is not None:
        found["unique"] = [
            list(key) for key in exposed.unique_keys[1:] if all(view.reads(name) for name in key)
        ]
        found["relations"] = _relations(toolset, exposed, view)
        found["search_fields"] = _searched(exposed, view)
    found["operations"] = [operation.verb.name for operation in operations]
    return found


def _knows(grant: Grant, field: ModelField) -> bool:
    return grant.reads(field.name) or (field.writable and grant.writes(field.name))


def _searched(exposed: Exposed, view: Grant) -> list[str]:
    """The fields that search looks at, relations left out that lead to other models' grants."""
    plain = [name for name in exposed.options.search_fields if "__" not in name and "." not in name]
    return [name for name in plain if view.reads(name)]


def _field(field: ModelField, grants: dict[str, Grant]) -> dict[str, Any]:
    """A field in as few words as say it; what is absent is false or none."""
    found: dict[str, Any] = {"name": field.name, "type": field.kind.name}
    schema = {} if field.source is None else schemas.field_schema(field)
    found |= {name: schema[name] for name in _OF_A_SCHEMA if name in schema}
    if field.nullable:
        found["nullable"] = True
    writing = [grants[action] for action in ("add", "change") if action in grants]
    add = grants.get("add")
    if not (field.writable and any(grant.writes(field.name) for grant in writing)):
        found["read_only"] = True
    elif field.required and add is not None and field.name not in add.presets:
        found["required"] = True
    view = grants.get("view")
    if view is None or not view.reads(field.name):
        found["write_only"] = True
    choices = list(getattr(field.source, "flatchoices", None) or ())
    if choices:
        found["choices"] = [value for value, _ in choices[:MAX_CHOICES]]
        if len(choices) > MAX_CHOICES:
            found["more_choices"] = len(choices) - MAX_CHOICES
    help_text = str(getattr(field.source, "help_text", "") or "")
    if help_text:
        found["help"] = help_text
    return found


def _relations(toolset: Toolset, exposed: Exposed, view: Grant) -> list[dict[str, Any]]:
    """Relations to models that the asker may read, by the name that filters and expand use."""
    found = []
    for relation in exposed.relations.values():
        target = exposed.registry.of(relation.target)
        if target is None or not toolset.includes(target):
            continue
        there = grant_for(toolset.asker.principal, target.label, "view")
        if not is_shown(relation, exposed, view, there):
            continue
        item: dict[str, Any] = {"name": relation.name, "model": target.resource}
        if relation.many:
            item["many"] = True
        if relation.field_name and relation.field_name != relation.name:
            item["field"] = relation.field_name
        found.append(item)
    return found
