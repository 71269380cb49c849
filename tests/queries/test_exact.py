"""Sums and averages of SQLite and PostgreSQL against Python's own exact arithmetic."""

import datetime as dt
import random
import sqlite3
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from dataflow_nexus.queries.dialects import DIALECTS
from dataflow_nexus.queries.exact import ExactSum, exact_mean, exact_ratio

WIDE = Context(prec=500)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20
    ),
    st.integers(1, 10**6) | st.sampled_from([32, 64, 96, 3200]),
    st.sampled_from([0, 4, 6, 13]),
)
def test_a_mean_is_rounded_once_half_even(total: Decimal, number: int, digits: int) -> None:
    unit = Decimal(1).scaleb(-digits)
    rounded = WIDE.divide(total, Decimal(number)).quantize(unit, ROUND_HALF_EVEN, WIDE)
    found = exact_mean(f"{total:f}", number, digits)
    assert found is not None
    assert Decimal(found) == rounded
    assert found.startswith("-") == (rounded < 0)
    assert len(found.partition(".")[2]) == digits


@given(st.integers(-(10**25), 10**25), st.integers(1, 10**9))
def test_a_ratio_is_the_nearest_double(total: int, number: int) -> None:
    assert exact_ratio(str(total), number) == total / number


@pytest.mark.parametrize("total", [None, "NaN", "Infinity", "-Infinity"])
def test_no_number_has_no_mean(total: str | None) -> None:
    assert exact_mean(total, 0, 4) is None
    assert exact_ratio(total, 0) is None


@pytest.mark.parametrize(
    ("values", "total"),
    [
        ((), None),
        ((None, None), None),
        ((1, None, 2), "3"),
        ((2**63 - 1,) * 3, "27670116110564327421"),
        ((0.1, 0.2, 0.3), "0.6"),
        ((0.1,) * 1000, "100"),
        ((1, 0.5), "1.5"),
        ((100, 200.0), "300"),
        (("1.25", 1), "2.25"),
        (("some text", 1, b"\x00"), "1"),
        ((float("inf"), 1), "Infinity"),
        ((float("inf"), float("-inf")), "NaN"),
        ((-0.5, -0.5), "-1"),
        ((1e300, 1), "1" + "0" * 299 + "1"),
    ],
)
def test_sums_on_sqlite(values: tuple[object, ...], total: str | None) -> None:
    connection = sqlite3.connect(":memory:")
    connection.create_aggregate("dataflow_sum", 1, ExactSum)  # type: ignore[arg-type]  # answers text
    connection.execute("CREATE TABLE t (x)")
    connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
    assert connection.execute("SELECT dataflow_sum(x) FROM t").fetchone() == (total,)
    connection.close()


def test_postgresql_computes_the_same(on_postgresql: str) -> None:
    dialect, dice = DIALECTS["postgresql"], random.Random(7)
    with connections[on_postgresql].cursor() as cursor:
        for _ in range(300):
            number = dice.choice([1, 3, 7, 32, 96, 3200, dice.randrange(1, 10**6)])
            size = dice.randrange(1, 26)
            total = Decimal(dice.randrange(-(10**size), 10**size)).scaleb(-2)
            whole = int(total) % 10**17
            cursor.execute(
                f"SELECT ({dialect.mean('t', 'n', 6)})::text, {dialect.ratio('w', 'n')}, {dialect.span('w')}"
                " FROM (SELECT %s::numeric(60, 2) AS t, %s::bigint AS n, %s::numeric AS w) x",
                (total, number, whole),
            )
            assert cursor.fetchone() == (
                exact_mean(f"{total:f}", number, 6),
                whole / number,
                dt.timedelta(microseconds=whole),
            )
