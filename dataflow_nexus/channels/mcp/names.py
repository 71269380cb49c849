"""Names of tools: ``create_product``, ``list_products``; ``[a-z0-9_]``, at most 64 characters, each once.

They are made of all operations of the application and not of those that one principal may run, so that a tool has one
name for everybody.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping

from dataflow_nexus.operations.base import Catalog, Operation

MAX_LENGTH = 64
_OF_ONE = frozenset({"create", "read", "update", "delete", "upsert"})
"""Verbs whose tools are named after one record; the others are named after the resource."""
_OTHER = re.compile(r"[^a-z0-9_]")
_DIGITS = 8


class ToolNames:
    """The tools of one application, one per operation that is on; renewed when the registry has grown."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._made: tuple[int, dict[str, Operation], dict[str, str]] = (-1, {}, {})

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operation of each tool, in order of registration."""
        return self._current()[1]

    def of(self, operation: Operation) -> str:
        return self._current()[2][operation.node]

    def _current(self) -> tuple[int, dict[str, Operation], dict[str, str]]:
        made = self._made
        if made[0] != self._catalog.registry.version:
            operations = self._catalog.operations
            names = _each_once({node: plain_name(item) for node, item in operations.items()})
            by_name = {names[node]: operation for node, operation in operations.items()}
            made = self._made = (self._catalog.registry.version, by_name, names)
        return made


def plain_name(operation: Operation) -> str:
    """The name by the rule alone; others may have the same one, and it may be too long."""
    exposed, verb = operation.exposed, operation.verb.name
    stem = exposed.singular if verb in _OF_ONE else exposed.resource
    return _OTHER.sub("_", f"{verb}_{stem}".lower())


def _each_once(plain: Mapping[str, str]) -> dict[str, str]:
    """The names of nodes: the plain one where it is short enough and nobody else's, whatever the order of the nodes."""
    times = Counter(plain.values())
    names = {
        node: name if times[name] == 1 and len(name) <= MAX_LENGTH else _hashed(name, node)
        for node, name in plain.items()
    }
    taken = Counter(names.values())
    return {
        node: name if taken[name] == 1 else _hashed(plain[node], f"{node}\0")
        for node, name in names.items()
    }  # somebody may be called as another one's hash has it


def _hashed(name: str, node: str) -> str:
    digest = hashlib.sha256(node.encode()).hexdigest()[:_DIGITS]
    return f"{name[: MAX_LENGTH - _DIGITS - 1]}_{digest}"
