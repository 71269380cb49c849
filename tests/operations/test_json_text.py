"""Strict JSON: whatever comes in, only the documented errors come out."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow_nexus.exceptions import Invalid, LimitExceeded
from dataflow_nexus.operations.json_text import MAX_DEPTH, NotJSONError, parse


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nul",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "{'a': 1}",
        "[1,]",
        "01",
        "\ufeff{}",
        '"\x00"',
        "1 2",
    ],
)
def test_not_json(text: str) -> None:
    with pytest.raises(NotJSONError):
        parse(text)


def test_a_name_that_comes_twice() -> None:
    with pytest.raises(Invalid) as caught:
        parse('{"x": {"a": 1, "b": 2, "a": 3}}')
    assert [(error.field, error.code) for error in caught.value.errors] == [("a", "duplicate")]


def test_fractions_are_exact() -> None:
    assert parse("0.1000000000000000055511151231257827") == Decimal(
        "0.1000000000000000055511151231257827"
    )


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    assert parse(opening * MAX_DEPTH + "1" + closing * MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 900, 200_000):
        with pytest.raises(LimitExceeded):
            parse(opening * depth + "1" + closing * depth)


def test_brackets_in_text_are_not_depth() -> None:
    assert parse('"' + "[" * 1000 + '"') == "[" * 1000
    assert parse('["' + "{" * 1000 + '"]') == ["{" * 1000]


@pytest.mark.parametrize(
    "text",
    ["9" * 5000, "1e999999999", "1e99999999999999999999", "0." + "1" * 5000, "-" + "9" * 5000],
)
def test_numbers_beyond_any_column(text: str) -> None:
    assert not parse(text).is_finite()


def test_long_integers_that_columns_may_hold() -> None:
    assert parse("9" * 1000) == int("9" * 1000)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_what_python_writes_is_read_back(value: Any) -> None:
    assert parse(json.dumps(value)) == value


@given(st.text())
def test_no_other_errors(text: str) -> None:
    with suppress(NotJSONError, Invalid, LimitExceeded):
        parse(text)
