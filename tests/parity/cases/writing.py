"""Create, Update, Delete, Upsert."""

from decimal import Decimal
from typing import Any

from tests.parity.case import Table

created, updated, deleted, upserted = Table(), Table(), Table(), Table()
TABLES = {"create": created, "update": updated, "delete": deleted, "upsert": upserted}

AT = "2026-01-02T03:04:05Z"
PRODUCT: dict[str, Any] = {"sku": "NEW-1", "name": "New", "price": "9.99", "created_at": AT}
PLAIN: dict[str, Any] = {
    "text": "made",
    "datetime": AT,
    "db_default_datetime": AT,
    "uuid": "00000000-0000-4000-8000-00000000000a",
}
KEY = {"code": "SKU-00001", "valid_from": "2025-01-01"}
NEW_KEY = {"code": "NEW", "valid_from": "2030-01-01"}
ENTRY = {"code": "NEW", "valid_from": "2030-01-01", "price": "1.00"}
LINE = {"order_id": 1, "product_id": 1, "unit_price": "5.00"}

VALUES: dict[str, list[Any]] = {
    "text": ["a b", "\u00dcn\u00ef\u2603\U0001f600", "tab\tline\nreturn\r", "\u2028\u2029\x7f\x01"],
    "char": ["x" * 50, "null", "true", "5", "{", "--x", "-", "a=b", "{}"],
    "char_null": [None, ""],
    "char_unique": [None, "", "three"],
    "code": ["Z9"],
    "slug": ["", "a-b_c"],
    "email": [None, "x@y.example"],
    "url": ["http://a.example/"],
    "colour": ["blue"],
    "level": [None, 1, 2],
    "boolean": [True, False],
    "boolean_null": [None, True],
    "small": [-(2**15), 2**15 - 1, 0],
    "integer": [-(2**31), 2_000_000_000, 3.0],
    "integer_null": [None, 1],
    "big": [-(2**63), 2**63 - 1],
    "positive_small": [0, 2**15 - 1],
    "positive": [2**31 - 1],
    "positive_big": [2**63 - 1],
    "float": [0, 100, 0.1, -1e-7, 1e15, 123456789.123, 1e300, 5e-324, 2**60],
    "float_null": [None, 1.5],
    "decimal": [0, 1, 1.5, "1.5", "-99999999.99", Decimal("0.10"), "1e3", "+2.00", "0002.5"],
    "decimal_null": [None, "0.01"],
    "decimal_whole": [999999999999, "12"],
    "decimal_fine": ["0.000000001", 0.000000001, "-123456.1"],
    "date": [None, "2024-02-29", "0001-01-01", "9999-12-31"],
    "time": [None, "00:00", "23:59:59.999999", "12:30:00.5", "12:30:00.500"],
    "datetime": ["2026-01-31T13:45:00.5+02:00", "2026-01-31 13:45", "2026-01-31"],
    "datetime_null": [None, "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.000001Z"],
    "duration": [None, "PT0S", "P1DT2H3M4.5S", "-P1D", "P2W", "PT-0.000001S", "PT36H"],
    "uuid": ["00000000000040008000000000000009"],
    "uuid_null": [None, "FFFFFFFF-ffff-4fff-bfff-ffffffffffff"],
    "binary": ["", "AP8="],
    "binary_null": [None, "eA=="],
    "json": [
        {"a": [1, 2.5, None, True, {"b": "\u2603"}]}, [], "text", 5, 1.25, True, "", {"$set": {"$x": 1}},
        {"big": 2**70, "small": 1e-10}, {"": {"": ""}},
    ],
    "json_null": [None, 0, [None]],
    "ip": [None, "192.0.2.7", "2001:DB8::1"],
    "file": [""],
    "db_default_integer": [0],
    "db_default_char": ["own"],
    "parent_id": [None, 1],
    "twin_id": [3],
    "country_id": [None, "FR"],
    "tags": [[], [1], [3, 1, 3]],
}  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "text": ["", None, 5, True, [], "a\x00b", "\ud800"],
    "char": [None, "", "x" * 51, 5],
    "char_null": [5, "x" * 51],
    "char_unique": [1.5],
    "code": ["x", "A1234567890", None],
    "slug": ["a b", "x" * 51],
    "email": ["no mail"],
    "url": ["no url"],
    "colour": ["pink", None, 1],
    "level": [3, "high"],
    "boolean": [None, 1, "yes"],
    "small": [2**15, -(2**15) - 1, "1", None, True, 1.5],
    "integer": [2_000_000_001, 2**31, 2**70, [], "x"],
    "big": [2**63, -(2**63) - 1, 1e30],
    "positive_small": [-1],
    "positive_big": [2**63, -1],
    "float": ["1", None, 10**400, True],
    "decimal": ["1.234", "100000000", "ten", None, True, 1.001, "", "NaN", "Infinity", []],
    "decimal_whole": ["1.5", 10**12],
    "decimal_fine": ["0.0000000001", "1234567"],
    "date": ["2026-13-01", "x", 5, "2026-01-01T00:00:00Z"],
    "time": ["25:00", 5, "1pm"],
    "datetime": [None, "x", 5, "10000-01-01"],
    "datetime_null": ["0001-01-01T00:00:00+02:00"],
    "duration": ["1 day", 5, "P", "P1M"],
    "uuid": ["x", 5, None],
    "binary": ["!", 5, None],
    "json": [None, {"$set": None}, {"a\x00": 1}, {"a": "\ud800"}],
    "ip": ["x", 5],
    "file": ["name.txt", 5],
    "tags": [None, 1, ["a"], [1.5], {}],
    "parent_id": ["x", 1.5],
    "generated": [1],
    "nothing": [1],
}
DENIED = {"generated"}

# --- Create ---------------------------------------------------------------------------------------

created.good("ProductCreate", **PRODUCT)
created.good("ProductCreate", **PRODUCT, tags=[2, 1], category_id=3, attrs={"color": "red"})
created.good("ProductCreate", fields=PRODUCT)
created.good("ProductCreate", sku="N", fields={"name": "n", "price": 1, "created_at": AT})
created.good("ProductCreate", **PRODUCT, dry_run=True)
created.good("ProductCreate", **PRODUCT, id=7777)
created.good("ProductCreate", **{**PRODUCT, "price": 1299.99, "stock": -5, "active": False})
created.good("PriceListEntryCreate", **ENTRY)
created.good("PriceListEntryCreate", id=NEW_KEY, price=1)
created.good("PriceListEntryCreate", fields={"id": NEW_KEY, "price": 1})
created.bad("PriceListEntryCreate", "conflict", "code", "valid_from", id=KEY, price=1)
created.bad("PriceListEntryCreate", "invalid", "id", id=["NEW"], price=1)
created.bad("PriceListEntryCreate", "invalid", "id.valid_from", id={"code": "NEW"}, price=1)
created.bad(
    "PriceListEntryCreate", "invalid", "id.valid_from", id={**NEW_KEY, "valid_from": "x"}, price=1
)
created.bad("PriceListEntryCreate", "invalid", "id.extra", "price", id={**NEW_KEY, "extra": 1})
created.bad("PriceListEntryCreate", "invalid", "code", id=NEW_KEY, code="NEW", price=1)
created.good("PriceListEntryCreate", **ENTRY, note="a, b/c")
created.good("CountryCreate", code="NL", name="Netherlands")
created.good("CategoryCreate", name="Leaf", slug="leaf", parent_id=3)
created.good("OrderItemCreate", **LINE)
created.good("OrderItemCreate", **LINE, quantity=3)
created.good("NoteCreate", title="H\u00e9llo W\u00f6rld", body="x")
created.good("PromotionCreate", name="New", starts_on="2026-01-01", ends_on="2026-01-01")
created.good("DocumentCreate", title="doc", owner_id=1)
created.good("DocumentCreate", title="doc", deleted_at=AT)
created.good("TagCreate", name="shiny")
created.good("EverythingCreate", **PLAIN)
for name, values in VALUES.items():
    for value in values:
        created.good("EverythingCreate", **{**PLAIN, name: value})

created.bad("ProductCreate", "invalid", "name", "price", "sku")
created.bad("ProductCreate", "invalid", "sku", name="x", price=1)
created.bad("ProductCreate", "invalid", "prise", **PRODUCT, prise=2)
created.bad("ProductCreate", "invalid", "price", "stock", **{**PRODUCT, "price": "x", "stock": "y"})
created.bad("ProductCreate", "invalid", "sku", **PRODUCT, fields={"sku": "other"})
created.bad("ProductCreate", "invalid", "fields", **PRODUCT, fields=[1])
created.bad("ProductCreate", "invalid", "dry_run", **PRODUCT, dry_run="yes")
created.bad("ProductCreate", "invalid", "stock", **PRODUCT, stock={"$inc": 1})
created.bad("ProductCreate", "conflict", "sku", **{**PRODUCT, "sku": "SKU-00001"})
created.bad("ProductCreate", "conflict", "id", **PRODUCT, id=1)
created.bad("ProductCreate", "conflict", "category_id", **PRODUCT, category_id=999)
created.bad("ProductCreate", "conflict", "tags", **PRODUCT, tags=[1, 999])
created.bad("ProductCreate", "invalid", "updates", **PRODUCT, updates={})
created.bad("PriceListEntryCreate", "conflict", "code", "valid_from", **KEY, price=1)
created.bad("PriceListEntryCreate", "invalid", "code", "valid_from", price=1)
created.bad("OrderItemCreate", "conflict", "order_id", "product_id", order_id=1, product_id=7,
            unit_price=1)  # fmt: skip
created.bad("OrderItemCreate", "invalid", "quantity", **LINE, quantity=0)
created.bad("OrderItemCreate", "conflict", "product_id", **{**LINE, "product_id": 999})
created.bad("OrderItemCreate", "conflict", "order_id", "product_id",
            **{**LINE, "product_id": 999, "order_id": 999})  # fmt: skip
created.bad("CountryCreate", "invalid", "code", code="NLD", name="x")
created.bad("CountryCreate", "conflict", "code", code="DE", name="x")
created.bad("NoteCreate", "permission_denied", "slug", title="x", slug="y")
created.bad("PromotionCreate", "invalid", "ends_on", name="x", starts_on="2026-01-02",
            ends_on="2026-01-01")  # fmt: skip
created.bad("EverythingCreate", "conflict", "char_unique", **PLAIN, char_unique="one")
created.bad("EverythingCreate", "conflict", "twin_id", **PLAIN, twin_id=1)
for name, values in WRONG.items():
    for value in values:
        code = "permission_denied" if name in DENIED else "invalid"
        created.bad("EverythingCreate", code, name, **{**PLAIN, name: value})

# --- Update ---------------------------------------------------------------------------------------

updated.good("ProductUpdate", id=1, price="5.00")
updated.good("ProductUpdate", id=1)
updated.good("ProductUpdate", id=1, fields={"price": 5, "stock": 1})
updated.good("ProductUpdate", id=1, name="x", fields={"stock": 1})
updated.good("ProductUpdate", filter={"sku": "SKU-00003"}, stock={"$inc": 5})
updated.good("ProductUpdate", id=2, stock={"$dec": 1000}, price={"$multiply": 0.9})
updated.good("ProductUpdate", id=2, price={"$inc": "0.05"}, name={"$append": "!"})
updated.good("ProductUpdate", id=2, price={"$multiply": "1.005"})
updated.good("ProductUpdate", id=3, tags=[1, 2, 3])
updated.good("ProductUpdate", id=4, tags=[], active=False)
updated.good("ProductUpdate", id=5, attrs={"$set": {"$x": 1}})
updated.good("ProductUpdate", id=5, category_id=None)
updated.good("ProductUpdate", id=6, stock=0, dry_run=True)
updated.good("ProductUpdate", id=6, replace=True, sku="R", name="r", price=1, created_at=AT)
updated.good("PriceListEntryUpdate", id=KEY, price={"$multiply": 2})
updated.good("PriceListEntryUpdate", id=KEY, note="x")
updated.good("PriceListEntryUpdate", id=KEY, replace=True, price=3)
updated.good("OrderItemUpdate", filter={"order_id": 1, "product_id": 7}, quantity={"$inc": 1})
updated.good("NoteUpdate", id=1, title="Renamed Note")
updated.good("NoteUpdate", id=1, body={"$append": " more"}, replace=False)
updated.good("NoteUpdate", id=2, replace=True, title="only")
updated.good("PromotionUpdate", id=1, ends_on="2026-12-31", percent={"$inc": 5}, products=[3])
updated.good("DocumentUpdate", id=1, deleted_at=AT)
updated.good("CountryUpdate", id="DE", name="Deutschland")
updated.good("CategoryUpdate", id=3, parent_id=None)
for changed in (
    {"json": {"$append": 1}},
    {"json_null": {"$append": {"a": None}}},
    {"json_null": {"$set": {"$inc": 1}}},
    {"char_null": {"$append": "x"}},
    {"float": {"$multiply": 3}},
    {"float_null": {"$inc": 1}},
    {"integer_null": {"$inc": 1}},
    {"decimal_fine": {"$multiply": "0.333333333"}},
    {"big": {"$dec": 5}},
    {"positive": {"$inc": 7}},
):
    updated.good("EverythingUpdate", id=3, **changed)
for name, values in VALUES.items():
    for value in values:
        updated.good("EverythingUpdate", id=4, **{name: value})

updated.bad("ProductUpdate", "invalid", "id", name="x")
updated.bad("ProductUpdate", "not_found", id=999, name="x")
updated.bad("ProductUpdate", "not_found", id=999)
updated.bad("ProductUpdate", "not_found", filter={"sku": "none"}, name="x")
updated.bad("ProductUpdate", "invalid", "id", id="abc", name="x")
updated.bad("ProductUpdate", "invalid", "filter", filter={"name": "x"}, stock=1)
updated.bad("ProductUpdate", "invalid", "prise", id=1, prise=1)
updated.bad("ProductUpdate", "invalid", "stock", id=1, stock={"$inc": "x"})
updated.bad("ProductUpdate", "invalid", "stock", id=1, stock={"$add": 1})
updated.bad("ProductUpdate", "invalid", "stock", id=1, stock={"$inc": 1, "$dec": 1})
updated.bad("ProductUpdate", "invalid", "stock", id=1, stock={"$inc": None})
updated.bad("ProductUpdate", "invalid", "stock", id=1, stock={"$inc": 2**31})
updated.bad("ProductUpdate", "invalid", "stock", id=1, stock={"$multiply": 2**40})
updated.bad("ProductUpdate", "invalid", "price", id=1, price={"$multiply": 10**9})
updated.bad("ProductUpdate", "invalid", "active", id=1, active={"$inc": 1})
updated.bad("ProductUpdate", "invalid", "name", id=1, name={"$inc": 1})
updated.bad("ProductUpdate", "invalid", "name", id=1, name={"$append": "x" * 300})
updated.bad("ProductUpdate", "invalid", "name", id=1, name={"$append": 5})
updated.bad("ProductUpdate", "invalid", "attrs", id=1, attrs={"$append": 5})
updated.bad("ProductUpdate", "invalid", "tags", id=1, tags={"$append": 5})
updated.bad("ProductUpdate", "conflict", "sku", id=1, sku="SKU-00002")
updated.bad("ProductUpdate", "conflict", "category_id", id=1, category_id=999)
updated.bad("ProductUpdate", "conflict", "tags", id=1, tags=[999])
updated.bad("ProductUpdate", "invalid", "name", "price", "sku", id=1, replace=True)
updated.bad("ProductUpdate", "invalid", "replace", id=1, replace="maybe")
updated.bad("PriceListEntryUpdate", "invalid", "code", id=KEY, code="x")
updated.bad("PriceListEntryUpdate", "invalid", "code", "valid_from", id=KEY, fields={"id": NEW_KEY})
updated.bad("PriceListEntryUpdate", "not_found", id={**KEY, "code": "x"}, price=1)
updated.bad("OrderItemUpdate", "invalid", "quantity", filter={"order_id": 1, "product_id": 7},
            quantity=0)  # fmt: skip
updated.bad("OrderItemUpdate", "invalid", "quantity", filter={"order_id": 1, "product_id": 7},
            quantity={"$dec": 100})  # fmt: skip
updated.bad("NoteUpdate", "invalid", "title", id=1, title={"$append": "x" * 200})
updated.bad("NoteUpdate", "permission_denied", "slug", id=1, slug="x")
updated.bad("PromotionUpdate", "invalid", "ends_on", id=1, ends_on="2020-01-01")
updated.bad("DocumentUpdate", "not_found", id=2, title="x")
updated.bad("EverythingUpdate", "invalid", "small", id=3, small={"$inc": 40000})
updated.bad("EverythingUpdate", "invalid", "positive", id=3, positive={"$dec": 1})
updated.bad("EverythingUpdate", "invalid", "big", id=1, big={"$multiply": 4})
updated.bad("EverythingUpdate", "invalid", "integer", id=1, integer={"$inc": 2_000_000_000})
updated.bad("EverythingUpdate", "invalid", "float", id=2, float={"$multiply": 10})
updated.bad("EverythingUpdate", "invalid", "decimal_fine", id=1, decimal_fine={"$inc": 900_000})
updated.bad("EverythingUpdate", "invalid", "json", id=1, json={"$append": 1})
updated.bad("EverythingUpdate", "conflict", "char_unique", id=3, char_unique="one")
for name, values in WRONG.items():
    for value in values:
        code = "permission_denied" if name in DENIED else "invalid"
        updated.bad("EverythingUpdate", code, name, **{"id": 4, name: value})

# --- Delete ---------------------------------------------------------------------------------------

deleted.good("OrderItemDelete", id=1)
deleted.good("OrderItemDelete", filter={"order_id": 1, "product_id": 7})
deleted.good("OrderItemDelete", id=1, dry_run=True)
deleted.good("OrderDelete", id=1)
deleted.good("CategoryDelete", id=1)
deleted.good("CategoryDelete", filter={"slug": "desks"})
deleted.good("PriceListEntryDelete", id=KEY)
deleted.good("PriceListEntryDelete", filter=KEY)
deleted.good("TagDelete", id=1)
deleted.good("NoteDelete", id=1)
deleted.good("PromotionDelete", id=1)
deleted.good("DocumentDelete", id=1)
deleted.good("EverythingDelete", id=1)
deleted.good("CountryDelete", id="BR")
deleted.good("CustomerDelete", filter={"email": "customer3@shop.example"})
deleted.bad("ProductDelete", "conflict", id=1)
deleted.bad("CountryDelete", "conflict", id="DE")
deleted.bad("ProductDelete", "not_found", id=999)
deleted.bad("DocumentDelete", "not_found", id=2)
deleted.bad("PriceListEntryDelete", "not_found", id={**KEY, "code": "x"})
deleted.bad("OrderItemDelete", "invalid", "id")
deleted.bad("OrderItemDelete", "invalid", "id", id="x")
deleted.bad("OrderItemDelete", "invalid", "id", id=2**64)
deleted.bad("OrderItemDelete", "invalid", "filter", filter={"order_id": 1})
deleted.bad("OrderItemDelete", "invalid", "filter", id=1, filter={"id": 1})
deleted.bad("OrderItemDelete", "invalid", "confirmed", id=1, confirmed=True)
deleted.bad("OrderItemDelete", "invalid", "dry_run", id=1, dry_run="maybe")
deleted.bad("OrderItemDelete", "invalid", "filter.id", filter={"id": "x"})
deleted.bad("PriceListEntryDelete", "invalid", "id.valid_from", id={"code": "x"})

# --- Upsert ---------------------------------------------------------------------------------------

upserted.good("ProductUpsert", **PRODUCT, conflict_on=["sku"])
upserted.good("ProductUpsert", **{**PRODUCT, "sku": "SKU-00001"}, conflict_on=["sku"])
upserted.good("ProductUpsert", **{**PRODUCT, "sku": "SKU-00001"}, conflict_on="sku")
upserted.good("ProductUpsert", sku="SKU-00001", stock=7, conflict_on=["sku"])
upserted.good("ProductUpsert", id=1, stock=7)
upserted.good("ProductUpsert", id=8888, **PRODUCT)
upserted.good("ProductUpsert", where={"sku": "SKU-00001"}, update={"stock": {"$inc": 1}})
upserted.good("ProductUpsert", where={"sku": "SKU-00001"}, create=PRODUCT | {"sku": "SKU-00001"})
upserted.good("ProductUpsert", where={"sku": "NEW-1"}, create=PRODUCT, update={"stock": 1})
upserted.good("ProductUpsert", where={"id": 2}, update={"tags": [1]})
upserted.good("ProductUpsert", **PRODUCT, conflict_on=["sku"], dry_run=True)
upserted.good("ProductUpsert", **PRODUCT, tags=[1], conflict_on=["sku"])
upserted.good("PriceListEntryUpsert", **ENTRY)
upserted.good("PriceListEntryUpsert", **{**KEY, "price": 2})
upserted.good("PriceListEntryUpsert", id=KEY, price=2)
upserted.good("PriceListEntryUpsert", id=NEW_KEY, price=2, conflict_on=["id"])
upserted.good("PriceListEntryUpsert", where={"id": KEY}, update={"price": 3})
upserted.good("PriceListEntryUpsert", where={"id": NEW_KEY}, create={"price": 2})
upserted.bad("PriceListEntryUpsert", "invalid", "where.id", where={"id": 1}, create={"price": 2})
upserted.bad(
    "PriceListEntryUpsert", "invalid", "where.id.code", where={"id": {"valid_from": "2030-01-01"}}
)
upserted.good("PriceListEntryUpsert", where=KEY, create={"price": 2}, update={"price": 3})
upserted.good("OrderItemUpsert", **LINE, conflict_on=["product_id", "order_id"])
upserted.good("OrderItemUpsert", order_id=1, product_id=7, quantity=9, unit_price=1,
              conflict_on=["order_id", "product_id"])  # fmt: skip
upserted.good("CountryUpsert", code="DE", name="Deutschland")
upserted.good("CountryUpsert", code="NL", name="Netherlands")
upserted.good("NoteUpsert", id=1, title="Changed Title")
upserted.good("PromotionUpsert", name="Spring", percent=20, conflict_on=["name"])
upserted.good("CategoryUpsert", slug="desks", name="Desks!", conflict_on=["slug"])
upserted.good("EverythingUpsert", **PLAIN, char_unique="one", conflict_on=["char_unique"])
upserted.good("EverythingUpsert", **PLAIN, char_unique=None, conflict_on=["char_unique"])
upserted.bad("ProductUpsert", "invalid", "id", **PRODUCT)
upserted.bad("ProductUpsert", "invalid", "name", "price", sku="NEW-1", conflict_on=["sku"])
upserted.bad("ProductUpsert", "invalid", "conflict_on", **PRODUCT, conflict_on=["name"])
upserted.bad("ProductUpsert", "invalid", "conflict_on.0", **PRODUCT, conflict_on=["skew"])
upserted.bad("ProductUpsert", "invalid", "conflict_on", **PRODUCT, conflict_on=[])
upserted.bad("ProductUpsert", "invalid", "conflict_on", **PRODUCT, conflict_on=5)
upserted.bad("ProductUpsert", "invalid", "prise", **PRODUCT, conflict_on=["sku"], prise=1)
upserted.bad("ProductUpsert", "invalid", "price", **{**PRODUCT, "price": "x"}, conflict_on=["sku"])
upserted.bad("ProductUpsert", "invalid", "stock", **PRODUCT, stock={"$inc": 1}, conflict_on=["sku"])
upserted.bad("ProductUpsert", "invalid", "where", where={"name": "x"}, create={"price": 1})
upserted.bad("ProductUpsert", "invalid", "where", where={}, create=PRODUCT)
upserted.bad("ProductUpsert", "invalid", "where", where=[1], create=PRODUCT)
upserted.bad("ProductUpsert", "invalid", "where.skew", where={"skew": "x"}, create=PRODUCT)
upserted.bad("ProductUpsert", "invalid", "create.prise", where={"sku": "NEW-1"},
             create={**PRODUCT, "prise": 1})  # fmt: skip
upserted.bad("ProductUpsert", "invalid", "update.stock", where={"sku": "SKU-00001"},
             update={"stock": {"$inc": "x"}})  # fmt: skip
upserted.bad("ProductUpsert", "invalid", "create.sku", where={"sku": "A"}, create=PRODUCT)
upserted.bad("ProductUpsert", "invalid", "update.id", where={"id": 1}, update={"id": 2})
upserted.bad("ProductUpsert", "invalid", "create", create=PRODUCT)
upserted.bad("ProductUpsert", "invalid", "name", where={"sku": "A"}, name="x")
upserted.bad("ProductUpsert", "conflict", "sku", id=1, sku="SKU-00002")
upserted.bad("ProductUpsert", "conflict", "category_id", **PRODUCT, category_id=999,
             conflict_on=["sku"])  # fmt: skip
upserted.bad("PriceListEntryUpsert", "invalid", "valid_from", code="x", price=1)
upserted.bad("OrderItemUpsert", "invalid", "conflict_on", **LINE, conflict_on=["order_id"])
upserted.bad("OrderItemUpsert", "invalid", "quantity", **LINE, quantity=0,
             conflict_on=["order_id", "product_id"])  # fmt: skip
upserted.bad("PromotionUpsert", "invalid", "ends_on", name="Spring", ends_on="2020-01-01",
             conflict_on=["name"])  # fmt: skip
