"""What a query string says means what the JSON of a node says: lookups, comma lists, objects, short aggregates."""

from typing import Any

import pytest

from tests.parity.channels import by_node, command, http, operation_of, rolled_back
from tests.routing import POSTGRESQL, SQLITE

pytestmark = pytest.mark.django_db(databases=[SQLITE, POSTGRESQL])

LISTS: list[tuple[str, str, dict[str, Any]]] = [
    ("Product", "price__gte=100", {"filter": {"price": {"$gte": 100}}}),
    ("Product", "price__gt=100.5&price__lt=200", {"filter": {"price": {"$gt": 100.5, "$lt": 200}}}),
    ("Product", "active=true", {"filter": {"active": True}}),
    ("Product", "active=0", {"filter": {"active": False}}),
    ("Product", "active__exact=True", {"filter": {"active": True}}),
    ("Product", "id__in=1,2,3", {"filter": {"id": {"$in": [1, 2, 3]}}}),
    ("Product", "id__in=[1,2]", {"filter": {"id": {"$in": [1, 2]}}}),
    ("Product", "id__in=", {"filter": {"id": {"$in": []}}}),
    ("Product", "id__range=3,5", {"filter": {"id": {"$between": [3, 5]}}}),
    ("Product", "category=3", {"filter": {"category_id": 3}}),
    ("Product", "category_id=null", {"filter": {"category_id": None}}),
    ("Product", "category__isnull=true", {"filter": {"category_id": {"$null": True}}}),
    ("Product", "category__in=1,2", {"filter": {"category_id": {"$in": [1, 2]}}}),
    ("Product", "category__name=Kitchen", {"filter": {"category": {"name": "Kitchen"}}}),
    ("Product", "category__parent__slug=home", {"filter": {"category": {"parent": {"slug": "home"}}}}),
    ("Product", "category__parent__isnull=1", {"filter": {"category": {"parent_id": None}}}),
    ("Product", "tags__name=eco", {"filter": {"tags": {"$some": {"name": "eco"}}}}),
    ("Product", "tags=1", {"filter": {"tags": {"$some": {"id": 1}}}}),
    ("Product", "tags__in=1,2", {"filter": {"tags": {"$some": {"id": {"$in": [1, 2]}}}}}),
    ("Product", "tags__isnull=true", {"filter": {"tags": {"$none": {}}}}),
    ("Product", "order_items__quantity__gte=5&order_items__order__status=paid",
     {"filter": {"order_items": {"$some": {"quantity": {"$gte": 5}, "order": {"status": "paid"}}}}}),
    ("Product", "name__icontains=BLUE", {"filter": {"name": {"$icontains": "BLUE"}}}),
    ("Product", "name__contains=%C3%A9", {"filter": {"name": {"$contains": "\u00e9"}}}),
    ("Product", "name__startswith=Oak", {"filter": {"name": {"$startswith": "Oak"}}}),
    ("Product", "name__iendswith=PAN", {"filter": {"name": {"$iendswith": "PAN"}}}),
    ("Product", "name__iexact=BLUE+KETTLE", {"filter": {"name": {"$ilike": "BLUE KETTLE"}}}),
    ("Product", "name__iexact=100%25_", {"filter": {"name": {"$ilike": "100\\%\\_"}}}),
    ("Product", "sku=SKU-00001", {"filter": {"sku": "SKU-00001"}}),
    ("Product", "sku__isnull=false", {"filter": {"sku": {"$null": False}}}),
    ("Product", "created_at__gte=2025-01-05T00:00:00Z", {"filter": {"created_at": {"$gte": "2025-01-05T00:00:00Z"}}}),
    ("Product", "stock=3.0", {"filter": {"stock": 3}}),
    ("Product", 'filter={"price":{"$lt":50}}', {"filter": {"price": {"$lt": 50}}}),
    ("Product", 'filter={"active":true}&stock__gt=100',
     {"filter": {"$and": [{"active": True}, {"stock": {"$gt": 100}}]}}),
    ("Product", "sort=-price,name", {"order_by": ["-price", "name"]}),
    ("Product", "order_by=-price,name", {"order_by": ["-price", "name"]}),
    ("Product", 'sort=["-price"]', {"order_by": ["-price"]}),
    ("Product", "sort=category_id:nullsfirst,-id", {"order_by": ["category_id:nullsfirst", "-id"]}),
    ("Product", "sort=category__slug", {"order_by": ["category.slug"]}),
    ("Product", "fields=id,price", {"fields": ["id", "price"]}),
    ("Product", "fields=id, price", {"fields": ["id", "price"]}),
    ("Product", "fields=", {"fields": []}),
    ("Product", "expand=category,tags", {"expand": ["category", "tags"]}),
    ("Product", "expand=category.parent", {"expand": ["category.parent"]}),
    ("Product", "limit=3&offset=2", {"limit": 3, "offset": 2}),
    ("Product", "count=exact&limit=0", {"count": "exact", "limit": 0}),
    ("Product", "search=blue+kettle", {"search": "blue kettle"}),
    ("PriceListEntry", "valid_from__gte=2026-01-01&price__lt=200",
     {"filter": {"valid_from": {"$gte": "2026-01-01"}, "price": {"$lt": 200}}}),
    ("PriceListEntry", "id=SKU-00001,2026-01-01",
     {"filter": {"id": {"code": "SKU-00001", "valid_from": "2026-01-01"}}}),
    ("PriceListEntry", 'id={"code":"SKU-00001","valid_from":"2026-01-01"}',
     {"filter": {"id": {"code": "SKU-00001", "valid_from": "2026-01-01"}}}),
    ("PriceListEntry", "id__exact=SKU-00001,2026-01-01&price__gt=1",
     {"filter": {"id": {"code": "SKU-00001", "valid_from": "2026-01-01"}, "price": {"$gt": 1}}}),
    ("PriceListEntry", "note__isnull=1", {"filter": {"note": None}}),
    ("Country", "code__in=DE,FR", {"filter": {"code": {"$in": ["DE", "FR"]}}}),
    ("Country", "customers__orders__status=paid",
     {"filter": {"customers": {"$some": {"orders": {"$some": {"status": "paid"}}}}}}),
    ("Everything", "float=1e2&decimal=0.00", {"filter": {"float": 100, "decimal": "0"}}),
    ("Everything", "duration__gt=PT0S", {"filter": {"duration": {"$gt": "PT0S"}}}),
    ("Everything", "uuid=00000000-0000-4000-8000-000000000001",
     {"filter": {"uuid": "00000000-0000-4000-8000-000000000001"}}),
    ("Everything", "json_null=0", {"filter": {"json_null": 0}}),
    ("Everything", "ip=192.0.2.1", {"filter": {"ip": "192.0.2.1"}}),
    ("Everything", "twin_of__char=x", {"filter": {"twin_of": {"char": "x"}}}),
]  # fmt: skip
AGGREGATES: list[tuple[str, str, dict[str, Any]]] = [
    ("Product", "group_by=category_id&sum=price&avg=stock&count=*", {
        "group_by": ["category_id"],
        "aggregate": {"sum_price": {"$sum": "price"}, "avg_stock": {"$avg": "stock"}, "count": {"$count": "*"}},
    }),
    ("Product", "group_by=active,category.slug&count=*&sort=-count",
     {"group_by": ["active", "category.slug"], "aggregate": {"count": {"$count": "*"}}, "order_by": ["-count"]}),
    ("Product", "sum=price,stock&active=true", {
        "aggregate": {"sum_price": {"$sum": "price"}, "sum_stock": {"$sum": "stock"}}, "filter": {"active": True},
    }),
    ("Product", "count_distinct=category_id&min=price&max=price", {
        "aggregate": {"count_distinct_category_id": {"$count_distinct": "category_id"}, "min_price": {"$min": "price"},
                      "max_price": {"$max": "price"}},
    }),
    ("Product", 'aggregate={"n":{"$count":"*"}}&group_by=active&having={"n":{"$gt":10}}',
     {"aggregate": {"n": {"$count": "*"}}, "group_by": ["active"], "having": {"n": {"$gt": 10}}}),
    ("Order", 'group_by=[{"$date_trunc":["month","placed_at"]}]&count=*&limit=3',
     {"group_by": [{"$date_trunc": ["month", "placed_at"]}], "aggregate": {"count": {"$count": "*"}}, "limit": 3}),
]  # fmt: skip
WRONG: list[tuple[str, str, str]] = [
    ("Product", "price__gte=ten", "price__gte"),
    ("Product", "price__bigger=1", "price__bigger"),
    ("Product", "prise=1", "prise"),
    ("Product", "category__nome=x", "category__nome"),
    ("Product", "active=maybe", "active"),
    ("Product", "stock=1.5", "stock"),
    ("Product", "id__in=1,x", "id__in"),
    ("Product", "id__range=1", "id__range"),
    ("Product", "sku__isnull=perhaps", "sku__isnull"),
    ("Product", "price__contains=1", "price__contains"),
    ("Product", "attrs__color=red", "attrs__color"),
    ("Product", "pk=1", "pk"),
    ("Product", "pk__in=1", "pk__in"),
    ("Product", "_connector=OR", "_connector"),
    ("Product", "__class__=x", "__class__"),
    ("Product", "sku__sku=x", "sku__sku"),
    ("Product", "category__products__category__products__tags__id__exact__x=1",
     "category__products__category__products__tags__id__exact__x"),
    ("Product", "price=1&price=2", "price"),
    ("Product", "sort=price&order_by=price", "order_by"),
    ("Product", "filter={price", "filter"),
    ("Product", "filter=", "filter"),
    ("Product", 'filter={"a":1,"a":2}', "a"),
    ("Product", "limit=ten", "limit"),
    ("Product", "limit=", "limit"),
    ("Product", "limit=-1", "limit"),
    ("Product", "limit=99999999999999999999999", "limit"),
    ("Product", "stock=1e99999999999999999999999", "stock"),
    ("Everything", "float=1e99999999999999999999999", "float"),
    ("Everything", "decimal=1e99999999999999999999999", "decimal"),
    ("Everything", "date=2026-02-30", "date"),
    ("Everything", "uuid=x", "uuid"),
    ("Everything", "ip=x", "ip"),
    ("Everything", "json={x", "json"),
    ("PriceListEntry", "id=SKU-00001", "id"),
    ("PriceListEntry", "id=SKU-00001,2026-01-01,x", "id"),
    ("PriceListEntry", "id=SKU-00001,yesterday", "id"),
    ("PriceListEntry", 'id={"code":"x"}', "id"),
    ("PriceListEntry", 'id={"code":"x","valid_from":1}', "id"),
    ("PriceListEntry", "id__in=SKU-00001,2026-01-01", "id__in"),
]  # fmt: skip


def cases(table: list[Any]) -> Any:
    return pytest.mark.parametrize("case", table, ids=lambda case: f"{case[0]}?{case[1]}")


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def alias(request: pytest.FixtureRequest, scene: None) -> str:
    return str(request.param)


@cases(LISTS)
def test_a_list(alias: str, case: tuple[str, str, dict[str, Any]], record_property: Any) -> None:
    model, query, params = case
    operation = operation_of(f"{model}List")
    with rolled_back(alias):
        by_path = http("GET", f"/api/{operation.exposed.resource}?{query}")
        node = by_node(operation, params)
        words = [f"--{pair.replace('+', ' ')}" for pair in query.split("&")]
        printed = None if "%" in query else command(operation.exposed.resource, "list", *words)
    assert node.error is None
    if (
        '"next":null' not in node.raw
    ):  # a cursor holds the filter, and two spellings are two filters
        assert by_path.body.partition(b',"next":')[0] == node.body.partition(b',"next":')[0]
    else:
        assert by_path.body == node.body
    assert printed is None or printed.body == by_path.body
    record_property("parity", 2 + (printed is not None))


@cases(AGGREGATES)
def test_an_aggregate(
    alias: str, case: tuple[str, str, dict[str, Any]], record_property: Any
) -> None:
    model, query, params = case
    operation = operation_of(f"{model}Aggregate")
    with rolled_back(alias):
        by_path = http("GET", f"/api/{operation.exposed.resource}/aggregate?{query}")
        words = [f"--{pair}" for pair in query.split("&")]
        printed = command(operation.exposed.resource, "aggregate", *words)
        node = by_node(operation, params)
    assert node.error is None
    assert by_path.body == node.body == printed.body
    record_property("parity", 3)


@cases(WRONG)
def test_what_is_wrong_is_named(
    alias: str, case: tuple[str, str, str], record_property: Any
) -> None:
    model, query, name = case
    resource = operation_of(f"{model}List").exposed.resource
    with rolled_back(alias):
        by_path = [http("GET", f"/api/{resource}{suffix}?{query}") for suffix in ("", "/export")]
        printed = command(resource, "list", *[f"--{pair}" for pair in query.split("&")])
    for answer in (*by_path, printed):
        assert (answer.code, answer.fields) == ("invalid", [name]), answer.error
    record_property("parity", 3)
