"""Names of tools: by the rule, `[a-z0-9_]{1,64}`, each once, the same whatever the order of registration."""

import hashlib
import re
from itertools import permutations
from typing import Any

import pytest
from django.db import models

from dataflow_nexus.channels.mcp.names import ToolNames
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.registry import Registry
from testproject.shop.models import Note, OrderItem, PriceListEntry, Product
from tests.channels.mcp.agent import catalog_of, registry_of

NAME = re.compile(r"[a-z0-9_]{1,64}")


def model(name: str, app: str = "naming", **attributes: Any) -> type[models.Model]:
    meta = type("Meta", (), {"app_label": app, "managed": False})
    return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, **attributes})


Plain = model("Parcel")
Sales = model("Parcel", "sales")
SnakeCase = model("Order_Line")
CamelCase = model("OrderLine")
ShortWords = model("HTTPServerLog2")
Greek = model("Größe")
Kana = model("模型")
OtherKana = model("商品")
LONG = "Very" * 20 + "Long"
Long, Longer = model(LONG), model(f"{LONG}Name")


def names_of(catalog: Catalog) -> dict[str, str]:
    """The name of each node's tool."""
    names = ToolNames(catalog)
    found = {node: names.of(operation) for node, operation in catalog.operations.items()}
    assert sorted(found.values()) == sorted(names.operations), "two tools have one name"
    assert all(names.operations[name].node == node for node, name in found.items())
    assert all(NAME.fullmatch(name) for name in found.values())
    return found


def named(*models_: type[models.Model], **options: Any) -> dict[str, str]:
    return names_of(catalog_of(registry_of(*models_, **options)))


def digits(node: str) -> str:
    return hashlib.sha256(node.encode()).hexdigest()[:8]


def test_one_record_is_named_by_the_class_and_many_by_the_resource() -> None:
    assert named(OrderItem) == {
        "OrderItemCreateNode": "create_order_item",
        "OrderItemReadNode": "read_order_item",
        "OrderItemUpdateNode": "update_order_item",
        "OrderItemDeleteNode": "delete_order_item",
        "OrderItemUpsertNode": "upsert_order_item",
        "OrderItemListNode": "list_order_items",
        "OrderItemCountNode": "count_order_items",
        "OrderItemAggregateNode": "aggregate_order_items",
        "OrderItemBulkCreateNode": "bulk_create_order_items",
        "OrderItemBulkUpdateNode": "bulk_update_order_items",
        "OrderItemBulkDeleteNode": "bulk_delete_order_items",
        "OrderItemBulkUpsertNode": "bulk_upsert_order_items",
    }


def test_plurals_are_those_of_resources() -> None:
    assert named(PriceListEntry)["PriceListEntryListNode"] == "list_price_list_entries"
    assert named(ShortWords)["HTTPServerLog2ReadNode"] == "read_http_server_log2"


@pytest.mark.parametrize(
    ("resource", "stem"),
    [
        ("sales.parcels", "sales_parcels"),
        ("Order-Details", "order_details"),
        ("größen", "gr__en"),
        ("模型", "__"),
        ("UPPER", "upper"),
        ("a+b&c", "a_b_c"),
        ("İ", "i_"),
    ],
)
def test_other_characters_become_underscores(resource: str, stem: str) -> None:
    found = named(Plain, resource=resource)
    assert found["ParcelListNode"] == f"list_{stem}"
    assert found["ParcelCreateNode"] == "create_parcel"


def test_a_resource_with_an_underscore_at_its_end_keeps_it() -> None:
    found = named(model("Event"))
    assert found["EventListNode"] == "list_events_"
    assert found["EventCreateNode"] == "create_event"


def test_two_classes_of_one_name_have_their_apps_in_front() -> None:
    registry = registry_of(Plain)
    registry.register(Sales, resource="sales.parcels")
    found = names_of(catalog_of(registry))
    assert found["NamingParcelCreateNode"] == "create_naming_parcel"
    assert found["SalesParcelCreateNode"] == "create_sales_parcel"
    assert found["NamingParcelListNode"] == "list_parcels"
    assert found["SalesParcelListNode"] == "list_sales_parcels"


def test_names_that_collide_end_in_digits_all_of_them() -> None:
    registry = registry_of(SnakeCase, resource="lines")
    registry.register(CamelCase, resource="Lines")
    found = names_of(catalog_of(registry))
    assert found["OrderLineCreateNode"] == f"create_order_line_{digits('OrderLineCreateNode')}"
    assert found["Order_LineCreateNode"] == f"create_order_line_{digits('Order_LineCreateNode')}"
    assert found["OrderLineListNode"] == f"list_lines_{digits('OrderLineListNode')}"


def test_names_without_a_letter_are_told_apart() -> None:
    found = named(Kana, OtherKana)
    assert found["模型CreateNode"] == f"create____{digits('模型CreateNode')}"
    assert found["商品CreateNode"] == f"create____{digits('商品CreateNode')}"
    assert named(Kana)["模型CreateNode"] == "create___"


def test_a_long_name_is_cut_and_ends_in_digits() -> None:
    found = named(Long, Longer)
    node = f"{LONG}CreateNode"
    whole = "create_" + "_".join(["very"] * 20)
    assert found[node] == f"{whole[:55]}_{digits(node)}"
    assert len(found[node]) == 64


def test_64_characters_are_not_too_long() -> None:
    resource = "x" * (64 - len("list_"))
    assert named(Plain, resource=resource)["ParcelListNode"] == f"list_{resource}"
    cut = named(Plain, resource=f"{resource}x")["ParcelListNode"]
    assert len(cut) == 64
    assert cut.endswith(digits("ParcelListNode"))


def test_a_name_that_another_would_be_cut_to_is_nobodys() -> None:
    cut = named(Plain, resource="y" * 70)["ParcelListNode"].removeprefix("list_")
    registry = registry_of(Plain, resource="y" * 70)
    registry.register(CamelCase, resource=cut)
    assert len(set(names_of(catalog_of(registry)).values())) == 24


def test_the_order_of_registration_changes_nothing() -> None:
    def made(order: tuple[type[models.Model], ...]) -> dict[str, str]:
        registry = Registry()
        for item in order:
            registry.register(item, resource="lines." + item.__name__)
        return names_of(catalog_of(registry))

    first, *others = [
        made(order) for order in permutations((Plain, SnakeCase, CamelCase, Greek, Kana))
    ]
    assert all(other == first for other in others)


def test_names_are_made_anew_when_the_registry_grows() -> None:
    registry = registry_of(CamelCase, resource="x")
    catalog = catalog_of(registry)
    names = ToolNames(catalog)
    assert "create_order_line" in names.operations
    registry.register(SnakeCase, resource="y")
    assert "create_order_line" not in names.operations
    assert names.of(catalog.operations["OrderLineCreateNode"]).startswith("create_order_line_")


def test_operations_that_are_off_collide_with_nothing() -> None:
    registry = registry_of(CamelCase, resource="x", operations=["list"])
    registry.register(SnakeCase, resource="y")
    assert names_of(catalog_of(registry))["Order_LineCreateNode"] == "create_order_line"


def test_a_relation_without_a_key_has_three_tools() -> None:
    keyless = model("Report", _dataflow_keyless=True)
    assert sorted(named(keyless).values()) == ["aggregate_reports", "count_reports", "list_reports"]


def test_a_field_or_a_row_names_nothing() -> None:
    assert set(named(Note).values()) == set(named(Note, exclude=["body"]).values())
    assert named(Product) == named(Product, search_fields=["name"])
