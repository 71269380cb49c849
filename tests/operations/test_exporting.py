"""Export: List's records in three formats, under a grant, and what is refused."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.db import transaction

from dataflow_nexus import Invalid
from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.operations.formats import neutralized
from testproject.shop.models import Category, Country, Customer, Everything, OrderItem, Product
from tests.operations.exports import Export, catalog_of, exporter, principal, table, whole


@pytest.fixture
def export(nexus: Nexus, database: str) -> Export:
    return exporter(nexus.catalog)


# --- the records -----------------------------------------------------------------------------------------------------

SELECTIONS: list[tuple[str, dict[str, Any]]] = [
    ("Product", {}),
    ("Product", {"order_by": ["-price", "name"], "fields": ["id", "price", "attrs", "tags"]}),
    ("Product", {"filter": {"category": {"slug": "paper"}}, "expand": ["category.parent", "tags"]}),
    ("Product", {"search": "desk", "order_by": ["category.name:nullsfirst"]}),
    ("Order", {"expand": ["customer", "items.product"]}),
    ("PriceListEntry", {"order_by": ["note"]}),
    ("Everything", {}),
    ("Everything", {"expand": ["twin", "children", "country"], "fields": ["id", "file", "json"]}),
    ("Country", {"filter": {"code": "none"}}),
]
"""Some that PostgreSQL renders by itself, and some that only Python can (`file`)."""


@pytest.mark.parametrize(("model", "params"), SELECTIONS, ids=str)
def test_records_are_those_of_list_byte_for_byte(
    nexus: Nexus, export: Export, model: str, params: dict[str, Any]
) -> None:
    first = Everything.objects.create(text="é\u2028\U0001f600", file="some/file.txt", float=1e20)
    Everything.objects.create(text='"', parent=first, twin=first, json={"b": [1, None], "a": "ü"})
    page = nexus.execute_json(f"{model}ListNode", {**params, "limit": 1000})
    records = page.removeprefix(b'{"records":').partition(b',"count":')[0]
    assert whole(export(model, "json", **params)) == records
    lines = whole(export(model, "ndjson", **params))
    assert lines == b"".join(
        bytes(raw) + b"\n" for raw in msgspec.json.decode(records, type=list[msgspec.Raw])
    )
    listed = nexus.execute(f"{model}ListNode", {**params, "limit": 1000})["records"]
    assert len(table(whole(export(model, "csv", **params)))) == len(listed)


def test_csv(export: Export) -> None:
    category = Category.objects.get(slug="paper")
    made = Product.objects.create(
        sku="A,1",
        name='A "big"\r\nlamp',
        price=Decimal("-3.50"),
        attrs={"a": [1, "ü"]},
        category=category,
        created_at="2025-01-02T03:04:05.600Z",
    )
    other = Product.objects.create(sku="B", name="=1+1", price=2, created_at="2025-01-02T00:00:00Z")
    text = whole(
        export(
            "Product",
            "csv",
            fields=["id", "sku", "name", "description", "price", "active", "tags", "created_at"],
            filter={"id": {"$in": [made.id, other.id]}},
            expand=["category"],
        )
    )
    assert text.decode() == (
        "id,sku,name,description,price,active,created_at,tags,category\r\n"
        f'{made.id},"A,1","A ""big""\r\nlamp",,-3.50,true,2025-01-02T03:04:05.6Z,[],'
        f'"{{""id"":{category.id},""name"":""Paper"",""slug"":""paper"",""parent_id"":{category.parent_id}}}"\r\n'
        f"{other.id},B,'=1+1,,2.00,true,2025-01-02T00:00:00Z,[],\r\n"
    )
    text = whole(
        export("Product", "csv", fields=["attrs"], filter={"id": {"$in": [made.id, other.id]}})
    )
    assert [msgspec.json.decode(row["attrs"] or "0") for row in table(text)] == [
        {"a": [1, "ü"]},
        {},
    ]


def test_csv_of_one_column_keeps_its_empty_cells(export: Export) -> None:
    Customer.objects.filter(email="customer1@shop.example").update(phone="")
    text = whole(
        export("Customer", "csv", fields=["phone"], filter={"email": "customer1@shop.example"})
    )
    assert text == b'phone\r\n""\r\n'


@pytest.mark.parametrize(
    ("fmt", "empty"), [("json", b"[]"), ("ndjson", b""), ("csv", b"code,name\r\n")]
)
def test_nothing_to_export(export: Export, fmt: str, empty: bytes) -> None:
    assert whole(export("Country", fmt, filter={"code": "none"})) == empty
    assert whole(export("Country", fmt, limit=0)) == empty


def test_limit_has_no_maximum_and_offset_holds(export: Export) -> None:
    ids = list(OrderItem.objects.order_by("-quantity", "id").values_list("id", flat=True))

    def exported(**params: Any) -> list[int]:
        chunks = export("OrderItem", "json", order_by=["-quantity"], fields=["id"], **params)
        return [record["id"] for record in msgspec.json.decode(whole(chunks))]

    assert exported() == ids
    assert exported(limit=1_000_000) == ids
    assert exported(limit=7, offset=5) == ids[5:12]
    assert exported(offset=100) == ids[100:]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+SUM(A1)", "'+SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\n=1", "'\n=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20SUM(1)", "'\uff20SUM(1)"),
        ("+1 555 0001", "'+1 555 0001"),
        ("-", "'-"),
        ("-5", "-5"),
        ("-12.50", "-12.50"),
        ("+5", "+5"),
        ("-1e-05", "-1e-05"),
        ("-1.5\n", "'-1.5\n"),
        ("-٣", "'-٣"),
        ("a=b", "a=b"),
        (" =1", " =1"),
        ("'=1", "'=1"),
        ("", ""),
    ],
)
def test_cells_that_a_spreadsheet_would_run(text: str, shown: str) -> None:
    assert neutralized(text) == shown


def test_neutralizing_is_a_setting(database: str) -> None:
    Customer.objects.filter(email="customer1@shop.example").update(name="=1+1", phone="-5")
    for setting, name in ((True, "'=1+1"), (False, "=1+1")):
        export = exporter(catalog_of(Customer, {}, csv_neutralize=setting))
        params = {"filter": {"email": "customer1@shop.example"}, "fields": ["name", "phone"]}
        assert table(whole(export("Customer", "csv", **params))) == [{"name": name, "phone": "-5"}]
        assert msgspec.json.decode(whole(export("Customer", "json", **params)))[0]["name"] == "=1+1"


def test_a_before_hook_sees_an_export_too(database: str) -> None:
    seen: list[tuple[str, str]] = []

    def before(principal: Principal, verb: str, params: dict[str, Any]) -> dict[str, Any]:
        seen.append((principal.name, verb))
        return {**params, "filter": {"code": "DE"}}

    export = exporter(catalog_of(Country, {"before": before}))
    assert whole(export("Country", "ndjson")) == b'{"code":"DE","name":"Germany"}\n'
    assert seen == [("system", "list")]


def test_values_computed_in_python(database: str) -> None:
    options = {"computed": {"shout": lambda country: country.name.upper()}}
    export = exporter(catalog_of(Country, options))
    assert (
        whole(export("Country", "csv", fields=["code", "shout"], limit=1))
        == b"code,shout\r\nAT,AUSTRIA\r\n"
    )


# --- grants ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", ["json", "csv"])
def test_a_grant_holds_in_every_format(export: Export, fmt: str) -> None:
    asking = principal(
        product=(
            Source(read=frozenset({"id", "active"}), max_rows=4),
            Source(rows={"active": True}, read=frozenset({"sku"}), max_rows=12),
        )
    )
    data = whole(export("Product", fmt, order_by=["active"], principal=asking))
    products = Product.objects.order_by("active", "id")[:12]
    if fmt == "json":
        assert msgspec.json.decode(data) == [
            {
                "id": product.id,
                **({"sku": product.sku} if product.active else {}),
                "active": product.active,
            }
            for product in products
        ]
    else:
        assert table(data) == [
            {
                "id": str(product.id),
                "sku": product.sku if product.active else "",
                "active": str(product.active).lower(),
            }
            for product in products
        ]
    assert len({product.active for product in products}) == 2


def test_rows_outside_the_grant_are_not_exported(export: Export) -> None:
    asking = principal(product=(Source(rows={"category.slug": "desks"}),), category=())
    found = msgspec.json.decode(whole(export("Product", "json", principal=asking)))
    expected = Product.objects.filter(category__slug="desks").order_by("id")
    assert [record["sku"] for record in found] == [product.sku for product in expected]
    assert expected


@pytest.mark.parametrize(
    "params",
    [
        {"fields": ["price"]},
        {"filter": {"price": 1}},
        {"order_by": ["price"]},
        {"expand": ["category"]},
        {"search": "desk"},
    ],
    ids=str,
)
def test_a_hidden_field_is_an_unknown_one(export: Export, params: dict[str, Any]) -> None:
    asking = principal(product=(Source(read=frozenset({"id", "stock"})),), category=(Source(),))
    with pytest.raises(Invalid):
        export("Product", "csv", **params, principal=asking)


# --- wrong requests --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fmt", "params", "field", "code"),
    [
        ("xml", {}, "format", "unknown"),
        ("CSV", {}, "format", "unknown"),
        ("csv", {"filtr": {}}, "filtr", "unknown"),
        ("csv", {"fields": ["prise"]}, "fields.0", "unknown"),
        ("csv", {"fields": "price"}, "fields", "type"),
        ("json", {"filter": {"prise": 1}}, "filter.prise", "unknown"),
        ("json", {"filter": []}, "filter", "type"),
        ("json", {"order_by": ["prise"]}, "order_by.0", "unknown"),
        ("ndjson", {"expand": ["categry"]}, "expand.categry", "unknown"),
        ("ndjson", {"limit": -1}, "limit", "range"),
        ("ndjson", {"limit": "all"}, "limit", "type"),
        ("csv", {"offset": -1}, "offset", "range"),
        ("csv", {"offset": 2**63}, "offset", "range"),
        ("csv", {"cursor": "abc"}, "cursor", "unsupported"),
        ("csv", {"count": "exact"}, "count", "unsupported"),
        ("csv", {"count": "all"}, "count", "choice"),
        ("csv", {"search": 5}, "search", "type"),
    ],
)
def test_wrong_parameters_are_refused_before_the_first_chunk(
    export: Export, statements: Any, fmt: str, params: dict[str, Any], field: str, code: str
) -> None:
    with statements() as seen, pytest.raises(Invalid) as caught:
        export("Product", fmt, **params)
    assert [(item.field, item.code) for item in caught.value.errors] == [(field, code)]
    assert len(seen) == 0


def test_what_the_database_refuses_comes_before_any_byte(nexus: Nexus, on_postgresql: str) -> None:
    with transaction.atomic(on_postgresql):
        chunks = exporter(nexus.catalog)("Product", "csv", filter={"name": {"$regex": "("}})
        with pytest.raises(Invalid, match="regular expression"):
            next(chunks)
        transaction.set_rollback(True, on_postgresql)
