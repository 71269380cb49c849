"""Which tools an asker has: by configuration, by choice, and what a call of any other answers."""

from typing import Any

import pytest
from django.test import Client

from dataflow_nexus.access.principal import ANONYMOUS, SYSTEM, Principal
from dataflow_nexus.channels.cli.arguments import parse
from dataflow_nexus.channels.mcp.asking import ProtocolError, Selection
from dataflow_nexus.channels.mcp.compact import COMPACT
from dataflow_nexus.channels.mcp.http import selection
from dataflow_nexus.exceptions import NotFound
from dataflow_nexus.launching.agents import selected
from testproject.shop.models import Category, Note, Order, Product, Tag
from tests.access.asking import rule, somebody
from tests.channels.mcp.agent import Agent, catalog_of, registry_of, shop, shop_agent

WRITES = ("create", "update", "delete", "upsert", "bulk_")
TAGS = [
    "create_tag",
    "read_tag",
    "update_tag",
    "delete_tag",
    "list_tags",
    "count_tags",
    "upsert_tag",
    "aggregate_tags",
    "bulk_create_tags",
    "bulk_update_tags",
    "bulk_delete_tags",
    "bulk_upsert_tags",
]


def small(most: int = 60, **selected: Any) -> Agent:
    """Tags and categories: 24 tools."""
    catalog = catalog_of(registry_of(Tag, Category), mcp_max_tools=most)
    return Agent(catalog, selection=Selection(**selected))


# --- which set --------------------------------------------------------------------------------------------------------


def test_as_many_tools_as_the_bound_are_listed_and_one_more_is_too_many() -> None:
    assert len(small(24).tools()) == 24
    assert list(small(23).tools()) == list(COMPACT)


def test_the_bound_is_on_what_the_asker_may_run() -> None:
    reader = somebody({(Tag, "view"): rule(read="*")})
    catalog = catalog_of(registry_of(Tag, Category), mcp_max_tools=4)
    assert list(Agent(catalog, reader).tools()) == [
        "read_tag",
        "list_tags",
        "count_tags",
        "aggregate_tags",
    ]
    assert list(Agent(catalog).tools()) == list(COMPACT)


def test_the_set_can_be_chosen() -> None:
    assert len(small(1, tools="models").tools()) == 24
    assert list(small(60, tools="compact").tools()) == list(COMPACT)


def test_a_page_holds_as_many_tools_as_the_bound() -> None:
    agent = small(10, tools="models")
    page = agent.ask("tools/list")
    assert len(page["tools"]) == 10
    assert list(agent.tools())[:12] == TAGS


def test_only_reading() -> None:
    names = list(small(read_only=True).tools())
    assert len(names) == 8
    assert not any(name.startswith(WRITES) for name in names)
    assert list(small(tools="compact", read_only=True).tools()) == [
        "search_models",
        "describe_models",
        "list_records",
        "read_record",
        "count_records",
        "aggregate_records",
        "run_workflow",
    ]


def test_only_some_models(database: str) -> None:
    agent = small(models=frozenset({"tags"}))
    assert list(agent.tools()) == TAGS
    assert [item["name"] for item in agent.ask("resources/list")["resources"]] == ["tags"]
    assert agent.call("create_tag", name="chosen", dry_run=True)["name"] == "chosen"
    agent = small(models=frozenset({"tags"}), tools="compact")
    assert agent.call("search_models", query="")["total"] == 1


def test_no_models_at_all() -> None:
    agent = small(models=frozenset())
    assert agent.tools() == {}
    assert agent.error("list_tags")["code"] == "not_found"


# --- the query string -------------------------------------------------------------------------------------------------


def chosen(*pairs: tuple[str, str], principal: Principal = SYSTEM) -> Selection:
    return selection(small().service, principal, pairs)


def test_the_query_string_chooses() -> None:
    assert chosen() == Selection()
    assert chosen(("tools", "compact")).tools == "compact"
    assert chosen(("read_only", "1")).read_only
    assert chosen(("read_only", "true")).read_only
    assert not chosen(("read_only", "0")).read_only
    assert chosen(("models", "tags,Category")).models == {"tags", "categories"}
    assert chosen(("models", " tags , tags")).models == {"tags"}
    assert chosen(("models", "shop.Tag")).models == {"tags"}


NEAR = {"nothing": "", "": "", "tagz": ' — did you mean "tags"?', "auth.User": ""}


@pytest.mark.parametrize("name", NEAR)
@pytest.mark.parametrize("others", ["", "tags,"])
def test_a_model_that_is_not_there_is_named(name: str, others: str) -> None:
    message = f'there is no model "{name}"{NEAR[name]}'
    with pytest.raises(ProtocolError) as raised:
        chosen(("models", others + name))
    assert (raised.value.code, raised.value.message) == (-32602, message)
    with pytest.raises(NotFound) as refused:
        selected(parse(["mcp", "--models", others + name]), small().service, SYSTEM)
    assert refused.value.detail == message


@pytest.mark.parametrize("name", ["categories", "Category", "shop.Category", "nothing"])
def test_a_model_that_may_not_be_seen_is_told_like_one_that_is_not_there(name: str) -> None:
    reader = somebody({(Tag, "view"): rule(read="*")})
    assert chosen(("models", "Tag"), principal=reader).models == {"tags"}
    with pytest.raises(ProtocolError) as raised:
        chosen(("models", name), principal=reader)
    assert raised.value.message == f'there is no model "{name}"'
    with pytest.raises(NotFound) as refused:
        selected(parse(["mcp", "--models", name]), small().service, reader)
    assert refused.value.detail == raised.value.message


def test_options_choose_as_the_query_string_does() -> None:
    words = ["mcp", "--models", "tags, Category", "--tools", "compact", "--read-only"]
    pairs = (("models", "tags, Category"), ("tools", "compact"), ("read_only", "1"))
    assert selected(parse(words), small().service, SYSTEM) == chosen(*pairs)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("tool", "compact")], 'unknown parameter "tool" — did you mean "tools"?'),
        ([("tools", "all")], '"tools" must be one of "auto", "models", "compact", not "all"'),
        ([("read_only", "yes")], '"read_only" must be 1 or 0'),
        ([("read_only", "")], '"read_only" must be 1 or 0'),
        ([("models", "tags"), ("models", "categories")], '"models" is given twice'),
    ],
)
def test_a_wrong_choice_is_named(pairs: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        chosen(*pairs)
    assert (raised.value.code, raised.value.message) == (-32602, message)


def test_the_choice_comes_over_http(client: Client) -> None:
    def names(query: str) -> list[str]:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        response = client.post(f"/mcp{query}", message, content_type="application/json")
        return [tool["name"] for tool in response.json()["result"]["tools"]]

    assert names("") == list(COMPACT)
    assert names("?tools=models&models=tags") == TAGS
    assert names("?models=tags&read_only=1") == [
        "read_tag",
        "list_tags",
        "count_tags",
        "aggregate_tags",
    ]


# --- what is off ------------------------------------------------------------------------------------------------------


def test_switches_take_tools_away() -> None:
    catalog = catalog_of(registry_of(Tag), expose_bulk_operations=False, expose_analytics=False)
    assert list(Agent(catalog).tools()) == [
        name for name in TAGS if not name.startswith(("bulk", "aggregate"))
    ]
    compact = Agent(catalog, selection=Selection(tools="compact")).tools()
    assert list(compact) == [
        "search_models",
        "describe_models",
        "list_records",
        "read_record",
        "count_records",
        "run_workflow",
    ]


def test_a_model_may_have_some_operations_alone() -> None:
    catalog = catalog_of(registry_of(Tag, operations=["list", "create"]))
    assert list(Agent(catalog).tools()) == ["create_tag", "list_tags"]


def refusals(agent: Agent, name: str) -> tuple[str, str]:
    problem = agent.error(name)
    return problem["code"], problem["detail"].replace(name, "NAME").partition(" — ")[0]


def test_unknown_forbidden_off_and_left_out_are_told_in_the_same_words() -> None:
    registry = registry_of(Tag, Category)
    reader = somebody({(Tag, "view"): rule(read="*")})
    off = catalog_of(registry, expose_bulk_operations=False)
    one = catalog_of(registry_of(Tag, operations=["list"]))
    everybody = {
        "unknown": (Agent(catalog_of(registry)), "frobnicate"),
        "forbidden model": (Agent(catalog_of(registry), reader), "list_categories"),
        "forbidden operation": (Agent(catalog_of(registry), reader), "create_tag"),
        "nothing at all": (Agent(catalog_of(registry), ANONYMOUS), "list_tags"),
        "off": (Agent(off), "bulk_create_tags"),
        "off for the model": (Agent(one), "create_tag"),
        "only reading": (small(read_only=True), "create_tag"),
        "another model": (small(models=frozenset({"tags"})), "list_categories"),
        "the other set": (small(tools="models"), "list_records"),
        "the set of models": (small(tools="compact"), "list_tags"),
        "off in the compact set": (
            Agent(off, selection=Selection(tools="compact")),
            "create_records",
        ),
    }
    found = {why: refusals(agent, name) for why, (agent, name) in everybody.items()}
    assert found == dict.fromkeys(everybody, ("not_found", 'there is no tool "NAME"'))


def test_the_nearest_tool_that_the_asker_has_is_suggested() -> None:
    assert small().error("create_tags")["detail"] == (
        'there is no tool "create_tags" — did you mean "create_tag"?'
    )
    reader = somebody({(Tag, "view"): rule(read="*")})
    agent = Agent(catalog_of(registry_of(Tag, Category)), reader)
    assert agent.error("lst_tags")["detail"].endswith('did you mean "list_tags"?')
    assert "categor" not in agent.error("lst_categories")["detail"].replace("lst_categories", "")
    assert small(tools="compact").error("list_record")["detail"].endswith('"list_records"?')


@pytest.mark.parametrize(
    "name", ["", "x" * 100_000, "Ünïcode", "list_tags\n", "LIST_TAGS", "list-tags"]
)
def test_any_text_may_be_called(name: str) -> None:
    assert small().error(name)["code"] == "not_found"


# --- the other set ----------------------------------------------------------------------------------------------------


def test_where_nobody_chose_the_tools_of_both_sets_can_be_called(database: str) -> None:
    for most in (1, 60):
        agent = small(most)
        assert agent.call("count_tags") == agent.call("count_records", model="tags")
        assert agent.call("search_models", query="tags")["models"][0]["model"] == "tags"


def test_a_name_that_both_sets_have_means_the_one_that_is_listed(database: str) -> None:
    """A model `Record` has a tool `list_records` as well."""
    registry = registry_of(Note, resource="records")
    listed = Agent(catalog_of(registry)).call("list_records", limit=1)
    assert listed["limit"] == 1
    compact = Agent(catalog_of(registry, mcp_max_tools=1))
    assert compact.error("list_records", limit=1)["errors"][0]["field"] == "model"
    assert compact.call("list_records", model="Note", limit=1) == listed


# --- models and nodes by name -----------------------------------------------------------------------------------------


def test_a_model_is_named_by_resource_or_class(database: str) -> None:
    agent = shop_agent(tools="compact")
    names = ("order_items", "OrderItem", "shop.OrderItem")
    assert len({agent.call("count_records", model=name)["count"] for name in names}) == 1
    assert agent.error("count_records", model="order_item")["detail"] == (
        'there is no resource "order_item" — did you mean "order_items"?'
    )


@pytest.mark.parametrize(
    ("arguments", "field", "code"),
    [
        ({}, "model", "required"),
        ({"model": None}, "model", "required"),
        ({"model": 5}, "model", "type"),
        ({"model": ["tags"]}, "model", "type"),
        ({"model": "tags", "limits": 5}, "limits", "unknown"),
        ({"model": "tags", "limit": "5"}, "limit", "type"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], field: str, code: str) -> None:
    problem = shop_agent(tools="compact").error("list_records", **arguments)
    assert problem["code"] == "invalid"
    assert [(item["field"], item["code"]) for item in problem["errors"]] == [(field, code)]


@pytest.mark.parametrize(
    ("arguments", "field", "code"),
    [
        ({}, "node", "required"),
        ({"node": 5}, "node", "type"),
        ({"node": "TagListNode", "params": []}, "params", "type"),
        ({"node": "TagListNode", "params": "{}"}, "params", "type"),
        ({"node": "TagListNode", "param": {}}, "param", "unknown"),
        ({"node": "TagListNode", "limit": 5}, "limit", "unknown"),
        ({"node": "TagListNode", "params": {"limits": 5}}, "limits", "unknown"),
        ({"node": "TagListNode", "params": {"confirmation_token": "x"}}, "confirmation_token", "unknown"),
        ({"node": "TagListNode", "confirmation_token": "x"}, "confirmation_token", "unknown"),
    ],
)  # fmt: skip
def test_wrong_arguments_of_a_node_are_named(
    arguments: dict[str, Any], field: str, code: str
) -> None:
    problem = shop_agent(tools="compact").error("run_workflow", **arguments)
    assert [(item["field"], item["code"]) for item in problem["errors"]] == [(field, code)]


def test_a_node_runs_by_name(database: str) -> None:
    agent = shop_agent(tools="compact")
    assert agent.call("run_workflow", node="TagCountNode") == agent.call(
        "count_records", model="tags"
    )
    made = agent.call("run_workflow", node="TagCreateNode", params={"name": "by node"})
    assert Tag.objects.get(pk=made["id"]).name == "by node"
    assert agent.error("run_workflow", node="TagsListNode")["detail"] == (
        'there is no node "TagsListNode" — did you mean "TagListNode"?'
    )


def test_what_the_asker_left_out_has_no_node_and_no_resource() -> None:
    agent = small(tools="compact", models=frozenset({"tags"}))
    for name in ("categories", "categorie", "Category"):
        assert agent.error("list_records", model=name)["detail"] == f'there is no resource "{name}"'
    for node in ("CategoryListNode", "CategoryListNod"):
        detail = agent.error("run_workflow", node=node)["detail"]
        assert detail.partition(" — ")[0] == f'there is no node "{node}"'
        assert "Category" not in detail.partition(" — ")[2]
    agent = small(tools="compact", read_only=True)
    assert agent.error("run_workflow", node="TagCreateNode")["code"] == "not_found"
    assert agent.error("run_workflow", node="TagCreateNode")["detail"].startswith(
        'there is no node "TagCreateNode"'
    )


def test_what_the_asker_may_not_run_is_refused_as_by_other_channels() -> None:
    """The model is seen: the tool is there for another model, the operation is forbidden on this one."""
    some = somebody({(Tag, "view add"): rule(read="*"), (Order, "view"): rule(read="*")})
    agent = shop_agent(some, tools="compact")
    assert agent.error("create_records", model="orders", data=[])["code"] == "permission_denied"
    assert agent.error("run_workflow", node="OrderCreateNode")["code"] == "permission_denied"
    assert agent.error("create_records", model="products", data=[])["code"] == "not_found"
    assert agent.error("run_workflow", node="ProductCreateNode")["code"] == "not_found"


def test_an_operation_that_is_off_is_not_there() -> None:
    registry = registry_of(Tag, Product, operations=["list"])
    agent = Agent(catalog_of(registry), SYSTEM, Selection(tools="compact"))
    assert agent.error("count_records", model="tags")["detail"] == '"tags" has no operation "count"'
    assert agent.error("run_workflow", node="TagCountNode")["code"] == "not_found"


def test_the_list_is_renewed_when_the_registry_grows() -> None:
    registry = registry_of(Tag)
    agent = Agent(catalog_of(registry))
    assert list(agent.tools()) == TAGS
    registry.register(Category)
    assert len(agent.tools()) == 24
    assert len(shop()) > 5
