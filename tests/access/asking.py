"""Principals with grants made by hand, and what an operation answers them."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.conf import Configuration
from dataflow_nexus.exceptions import NexusError
from dataflow_nexus.execution import execute, stream
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.operations.verbs import VERBS
from dataflow_nexus.registry import Registry

Held = Mapping[tuple[type[models.Model], str], Source | tuple[Source, ...]]


def somebody(held: Held) -> Principal:
    """A user who holds these sources by model and actions (`"view"`, `"view change"`)."""
    found: dict[tuple[str, str], tuple[Source, ...]] = {}
    for (model, actions), sources in held.items():
        for action in actions.split():
            given = sources if isinstance(sources, tuple) else (sources,)
            found[model._meta.label_lower, action] = given
    return Principal(kind="user", name="ann", held=found)


def rule(
    rows: Mapping[str, Any] | None = None, read: str | None = None, write: str = "", **more: Any
) -> Source:
    """A source with its fields as words; `"*"` is all of them."""

    def fields(words: str | None) -> frozenset[str] | None:
        return None if words == "*" else frozenset((words or "").split())

    return Source(rows=rows, read=fields(read), write=fields(write), **more)


def catalog_of(*models_: type[models.Model], **options: Any) -> Catalog:
    """An application of these models; `options` are those of the first."""
    registry = Registry()
    for model in models_:
        registry.register(model, **(options if model is models_[0] else {}))
    return Catalog(registry, Configuration(authentication_required=False), VERBS)


def answer(catalog: Catalog, principal: Principal, node: str, **params: Any) -> Any:
    """The bytes of an answer, or all that an error says."""
    try:
        return execute(catalog.node(f"{node}Node", principal), principal, params)
    except NexusError as error:
        return told(error)


def told(error: NexusError) -> tuple[Any, ...]:
    return error.code, error.detail, error.errors


def exported(
    catalog: Catalog, principal: Principal, model: str, fmt: str = "json", **params: Any
) -> Any:
    try:
        operation = catalog.node(f"{model}ListNode", principal)
        return b"".join(stream(operation, principal, params, fmt))
    except NexusError as error:
        return told(error)
