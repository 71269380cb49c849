"""`require_confirmation`: what asks, and a preview that changes nothing."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from dataflow_nexus import ConfigurationError, Nexus
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.channels.mcp import confirming
from dataflow_nexus.channels.mcp.confirming import check
from testproject.shop.models import Category, Product, Tag
from tests.channels.mcp.agent import (
    TOKEN,
    Agent,
    asking,
    asks,
    catalog_of,
    registry_of,
    shop,
    shop_agent,
    snapshot,
)

ANN = Principal(kind="user", name="ann", unrestricted=True)


# --- what asks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tools"),
    [
        ("bulk_delete_products", {"bulk_delete_products"}),
        ("delete_product", {"delete_product"}),
        ("ProductDeleteNode", {"delete_product"}),
        ("ProductBulkUpsertNode", {"bulk_upsert_products"}),
    ],
)
def test_a_tool_or_a_node_asks_alone(name: str, tools: set[str]) -> None:
    assert asks(asking(name)) == tools


@pytest.mark.parametrize(
    ("name", "verbs"),
    [
        ("delete", {"delete"}),
        ("bulk_update", {"bulk_update"}),
        ("update_records", {"bulk_update"}),
        ("create_records", {"bulk_create"}),
        ("destructive", {"delete", "bulk_delete"}),
        ("write", {"create", "update", "upsert", "bulk_create", "bulk_update", "bulk_upsert"}),
    ],
)
def test_an_operation_a_compact_tool_or_an_effect_asks_on_every_model(
    name: str, verbs: set[str]
) -> None:
    agent = asking(name)
    operations = agent.service.tools.names.operations
    assert asks(agent) == {tool for tool, item in operations.items() if item.verb.name in verbs}


def test_it_holds_for_the_operation_whichever_tool_runs_it(database: str) -> None:
    agent = asking("ProductBulkDeleteNode", tools="auto")
    chosen = {"filter": {"sku": {"$startswith": "NONE"}}}
    for tool, arguments in (
        ("bulk_delete_products", chosen),
        ("delete_records", {"model": "Product", **chosen}),
        ("run_workflow", {"node": "ProductBulkDeleteNode", "params": chosen}),
    ):
        assert agent.call(tool, **arguments)["confirmation_required"] is True
    assert "confirmation_required" not in agent.call("delete_records", model="tags", ids=[])
    assert asks(agent) == {"delete_records", "run_workflow"}
    token = agent.call("bulk_delete_products", **chosen)[TOKEN]
    assert (
        agent.call("delete_records", model="products", **chosen, confirmation_token=token)[
            "deleted"
        ]
        == 0
    )


def test_a_name_of_a_tool_and_of_a_compact_tool_means_both() -> None:
    """A model `Records` has a tool `delete_records`."""
    records = type(
        "Records",
        (Tag,),
        {"__module__": __name__, "Meta": type("Meta", (), {"proxy": True, "app_label": "shop"})},
    )
    catalog = catalog_of(registry_of(records, Category), require_confirmation=["delete_records"])
    found = confirming.Confirmations(catalog, Agent(catalog).service.tools.names).nodes
    assert found == {"RecordsDeleteNode", "RecordsBulkDeleteNode", "CategoryBulkDeleteNode"}


def test_a_compact_tool_says_that_it_asks_where_it_may_ask_this_asker() -> None:
    from tests.access.asking import rule, somebody

    only_tags = somebody({(Tag, "view delete"): rule(read="*")})
    assert asks(asking("ProductBulkDeleteNode", tools="compact")) == {
        "delete_records",
        "run_workflow",
    }
    hidden = Agent(
        asking("ProductBulkDeleteNode").catalog,
        only_tags,
        shop_agent(tools="compact").asker.selection,
    )
    assert asks(hidden) == set()


def test_what_asks_says_so_in_its_description() -> None:
    tools = asking("delete").tools()
    assert "confirmation_token" in tools["delete_tag"]["description"]
    assert "confirmation_token" not in tools["update_tag"]["description"]


# --- wrong configuration ----------------------------------------------------------------------------------------------

WRONG = [
    ("delete_produkt", "there is no tool 'delete_produkt' — did you mean \"delete_product\"?"),
    (
        "ProductDeleteNod",
        "there is no tool 'ProductDeleteNod' — did you mean \"ProductDeleteNode\"?",
    ),
    ("destructiv", "there is no tool 'destructiv' — did you mean \"destructive\"?"),
    ("bulk-delete", "there is no tool 'bulk-delete' — did you mean \"bulk_delete\"?"),
    ("remove_records", "there is no tool 'remove_records'"),
    ("zzz", "there is no tool 'zzz'"),
    ("", "there is no tool ''"),
    ("read", "'read' changes nothing"),
    ("list", "'list' changes nothing"),
    ("list_products", "'list_products' changes nothing"),
    ("list_records", "'list_records' changes nothing"),
    ("ProductReadNode", "'ProductReadNode' changes nothing"),
    ("search_models", "there is no tool 'search_models'"),
]


@pytest.mark.parametrize(("name", "message"), WRONG)
def test_a_name_that_asks_nothing_is_an_error(name: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        check(catalog_of(shop(), require_confirmation=["delete", name]))
    assert str(raised.value).startswith(f"require_confirmation: {message}")


@pytest.mark.django_db  # from 6.1 on, checks of Django's own ask the database what it can do
def test_composing_and_the_checks_find_it() -> None:
    nexus = Nexus(dataflow_config={"require_confirmation": ["delete_produkt"]})
    nexus.register(Product)
    with pytest.raises(ConfigurationError, match='did you mean "delete_product"'):
        nexus.compose()
    with pytest.raises(
        SystemCheckError, match=r"dataflow_nexus\.E004.*[\s\S]*delete_produkt|delete_produkt"
    ):
        call_command("check")


@pytest.mark.parametrize("value", ["delete", 5, [5], {"delete": True}])
def test_it_is_a_list_of_names(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a list of texts"):
        catalog_of(shop(), require_confirmation=value)


def test_what_is_switched_off_may_be_named() -> None:
    check(
        catalog_of(
            shop(),
            require_confirmation=["bulk_delete", "delete_records"],
            expose_bulk_operations=False,
        )
    )


# --- the preview ------------------------------------------------------------------------------------------------------


CALLS: list[tuple[str, dict[str, Any], int]] = [
    ("create_tag", {"name": "brand new"}, 1),
    ("create_product", {"sku": "NEW", "name": "x", "price": "1", "tags": [1, 2]}, 1),
    ("create_note", {"title": "saved by its own code"}, 1),
    ("update_product", {"id": 1, "stock": {"$inc": 1}}, 1),
    ("update_product", {"id": 1, "name": "y", "replace": True, "sku": "Z", "price": "1"}, 1),
    ("upsert_tag", {"name": "brand new", "conflict_on": ["name"]}, 1),
    ("upsert_product", {"where": {"sku": "SKU-00001"}, "create": {}, "update": {"stock": 5}}, 1),
    ("bulk_create_tags", {"data": [{"name": "a"}, {"name": "b"}], "return": "ids"}, 2),
    ("bulk_update_products", {"filter": {"id": {"$lte": 3}}, "fields": {"stock": 1}}, 3),
    ("bulk_update_products", {"data": [{"id": 1, "stock": 9}, {"id": 2, "stock": 9}]}, 2),
    ("bulk_upsert_tags", {"data": [{"name": "a"}], "conflict_on": ["name"], "return": "records"}, 1),
    ("bulk_delete_tags", {"filter": {}, "confirmed": True}, -1),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "arguments", "number"), CALLS)
def test_a_preview_changes_nothing_and_the_token_runs_it(
    tool: str, arguments: dict[str, Any], number: int, database: str
) -> None:
    agent = asking("write", "destructive")
    before = snapshot()
    number = Tag.objects.count() if number < 0 else number
    answer = agent.call(tool, **arguments)
    assert snapshot() == before
    assert list(answer) == ["confirmation_required", "message", "preview", TOKEN, "expires_in"]
    assert f"would change {number} record" in answer["message"]
    assert "Nothing was changed" in answer["message"]
    assert answer["expires_in"] == 300
    done = agent.call(tool, **arguments, confirmation_token=answer[TOKEN])
    assert list(done) == list(answer["preview"])
    assert snapshot() != before


def test_a_preview_undoes_what_hooks_wrote(database: str) -> None:
    def note(_: Principal, verb: str, *more: Any) -> None:
        Tag.objects.create(name=f"{verb} {len(more)}")

    registry = registry_of(Product, Tag, Category, before=note, after=note)
    agent = Agent(catalog_of(registry, require_confirmation=["write"]))
    before = snapshot()
    answer = agent.call("update_product", id=1, stock=1)
    assert snapshot() == before
    agent.call("update_product", id=1, stock=1, confirmation_token=answer[TOKEN])
    assert Tag.objects.filter(name__startswith="update ").count() == 2


def test_a_preview_fails_as_the_call_would(database: str) -> None:
    agent = asking("write")
    assert agent.error("create_tag")["errors"][0]["field"] == "name"
    assert agent.error("update_tag", id=0, name="x")["code"] == "not_found"
    assert agent.error("create_tag", name=Tag.objects.first().name)["code"] == "conflict"
    for wrong in ("yes", 1, []):
        assert agent.error("create_tag", name="x", dry_run=wrong)["errors"][0]["field"] == "dry_run"


def test_a_dry_run_needs_no_confirmation(database: str) -> None:
    before = snapshot()
    assert asking("write").call("create_tag", name="dry", dry_run=True)["name"] == "dry"
    assert snapshot() == before
    assert TOKEN in asking("write").call("create_tag", name="wet", dry_run=False)
    assert TOKEN in asking("write").call("create_tag", name="wet", dry_run=None)


def test_what_does_not_ask_takes_no_token(database: str) -> None:
    problem = asking("delete").error("create_tag", name="x", confirmation_token="y")
    assert problem["errors"][0]["field"] == TOKEN


def test_without_permission_there_is_no_preview(database: str) -> None:
    from tests.access.asking import rule, somebody

    some = somebody({(Tag, "view"): rule(read="*")})
    agent = shop_agent(some, tools="compact", require_confirmation=["write"])
    assert (
        agent.error("run_workflow", node="TagCreateNode", params={})["code"] == "permission_denied"
    )
