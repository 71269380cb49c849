"""The short way of a bulk create: it may only say yes where the long way does, and must store the same."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataflow_nexus.access.grants import UNRESTRICTED
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.operations.columns import Columns, read_columns, repeats
from dataflow_nexus.operations.given_rows import Rejects, read_rows
from dataflow_nexus.operations.values import Writer

NAMES = (
    "text", "char", "char_null", "code", "slug", "email", "colour", "level", "boolean", "boolean_null", "small",
    "integer", "integer_null", "big", "positive_small", "positive_big", "float", "decimal", "decimal_null",
    "decimal_whole", "decimal_fine", "date", "datetime", "time", "duration", "uuid", "binary", "json", "country_id",
)  # fmt: skip
WORDS = st.sampled_from(
    ["", "a", "A1", "Z99", "a-b", "red", "green", "x@y.example", "ü☃", "\x00", "\ud800", "a" * 51, "2026-01-31",
     "2026-01-31T10:00:00Z", "23:59", "P1D", "00000000-0000-4000-8000-000000000001", "AAA=", "DE"]
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-(2**65), 2**65),
    st.sampled_from([0, 1, 2, -1, 32767, 32768, 2**31 - 1, 2**31, 2**63 - 1]),
    st.decimals(
        allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9
    ),
    st.sampled_from([Decimal("1E+3"), Decimal("-0"), Decimal("0.5"), 0.0, -0.0, 1.5]),
)
DIGITS = st.sampled_from(
    [
        "0",
        "-0",
        "1.5",
        "12345678.90",
        "123456789.0",
        "1.005",
        "1e3",
        "+1",
        ".5",
        "5.",
        " 1",
        "\u0661",
        "000000001",
        "NaN",
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    WORDS,
    DIGITS,
    st.just({}),
    st.just([1]),
    st.just({"$set": 1}),
    st.just({"$inc": 1}),
)


@pytest.fixture
def writer(nexus: Nexus) -> Writer:
    exposed = nexus.registry.named("Everything")
    assert exposed is not None
    return Writer(exposed=exposed, writing=UNRESTRICTED, reading=UNRESTRICTED)


def column(name: str) -> st.SearchStrategy[list[Any]]:
    mixed = st.lists(VALUES, min_size=1, max_size=4)
    alike = st.one_of(
        *(
            st.lists(kind, min_size=1, max_size=4)
            for kind in (WORDS, DIGITS, st.integers(), st.booleans())
        )
    )
    return st.one_of(mixed, alike)


@settings(
    max_examples=1500, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
def test_both_ways_agree(writer: Writer, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(NAMES))
    rows = [{"text": "t", name: value} for value in data.draw(column(name))]
    short = read_columns(writer, rows, ["text"])
    rejects = Rejects(going_on=True)
    long = read_rows(rows, writer, rejects, required=["text"])
    if short is not None:
        assert not rejects.found
        assert [repr(value) for value in short.values[name]] == [
            repr(row.values[name]) for row in long
        ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("char", ["a", "b" * 50, "☃"]),
        ("integer", [1, -5, 2_000_000_000]),
        ("decimal", ["0", "-12345678.90", "1.5"]),
        ("boolean", [True, False]),
        ("char_null", [None, None]),
        ("integer_null", [None, 4]),
        ("colour", ["red", "blue"]),
        ("date", ["2026-01-31"]),
    ],
)
def test_plain_columns_go_the_short_way(writer: Writer, name: str, values: list[Any]) -> None:
    short = read_columns(writer, [{"text": "t", name: value} for value in values], ["text"])
    assert short is not None
    assert short.rows == len(values)
    assert len(short.values[name]) == len(values)


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [1],
        ["text"],
        [{"text": "a"}, {"char": "b"}],
        [{"text": "a"}, {"text": "b", "char": "c"}],
        [{"char": "a"}],
        [{"text": "a", "nothing": 1}],
        [{"text": "a", "generated": 1}],
        [{"text": "a", "tags": []}],
        [{"text": "a", "file": ""}, {"text": "a", "file": "b"}],
    ],
)
def test_other_rows_are_read_one_by_one(writer: Writer, rows: list[Any]) -> None:
    assert read_columns(writer, rows, ["text"]) is None


def test_repeats() -> None:
    columns = Columns(3, {"a": [1, 1, 2], "b": [1, 2, 1], "c": [{}, {}, []], "d": [1, 2, 1]})
    assert repeats(columns, [("a",)])
    assert not repeats(columns, [("a", "b")])
    assert repeats(columns, [("b", "d")])
    assert repeats(columns, [("c",)])
    assert not repeats(columns, [("a", "z")])


def test_both_ways_store_the_same(run: Callable[..., Any]) -> None:
    """A row of another shape sends all of them the long way."""
    moment = datetime(2026, 1, 31, 13, 45, tzinfo=UTC).isoformat()
    row = {
        "text": "snow ☃ \"quoted\" back\\slash {,} \n",
        "char_null": None, "level": 2, "big": -(2**63), "float": 1e-300, "decimal": "-0.10", "date": "2024-02-29",
        "time": "23:59:59.000001", "datetime": moment, "duration": "-P1DT2H3M4.5S", "binary": "AP8=",
        "uuid": "00000000-0000-4000-8000-000000000001", "json": [None, 2.5, {"a": "\\u0000"}], "ip": "::1",
    }  # fmt: skip
    alike = run("EverythingBulkCreate", data=[row, row], **{"return": "records"})["records"]
    mixed = run("EverythingBulkCreate", data=[row, {"text": "other"}], **{"return": "records"})[
        "records"
    ]
    for name in row:
        assert alike[0][name] == alike[1][name] == mixed[0][name], name
