"""What a grant hides is in no tool, schema, description, resource, search, completion or message: it does not exist."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import ANONYMOUS, Principal
from dataflow_nexus.channels.mcp.asking import ProtocolError, Selection
from testproject.shop.models import Product, Tag
from tests.access.asking import rule, somebody
from tests.channels.mcp.agent import TOKEN, Agent, snapshot
from tests.channels.mcp.sellers import (
    HIDDEN,
    SETS,
    SHOWN,
    agent_of,
    application,
    completed,
    everything,
    seller,
)

# --- nothing at all ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tools", SETS)
@pytest.mark.parametrize(
    "nobody", [ANONYMOUS, Principal(kind="user", name="ann"), somebody({(Tag, "view"): ()})]
)
def test_without_a_grant_there_is_no_tool_and_no_model(nobody: Principal, tools: Any) -> None:
    agent = agent_of(nobody, tools)
    assert agent.tools() == {}
    assert agent.ask("resources/list")["resources"] == []
    assert completed(agent, "") == []
    for name in ("list_tags", "list_records", "search_models", "describe_models", "run_workflow"):
        problem = agent.error(name, query="", model="tags", models=["tags"], node="TagListNode")
        assert (problem["code"], problem["detail"]) == ("not_found", f'there is no tool "{name}"')
    with pytest.raises(ProtocolError) as raised:
        agent.ask("resources/read", {"uri": "schema://models/tags"})
    assert raised.value.message == 'Resource not found: there is no model "tags"'


# --- what is told -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tools", SETS)
def test_nothing_that_is_hidden_is_told(tools: Any) -> None:
    hidden = {*HIDDEN, "slug", "parent", "children", "customer", "tag", "note", "document"}
    told = {
        word
        for word in hidden
        for _, text in everything(agent_of(seller(), tools))
        if f'"{word}' in text
    }
    common = (
        {"description", "tag"} if tools == "models" else {"description"}
    )  # words of the protocol and of schemas
    assert told - common == set()


def test_the_tools_of_a_seller() -> None:
    assert list(agent_of(seller()).tools()) == [
        "create_product",
        "read_product",
        "update_product",
        "list_products",
        "count_products",
        "upsert_product",
        "aggregate_products",
        "bulk_create_products",
        "bulk_update_products",
        "bulk_upsert_products",
        "read_category",
        "list_categories",
        "count_categories",
        "aggregate_categories",
    ]


def test_schemas_show_what_the_grant_shows() -> None:
    tools = agent_of(seller()).tools()
    create = tools["create_product"]["inputSchema"]
    assert set(create["properties"]) == {"name", "sku", "active", "fields", "dry_run"}
    assert create["required"] == ["name"], "a preset fills the sku"
    update = tools["update_product"]["inputSchema"]
    assert set(update["properties"]) == {"name", "id", "filter", "fields", "replace", "dry_run"}
    assert list(tools["read_product"]["outputSchema"]["properties"]) == SHOWN.split()
    records = tools["list_products"]["outputSchema"]["properties"]["records"]
    assert list(records["items"]["properties"]) == SHOWN.split()
    for name in ("filter", "having"):
        for tool in tools.values():
            text = tool["inputSchema"]["properties"].get(name, {}).get("description", "")
            assert not any(word in text for word in HIDDEN), (tool["name"], text)


def test_searching_finds_nothing_by_what_is_hidden() -> None:
    agent = agent_of(seller(), "compact")

    def found(query: str) -> list[str]:
        return [item["model"] for item in agent.call("search_models", query=query)["models"]]

    assert found("sku") == ["products"]
    for word in ("price", "stock", "attrs", "slug", "parent", "customers", "orders", "tags"):
        assert found(word) == [], word


def test_completion_knows_what_is_visible() -> None:
    agent = agent_of(seller())
    assert completed(agent, "") == ["products", "categories"]
    assert completed(agent, "t") == completed(agent, "x") == []


# --- hidden equals unknown --------------------------------------------------------------------------------------------


def told(agent: Agent, tool: str, arguments: dict[str, Any], name: str) -> Any:
    result = agent.result(tool, arguments)
    assert result.get("isError") is True, result
    return result["content"][0]["text"].replace(name, "NAME")


FIELDS: list[tuple[str, Any]] = [
    ("list_products", lambda name: {"filter": {name: 1}}),
    ("list_products", lambda name: {"order_by": [name]}),
    ("list_products", lambda name: {"fields": [name]}),
    ("list_products", lambda name: {"expand": [name]}),
    ("read_product", lambda name: {"filter": {name: "x"}}),
    ("count_products", lambda name: {"filter": {name: {"$gt": 1}}}),
    ("aggregate_products", lambda name: {"aggregate": {"n": {"$sum": name}}}),
    ("aggregate_products", lambda name: {"group_by": [name]}),
    ("create_product", lambda name: {"name": "x", name: 1}),
    ("create_product", lambda name: {"name": "x", "fields": {name: 1}}),
    ("update_product", lambda name: {"id": 1, name: 1}),
    ("bulk_update_products", lambda name: {"filter": {"id": 1}, "fields": {name: 1}}),
    ("bulk_create_products", lambda name: {"data": [{"name": "x", name: 1}]}),
    ("upsert_product", lambda name: {"name": "x", name: 1}),
    ("upsert_product", lambda name: {"name": "x", "conflict_on": [name]}),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "arguments"), FIELDS)
@pytest.mark.parametrize("field", ["stock", "attrs", "order_items"])
def test_a_hidden_field_is_an_unknown_field(
    tool: str, arguments: Any, field: str, database: str
) -> None:
    agent = agent_of(seller())
    hidden = told(agent, tool, arguments(field), field)
    assert hidden == told(agent, tool, arguments("qqqqq"), "qqqqq")
    assert '"code":"internal"' not in hidden


MODELS: list[tuple[str, Any]] = [
    ("list_records", lambda name: {"model": name}),
    ("read_record", lambda name: {"model": name, "id": 1}),
    ("create_records", lambda name: {"model": name, "data": []}),
    ("describe_models", lambda name: {"models": [name]}),
    ("describe_models", lambda name: {"models": ["products", name]}),
    ("run_workflow", lambda name: {"node": f"{name}ListNode"}),
]


@pytest.mark.parametrize(("tool", "arguments"), MODELS)
@pytest.mark.parametrize("model", ["orders", "Order", "shop.Order", "Customer", "customers"])
def test_a_hidden_model_is_an_unknown_model(tool: str, arguments: Any, model: str) -> None:
    """But for the visible name that is suggested, which is the nearest to what was said."""
    agent = agent_of(seller(), "compact")
    hidden = told(agent, tool, arguments(model), model)
    unknown = told(agent, tool, arguments("Qqqqq"), "Qqqqq")
    assert re.sub(r" — did you mean [^?]*\?", "", hidden) == unknown


def test_near_names_of_hidden_models_are_not_suggested() -> None:
    agent = agent_of(seller(), "compact")
    for near in ("orderz", "custommers", "tagz", "order_item", "documentz"):
        for problem in (
            agent.error("list_records", model=near),
            agent.error("describe_models", models=[near]),
            agent.error("run_workflow", node=f"{near.title()}ListNode"),
            agent.error(f"list_{near}"),
        ):
            assert problem["code"] == "not_found"
            suggested = problem["detail"].partition(" — ")[2]
            assert not any(word in suggested.lower() for word in ("order", "custom", "tag", "docu"))


@pytest.mark.parametrize("name", ["orders", "Order", "nothing", "Qqqqq"])
def test_a_hidden_resource_is_an_unknown_resource(name: str) -> None:
    agent = agent_of(seller())
    with pytest.raises(ProtocolError) as raised:
        agent.ask("resources/read", {"uri": f"schema://models/{name}"})
    assert raised.value.message == f'Resource not found: there is no model "{name}"'
    wanted = {"name": "bulk_change", "arguments": {"model": name, "change": "x"}}
    with pytest.raises(ProtocolError) as raised:
        agent.ask("prompts/get", wanted)
    assert raised.value.message == f'there is no model "{name}"'


# --- rows and values --------------------------------------------------------------------------------------------------


@pytest.fixture
def inactive(database: str) -> Product:
    return Product.objects.create(sku="SECRET", name="Hidden thing", price=1, active=False)


def test_hidden_rows_are_not_there(inactive: Product) -> None:
    agent = agent_of(seller())
    key = inactive.pk
    missing = key + 1000
    for tool in ("read_product", "update_product"):
        hidden = told(agent, tool, {"id": key}, str(key))
        assert hidden == told(agent, tool, {"id": missing}, str(missing))
        assert "there is no such record" in hidden
    assert agent.call("count_products", filter={"sku": "SECRET"})["count"] == 0
    assert agent.call("list_products", search="Hidden thing")["records"] == []
    done = agent.call("bulk_update_products", filter={"id": key}, fields={"name": "x"})
    assert done["updated"] == 0
    groups = agent.call("aggregate_products", aggregate={"n": {"$count": "*"}})["groups"]
    assert groups == [{"n": Product.objects.filter(active=True).count()}]


def test_results_hold_what_the_grant_shows(database: str) -> None:
    agent = agent_of(seller())
    records = agent.call("list_products", expand=["category"], limit=40)["records"]
    for record in records:
        assert set(record) == {*SHOWN.split(), "category"}
        assert record["category"] is None or set(record["category"]) == {"id", "name"}


def test_results_of_a_restricted_grant_fit_their_schemas(database: str) -> None:
    agent = agent_of(seller())
    tools = agent.tools()
    for name, arguments in (
        ("list_products", {"expand": ["category"]}),
        ("read_product", {"id": agent.call("list_products")["records"][0]["id"]}),
        ("create_product", {"name": "x", "active": True}),
        ("create_product", {"name": "y", "active": False, "sku": "PRESET", "dry_run": True}),
        ("bulk_create_products", {"data": [], "return": "records"}),
    ):
        tool = tools[name]
        Draft202012Validator(tool["inputSchema"]).validate(arguments)
        Draft202012Validator(tool["outputSchema"]).validate(agent.call(name, **arguments))
        Product.objects.filter(sku="PRESET").delete()


def test_a_field_that_is_hidden_on_some_rows_is_not_promised(database: str) -> None:
    masked = somebody(
        {(Product, "view"): (rule(read="id name"), rule({"active": True}, "id price"))}
    )
    Product.objects.filter(pk=1).update(active=False)
    agent = agent_of(masked)
    schema = agent.tools()["list_products"]["outputSchema"]
    answer = agent.call("list_products", order_by=["id"])
    Draft202012Validator(schema).validate(answer)
    assert list(answer["records"][0]) == ["id", "name"]
    assert list(answer["records"][1]) == ["id", "name", "price"]
    record = agent.tools()["read_product"]["outputSchema"]
    assert list(record["properties"]) == ["id", "name", "price"]


def test_presets_are_written_whatever_is_said(database: str) -> None:
    agent = agent_of(seller())
    assert agent.call("create_product", name="x")["sku"] == "PRESET"
    problem = agent.error("create_product", name="y", sku="OTHER")
    assert problem["code"] == "permission_denied"


def test_a_grants_own_bound_on_rows_holds_with_the_bounds_of_agents(database: str) -> None:
    few = somebody({(Product, "view"): rule(read="id name", max_rows=5)})
    assert len(agent_of(few).call("list_products")["records"]) == 5
    assert len(agent_of(few, max_records_per_operation=3).call("list_products")["records"]) == 3
    assert len(agent_of(few, max_records_per_operation=9).call("list_products")["records"]) == 5


def test_a_grant_without_aggregates_refuses_them(database: str) -> None:
    plain = somebody({(Product, "view"): rule(read="*", aggregate=False)})
    problem = agent_of(plain).error("aggregate_products", aggregate={"n": {"$count": "*"}})
    assert problem["code"] == "permission_denied"


# --- confirmations ----------------------------------------------------------------------------------------------------


def test_a_preview_shows_what_the_grant_shows(inactive: Product) -> None:
    agent = agent_of(seller(), require_confirmation=["write"])
    before = snapshot()
    answer = agent.call(
        "bulk_update_products", filter={}, confirmed=True, fields={"name": "x"}, return_="records"
    )
    assert answer["preview"]["updated"] == Product.objects.filter(active=True).count()
    assert all(set(record) == set(SHOWN.split()) for record in answer["preview"]["records"])
    assert snapshot() == before
    hidden = agent.error("update_product", id=inactive.pk, name="x")
    assert hidden["code"] == "not_found"
    assert list(agent.call("create_product", name="x")["preview"]) == SHOWN.split()


def test_a_token_outlives_no_grant(database: str) -> None:
    """What was granted at the preview counts for nothing at the call."""
    catalog = application(require_confirmation=["write"])
    key = Product.objects.filter(active=True).first().pk  # type: ignore[union-attr]
    arguments = {"id": key, "name": "x"}
    token = Agent(catalog, seller()).call("update_product", **arguments)[TOKEN]
    reader = somebody({(Product, "view"): rule(read="*")})
    problem = Agent(catalog, reader).error("update_product", **arguments, confirmation_token=token)
    assert problem["code"] == "not_found"
    other = somebody({(Product, "view change"): Source(write=frozenset({"stock"}))})
    problem = Agent(catalog, other).error("update_product", **arguments, confirmation_token=token)
    assert problem["code"] == "permission_denied"
    assert Product.objects.get(pk=key).name != "x"


def test_hidden_models_that_ask_are_not_told() -> None:
    agent = agent_of(
        seller(), "compact", require_confirmation=["TagBulkUpdateNode", "OrderBulkCreateNode"]
    )
    assert "confirmation" not in json.dumps(agent.tools())


# --- kinds of askers --------------------------------------------------------------------------------------------------


def test_lists_are_kept_apart(database: str) -> None:
    """One service answers many askers; who may see the same may share a list, and nobody else."""
    catalog = application()
    whole = Agent(catalog)
    others = [
        somebody({(Product, "view"): rule(read="id name")}),
        somebody({(Product, "view"): rule(read="id price")}),
        somebody({(Product, "view"): rule({"active": True}, "id price")}),
        seller(),
    ]
    agents = [Agent(catalog, principal, Selection(tools="models")) for principal in others]
    for agent in agents:
        agent.service = whole.service
    first = [json.dumps(agent.tools()) for agent in agents]
    assert len(set(first)) == 3, "rows are in no schema"
    assert [json.dumps(agent.tools()) for agent in reversed(agents)] == first[::-1]
    assert "price" not in first[0]
    assert "price" in first[1]
