"""Workflows in Python: a graph of operations in one transaction."""

import re
from typing import Any
from uuid import UUID

import pytest

from dataflow_nexus import LocalRuntime, Principal, WorkflowBuilder
from dataflow_nexus.access.grants import Source
from dataflow_nexus.exceptions import (
    ConfigurationError,
    Conflict,
    Invalid,
    NexusError,
    NotFound,
    PermissionDenied,
)
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.workflows import current
from testproject.shop.models import Customer, Order, Tag

ANN = {"name": "Ann", "email": "ann@shop.example"}


@pytest.fixture
def runtime(nexus: Nexus, database: str) -> LocalRuntime:
    return LocalRuntime(nexus)


def ordering() -> WorkflowBuilder:
    """A customer, and an order of it."""
    workflow = WorkflowBuilder()
    workflow.add_node("CustomerCreateNode", "customer", ANN)
    workflow.add_node("OrderCreateNode", "order", {"number": "W-1"})
    workflow.add_connection("customer", "id", "order", "customer_id")
    return workflow


def test_connections_hand_results_on(runtime: LocalRuntime) -> None:
    results, run_id = runtime.execute(ordering().build())
    assert list(results) == ["customer", "order"]
    assert results["order"]["customer_id"] == results["customer"]["id"]
    assert Order.objects.get(number="W-1").customer.name == "Ann"
    assert UUID(run_id)


def test_references_hand_results_on(runtime: LocalRuntime) -> None:
    """And decide the order, whatever that of the calls was."""
    workflow = WorkflowBuilder()
    workflow.add_node("OrderReadNode", "read", {"id": "${order.id}", "expand": ["customer"]})
    workflow.add_node(
        "OrderCreateNode", "order", {"number": "W-${customer.id}", "customer_id": "${customer.id}"}
    )
    workflow.add_node("CustomerCreateNode", "customer", ANN)
    results, _ = runtime.execute(workflow.build())
    assert list(results) == ["customer", "order", "read"]
    assert results["read"]["customer"]["name"] == "Ann"
    assert results["read"]["number"] == f"W-{results['customer']['id']}"


@pytest.mark.parametrize(
    ("output", "input_name", "expected"),
    [("records.0.name", "name", "eco"), ("records", "fields", None)],
)
def test_outputs_are_paths(
    runtime: LocalRuntime, output: str, input_name: str, expected: str | None
) -> None:
    workflow = WorkflowBuilder()
    workflow.add_node("TagListNode", "tags", {"order_by": ["name"], "limit": 1})
    workflow.add_node("CategoryCreateNode", "made", {"slug": "w"})
    workflow.add_connection("tags", output, "made", input_name)
    if expected is None:
        with pytest.raises(Invalid, match='node "made": "fields" must be an object'):
            runtime.execute(workflow.build())
    else:
        assert runtime.execute(workflow.build())[0]["made"]["name"] == expected


@pytest.mark.parametrize("output", ["", "result"])
def test_a_whole_result(runtime: LocalRuntime, output: str) -> None:
    workflow = WorkflowBuilder()
    workflow.add_node("TagCountNode", "count")
    workflow.add_node("ProductCreateNode", "made", {"sku": "w", "name": "w", "price": 1})
    workflow.add_connection("count", output, "made", "attrs")
    assert runtime.execute(workflow.build())[0]["made"]["attrs"] == {"count": 6}


def test_parameters_of_a_run_win(runtime: LocalRuntime) -> None:
    results, _ = runtime.execute(ordering().build(), {"customer": {"name": "Bob"}})
    assert (results["customer"]["name"], results["customer"]["email"]) == ("Bob", ANN["email"])
    with pytest.raises(
        Invalid, match=re.escape('parameters name no node: "custmer" — did you mean "customer"?')
    ):
        runtime.execute(ordering().build(), {"custmer": {}})


def test_a_workflow_is_built_once_and_run_often(runtime: LocalRuntime) -> None:
    workflow = WorkflowBuilder()
    workflow.add_node("TagUpsertNode", "tag", {"name": "w", "conflict_on": ["name"]})
    built = workflow.build()
    first, second = runtime.execute(built), runtime.execute(built)
    assert (first[0]["tag"]["created"], second[0]["tag"]["created"]) == (True, False)
    assert first[1] != second[1]


def test_all_of_it_or_nothing(runtime: LocalRuntime) -> None:
    Order.objects.create(number="W-1", customer=Customer.objects.earliest("pk"))
    with pytest.raises(Conflict) as raised:
        runtime.execute(ordering().build())
    assert raised.value.detail.startswith('node "order": a record with the same "number"')
    assert [error.field for error in raised.value.errors] == ["number"]
    assert not Customer.objects.filter(email=ANN["email"]).exists()


def test_the_principal_counts(nexus: Nexus, database: str) -> None:
    seller = Principal(kind="user", name="s", held={("shop.customer", "add"): (Source(),)})
    with pytest.raises(NotFound, match='there is no node "OrderCreateNode"'):
        LocalRuntime(nexus, principal=seller).execute(ordering().build())
    viewer = Principal(kind="user", name="v", held={
        ("shop.customer", "add"): (Source(),), ("shop.order", "view"): (Source(),)
    })  # fmt: skip
    with pytest.raises(
        PermissionDenied, match='node "order": OrderCreateNode needs the permission'
    ):
        LocalRuntime(nexus, principal=viewer).execute(ordering().build())
    assert not Customer.objects.filter(email=ANN["email"]).exists()


def test_without_a_nexus_the_current_one_is_meant(database: str) -> None:
    workflow = WorkflowBuilder()
    workflow.add_node("TagCountNode", "count")
    assert LocalRuntime().execute(workflow.build())[0] == {"count": {"count": 6}}


def test_without_any_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "_source", None)
    workflow = WorkflowBuilder()
    workflow.add_node("TagCountNode", "count")
    with pytest.raises(ConfigurationError, match="there is no application yet"):
        workflow.build()


# --- what is wrong --------------------------------------------------------------------------------


def test_adding_nodes() -> None:
    workflow = WorkflowBuilder()
    assert workflow.add_node("TagCountNode", "count") == "count"
    with pytest.raises(Invalid, match='there are two nodes "count"'):
        workflow.add_node("TagListNode", "count")
    for name in ("a.b", "", "a b", "${x}", None):
        with pytest.raises(Invalid, match="the id of a node holds letters"):
            workflow.add_node("TagListNode", name)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match='the parameters of "x" must be a dictionary'):
        workflow.add_node("TagListNode", "x", [])  # type: ignore[arg-type]


def looping() -> WorkflowBuilder:
    workflow = WorkflowBuilder()
    workflow.add_node("TagCreateNode", "a", {"name": "${c.name}"})
    workflow.add_node("TagCreateNode", "b", {"name": "${a.name}"})
    workflow.add_node("TagCreateNode", "c")
    workflow.add_connection("b", "name", "c", "name")
    return workflow


def connected(source: str, target: str) -> WorkflowBuilder:
    workflow = ordering()
    workflow.add_connection(source, "id", target, "id")
    return workflow


def of_node(name: str, params: dict[str, Any] | None = None) -> WorkflowBuilder:
    workflow = WorkflowBuilder()
    workflow.add_node(name, "only", params)
    return workflow


@pytest.mark.parametrize(
    ("workflow", "message"),
    [
        (WorkflowBuilder(), "a workflow needs at least one node"),
        (looping(), "wait for each other in a circle: "),
        (of_node("TagCreateNode", {"name": "${only.name}"}), "in a circle: only → only"),
        (connected("custmer", "order"), 'names no node: "custmer" — did you mean "customer"?'),
        (connected("customer", "ordr"), 'names no node: "ordr" — did you mean "order"?'),
        (
            of_node("TagCreateNode", {"name": "${oly.x}"}),
            'a reference in "only" names no node: "oly"',
        ),
        (of_node("TagCretNode"), 'there is no node "TagCretNode" — did you mean "TagCreateNode"?'),
    ],
)
def test_building_what_can_not_run(nexus: Nexus, workflow: WorkflowBuilder, message: str) -> None:
    with pytest.raises(NexusError, match=re.escape(message)):
        workflow.build()


@pytest.mark.parametrize(
    ("node", "params", "message"),
    [
        (
            "TagCreateNode",
            {"name": "x", "nam": "x"},
            'node "only": unknown field "nam" — did you mean "name"?',
        ),
        ("TagReadNode", {"id": 10**9}, 'node "only": '),
        ("TagListNode", {"limit": -1}, 'node "only": "limit" must be between'),
    ],
)
def test_errors_name_the_node(
    runtime: LocalRuntime, node: str, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(NexusError, match=re.escape(message)) as raised:
        runtime.execute(of_node(node, params).build())
    assert str(raised.value) == raised.value.detail
    assert raised.value.__cause__ is not None


def test_a_connection_without_its_output(runtime: LocalRuntime) -> None:
    workflow = ordering()
    workflow.add_connection("customer", "nothing", "order", "status")
    with pytest.raises(Invalid, match=r'node "order": "customer\.nothing" has no "nothing"'):
        runtime.execute(workflow.build())
    assert not Customer.objects.filter(email=ANN["email"]).exists()


def test_only_built_workflows_run(runtime: LocalRuntime) -> None:
    with pytest.raises(Invalid, match=r"takes what WorkflowBuilder\.build\(\) returns"):
        runtime.execute(ordering())  # type: ignore[arg-type]
    assert Tag.objects.count() == 6
