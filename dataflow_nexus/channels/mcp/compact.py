"""The compact set: eleven tools for any number of models, which are found and described before they are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]
MAX_DESCRIBED = 20
"""Models in one description."""
MAX_FOUND = 50
"""Models in one search."""


@dataclass(frozen=True, kw_only=True)
class Compact:
    """A tool over all models. Those with a ``verb`` run that operation of ``model``."""

    name: str
    title: str
    description: str
    verb: str | None = None
    properties: Mapping[str, Schema] | None = None
    required: tuple[str, ...] = ("model",)
    operates: bool = True
    """Whether it runs operations; what describes them never writes."""


_TOOLS = (
    Compact(
        name="search_models",
        title="Search models",
        description="Find models (tables) by words of their names, fields and descriptions, best first. Start here.",
        properties={
            "query": {"type": "string", "description": "Words; empty lists all."},
            "limit": {"type": "integer", "minimum": 1, "maximum": MAX_FOUND, "default": 10},
        },
        required=("query",),
        operates=False,
    ),
    Compact(
        name="describe_models",
        title="Describe models",
        description="Fields, keys, relations and operations of models. Call it before the first use of a model.",
        properties={
            "models": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": MAX_DESCRIBED,
            }
        },
        required=("models",),
        operates=False,
    ),
    Compact(
        name="list_records",
        title="List records",
        description="A page of a model's records: filter, search, sort, expand relations.",
        verb="list",
    ),
    Compact(
        name="read_record",
        title="Read a record",
        description="One record by id, or by a filter on one unique key.",
        verb="read",
    ),
    Compact(
        name="count_records",
        title="Count records",
        description="How many records match.",
        verb="count",
    ),
    Compact(
        name="aggregate_records",
        title="Aggregate records",
        description="Group records and compute sums, averages, minima, maxima, counts.",
        verb="aggregate",
    ),
    Compact(
        name="create_records",
        title="Create records",
        description="Create records, all or none.",
        verb="bulk_create",
    ),
    Compact(
        name="update_records",
        title="Update records",
        description="Change the records that match a filter, or each row of data by its id. Try dry_run first.",
        verb="bulk_update",
    ),
    Compact(
        name="upsert_records",
        title="Upsert records",
        description="Create records, or update those that have the same unique key.",
        verb="bulk_upsert",
    ),
    Compact(
        name="delete_records",
        title="Delete records",
        description="Delete records by filter or ids. Try dry_run first.",
        verb="bulk_delete",
    ),
    Compact(
        name="run_workflow",
        title="Run an operation by name",
        description="Run any operation by its node name, such as ProductUpdateNode: model, verb, Node.",
        properties={
            "node": {"type": "string"},
            "params": {"type": "object", "description": "The parameters of the operation."},
        },
        required=("node",),
    ),
)
COMPACT: Mapping[str, Compact] = {tool.name: tool for tool in _TOOLS}
BY_VERB: Mapping[str, str] = {tool.verb: tool.name for tool in _TOOLS if tool.verb is not None}
