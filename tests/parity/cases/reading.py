"""Read, List, Count."""

from typing import Any

from tests.parity.case import Table

read, listed, counted = Table(), Table(), Table()
TABLES = {"read": read, "list": listed, "count": counted}

KEY = {"code": "SKU-00001", "valid_from": "2025-01-01"}

# --- Read: good -----------------------------------------------------------------------------------

read.good("ProductRead", id=1)
read.good("ProductRead", id=40, fields=["sku", "price"])
read.good("ProductRead", id=2, fields=[])
read.good("ProductRead", id=3, expand=["category"])
read.good("ProductRead", id=4, expand=["category.parent", "tags", "order_items"])
read.good("ProductRead", id=4, expand=["order_items.order.customer"], fields=["id", "name"])
read.good("ProductRead", id=1.0)
read.good("ProductRead", filter={"sku": "SKU-00007"})
read.good("ProductRead", filter={"id": 7}, fields=["id"])
read.good("ProductRead", filter={"id": {"$eq": 7}})
read.good("CountryRead", id="DE")
read.good("CountryRead", id="DE", expand=["customers"])
read.good("PriceListEntryRead", id=KEY)
read.good("PriceListEntryRead", id={**KEY, "valid_from": "2026-01-01"}, fields=["price"])
read.good("PriceListEntryRead", filter=KEY)
read.good("PriceListEntryRead", filter={"id": KEY})
read.good("OrderItemRead", filter={"order_id": 1, "product_id": 7})
read.good("OrderRead", id=1, expand=["customer.country", "items.product.category"])
read.good("CategoryRead", id=3, expand=["parent.parent", "children"])
read.good("CategoryRead", filter={"slug": "desks"}, expand=["parent"])
read.good("NoteRead", id=2)
read.good("PromotionRead", id=1, expand=["products"])
read.good("DocumentRead", id=1, expand=["owner"])
for number in (1, 2, 3, 4):
    read.good("EverythingRead", id=number)
    read.good("EverythingRead", id=number, expand=["parent", "twin", "country", "tags", "children"])

# --- Read: bad ------------------------------------------------------------------------------------

read.bad("ProductRead", "not_found", id=999)
read.bad("ProductRead", "not_found", id=-1)
read.bad("ProductRead", "not_found", filter={"sku": "none"})
read.bad("ProductRead", "not_found", id=2**63 - 1)
read.bad("DocumentRead", "not_found", id=2)
read.bad("PriceListEntryRead", "not_found", id={**KEY, "valid_from": "1999-01-01"})
read.bad("CountryRead", "not_found", id="XX")
read.bad("ProductRead", "invalid", "id")
read.bad("ProductRead", "invalid", "id", id="abc")
read.bad("ProductRead", "invalid", "id", id=2**63)
read.bad("ProductRead", "invalid", "id", id=1.5)
read.bad("ProductRead", "invalid", "id", id=True)
read.bad("ProductRead", "invalid", "id", id=[1])
read.bad("ProductRead", "invalid", "id", id={"sku": "SKU-00001"})
read.bad("ProductRead", "invalid", "filter", id=1, filter={"sku": "SKU-00001"})
read.bad("ProductRead", "invalid", "filter", filter={"name": "x"})
read.bad("ProductRead", "invalid", "filter", filter={})
read.bad("ProductRead", "invalid", "filter", filter={"sku": "x", "id": 1})
read.bad("ProductRead", "invalid", "filter.skew", filter={"skew": "x"})
read.bad("ProductRead", "invalid", "filter.sku", filter={"sku": 5})
read.bad("ProductRead", "invalid", "filter.sku", filter={"sku": {"$gt": "A"}})
read.bad("ProductRead", "invalid", "filter", filter=[1])
read.bad("ProductRead", "invalid", "fields.1", id=1, fields=["id", "prise"])
read.bad("ProductRead", "invalid", "expand.nothing", id=1, expand=["nothing"])
read.bad("ProductRead", "invalid", "expand.name", id=1, expand=["name"])
read.bad("ProductRead", "invalid", "prise", id=1, prise=2)
read.bad("ProductRead", "invalid", "name", id=1, name="x")
read.bad("ProductRead", "invalid", "record_id", record_id=1)
read.bad("PriceListEntryRead", "invalid", "id.valid_from", id={"code": "SKU-00001"})
read.bad("PriceListEntryRead", "invalid", "id.valid_from", id={**KEY, "valid_from": "x"})
read.bad("PriceListEntryRead", "invalid", "id.extra", id={**KEY, "extra": 1})
read.bad("CountryRead", "invalid", "id", id="D\x00")

# --- List: good -----------------------------------------------------------------------------------

FILTERS: list[tuple[str, dict[str, Any]]] = [
    ("Product", {}),
    ("Product", {"active": True}),
    ("Product", {"price": {"$gt": 100, "$lte": "300.00"}}),
    ("Product", {"price": {"$between": [10, 50.5]}}),
    ("Product", {"price": {"$between": [50, 10]}}),
    ("Product", {"sku": {"$in": ["SKU-00001", "SKU-00002", "none"]}}),
    ("Product", {"sku": {"$in": []}}),
    ("Product", {"sku": {"$nin": []}}),
    ("Product", {"category_id": {"$nin": [1, 2]}}),
    ("Product", {"category_id": {"$in": [1, None]}}),
    ("Product", {"category_id": {"$ne": 3}}),
    ("Product", {"category_id": None}),
    ("Product", {"category": None}),
    ("Product", {"category": 3}),
    ("Product", {"category": {"$null": True}}),
    ("Product", {"category_id": {"$null": False}}),
    ("Product", {"category": {"name": "Kitchen"}}),
    ("Product", {"category.name": "Kitchen"}),
    ("Product", {"category.parent.slug": "home"}),
    ("Product", {"category": {"parent": {"slug": {"$startswith": "off"}}}}),
    ("Product", {"$not": {"category": {"parent": {"slug": "home"}}}}),
    ("Product", {"$or": [{"stock": 0}, {"stock": {"$gt": 190}}]}),
    ("Product", {"$and": [{"stock": {"$gt": 10}}, {"stock": {"$lt": 50}}]}),
    ("Product", {"$not": {"$or": [{"active": False}, {"category_id": None}]}}),
    ("Product", {"$and": []}),
    ("Product", {"$or": []}),
    ("Product", {"$not": {}}),
    ("Product", {"stock": {"$not": {"$gt": 100}}}),
    ("Product", {"name": {"$contains": "a"}}),
    ("Product", {"name": {"$contains": "B"}}),
    ("Product", {"name": {"$icontains": "BLUE"}}),
    ("Product", {"name": {"$startswith": "Caf\u00e9"}}),
    ("Product", {"name": {"$istartswith": "CAF\u00c9"}}),
    ("Product", {"name": {"$endswith": "pan"}}),
    ("Product", {"name": {"$iendswith": "PAN"}}),
    ("Product", {"name": {"$like": "%e _%p%"}}),
    ("Product", {"name": {"$ilike": "blue%"}}),
    ("Product", {"attrs.color": "red"}),
    ("Product", {"attrs.color": None}),
    ("Product", {"attrs.color": {"$in": ["red", "blue", None]}}),
    ("Product", {"attrs.color": {"$ne": "red"}}),
    ("Product", {"attrs.weight": {"$gt": 3}}),
    ("Product", {"attrs.weight": {"$between": [1, 2.5]}}),
    ("Product", {"attrs.size": {"$exists": False}}),
    ("Product", {"attrs.color": {"$contains": "e"}}),
    ("Product", {"attrs": {"$exists": True}}),
    ("Product", {"tags": {"$some": {"name": "eco"}}}),
    ("Product", {"tags": {"$none": {"name": "eco"}}}),
    ("Product", {"tags": {"$every": {"name": {"$in": ["eco", "gift"]}}}}),
    ("Product", {"tags": {"$some": {}}}),
    ("Product", {"order_items": {"$some": {"quantity": {"$gte": 5}}}}),
    ("Product", {"order_items": {"$none": {"order": {"status": "paid"}}}}),
    ("Product", {"created_at": {"$gte": "2025-01-05T00:00:00Z"}}),
    ("Product", {"created_at": {"$lt": "2025-01-05T00:00:00+02:00"}}),
    ("Product", {"created_at": {"$lt": "2025-01-05"}}),
    ("PriceListEntry", {"id": {"code": "SKU-00002", "valid_from": "2026-01-01"}}),
    ("PriceListEntry", {"id": {"$in": [{"code": "SKU-00002", "valid_from": "2026-01-01"}]}}),
    ("PriceListEntry", {"id": {"$ne": {"code": "SKU-00002", "valid_from": "2026-01-01"}}}),
    ("PriceListEntry", {"valid_from": {"$gt": "2025-06-01"}, "price": {"$lt": 100}}),
    ("PriceListEntry", {"note": None}),
    ("Country", {"id": "DE"}),
    ("Country", {"code": {"$in": ["DE", "FR"]}}),
    ("Country", {"customers": {"$some": {"newsletter": True}}}),
    ("Customer", {"orders": {"$every": {"status": "open"}}}),
    ("Customer", {"country": {"name": {"$ne": "Germany"}}}),
    ("Customer", {"country": {"$in": ["DE", "FR"]}}),
    ("Customer", {"country": {"$not": {"$exists": True}}}),
    ("Category", {"children": {"$none": {}}}),
    ("Category", {"parent.parent": None}),
    ("Order", {"status": {"$in": ["open", "paid"]}, "total": {"$gte": 500}}),
    ("OrderItem", {"order.customer.country.code": "FR"}),
    ("Document", {"title": {"$startswith": "S"}}),
    ("Everything", {"json": {"a": {"b": [1, 2.5, None, "x"]}, "n": 3.0, "color": "red"}}),
    ("Everything", {"json": "a text"}),
    ("Everything", {"json": {"$eq": []}}),
    ("Everything", {"json.a.b.1": {"$gt": 2}}),
    ("Everything", {"json_null": {"$null": True}}),
    ("Everything", {"json_null": 0}),
    ("Everything", {"json_null": False}),
    ("Everything", {"json_null.1.k": {"$startswith": "v"}}),
    ("Everything", {"char": {"$contains": "%"}}),
    ("Everything", {"char": {"$contains": "_under*s"}}),
    ("Everything", {"char": {"$endswith": "[x]"}}),
    ("Everything", {"char": {"$like": "50\\% \\_%"}}),
    ("Everything", {"text": {"$icontains": "\u00dcN\u00cf"}}),
    ("Everything", {"twin_of": {"$null": False}}),
    ("Everything", {"twin_of": {"char": "x"}}),
    ("Everything", {"children": {"$some": {"text": "Plain"}}}),
    ("Everything", {"float": {"$lt": 0}}),
    ("Everything", {"float": 0}),
    ("Everything", {"duration": {"$gt": "PT0S"}}),
    ("Everything", {"generated": 42}),
]
for model, tree in FILTERS:
    listed.good(f"{model}List", filter=tree, limit=30)
    counted.good(f"{model}Count", filter=tree)

ORDERS: list[tuple[str, list[str]]] = [
    ("Product", ["-price", "sku"]),
    ("Product", ["category_id"]),
    ("Product", ["-category_id"]),
    ("Product", ["category_id:nullsfirst", "-stock"]),
    ("Product", ["-category_id:nullslast", "id"]),
    ("Product", ["category.slug", "-id"]),
    ("Product", ["-category.parent.slug:nullsfirst"]),
    ("Product", ["active", "created_at"]),
    ("PriceListEntry", ["-valid_from", "price"]),
    ("PriceListEntry", ["-code"]),
    ("Order", ["customer.country.code", "-total"]),
    ("Everything", ["float"]),
    ("Everything", ["-decimal_fine"]),
    ("Everything", ["date:nullsfirst", "time"]),
    ("Everything", ["-duration", "datetime_null"]),
    ("Everything", ["uuid_null", "binary_null"]),
    ("Everything", ["-boolean_null:nullslast", "-big"]),
    ("Everything", ["ip", "level"]),
]
for model, order in ORDERS:
    listed.good(f"{model}List", order_by=order, limit=7)
listed.good("ProductList")
listed.good("ProductList", order_by="-price", limit=1)
listed.good("ProductList", limit=0)
listed.good("ProductList", limit=3.0)
listed.good("ProductList", limit=3, offset=5)
listed.good("ProductList", limit=3, offset=10_000)
listed.good("ProductList", offset=2**62)
listed.good("ProductList", limit=2, count="exact", filter={"active": False})
listed.good("ProductList", limit=2, count="none")
listed.good("ProductList", fields=["id"], limit=3)
listed.good("ProductList", fields=["price", "id"], limit=3)
listed.good("ProductList", search="blue")
listed.good("ProductList", search="BLUE desk day", count="exact")
listed.good("ProductList", search="")
listed.good("ProductList", search="100%")
listed.good("CustomerList", search="ada shop.example", limit=5)
listed.good("NoteList", search="\u00fcn\u00efcode")
listed.good("DocumentList", count="exact")
listed.good("ProductList", expand=["category", "tags"], limit=5)
listed.good("OrderList", expand=["items.product", "customer"], limit=3, fields=["number"])
listed.good("EverythingList", expand=["tags", "parent.tags"])
listed.good("CustomerList", filter=None, order_by=None, limit=2, count=None)
listed.own("ProductList", limit=1, count="estimated")
listed.own("CustomerList", order_by=["name"], limit=5)
counted.good("ProductCount")
counted.good("ProductCount", search="blue")
counted.good("DocumentCount")
counted.good("CustomerCount", search="example", filter={"newsletter": True})

# --- List and Count: bad --------------------------------------------------------------------------

DEEP: dict[str, Any] = {"active": True}
for _ in range(30):
    DEEP = {"$not": DEEP}
WRONG_FILTERS: list[tuple[str, str, Any]] = [
    ("Product", "filter.prise", {"prise": 1}),
    ("Product", "filter.price", {"price": "ten"}),
    ("Product", "filter.price", {"price": []}),
    ("Product", "filter.active", {"active": 1}),
    ("Product", "filter.active", {"active": "true"}),
    ("Product", "filter.stock", {"stock": 1.5}),
    ("Product", "filter.stock", {"stock": "1"}),
    ("Product", "filter.name", {"name": 5}),
    ("Product", "filter.price.$gt", {"price": {"$gt": None}}),
    ("Product", "filter.price.$gtt", {"price": {"$gtt": 1}}),
    ("Product", "filter.$nor", {"$nor": []}),
    ("Product", "filter.$or", {"$or": {"stock": 1}}),
    ("Product", "filter.$or.1", {"$or": [{"stock": 1}, 5]}),
    ("Product", "filter.$and.0.prise", {"$and": [{"prise": 1}]}),
    ("Product", "filter.$not", {"$not": []}),
    ("Product", "filter.sku.$in", {"sku": {"$in": "SKU-00001"}}),
    ("Product", "filter.sku.$in.1", {"sku": {"$in": ["a", 1]}}),
    ("Product", "filter.price.$between", {"price": {"$between": [1]}}),
    ("Product", "filter.price.$between.1", {"price": {"$between": [1, None]}}),
    ("Product", "filter.price.$contains", {"price": {"$contains": "1"}}),
    ("Product", "filter.name.$contains", {"name": {"$contains": 1}}),
    ("Product", "filter.name.$like", {"name": {"$like": "x\\"}}),
    ("Product", "filter.name.$null", {"name": {"$null": 1}}),
    ("Product", "filter.active.$gt", {"active": {"$gt": False}}),
    ("Product", "filter.tags", {"tags": {"name": "eco"}}),
    ("Product", "filter.tags", {"tags": [1]}),
    ("Product", "filter.tags.$all", {"tags": {"$all": {}}}),
    ("Product", "filter.tags.$some.nome", {"tags": {"$some": {"nome": "eco"}}}),
    ("Product", "filter.category.nome", {"category.nome": "x"}),
    ("Product", "filter.category.nome", {"category": {"nome": "x"}}),
    ("Product", "filter.category", {"category": "kitchen"}),
    ("Product", "filter.price__gt", {"price__gt": 1}),
    ("Product", "filter.pk", {"pk": 1}),
    ("Product", "filter.pk__in", {"pk__in": [1]}),
    ("Product", "filter._connector", {"_connector": "OR"}),
    ("Product", "filter.__class__", {"__class__": "x"}),
    ("Product", "filter.category__parent", {"category__parent": 1}),
    ("Product", "filter.created_at", {"created_at": "yesterday"}),
    ("Product", "filter.created_at", {"created_at": "2025-02-30T00:00:00Z"}),
    ("Product", "filter.sku", {"sku": "a\x00b"}),
    ("Product", "filter.sku", {"sku": "\ud800"}),
    ("Product", "filter.attrs.color.$gt", {"attrs.color": {"$gt": [1]}}),
    ("Product", "filter.attrs.color.$foo", {"attrs.color": {"$foo": 1}}),
    ("Product", "filter.name.first", {"name.first": "x"}),
    ("Product", "filter", []),
    ("Product", "filter", "active"),
    ("Product", "filter", 5),
    ("PriceListEntry", "filter.id", {"id": "SKU-00001"}),
    ("PriceListEntry", "filter.id", {"id": {"code": "SKU-00001"}}),
    ("Everything", "filter.uuid", {"uuid": "not one"}),
    ("Everything", "filter.date", {"date": "2026-13-01"}),
    ("Everything", "filter.duration", {"duration": "1 day"}),
    ("Everything", "filter.binary", {"binary": "!"}),
    ("Everything", "filter.big", {"big": 2**63}),
    ("Everything", "filter.file", {"file": 5}),
]
for model, name, tree in WRONG_FILTERS:
    listed.bad(f"{model}List", "invalid", name, filter=tree)
    counted.bad(f"{model}Count", "invalid", name, filter=tree)

DEPTH = "filter" + 11 * ".$not"
listed.bad("ProductList", "limit_exceeded", DEPTH, filter=DEEP)
counted.bad("ProductCount", "limit_exceeded", DEPTH, filter=DEEP)
listed.bad("ProductList", "invalid", "limit", limit=-1)
listed.bad("ProductList", "invalid", "limit", limit=1001)
listed.bad("ProductList", "invalid", "limit", limit="ten")
listed.bad("ProductList", "invalid", "limit", limit="10")
listed.bad("ProductList", "invalid", "limit", limit=1.5)
listed.bad("ProductList", "invalid", "limit", limit=True)
listed.bad("ProductList", "invalid", "offset", offset=-1)
listed.bad("ProductList", "invalid", "offset", offset=2**64)
listed.bad("ProductList", "invalid", "order_by.0", order_by=["prise"])
listed.bad("ProductList", "invalid", "order_by.1", order_by=["price", "-prise"])
listed.bad("ProductList", "invalid", "order_by.1", order_by=["price", "-price"])
listed.bad("ProductList", "invalid", "order_by.0", order_by=["price:last"])
listed.bad("ProductList", "invalid", "order_by.0", order_by=["attrs"])
listed.bad("ProductList", "invalid", "order_by.0", order_by=["tags"])
listed.bad("ProductList", "invalid", "order_by.0", order_by=["tags.name"])
listed.bad("ProductList", "invalid", "order_by", order_by=[5])
listed.bad("ProductList", "invalid", "order_by.0", order_by=[""])
listed.good("PriceListEntryList", order_by=["-id"])
listed.bad("PriceListEntryList", "invalid", "order_by.1", order_by=["id", "code"])
listed.bad("ProductList", "invalid", "cursor", cursor="abc")
listed.bad("ProductList", "invalid", "cursor", cursor="")
listed.bad("ProductList", "invalid", "cursor", cursor="abc", offset=1)
listed.bad("ProductList", "invalid", "count", count="maybe")
listed.bad("ProductList", "invalid", "fields.0", fields=["prise"])
listed.bad("ProductList", "invalid", "expand.tagz", expand=["tagz"])
listed.bad("ProductList", "invalid", "search", search=5)
listed.bad("ProductList", "invalid", "search", search="a\x00")
listed.bad("ProductList", "invalid", "search", search=" ".join(["w"] * 17))
listed.bad("CategoryList", "invalid", "search", search="x")
listed.bad("ProductList", "invalid", "enable_cache", enable_cache=True)
counted.bad("ProductCount", "invalid", "search", search="\udfff")
counted.bad("CategoryCount", "invalid", "search", search="x")
counted.bad("ProductCount", "invalid", "limit", limit=5)
