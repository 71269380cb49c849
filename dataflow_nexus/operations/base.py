"""Operations are declared, not subclassed per model: twelve verbs, each bound to an exposed model.

An operation knows its names, its effect and how to run against a grant. It never knows a channel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import inflection
from django.db import models, router

from dataflow_nexus.access.grants import Grant, grant_for
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.conf import Configuration
from dataflow_nexus.exceptions import ConfigurationError, NotFound
from dataflow_nexus.registry import Exposed, Registry, nearest

Effect = Literal["read", "write", "destructive"]


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One of the twelve things that can be done to any model."""

    name: str
    """``bulk_create``; on the command line ``bulk-create``."""
    effect: Effect
    idempotent: bool
    actions: tuple[str, ...]
    """Django's permissions that it needs: ``view add change delete``."""
    summary: str
    """``{one}`` and ``{many}`` stand for the model's names."""
    run: Callable[[Call], bytes]
    parameters: Mapping[str, str]
    """Its own parameter names with a sentence each; these win over fields of the same name."""
    takes_fields: bool = False
    """Whether fields may stand flat among the parameters."""
    bulk: bool = False
    analytics: bool = False


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A verb bound to a model: what every channel calls."""

    verb: Verb
    exposed: Exposed
    catalog: Catalog

    @property
    def node(self) -> str:
        """``ProductBulkCreateNode``."""
        return f"{self.exposed.name}{inflection.camelize(self.verb.name)}Node"

    @property
    def writes(self) -> bool:
        return self.verb.effect != "read"

    @property
    def alias(self) -> str:
        """The database alias that the operation runs on."""
        if self.exposed.alias is not None:
            return self.exposed.alias
        choose = router.db_for_write if self.writes else router.db_for_read
        return choose(self.exposed.model)


@dataclass(kw_only=True)
class Call:
    """One running operation: everything a verb needs, fixed before it runs.

    ``grants`` holds the grant per action that the verb needs, ``reading`` the one that says what is shown of the
    records it returns (``None``: nothing may be read back).
    """

    operation: Operation
    principal: Principal
    params: Mapping[str, Any]
    grants: Mapping[str, Grant]
    alias: str
    max_bytes: int | None = None
    """The largest result that the channel takes; a longer page of records ends early."""

    @property
    def exposed(self) -> Exposed:
        return self.operation.exposed

    @property
    def configuration(self) -> Configuration:
        return self.operation.catalog.configuration

    def grant_on(self, model: type[models.Model], action: str = "view") -> Grant | None:
        """The principal's grant on another model (for relations, expands and cascades)."""
        return grant_for(self.principal, model._meta.label_lower, action)

    @property
    def reading(self) -> Grant | None:
        return self.grants.get("view") or self.grant_on(self.exposed.model)

    def knows(self, name: str) -> bool:
        """Whether an error may tell the name: of a field that may be read or written, or of no field."""
        if name not in self.exposed.fields:
            return self.principal.unrestricted and name not in self.exposed.columns
        reads = self.reading is not None and self.reading.reads(name)
        return reads or any(grant.writes(name) for grant in self.grants.values())


class Catalog:
    """The operations of one application: registry times verbs, less what the configuration switches off.

    Channels ask it for everything. Made lazily and renewed when the registry has grown.
    """

    def __init__(
        self, registry: Registry, configuration: Configuration, verbs: tuple[Verb, ...]
    ) -> None:
        self.registry = registry
        self.configuration = configuration
        self.verbs = {verb.name: verb for verb in verbs}
        self._operations: dict[str, Operation] = {}
        self._found: dict[tuple[str, str], Operation] = {}
        self._version = -1

    @property
    def operations(self) -> Mapping[str, Operation]:
        """Every operation that is on, by node name, in order of registration."""
        if self._version != self.registry.version:
            made: dict[str, Operation] = {}
            for exposed in self.registry:
                for operation in self.of(exposed):
                    if operation.node in made:
                        other = made[operation.node].exposed.model._meta.label
                        raise ConfigurationError(
                            f"{exposed.model._meta.label} and {other} both make the node {operation.node}"
                        )
                    made[operation.node] = operation
            self._operations, self._found, self._version = made, {}, self.registry.version
        return self._operations

    def of(self, exposed: Exposed) -> Iterator[Operation]:
        """The operations of one model that are on."""
        for name in exposed.verbs:
            verb = self.verbs[name]
            if verb.bulk and not self.configuration.expose_bulk_operations:
                continue
            if verb.analytics and not self.configuration.expose_analytics:
                continue
            yield Operation(verb=verb, exposed=exposed, catalog=self)

    def visible(self, principal: Principal) -> Iterator[Operation]:
        """What the principal may run, in order of registration."""
        for operation in self.operations.values():
            label = operation.exposed.label
            if all(
                grant_for(principal, label, action) is not None for action in operation.verb.actions
            ):
                yield operation

    def node(self, name: str, principal: Principal) -> Operation:
        """The operation of a node name. Raises ``NotFound``, which suggests the nearest *visible* name."""
        operation = self.operations.get(name)
        if operation is None or not self.shows(operation.exposed, principal):
            names = [item.node for item in self.visible(principal)]
            raise NotFound(f'there is no node "{name}"{nearest(name, names)}')
        return operation

    def on_resource(self, resource: str, verb: str, principal: Principal) -> Operation:
        """The operation of a resource (or class name) and a verb. Raises ``NotFound`` likewise."""
        if self._version == self.registry.version and (resource, verb) in self._found:
            found = self._found[resource, verb]
            if self.shows(found.exposed, principal):
                return found
        exposed = self.registry.named(resource)
        if exposed is None or not self.shows(exposed, principal):
            names = {item.exposed.resource for item in self.visible(principal)}
            raise NotFound(f'there is no resource "{resource}"{nearest(resource, names)}')
        operation = self.operations.get(f"{exposed.name}{inflection.camelize(verb)}Node")
        if operation is None:
            raise NotFound(f'"{exposed.resource}" has no operation "{verb}"')
        self._found[resource, verb] = operation
        return operation

    @staticmethod
    def shows(exposed: Exposed, principal: Principal) -> bool:
        """Whether the model exists for the principal: it may do something with it."""
        if principal.unrestricted:
            return True
        actions = ("view", "add", "change", "delete")
        return any(grant_for(principal, exposed.label, action) is not None for action in actions)
