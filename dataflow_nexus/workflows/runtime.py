"""Running several operations in one transaction of one database: all of it or nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol
from uuid import uuid4

import msgspec
from django.db import transaction

from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.exceptions import FieldError, Invalid, LimitExceeded, NexusError
from dataflow_nexus.execution import authorize, execute
from dataflow_nexus.operations.base import Catalog, Operation
from dataflow_nexus.operations.transactions import writing
from dataflow_nexus.queries.faults import translated
from dataflow_nexus.registry import nearest
from dataflow_nexus.workflows.builder import Workflow
from dataflow_nexus.workflows.current import current_catalog
from dataflow_nexus.workflows.references import at, resolve

MAX_OPERATIONS = 100
"""Operations in one batch; more is ``limit_exceeded``."""
_KEYS = ("id", "node", "params")


class HasCatalog(Protocol):
    """What a runtime needs of a ``Nexus``."""

    @property
    def catalog(self) -> Catalog: ...


class LocalRuntime:
    """Runs built workflows in this process, as ``principal``.

    ``nexus`` says whose nodes; without it the most recently made ``Nexus``, else the default one.
    """

    def __init__(self, nexus: HasCatalog | None = None, *, principal: Principal = SYSTEM) -> None:
        self._nexus = nexus
        self._principal = principal

    def execute(
        self, workflow: Workflow, parameters: Mapping[str, Mapping[str, Any]] | None = None
    ) -> tuple[dict[str, Any], str]:
        """Run the nodes in their order; ``parameters`` by node id override what was built.

        Returns the parsed results by node id, and an id of this run. Raises a ``NexusError``; nothing
        was done then.
        """
        if not isinstance(workflow, Workflow):
            raise Invalid("LocalRuntime.execute takes what WorkflowBuilder.build() returns")
        given = dict(parameters or {})
        ids = [node.id for node in workflow.nodes]
        for name in given:
            if name not in ids:
                message = f'parameters name no node: "{name}"{nearest(name, ids)}'
                raise Invalid.field(name, "unknown", message)
        catalog = current_catalog() if self._nexus is None else self._nexus.catalog
        operations: dict[str, Operation] = {}
        for node in workflow.nodes:
            with _naming(f'node "{node.id}"', ""):
                operations[node.id] = _permitted(catalog, node.type, self._principal)
        results: dict[str, Any] = {}
        with _one_transaction(list(operations.values())):
            for node in workflow.nodes:
                with _naming(f'node "{node.id}"', ""):
                    params = resolve(node.config, results, "")
                    params |= _connected(workflow, node.id, results)
                    params |= resolve(given.get(node.id, {}), results, "")
                    answer = execute(operations[node.id], self._principal, params)
                results[node.id] = msgspec.json.decode(answer)
        return results, str(uuid4())


def _connected(workflow: Workflow, node: str, results: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that connections bring."""
    found: dict[str, Any] = {}
    for item in workflow.connections:
        if item.target == node:
            result = results[item.source]
            whole = item.output in ("", "result") and not (
                isinstance(result, Mapping) and item.output in result
            )
            spelled = f"{item.source}.{item.output}"
            found[item.input] = result if whole else at(result, item.output, spelled, item.input)
    return found


# --- batches --------------------------------------------------------------------------------------


def run_batch(catalog: Catalog, principal: Principal, operations: Any) -> bytes:
    """Run ``[{"id", "node", "params"}, …]`` and answer ``{"results": [{"id", "node", "result"}]}``.

    A later operation may use ``"${id.path}"`` of an earlier one; an operation without an id has its
    position as its id. Raises a ``NexusError`` that says which operation; nothing was done then.
    """
    items = _items(operations)
    found: list[Operation] = []
    for name, item in items.items():
        with _naming(f'operation "{name}"', f"operations.{name}."):
            found.append(_permitted(catalog, item["node"], principal))
    results: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []
    with _one_transaction(found):
        for (name, item), operation in zip(items.items(), found, strict=True):
            with _naming(f'operation "{name}"', f"operations.{name}."):
                params = resolve(item.get("params", {}), results, "")
                answer = execute(operation, principal, params)
            results[name] = msgspec.json.decode(answer)
            answers.append({"id": name, "node": operation.node, "result": msgspec.Raw(answer)})
    return msgspec.json.encode({"results": answers})


def _items(operations: Any) -> dict[str, Mapping[str, Any]]:
    """The checked operations by id, in their order."""
    if not isinstance(operations, Sequence) or isinstance(operations, (str, bytes)):
        raise Invalid.field("operations", "type", '"operations" must be an array')
    if not operations:
        message = '"operations" must hold at least one operation'
        raise Invalid.field("operations", "required", message)
    if len(operations) > MAX_OPERATIONS:
        raise LimitExceeded(f"a batch holds at most {MAX_OPERATIONS} operations")
    found: dict[str, Mapping[str, Any]] = {}
    for position, item in enumerate(operations):
        name = _checked(item, position)
        if name in found:
            message = f'two operations have the id "{name}"'
            raise Invalid.field(f"operations.{position}.id", "duplicate", message)
        found[name] = item
    return found


def _checked(item: Any, position: int) -> str:
    """The id of an operation whose shape is right."""
    where = f"operations.{position}"
    if not isinstance(item, Mapping):
        raise Invalid.field(where, "type", f'"{where}" must be an object of id, node and params')
    for key in item:
        if key not in _KEYS:
            message = f'"{where}" has no "{key}"{nearest(str(key), _KEYS)}'
            raise Invalid.field(f"{where}.{key}", "unknown", message)
    name = item.get("id", str(position))
    if not isinstance(name, str) or not name or set(name) & set(".${}"):
        message = f'"{where}.id" must be text without dots, braces and dollar signs'
        raise Invalid.field(f"{where}.id", "type", message)
    if "node" not in item:
        raise Invalid.field(f"{where}.node", "required", f'"{where}.node" is required')
    if not isinstance(item["node"], str):
        message = f'"{where}.node" must be the name of a node'
        raise Invalid.field(f"{where}.node", "type", message)
    if not isinstance(item.get("params", {}), Mapping):
        raise Invalid.field(f"{where}.params", "type", f'"{where}.params" must be an object')
    return name


# --- what both share ------------------------------------------------------------------------------


def _permitted(catalog: Catalog, node: str, principal: Principal) -> Operation:
    """The operation, once the principal may run it: permission comes before any parameter."""
    operation = catalog.node(node, principal)
    authorize(operation, principal)
    return operation


@contextmanager
def _one_transaction(operations: Sequence[Operation]) -> Iterator[None]:
    """One transaction of the one database that all operations are on."""
    aliases = {operation.alias for operation in operations}
    if len(aliases) > 1:
        raise Invalid("the operations are on several databases, and one transaction is on one")
    alias = aliases.pop()
    writes = any(operation.writes for operation in operations)
    block = writing(alias) if writes else transaction.atomic(using=alias)
    with translated(operations[0].exposed, alias), block:
        yield


@contextmanager
def _naming(who: str, prefix: str) -> Iterator[None]:
    """Errors say which operation they are of."""
    try:
        yield
    except NexusError as error:
        named = copy.copy(error)
        named.detail = f"{who}: {error.detail}"
        named.args = (named.detail,)
        named.errors = tuple(
            FieldError(f"{prefix}{item.field}", item.code, item.message) for item in error.errors
        )
        raise named from error
