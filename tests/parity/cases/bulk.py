"""Bulk create, update, delete, upsert.

PostgreSQL gives out an id for a row that it then refuses, so after a conflict its ids are its own (`own`).
"""

from typing import Any

from tests.parity.case import Table

made, changed, removed, merged = Table(), Table(), Table(), Table()
TABLES = {
    "bulk_create": made,
    "bulk_update": changed,
    "bulk_delete": removed,
    "bulk_upsert": merged,
}

AT = "2026-01-02T03:04:05Z"
KEY = {"code": "SKU-00001", "valid_from": "2025-01-01"}
ENTRIES = [{"code": "N", "valid_from": f"2030-01-0{day}", "price": day} for day in (1, 2, 3)]


def product(number: int, **more: Any) -> dict[str, Any]:
    return {
        "sku": f"B-{number}",
        "name": f"Bulk {number}",
        "price": "2.50",
        "created_at": AT,
        **more,
    }


def everything(number: int, **more: Any) -> dict[str, Any]:
    key = f"00000000-0000-4000-8000-{number:012d}"
    return {"text": f"t{number}", "datetime": AT, "db_default_datetime": AT, "uuid": key, **more}


ROWS = [product(number) for number in range(3)]
KNOWN = {"sku": "SKU-00001", "name": "Known", "price": "1.00", "created_at": AT}
MIXED = [everything(1, float=1e20, json={"b": 1, "a": [None]}), everything(2, decimal="1.5", tags=[1]),
         everything(3, duration="P1DT1S", binary="AP8=", date="2024-02-29")]  # fmt: skip
LINES = [{"order_id": 1, "product_id": number, "unit_price": "1.00"} for number in (1, 2)]

# --- Bulk create ----------------------------------------------------------------------------------

made.good("ProductBulkCreate", data=ROWS)
made.good("ProductBulkCreate", data=[])
made.good("ProductBulkCreate", data=ROWS, return_="ids")
made.good("ProductBulkCreate", data=ROWS, return_="records")
made.good("ProductBulkCreate", data=[product(1, tags=[1, 2]), product(2)], return_="records")
made.good("ProductBulkCreate", data=ROWS, batch_size=1, return_="ids")
made.good("ProductBulkCreate", data=ROWS, dry_run=True, return_="ids")
made.good("ProductBulkCreate", data=ROWS, max_affected=3)
made.good("ProductBulkCreate", data=[*ROWS, KNOWN], conflict_on=["sku"], conflict_resolution="skip")
made.good("ProductBulkCreate", data=[*ROWS, KNOWN], conflict_resolution="skip", return_="ids")
made.own("ProductBulkCreate", data=[product(1), KNOWN, {"sku": 5}, product(2)],
          on_error="continue", return_="ids")  # fmt: skip
made.good("ProductBulkCreate", data=[product(1), product(1)], on_error="continue")
made.good(
    "ProductBulkCreate", data=[product(1, category_id=999), 5, product(2)], on_error="continue"
)
made.good("PriceListEntryBulkCreate", data=ENTRIES, return_="ids")
made.good("PriceListEntryBulkCreate", data=ENTRIES, return_="records")
made.good("EverythingBulkCreate", data=MIXED, return_="records")
made.good("NoteBulkCreate", data=[{"title": "A b"}, {"title": "C d"}], return_="records")
made.good(
    "CategoryBulkCreate",
    data=[{"name": "a", "slug": "a"}, {"name": "b", "slug": "b", "parent_id": 1}],
)
made.good("OrderItemBulkCreate", data=LINES, return_="records")
made.good("CountryBulkCreate", data=[{"code": "NL", "name": "n"}], return_="ids")
made.bad("ProductBulkCreate", "invalid", "data")
made.bad("ProductBulkCreate", "invalid", "data", data={"sku": "x"})
made.bad("ProductBulkCreate", "invalid", "data", data="x")
made.bad("ProductBulkCreate", "invalid", "data.1", data=[product(1), 5])
made.bad(
    "ProductBulkCreate", "invalid", "data.1.name", "data.1.price", data=[product(1), {"sku": "x"}]
)
made.bad("ProductBulkCreate", "invalid", "data.0.prise", data=[product(1, prise=1)])
made.bad("ProductBulkCreate", "invalid", "data.2.price", data=[*ROWS[:2], product(2, price="x")])
made.bad("ProductBulkCreate", "invalid", "data.1.sku", data=[product(1), product(1)])
made.bad("ProductBulkCreate", "invalid", "data.0.stock", data=[product(1, stock={"$inc": 1})])
made.bad("ProductBulkCreate", "conflict", "data.1.sku", data=[product(1), KNOWN])
made.bad(
    "ProductBulkCreate",
    "conflict",
    "data.1.category_id",
    data=[product(1), product(2, category_id=999)],
)
made.bad("ProductBulkCreate", "conflict", "data.0.tags", data=[product(1, tags=[999])])
made.bad("ProductBulkCreate", "limit_exceeded", data=ROWS, max_affected=2)
made.bad("ProductBulkCreate", "invalid", "return", data=ROWS, return_="all")
made.bad("ProductBulkCreate", "invalid", "on_error", data=ROWS, on_error="ignore")
made.bad(
    "ProductBulkCreate", "invalid", "conflict_resolution", data=ROWS, conflict_resolution="update"
)
made.bad("ProductBulkCreate", "invalid", "conflict_on", data=ROWS, conflict_on=["name"])
made.bad("ProductBulkCreate", "invalid", "batch_size", data=ROWS, batch_size=0)
made.bad("ProductBulkCreate", "invalid", "max_affected", data=ROWS, max_affected=-1)
made.bad("ProductBulkCreate", "invalid", "confirmed", data=ROWS, confirmed=True)
made.bad("OrderItemBulkCreate", "conflict", "data.1.order_id", "data.1.product_id",
         data=[LINES[0], {"order_id": 999, "product_id": 999, "unit_price": 1}])  # fmt: skip
made.bad("OrderItemBulkCreate", "invalid", "data.0.quantity", data=[{**LINES[0], "quantity": 0}])
made.bad("OrderItemBulkCreate", "conflict", "data.0.order_id", "data.0.product_id",
         data=[{**LINES[0], "product_id": 7}])  # fmt: skip
made.good("PriceListEntryBulkCreate", return_="ids",
          data=[{"id": {"code": "N", "valid_from": "2030-01-09"}, "price": 1}, ENTRIES[0]])  # fmt: skip
made.bad("PriceListEntryBulkCreate", "invalid", "data.0.id.valid_from", "data.1.id",
         data=[{"id": {"code": "N"}, "price": 1}, {"id": "N,2030-01-09", "price": 1}])  # fmt: skip
made.bad("PriceListEntryBulkCreate", "conflict", "data.1.code", "data.1.valid_from",
         data=[ENTRIES[0], {**KEY, "price": 1}])  # fmt: skip
made.bad(
    "EverythingBulkCreate", "invalid", "data.1.big", data=[everything(1), everything(2, big=2**63)]
)
made.bad(
    "NoteBulkCreate",
    "permission_denied",
    "data.1.slug",
    data=[{"title": "x"}, {"title": "y", "slug": "z"}],
)
made.bad("NoteBulkCreate", "invalid", "data.1.title", data=[{"title": "x"}, {"title": "y" * 101}])

# --- Bulk update ----------------------------------------------------------------------------------

changed.good("ProductBulkUpdate", filter={"active": False}, fields={"stock": 0})
changed.good(
    "ProductBulkUpdate", filter={"active": False}, fields={"stock": {"$inc": 2}}, return_="ids"
)
changed.good("ProductBulkUpdate", filter={"active": False}, fields={"price": {"$multiply": "0.5"}},
             return_="records")  # fmt: skip
changed.good("ProductBulkUpdate", filter={"sku": "none"}, fields={"stock": 0})
changed.good("ProductBulkUpdate", filter={}, fields={"stock": 0}, confirmed=True)
changed.good(
    "ProductBulkUpdate", filter={"tags": {"$some": {"name": "eco"}}}, fields={"active": False}
)
changed.good(
    "ProductBulkUpdate", filter={"id": {"$lt": 4}}, fields={"tags": [2]}, return_="records"
)
changed.good(
    "ProductBulkUpdate", filter={"id": 1}, fields={"name": {"$append": "!"}}, return_="records"
)
changed.good("ProductBulkUpdate", filter={"id": {"$lt": 4}}, fields={"stock": 1}, max_affected=3)
changed.good("ProductBulkUpdate", filter={"id": {"$lt": 4}}, fields={"stock": 1}, dry_run=True)
changed.good(
    "ProductBulkUpdate", data=[{"id": 2, "stock": 1}, {"id": 1, "stock": 2}], return_="records"
)
changed.good("ProductBulkUpdate", data=[{"id": 2, "stock": {"$inc": 1}}, {"id": 1, "name": "x"}],
             return_="records")  # fmt: skip
changed.good("ProductBulkUpdate", data=[])
changed.good("ProductBulkUpdate", data=[{"id": 1}], return_="ids")
changed.good("ProductBulkUpdate", data=[{"id": 999, "stock": 1}, {"id": 1, "stock": 1}, {"stock": 5}, 5],
             on_error="continue", return_="ids")  # fmt: skip
changed.good("PriceListEntryBulkUpdate", data=[{**KEY, "price": 5}], return_="records")
changed.good("PriceListEntryBulkUpdate", data=[{"id": KEY, "note": "n"}], return_="ids")
changed.bad("PriceListEntryBulkUpdate", "invalid", "code", "valid_from", filter=KEY,
            fields={"id": {**KEY, "code": "x"}})  # fmt: skip
changed.good(
    "PriceListEntryBulkUpdate", filter={"code": "SKU-00001"}, fields={"price": {"$inc": 1}}
)
changed.good(
    "NoteBulkUpdate", filter={"id": {"$in": [1, 2]}}, fields={"title": "Same"}, return_="records"
)
changed.good(
    "NoteBulkUpdate", data=[{"id": 1, "title": "One"}, {"id": 2, "body": "b"}], return_="records"
)
changed.good("EverythingBulkUpdate", data=[{"id": 1, "json": {"b": 1, "a": 2}, "float": 1e20},
             {"id": 2, "json": [1], "float": 0.5}], return_="records")  # fmt: skip
changed.good("EverythingBulkUpdate", filter={"id": {"$in": [1, 3]}}, fields={"json_null": {"$append": 1}},
             return_="ids", on_error="stop")  # fmt: skip
changed.good("DocumentBulkUpdate", filter={}, fields={"owner_id": 2}, confirmed=True, return_="ids")
changed.bad("ProductBulkUpdate", "invalid", "filter")
changed.bad("ProductBulkUpdate", "invalid", "filter", fields={"stock": 1})
changed.bad("ProductBulkUpdate", "invalid", "fields", filter={"id": 1})
changed.bad("ProductBulkUpdate", "invalid", "fields", filter={"id": 1}, fields={})
changed.bad("ProductBulkUpdate", "invalid", "confirmed", filter={}, fields={"stock": 1})
changed.bad("ProductBulkUpdate", "invalid", "confirmed", filter={"$and": []}, fields={"stock": 1})
changed.bad(
    "ProductBulkUpdate", "invalid", "confirmed", filter={}, fields={"stock": 1}, confirmed="maybe"
)
changed.bad("ProductBulkUpdate", "invalid", "prise", filter={"id": 1}, fields={"prise": 1})
changed.bad("ProductBulkUpdate", "invalid", "id", filter={"id": 1}, fields={"id": 2})
changed.bad(
    "ProductBulkUpdate", "invalid", "filter.prise", filter={"prise": 1}, fields={"stock": 1}
)
changed.bad("ProductBulkUpdate", "invalid", "stock", filter={"id": 1}, fields={"stock": "x"})
changed.bad(
    "ProductBulkUpdate",
    "invalid",
    "stock",
    filter={"id": {"$lt": 9}},
    fields={"stock": {"$inc": 2**31 - 1}},
)
changed.bad(
    "ProductBulkUpdate", "conflict", "sku", filter={"id": {"$lt": 3}}, fields={"sku": "same"}
)
changed.bad(
    "ProductBulkUpdate", "conflict", "category_id", filter={"id": 1}, fields={"category_id": 999}
)
changed.bad(
    "ProductBulkUpdate",
    "limit_exceeded",
    filter={"id": {"$lt": 9}},
    fields={"stock": 1},
    max_affected=7,
)
changed.bad("ProductBulkUpdate", "invalid", "filter", filter={"id": 1}, data=[{"id": 1}])
changed.bad(
    "ProductBulkUpdate",
    "invalid",
    "on_error",
    filter={"id": 1},
    fields={"stock": 1},
    on_error="continue",
)
changed.bad("ProductBulkUpdate", "invalid", "stock", filter={"id": 1}, stock=1)
changed.bad("ProductBulkUpdate", "invalid", "data.1.id", data=[{"id": 1, "stock": 1}, {"stock": 1}])
changed.bad("ProductBulkUpdate", "invalid", "data.0.id", data=[{"id": "x", "stock": 1}])
changed.bad(
    "ProductBulkUpdate", "invalid", "data.1.id", data=[{"id": 1, "stock": 1}, {"id": 1, "stock": 2}]
)
changed.bad("ProductBulkUpdate", "invalid", "data.0.stock", data=[{"id": 1, "stock": "x"}])
changed.bad(
    "ProductBulkUpdate",
    "not_found",
    "data.1",
    data=[{"id": 1, "stock": 1}, {"id": 999, "stock": 1}],
)
changed.bad(
    "ProductBulkUpdate",
    "conflict",
    "data.1.sku",
    data=[{"id": 1, "sku": "X"}, {"id": 2, "sku": "SKU-00003"}],
)
changed.bad(
    "PriceListEntryBulkUpdate", "invalid", "data.0.id.valid_from", data=[{"code": "x", "price": 1}]
)
changed.bad("NoteBulkUpdate", "permission_denied", "data.0.slug", data=[{"id": 1, "slug": "x"}])
changed.bad(
    "OrderItemBulkUpdate",
    "invalid",
    "quantity",
    filter={"order_id": 1},
    fields={"quantity": {"$dec": 99}},
)
changed.bad("DocumentBulkUpdate", "not_found", "data.0", data=[{"id": 2, "title": "x"}])

# --- Bulk delete ----------------------------------------------------------------------------------

removed.good("OrderItemBulkDelete", filter={"order_id": {"$lt": 4}})
removed.good("OrderItemBulkDelete", filter={"order_id": 1}, return_="records")
removed.good("OrderItemBulkDelete", ids=[1, 2, 999], return_="ids")
removed.good("OrderItemBulkDelete", ids=[])
removed.good("OrderItemBulkDelete", ids=[1, 1])
removed.good("OrderItemBulkDelete", filter={}, confirmed=True)
removed.good("OrderItemBulkDelete", filter={"id": -1})
removed.good("OrderItemBulkDelete", filter={"order_id": 1}, dry_run=True)
removed.good("OrderItemBulkDelete", ids=[1, 2], max_affected=2)
removed.good("PriceListEntryBulkDelete", ids=[KEY, {**KEY, "code": "none"}], return_="ids")
removed.good("PriceListEntryBulkDelete", filter={"valid_from": "2026-01-01"})
removed.good("CategoryBulkDelete", filter={"slug": "home"}, return_="ids")
removed.good("OrderBulkDelete", filter={"status": "cancelled"}, return_="ids")
removed.good("DocumentBulkDelete", ids=[1, 2, 3], return_="ids")
removed.good("DocumentBulkDelete", filter={}, confirmed=True)
removed.good("NoteBulkDelete", filter={"title": {"$contains": "note"}})
removed.good("EverythingBulkDelete", ids=[1, 2], return_="records")
removed.bad("OrderItemBulkDelete", "invalid", "filter")
removed.bad("OrderItemBulkDelete", "invalid", "ids", ids=[1], filter={"id": 1})
removed.bad("OrderItemBulkDelete", "invalid", "confirmed", filter={})
removed.bad("OrderItemBulkDelete", "invalid", "confirmed", filter={}, confirmed=False)
removed.bad("OrderItemBulkDelete", "invalid", "ids.1", ids=[1, "x"])
removed.bad("OrderItemBulkDelete", "invalid", "ids", ids="1")
removed.bad("OrderItemBulkDelete", "invalid", "ids", ids={"id": 1})
removed.bad("OrderItemBulkDelete", "limit_exceeded", ids=[1, 2, 3], max_affected=2)
removed.bad(
    "OrderItemBulkDelete", "limit_exceeded", filter={"order_id": {"$lt": 9}}, max_affected=1
)
removed.bad("OrderItemBulkDelete", "invalid", "filter.prise", filter={"prise": 1})
removed.bad("OrderItemBulkDelete", "invalid", "return", ids=[1], return_="x")
removed.bad("OrderItemBulkDelete", "invalid", "data", data=[1])
removed.bad("PriceListEntryBulkDelete", "invalid", "ids.0.valid_from", ids=[{"code": "x"}])
removed.bad("ProductBulkDelete", "conflict", ids=[1])
removed.bad("ProductBulkDelete", "conflict", filter={}, confirmed=True)

# --- Bulk upsert ----------------------------------------------------------------------------------

merged.good("ProductBulkUpsert", data=[*ROWS, KNOWN], conflict_on=["sku"])
merged.good("ProductBulkUpsert", data=[*ROWS, KNOWN], conflict_on=["sku"], return_="ids")
merged.own("ProductBulkUpsert", data=[KNOWN, *ROWS], conflict_on=["sku"], return_="records")
merged.good(
    "ProductBulkUpsert",
    data=[*ROWS, KNOWN],
    conflict_on=["sku"],
    conflict_resolution="skip",
    return_="ids",
)
merged.good("ProductBulkUpsert", data=ROWS, conflict_on=["sku"], conflict_resolution="error")
merged.good(
    "ProductBulkUpsert", data=[{"id": 1, "stock": 5}, {"id": 2, "stock": 6}], return_="records"
)
merged.good(
    "ProductBulkUpsert",
    data=[{"sku": "SKU-00001", "stock": 5}],
    conflict_on=["sku"],
    return_="records",
)
merged.good("ProductBulkUpsert", data=[*reversed(ROWS)], conflict_on=["sku"], return_="records")
merged.good("ProductBulkUpsert", data=[], conflict_on=["sku"])
merged.good("ProductBulkUpsert", data=[KNOWN], conflict_on=["sku"], dry_run=True)
merged.own("ProductBulkUpsert", data=[product(1), {"sku": "x"}, {"name": "y"}, KNOWN], conflict_on=["sku"],
            on_error="continue", return_="ids")  # fmt: skip
merged.good("PriceListEntryBulkUpsert", data=[*ENTRIES, {**KEY, "price": 9}], return_="records")
merged.good("PriceListEntryBulkUpsert", data=[ENTRIES[0], {"id": KEY, "price": 9}], return_="ids")
merged.good("PriceListEntryBulkUpsert", data=[{"id": KEY, "price": 9}], conflict_on=["id"])
merged.good("OrderItemBulkUpsert", data=[*LINES, {**LINES[0], "product_id": 7}], conflict_on=["order_id", "product_id"],
            return_="records")  # fmt: skip
merged.good(
    "NoteBulkUpsert",
    data=[{"id": 1, "title": "Un"}, {"id": 77, "title": "Deux"}],
    return_="records",
)
merged.good(
    "CountryBulkUpsert",
    data=[{"code": "DE", "name": "D"}, {"code": "NL", "name": "N"}],
    return_="ids",
)
merged.own("EverythingBulkUpsert", data=[everything(1, char_unique="one"), everything(2, char_unique=None)],
            conflict_on=["char_unique"], return_="records")  # fmt: skip
merged.bad("ProductBulkUpsert", "invalid", "data")
merged.bad(
    "ProductBulkUpsert",
    "invalid",
    "data.0.name",
    "data.0.price",
    data=[{"sku": "x"}],
    conflict_on=["sku"],
)
merged.bad(
    "ProductBulkUpsert",
    "invalid",
    "data.0.sku",
    data=[{"name": "x", "price": 1}],
    conflict_on=["sku"],
)
merged.bad(
    "ProductBulkUpsert", "invalid", "data.1.sku", data=[product(1), product(1)], conflict_on=["sku"]
)
merged.bad(
    "ProductBulkUpsert",
    "invalid",
    "data.0.price",
    data=[product(1, price="x")],
    conflict_on=["sku"],
)
merged.bad("ProductBulkUpsert", "invalid", "conflict_on", data=ROWS, conflict_on=["name"])
merged.bad(
    "ProductBulkUpsert", "invalid", "conflict_resolution", data=ROWS, conflict_resolution="merge"
)
merged.bad("ProductBulkUpsert", "conflict", "data.1.sku", data=[product(1), KNOWN], conflict_on=["sku"],
           conflict_resolution="error")  # fmt: skip
merged.bad("ProductBulkUpsert", "conflict", "data.0.sku", data=[{"id": 1, "sku": "SKU-00002"}])
merged.bad("ProductBulkUpsert", "conflict", "data.0.category_id", data=[product(1, category_id=999)],
           conflict_on=["sku"])  # fmt: skip
merged.bad("ProductBulkUpsert", "limit_exceeded", data=ROWS, conflict_on=["sku"], max_affected=1)
merged.bad("ProductBulkUpsert", "invalid", "where", data=ROWS, where={"sku": "x"})
merged.bad("OrderItemBulkUpsert", "invalid", "data.0.quantity", data=[{**LINES[0], "quantity": 0}],
           conflict_on=["order_id", "product_id"])  # fmt: skip
merged.bad(
    "PriceListEntryBulkUpsert", "invalid", "data.0.valid_from", data=[{"code": "x", "price": 1}]
)
