"""Floats as PostgreSQL prints them."""

import math

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from dataflow_nexus.fields import float8out

WHOLE = st.integers(2**53, 2**70) | st.builds(
    lambda digits, power: digits * 10**power, st.integers(1, 10**6), st.integers(10, 300)
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False) | WHOLE.map(float)


@given(values=st.lists(FLOATS, min_size=50, max_size=200))
def test_every_double_is_printed_as_the_server_prints_it(
    on_postgresql: str, values: list[float]
) -> None:
    with connections[on_postgresql].cursor() as cursor:
        cursor.execute(
            "SELECT v::text FROM unnest(%s::float8[]) WITH ORDINALITY u(v, n) ORDER BY n", [values]
        )
        assert [float8out(value) for value in values] == [text for (text,) in cursor.fetchall()]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (100.0, "100"),
        (0.1, "0.1"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (123456789012345.0, "123456789012345"),
        (1e15, "1e+15"),
        (1e22, "1e+22"),
        (1e23, "9.999999999999999e+22"),  # what Python prints is half-way to the next double
        (3.765421702012582e16, "3.7654217020125824e+16"),
        (-math.ldexp(1, 1023), "-8.98846567431158e+307"),
        (5e-324, "5e-324"),
    ],
)
def test_printed(value: float, text: str) -> None:
    assert float8out(value) == text
    assert float(text) == value
