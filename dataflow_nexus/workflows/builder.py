"""``WorkflowBuilder``: a graph of operations, checked when it is built. Runs nothing."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.registry import nearest
from dataflow_nexus.workflows.current import current_catalog
from dataflow_nexus.workflows.references import references

_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operation: the name of its node and its parameters, which may hold references."""

    id: str
    type: str
    config: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A part of one node's result becomes a parameter of another."""

    source: str
    output: str
    target: str
    input: str


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A checked graph, its nodes in an order in which they can run."""

    nodes: tuple[Node, ...]
    connections: tuple[Connection, ...]


class WorkflowBuilder:
    """Collects nodes and connections; ``build`` checks them as a whole."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._connections: list[Connection] = []

    def add_node(self, type: str, id: str, config: Mapping[str, Any] | None = None) -> str:  # noqa: A002  # the documented names
        """Add an operation by the name of its node; returns ``id``. Raises ``Invalid``."""
        if not _ID.fullmatch(_text(id)):
            message = f"the id of a node holds letters, digits, _ and -, not {id!r}"
            raise Invalid.field("id", "type", message)
        if id in self._nodes:
            raise Invalid.field(id, "duplicate", f'there are two nodes "{id}"')
        given: object = {} if config is None else config
        if not isinstance(given, Mapping):
            message = f'the parameters of "{id}" must be a dictionary'
            raise Invalid.field(id, "type", message)
        self._nodes[id] = Node(id=id, type=_text(type), config=dict(given))
        return id

    def add_connection(self, from_node: str, output: str, to_node: str, input: str) -> None:  # noqa: A002  # the documented names
        """Give the part ``output`` of one result (``id``, ``records.0.id``, ``result``) to a
        parameter ``input`` of another node."""
        found = Connection(source=from_node, output=output, target=to_node, input=input)
        self._connections.append(found)

    def build(self) -> Workflow:
        """The graph in running order.

        Raises ``Invalid`` for unknown ids and cycles, ``NotFound`` for a node that no model has.
        """
        if not self._nodes:
            raise Invalid("a workflow needs at least one node")
        before: dict[str, set[str]] = {name: set() for name in self._nodes}
        for target, source, what in self._edges():
            for name in (target, source):
                if name not in self._nodes:
                    near = nearest(name, self._nodes)
                    raise Invalid.field(name, "unknown", f'{what} names no node: "{name}"{near}')
            before[target].add(source)
        catalog = current_catalog()
        for node in self._nodes.values():
            catalog.node(node.type, SYSTEM)
        try:
            order = list(graphlib.TopologicalSorter(before).static_order())
        except graphlib.CycleError as error:
            circle = " → ".join(reversed(error.args[1]))
            raise Invalid(f"the nodes wait for each other in a circle: {circle}") from None
        return Workflow(
            nodes=tuple(self._nodes[name] for name in order), connections=tuple(self._connections)
        )

    def _edges(self) -> Iterator[tuple[str, str, str]]:
        """``(target, source, what says so)``."""
        for item in self._connections:
            what = f'the connection from "{item.source}" to "{item.target}"'
            yield item.target, item.source, what
        for node in self._nodes.values():
            for source in references(node.config):
                yield node.id, source, f'a reference in "{node.id}"'


def _text(value: object) -> str:
    """A name that may have come as anything: what is no text is no name."""
    return value if isinstance(value, str) else ""
