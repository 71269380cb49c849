"""Aggregate."""

from typing import Any

from tests.parity.case import Table

aggregated = Table()
TABLES = {"aggregate": aggregated}

N = {"n": {"$count": "*"}}
FIELDS: dict[str, list[str]] = {
    "$sum": ["small", "integer", "big", "positive_big", "decimal", "decimal_fine", "duration"],
    "$avg": ["small", "integer", "big", "decimal", "decimal_fine", "float_null", "duration"],
    "$min": ["integer", "decimal", "float", "date", "time", "datetime_null", "duration", "uuid", "boolean", "slug"],
    "$max": ["integer", "decimal", "float", "date", "time", "datetime_null", "duration", "uuid", "boolean", "slug"],
    "$count": ["text", "char_null", "json_null", "boolean_null", "id", "ip", "binary_null"],
    "$count_distinct": ["text", "char_null", "level", "colour", "datetime", "decimal_null", "parent_id"],
}  # fmt: skip
for function, names in FIELDS.items():
    for name in names:
        aggregated.good("EverythingAggregate", aggregate={"x": {function: name}})
        aggregated.good("EverythingAggregate", aggregate={"x": {function: name}}, filter={"id": -1})
GROUPS: list[tuple[str, list[Any]]] = [
    ("Product", ["active"]),
    ("Product", ["category_id"]),
    ("Product", ["category_id", "active"]),
    ("Product", ["category.slug"]),
    ("Product", [{"$date_trunc": ["day", "created_at"]}]),
    ("Product", [{"$date_trunc": ["week", "created_at"]}, "active"]),
    ("Order", ["status", {"$date_trunc": ["month", "placed_at"]}]),
    ("Order", [{"$date_trunc": ["quarter", "placed_at"]}]),
    ("Order", ["customer.country.code"]),
    ("PriceListEntry", [{"$date_trunc": ["year", "valid_from"]}]),
    ("Everything", ["colour", "level"]),
    ("Everything", ["float"]),
    ("Everything", ["decimal_null"]),
    ("Everything", ["date"]),
    ("Everything", ["duration"]),
    ("Everything", ["boolean_null"]),
    ("Everything", ["uuid_null"]),
    ("Everything", [{"$date_trunc": ["hour", "datetime_null"]}]),
]
for model, keys in GROUPS:
    aggregated.good(f"{model}Aggregate", group_by=keys, aggregate=N)
aggregated.good("OrderAggregate", group_by={"$date_trunc": ["month", "placed_at"]}, aggregate=N)
MONEY = {"revenue": {"$sum": "total"}, "mean": {"$avg": "total"}, **N}
aggregated.good("OrderAggregate", aggregate=MONEY)
aggregated.good("OrderAggregate", group_by=["status"], aggregate=MONEY, order_by=["-revenue"])
aggregated.good("OrderAggregate", group_by="status", aggregate=MONEY, having={"n": {"$gt": 12}})
aggregated.good(
    "OrderAggregate",
    group_by=["customer_id"],
    aggregate=MONEY,
    order_by=["-n", "customer_id"],
    limit=3,
)
aggregated.good("OrderAggregate", group_by=["customer_id"], limit=0)
aggregated.good("OrderAggregate", group_by=["status"])
aggregated.good("ProductAggregate", aggregate=N, filter={"category": {"parent": {"slug": "home"}}})
aggregated.good(
    "ProductAggregate", group_by=["category_id"], aggregate=N, having={"category_id": None}
)
aggregated.good(
    "ProductAggregate",
    group_by=["category_id"],
    aggregate=N,
    having={"$or": [{"n": 4}, {"n": {"$in": [5]}}]},
)
aggregated.good(
    "ProductAggregate", group_by=["category_id"], aggregate=N, order_by=["category_id:nullsfirst"]
)
aggregated.good("DocumentAggregate", aggregate=N)

aggregated.bad("ProductAggregate", "invalid", "aggregate")
aggregated.bad("ProductAggregate", "invalid", "aggregate", aggregate={}, group_by=[])
aggregated.bad("ProductAggregate", "invalid", "aggregate", aggregate=[1])
aggregated.bad("ProductAggregate", "invalid", "aggregate.x", aggregate={"x": "price"})
aggregated.bad(
    "ProductAggregate",
    "invalid",
    "aggregate.x",
    aggregate={"x": {"$sum": "price", "$avg": "price"}},
)
aggregated.bad(
    "ProductAggregate", "invalid", "aggregate.x.$median", aggregate={"x": {"$median": "price"}}
)
aggregated.bad(
    "ProductAggregate", "invalid", "aggregate.x.$sum", aggregate={"x": {"$sum": "prise"}}
)
aggregated.bad("ProductAggregate", "invalid", "aggregate.x.$sum", aggregate={"x": {"$sum": "name"}})
aggregated.bad("ProductAggregate", "invalid", "aggregate.x.$sum", aggregate={"x": {"$sum": "*"}})
aggregated.bad("ProductAggregate", "invalid", "aggregate.x.$sum", aggregate={"x": {"$sum": 5}})
aggregated.bad(
    "ProductAggregate", "invalid", "aggregate.x.$max", aggregate={"x": {"$max": "attrs"}}
)
aggregated.bad("ProductAggregate", "invalid", "aggregate.x.$sum", aggregate={"x": {"$sum": "tags"}})
aggregated.bad("ProductAggregate", "invalid", 'aggregate.a"b', aggregate={'a"b': {"$count": "*"}})
aggregated.bad(
    "ProductAggregate",
    "invalid",
    "aggregate.active",
    group_by=["active"],
    aggregate={"active": N["n"]},
)
aggregated.bad("ProductAggregate", "invalid", "group_by.0", group_by=["prise"], aggregate=N)
aggregated.bad("ProductAggregate", "invalid", "group_by.0", group_by=["attrs"], aggregate=N)
aggregated.bad("ProductAggregate", "invalid", "group_by.0", group_by=["tags"], aggregate=N)
aggregated.bad(
    "ProductAggregate", "invalid", "group_by.1", group_by=["active", "active"], aggregate=N
)
aggregated.bad("ProductAggregate", "invalid", "group_by", group_by=5, aggregate=N)
aggregated.bad("ProductAggregate", "invalid", "group_by.0", group_by=[5], aggregate=N)
aggregated.bad(
    "ProductAggregate",
    "invalid",
    "group_by.0.$date_trunc.0",
    group_by=[{"$date_trunc": ["eon", "created_at"]}],
)
aggregated.bad(
    "ProductAggregate",
    "invalid",
    "group_by.0.$date_trunc.1",
    group_by=[{"$date_trunc": ["day", "name"]}],
)
aggregated.bad(
    "ProductAggregate", "invalid", "group_by.0.$date_trunc", group_by=[{"$date_trunc": "day"}]
)
aggregated.bad(
    "ProductAggregate",
    "invalid",
    "group_by.0.$bucket",
    group_by=[{"$bucket": ["day", "created_at"]}],
)
aggregated.bad(
    "ProductAggregate",
    "invalid",
    "having.prise",
    group_by=["active"],
    aggregate=N,
    having={"prise": 1},
)
aggregated.bad("ProductAggregate", "invalid", "having.n", aggregate=N, having={"n": "x"})
aggregated.bad("ProductAggregate", "invalid", "order_by.0", aggregate=N, order_by=["price"])
aggregated.bad("ProductAggregate", "invalid", "limit", aggregate=N, limit=-1)
aggregated.bad("ProductAggregate", "invalid", "limit", aggregate=N, limit=1001)
aggregated.bad("ProductAggregate", "invalid", "filter.prise", aggregate=N, filter={"prise": 1})
aggregated.bad("ProductAggregate", "invalid", "offset", aggregate=N, offset=1)
aggregated.bad(
    "EverythingAggregate", "invalid", "aggregate.x.$avg", aggregate={"x": {"$avg": "boolean"}}
)
