"""OpenAPI links: where an answer holds a record's key, and what can be asked with it next."""

from __future__ import annotations

from collections.abc import Collection

from dataflow_nexus.access.grants import Grant
from dataflow_nexus.operations.schemas import Schema
from dataflow_nexus.registry import Exposed

_PLAIN = frozenset({"integer", "uuid", "date"})
"""Kinds whose values stand in a path as they stand in a record. A text may need ``~``, which no link can say."""
_RECORDS = {"create": "", "upsert": "/record", "list": "/records/0"}
"""Where the answer of a verb holds a record, as a JSON pointer."""
_WRITES = {"update": "update", "replace": "update", "delete": "delete"}


def links(exposed: Exposed, verb: str, *, verbs: Collection[str], shown: Grant | None) -> Schema:
    """The links of an answer of ``verb`` by name, to those of ``verbs`` that take a key.

    None where the record may lack a part of its key.
    """
    if verb not in _RECORDS or shown is None or not exposed.key:
        return {}
    for field in exposed.key:
        if field.kind.name not in _PLAIN or not shown.reads_everywhere(field.name):
            return {}
    parts = [f"$response.body#{_RECORDS[verb]}/{_escaped(field.name)}" for field in exposed.key]
    key = parts[0] if len(parts) == 1 else ",".join(f"{{{part}}}" for part in parts)
    targets = {"read": "read"} if verb == "list" else {"read": "read", **_WRITES}
    return {
        name: {"operationId": f"{name}_{exposed.resource}", "parameters": {"key": key}}
        for name, needed in targets.items()
        if needed in verbs
    }


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
