"""Aggregate against the same numbers computed in Python: every function, every kind of value."""

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.db import connections
from django.db.models import DecimalField, ExpressionWrapper, F

from dataflow_nexus import Invalid
from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.conf import Configuration
from dataflow_nexus.execution import execute
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.operations.verbs import VERBS
from dataflow_nexus.registry import Registry
from testproject.pgtypes.models import Ranges
from testproject.shop.models import (
    Document,
    Everything,
    Order,
    Product,
)
from tests.operations.aggregates import (
    Run,
    everything,
    groups,
    mean,
    moment,
    result,
)


def test_every_function_over_all_rows(run: Run) -> None:
    products = list(Product.objects.all())
    prices = [product.price for product in products]
    stocks = [product.stock for product in products]
    [found] = groups(
        run,
        "Product",
        aggregate={
            "n": {"$count": "*"},
            "with_category": {"$count": "category"},
            "names": {"$count_distinct": "name"},
            "revenue": {"$sum": "price"},
            "price": {"$avg": "price"},
            "cheapest": {"$min": "price"},
            "dearest": {"$max": "price"},
            "stock": {"$sum": "stock"},
            "mean_stock": {"$avg": "stock"},
            "first": {"$min": "created_at"},
            "last": {"$max": "created_at"},
            "all_active": {"$min": "active"},
            "any_active": {"$max": "active"},
            "skus": {"$max": "sku"},
        },
    )
    assert found == {
        "n": len(products),
        "with_category": len([product for product in products if product.category_id]),
        "names": len({product.name for product in products}),
        "revenue": str(sum(prices)),
        "price": mean(prices, 6),
        "cheapest": str(min(prices)),
        "dearest": str(max(prices)),
        "stock": sum(stocks),
        "mean_stock": sum(stocks) / len(stocks),
        "first": moment(min(product.created_at for product in products)),
        "last": moment(max(product.created_at for product in products)),
        "all_active": False,
        "any_active": True,
        "skus": max(product.sku for product in products),
    }


def test_results_stand_in_the_order_asked_for_after_the_keys(nexus: Nexus, database: str) -> None:
    answer = nexus.execute_json(
        "ProductAggregateNode",
        {
            "group_by": ["active"],
            "aggregate": {"z": {"$count": "*"}, "a": {"$sum": "price"}},
            "filter": {"sku": "SKU-00001"},
        },
    )
    assert answer == b'{"groups":[{"active":true,"z":1,"a":"197.17"}]}'


def test_it_is_one_statement(run: Run, statements: Any) -> None:
    with statements() as seen:
        groups(
            run,
            "OrderItem",
            group_by=["product.category.name", "order.customer.country"],
            aggregate={"n": {"$sum": "quantity"}},
            having={"n": {"$gt": 1}},
        )
    assert len(seen) == 1


def test_nothing_to_aggregate(run: Run) -> None:
    nothing = {
        "filter": {"sku": "no such"},
        "aggregate": {"s": {"$sum": "price"}, "n": {"$count": "*"}},
    }
    assert groups(run, "Product", **nothing) == [{"s": None, "n": 0}]
    assert groups(run, "Product", group_by=["active"], **nothing) == []
    nulls = {
        "filter": {"sku": "no such"},
        "aggregate": {"a": {"$avg": "price"}, "b": {"$avg": "stock"}},
    }
    assert groups(run, "Product", **nulls) == [{"a": None, "b": None}]


def test_groups_without_results_are_the_distinct_keys(run: Run) -> None:
    found = groups(run, "Order", group_by=["status"])
    assert found == [
        {"status": status} for status in sorted(set(Order.objects.values_list("status", flat=True)))
    ]


def test_an_average_of_decimals_is_rounded_once_half_even(run: Run) -> None:
    """32 rows make ties at the sixth digit: 0.01 / 32 = 0.0003125, 0.03 / 32 = 0.0009375."""
    everything(31, code="A1")
    everything(1, code="A1", decimal=Decimal("0.01"))
    everything(31, code="A2")
    everything(1, code="A2", decimal=Decimal("0.03"))
    everything(31, code="A3")
    everything(1, code="A3", decimal=Decimal("-0.01"))
    found = groups(run, "Everything", group_by=["code"], aggregate={"a": {"$avg": "decimal"}})
    assert [group["a"] for group in found] == ["0.000312", "0.000938", "-0.000312"]
    for group in found:
        [same] = groups(
            run,
            "Everything",
            group_by=["code"],
            aggregate={"a": {"$avg": "decimal"}},
            having={"a": group["a"]},
        )
        assert same == group, "having compares what is shown"


def test_a_tiny_negative_average_has_no_sign(run: Run) -> None:
    everything(99_999 // 100)
    everything(1, decimal_fine=Decimal("-0.000000001"))
    everything(1, decimal_fine=Decimal("0.000000001"))
    assert result(run, "Everything", "$avg", "decimal_fine") == "0.0000000000000"
    assert result(run, "Everything", "$sum", "decimal_fine") == "0.000000000"


def test_sums_of_decimals_are_exact(run: Run) -> None:
    """Thousands of doubles added up would be off in the last digits."""
    values = [Decimal(n * 7919 % 99_999_999) / 100 for n in range(5000)]
    fine = [Decimal(n * 104_729 % 10**14) / 10**9 for n in range(5000)]
    Everything.objects.bulk_create(
        Everything(text="it", decimal=value, decimal_fine=other)
        for value, other in zip(values, fine, strict=True)
    )
    assert result(run, "Everything", "$sum", "decimal") == str(sum(values))
    assert result(run, "Everything", "$sum", "decimal_fine") == f"{sum(fine):.9f}"
    assert result(run, "Everything", "$avg", "decimal_fine") == mean(fine, 13)
    assert result(run, "Everything", "$sum", "decimal_whole") == "0"


def test_sums_of_integers_pass_64_bits(nexus: Nexus, database: str) -> None:
    everything(3, big=2**63 - 1, integer=2**31 - 2)
    everything(1, code="B2", big=-(2**63))
    answer = nexus.execute_json(
        "EverythingAggregateNode",
        {
            "group_by": ["code"],
            "aggregate": {"s": {"$sum": "big"}, "a": {"$avg": "big"}, "i": {"$sum": "integer"}},
            "having": {"s": {"$gt": 2**63 - 1}},
        },
    )
    assert answer == (
        b'{"groups":[{"code":"A1","s":27670116110564327421,"a":9.223372036854776e+18,"i":6442450938}]}'
    )


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((1, 2), b"1.5"),
        ((1, 1, 2), b"1.3333333333333333"),
        ((0, 0, 2), b"0.6666666666666666"),
        ((10, 20), b"15"),
        ((-1, 0, 0), b"-0.3333333333333333"),
        ((2**53, 2**53 + 2), b"9.007199254740992e+15"),
        ((1_234_567_890_123_456_789, 1, 1), b"4.1152263004115226e+17"),
        ((7,) * 3 + (8,) * 4, b"7.571428571428571"),
    ],
)
def test_an_average_of_integers_is_the_nearest_double(
    nexus: Nexus, database: str, values: tuple[int, ...], shown: bytes
) -> None:
    for value in values:
        everything(big=value)
    params = {"aggregate": {"a": {"$avg": "big"}}}
    assert (
        nexus.execute_json("EverythingAggregateNode", params)
        == b'{"groups":[{"a":' + shown + b"}]}"
    )
    params["having"] = {"a": float(shown)}  # type: ignore[dict-item]  # a filter, not functions
    assert b'"a"' in nexus.execute_json("EverythingAggregateNode", params)


def test_doubles(nexus: Nexus, database: str) -> None:
    for value in (0.5, 0.25, 100.0, None):
        everything(float_null=value)
    aggregate = {
        name[1:]: {name: "float_null"} for name in ("$sum", "$avg", "$min", "$max", "$count")
    }
    answer = nexus.execute_json("EverythingAggregateNode", {"aggregate": aggregate})
    assert (
        answer
        == b'{"groups":[{"sum":100.75,"avg":33.583333333333336,"min":0.25,"max":100,"count":3}]}'
    )


def test_a_sum_beyond_all_doubles_is_named(run: Run) -> None:
    everything(2, float=1.7e308)
    with pytest.raises(Invalid) as caught:
        groups(run, "Everything", aggregate={"n": {"$count": "*"}, "far": {"$sum": "float"}})
    assert [(item.field, item.code) for item in caught.value.errors] == [("aggregate.far", "range")]
    assert '"far"' in caught.value.detail


def test_durations(run: Run) -> None:
    spans = [
        dt.timedelta(hours=20),
        dt.timedelta(hours=20, microseconds=1),
        dt.timedelta(days=-3, seconds=5),
        None,
    ]
    for span in spans:
        everything(duration=span)
    [found] = groups(
        run,
        "Everything",
        aggregate={name[1:]: {name: "duration"} for name in ("$sum", "$avg", "$min", "$max")},
    )
    assert found == {
        "sum": "P-2DT16H5.000001S",
        "avg": "P-1DT13H20M1.666667S",
        "min": "P-3DT5S",
        "max": "PT20H0.000001S",
    }
    assert groups(
        run, "Everything", aggregate={"s": {"$sum": "duration"}}, having={"s": found["sum"]}
    ) == [{"s": found["sum"]}]


VALUES: dict[str, Any] = {
    "boolean_null": True,
    "integer_null": -5,
    "big": 2**62,
    "positive_small": 7,
    "float_null": 1e20,
    "decimal_null": Decimal("-12.50"),
    "decimal_whole": Decimal(900),
    "decimal_fine": Decimal("0.000000001"),
    "char_null": 'Zoë "quoted" \\ line\nend',
    "text": "",
    "date": dt.date(2024, 2, 29),
    "time": dt.time(23, 59, 59, 500_000),
    "datetime_null": dt.datetime(2024, 12, 31, 23, 30, 0, 120_000, tzinfo=dt.UTC),
    "duration": dt.timedelta(days=1, seconds=3, microseconds=5),
    "uuid_null": "12345678-1234-5678-1234-567812345678",
    "country_id": "DE",
    "generated": None,
}


@pytest.mark.parametrize("name", VALUES)
def test_keys_and_extremes_look_as_in_records(run: Run, name: str) -> None:
    made = {} if name == "generated" else {name: VALUES[name]}
    Everything.objects.create(**{"text": "it", **made})
    [record] = run("EverythingList")["records"]
    assert groups(run, "Everything", group_by=[name]) == [{name: record[name]}]
    for function in ("$min", "$max"):
        assert result(run, "Everything", function, name) == record[name]
    assert result(run, "Everything", "$count_distinct", name) == 1
    assert groups(run, "Everything", group_by=[name], having={name: record[name]}) == [
        {name: record[name]}
    ]


def test_values_that_differ_only_in_bytes_are_one_group(run: Run) -> None:
    everything(1, decimal=Decimal("1.5"))
    everything(1, decimal=Decimal("1.50"))
    assert groups(run, "Everything", group_by=["decimal"], aggregate={"n": {"$count": "*"}}) == [
        {"decimal": "1.50", "n": 2}
    ]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [("binary", b"\x00\xff", "AP8="), ("ip", "10.0.0.1", "10.0.0.1"), ("ip", "::1", "::1")],
)
def test_values_without_extremes_are_grouped_and_counted(
    run: Run, name: str, value: Any, shown: str
) -> None:
    everything(2, **{name: value})
    found = groups(run, "Everything", group_by=[name], aggregate={"n": {"$count_distinct": name}})
    assert found == [{name: shown, "n": 1}]
    with pytest.raises(Invalid, match=r"\$min takes"):
        result(run, "Everything", "$min", name)


def test_rows_are_those_of_the_default_manager(run: Run) -> None:
    Document.objects.create(title="living")
    Document.objects.create(title="gone", deleted_at="2025-01-01T00:00:00Z")
    found = groups(run, "Document", group_by=["title"], aggregate={"n": {"$count": "*"}})
    assert {
        group["title"]: group["n"] for group in found if group["title"] in ("living", "gone")
    } == {"living": 1}


def test_expressions_of_the_database_are_fields(database: str) -> None:
    value = ExpressionWrapper(
        F("price") * F("stock"), output_field=DecimalField(decimal_places=2, max_digits=14)
    )
    registry = Registry()
    registry.register(
        Product, computed={"worth": value, "shout": lambda product: product.name.upper()}
    )
    catalog = Catalog(registry, Configuration(), VERBS)

    def run(**params: Any) -> Any:
        operation = catalog.node("ProductAggregateNode", SYSTEM)
        return msgspec.json.decode(execute(operation, SYSTEM, params))["groups"]

    worth = sum(product.price * product.stock for product in Product.objects.all())
    assert run(aggregate={"worth": {"$sum": "worth"}}, having={"worth": {"$gt": 1}}) == [
        {"worth": str(worth)}
    ]
    with pytest.raises(Invalid) as caught:
        run(group_by=["shout"])
    assert [(item.field, item.code) for item in caught.value.errors] == [
        ("group_by.0", "not_stored")
    ]


def test_columns_that_only_postgresql_has(nexus: Nexus, on_postgresql: str) -> None:
    Ranges.objects.bulk_create(Ranges(integers=(1, 5)) for _ in range(2))
    found = nexus.execute(
        "RangesAggregateNode", group_by=["integers"], aggregate={"n": {"$count": "*"}}
    )
    assert found == {"groups": [{"integers": "[1,5)", "n": 2}]}
    with pytest.raises(Invalid, match="array, which has no groups"):
        nexus.execute("ArraysAggregateNode", group_by=["integers"])


def test_dates_that_python_lacks(nexus: Nexus, on_postgresql: str) -> None:
    everything(3)
    with connections[on_postgresql].cursor() as cursor:
        cursor.execute(
            "UPDATE shop_everything SET date = 'infinity', datetime_null = '10000-05-06 07:08:09+00'"
        )
    found = nexus.execute(
        "EverythingAggregateNode",
        group_by=[{"$date_trunc": ["month", "datetime_null"]}, {"$date_trunc": ["year", "date"]}],
        aggregate={"d": {"$max": "date"}},
    )["groups"]
    assert found == [
        {"datetime_null_month": "10000-05-01T00:00:00Z", "date_year": "infinity", "d": "infinity"}
    ]
