"""Which tools one asker has: what the principal may run, less what the asker does not want to see.

A tool that is not offered does not exist: calling it and calling nonsense are answered in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dataflow_nexus.access.grants import grant_for
from dataflow_nexus.channels.mcp.asking import Asker
from dataflow_nexus.channels.mcp.compact import COMPACT, Compact
from dataflow_nexus.channels.mcp.names import ToolNames
from dataflow_nexus.channels.remembering import Remembered
from dataflow_nexus.exceptions import NotFound
from dataflow_nexus.operations.base import Catalog, Operation
from dataflow_nexus.registry import Exposed, nearest

Target = Operation | Compact


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What is listed to an asker: one tool per operation, or the compact set over these verbs."""

    compact: bool
    verbs: frozenset[str]


class Tools:
    """The tools of one application, for any asker."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.names = ToolNames(catalog)
        self._offers: Remembered[Offer] = Remembered(catalog)

    def offer(self, toolset: Toolset) -> Offer:
        asker = toolset.asker
        return self._offers.get(asker.principal, asker.selection, lambda: self._offer(toolset))

    def _offer(self, toolset: Toolset) -> Offer:
        operations = list(toolset.operations())
        wanted = toolset.asker.selection.tools
        many = len(operations) > self.catalog.configuration.mcp_max_tools
        return Offer(
            compact=wanted == "compact" or (wanted == "auto" and many),
            verbs=frozenset(operation.verb.name for operation in operations),
        )


class Toolset:
    """The tools of one asker."""

    def __init__(self, tools: Tools, asker: Asker) -> None:
        self.catalog = tools.catalog
        self.asker = asker
        self.names = tools.names
        self._tools = tools

    def includes(self, exposed: Exposed) -> bool:
        """Whether the asker's choice of models has this one."""
        models = self.asker.selection.models
        return models is None or exposed.resource in models

    def allows(self, operation: Operation) -> bool:
        """Whether the asker may run the operation and wants to be able to."""
        if self.asker.selection.read_only and operation.writes:
            return False
        if not self.includes(operation.exposed):
            return False
        principal = self.asker.principal
        return principal.unrestricted or all(
            grant_for(principal, operation.exposed.label, action) is not None
            for action in operation.verb.actions
        )

    def operations(self) -> Iterator[Operation]:
        """Every operation that the asker may run, in order of registration."""
        return (item for item in self.catalog.operations.values() if self.allows(item))

    def models(self) -> dict[str, list[Operation]]:
        """The same by resource."""
        found: dict[str, list[Operation]] = {}
        for operation in self.operations():
            found.setdefault(operation.exposed.resource, []).append(operation)
        return found

    def of(self, exposed: Exposed) -> list[Operation]:
        """The same of one model."""
        return [operation for operation in self.catalog.of(exposed) if self.allows(operation)]

    @property
    def offer(self) -> Offer:
        return self._tools.offer(self)

    def listed(self) -> Iterator[tuple[str, Target]]:
        """Names and targets in the order of the list."""
        offer = self.offer
        if offer.compact:
            yield from self._compact(offer)
        else:
            for operation in self.operations():
                yield self.names.of(operation), operation

    def _compact(self, offer: Offer) -> Iterator[tuple[str, Target]]:
        for name, compact in COMPACT.items():
            if offer.verbs and (compact.verb is None or compact.verb in offer.verbs):
                yield name, compact

    def find(self, name: str) -> Target:
        """The target of a tool's name. Raises ``NotFound``, which suggests the nearest tool of the list.

        Where the set was not chosen by name, the tools of the other set can be called too: a client that knows
        ``create_product`` goes on working when the sixty-first tool makes the list compact.
        """
        chosen = self.asker.selection.tools
        own = self.names.operations.get(name)
        allowed = own if own is not None and self.allows(own) else None
        if allowed is not None and chosen != "compact" and name not in COMPACT:
            return allowed
        offer = self.offer
        compact = dict(self._compact(offer)).get(name)
        first, second = (compact, allowed) if offer.compact else (allowed, compact)
        found = first if first is not None or chosen != "auto" else second
        if found is None:
            names = [listed for listed, _ in self.listed()]
            raise NotFound(f'there is no tool "{name}"{nearest(name, names)}')
        return found

    def on_model(self, model: str, verb: str) -> Operation:
        """The operation of a resource or class name and a verb. Raises ``NotFound`` or, for a verb, what others do."""
        exposed = self.catalog.registry.named(model)
        if exposed is None or not self._shows(exposed):
            raise NotFound(f'there is no resource "{model}"{nearest(model, self.models())}')
        return self.catalog.on_resource(exposed.resource, verb, self.asker.principal)

    def on_node(self, node: str) -> Operation:
        """The operation of a node. Raises ``NotFound``."""
        operation = self.catalog.operations.get(node)
        if (
            operation is None
            or not self._shows(operation.exposed)
            or (self.asker.selection.read_only and operation.writes)
        ):
            nodes = [item.node for item in self.operations()]
            raise NotFound(f'there is no node "{node}"{nearest(node, nodes)}')
        return operation

    def _shows(self, exposed: Exposed) -> bool:
        """Whether the model exists for the asker. What it chose not to see does not; what it may not run is refused."""
        return self.includes(exposed) and self.catalog.shows(exposed, self.asker.principal)
