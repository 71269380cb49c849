"""Filters mean the same in SQL as in a small interpreter of the language, on both databases; wrong ones are named."""

import base64
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataflow_nexus.nexus import Nexus
from testproject.shop.models import Country, Everything, Tag
from tests.queries.compiling import undone
from tests.queries.oracle import matches

Run = Callable[..., Any]

TEXTS = [
    *["", "a", "A", "ab", "AB", "aXb", "a%b", "a_b", "a\\b", "a[b]", "a*b?", "^a]-", "a\nb", " a "],
    *["ä", "Ä", "é", "e\u0301", "\U0001f600b", "ΑΣ", "ας", "'; --", '"', "%s"],
]
ORDERLY = ["", "a", "ab", "b", "ba", "z"]
"""Texts that every collation sorts alike."""
DOCUMENTS: list[Any] = [
    *[
        None,
        True,
        False,
        0,
        1,
        -1.5,
        1.0,
        10**20,
        1e20,
        2**53 + 1,
        "",
        "a",
        "A",
        "1",
        "null",
        [],
        {},
    ],
    *[
        [1, "a", None],
        [[1], {"a": 1}],
        {"a": None},
        {"a": 1},
        {"a": 1.0, "b": "a"},
        {"a": {"b": [0]}},
    ],
    *[{"0": "zero", "-1": 1}, {"": 1}, {"a": "ab"}, {"b": 1, "a": 1}, {"a": [1, 2]}],
]
VALUES: dict[str, list[Any]] = {
    "text": TEXTS,
    "char_null": [None, *TEXTS],
    "slug": ORDERLY,
    "boolean_null": [None, True, False],
    "small": [-32768, 0, 1, 7],
    "integer_null": [None, -1, 0, 2**31 - 1],
    "big": [-(2**63), 0, 2**53 + 1, 2**63 - 1],
    "float_null": [None, -0.0, 0.1, 1e23, -1e-300, float("inf")],
    "decimal_null": [
        None,
        Decimal("-0.01"),
        Decimal("0.00"),
        Decimal("0.10"),
        Decimal("99999999.99"),
    ],
    "decimal_fine": [Decimal("0.000000001"), Decimal("0.1"), Decimal("123456.000000001")],
    "date": [None, dt.date(1, 1, 1), dt.date(2026, 1, 31), dt.date(9999, 12, 31)],
    "time": [None, dt.time(), dt.time(12, 0, 0, 1), dt.time(23, 59, 59, 999_999)],
    "datetime_null": [
        None,
        dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=dt.UTC),
    ],
    "duration": [None, dt.timedelta(), dt.timedelta(days=-1), dt.timedelta(hours=36, seconds=1)],
    "uuid_null": [None, UUID(int=0), UUID(int=2**127 + 5)],
    "binary_null": [None, b"", b"\x00", b"\xff\x00"],
    "ip": [None, "10.0.0.1", "10.0.0.10", "::1"],
    "json": [document for document in DOCUMENTS if document is not None],
    "json_null": DOCUMENTS,
}
TEXT_FIELDS = ("text", "char_null")
ORDERED = tuple(
    name for name in VALUES if name not in {*TEXT_FIELDS, "boolean_null", "ip", "json", "json_null"}
)
TEXT_OPERATORS = ("$contains", "$startswith", "$endswith", "$like")
PATHS = ["", "a", "b", "a.b", "a.b.0", "0", "-1", "1.a", "2", "", "a.", "--1", "²", "99999999999"]
LETTERS = st.text("abAB%_\\[]*?^ä", max_size=3)


def operand(name: str) -> st.SearchStrategy[Any]:
    """A value that the field could hold, save null."""
    return st.sampled_from(
        [value for value in VALUES[name] if value not in (None, float("inf"))]
    ).filter(lambda value: value is not None)


def patterns() -> st.SearchStrategy[str]:
    return (LETTERS | st.sampled_from(TEXTS)).filter(
        lambda text: (len(text) - len(text.rstrip("\\"))) % 2 == 0
    )


def text_condition() -> st.SearchStrategy[dict[str, Any]]:
    def folded(name: str) -> str:
        return name.replace("$", "$i")

    names = st.sampled_from(TEXT_OPERATORS) | st.sampled_from(TEXT_OPERATORS).map(folded)
    return names.flatmap(
        lambda name: st.builds(
            lambda text: {name: text},
            patterns() if name.endswith("like") else LETTERS | st.sampled_from(TEXTS),
        )
    )


def conditions(name: str) -> st.SearchStrategy[Any]:
    """What may stand for a field: a plain value, or an object of operators."""
    value = operand(name)
    one = {
        "$eq": st.none() | value,
        "$ne": st.none() | value,
        "$in": st.lists(st.none() | value, max_size=3),
        "$nin": st.lists(st.none() | value, max_size=3),
        "$null": st.booleans(),
        "$exists": st.booleans(),
    }
    if name in ORDERED:
        one |= dict.fromkeys(("$gt", "$gte", "$lt", "$lte"), value)
        one["$between"] = st.tuples(value, value).map(list)
    objects = st.fixed_dictionaries({}, optional=one).filter(bool)
    if name in TEXT_FIELDS:
        objects = objects | text_condition()
    return value | st.none() | objects | objects.map(lambda inner: {"$not": inner})


def json_conditions() -> st.SearchStrategy[Any]:
    value = st.sampled_from(DOCUMENTS)
    scalar = st.sampled_from([0, 1, -1.5, 10**20, 2**53 + 1, "", "a", "b"])
    one = {
        "$eq": value,
        "$ne": value,
        "$in": st.lists(value, max_size=3),
        "$nin": st.lists(value, max_size=3),
        "$null": st.booleans(),
        "$exists": st.booleans(),
        "$gt": scalar,
        "$lte": scalar,
        "$between": st.tuples(st.integers(-2, 2), st.integers(-2, 2)).map(list)
        | st.just(["a", "b"]),
    }
    objects = st.fixed_dictionaries({}, optional=one).filter(bool) | text_condition()
    return value | objects | objects.map(lambda inner: {"$not": inner})


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(VALUES)))
    if name not in ("json", "json_null"):
        return {name: draw(conditions(name))}
    path = draw(st.none() | st.sampled_from(PATHS))
    return {name if path is None else f"{name}.{path}": draw(json_conditions())}


QUANTIFIERS = ("$some", "$none", "$every")
TAGS: list[Any] = [{}, {"name": "t1"}, {"name": {"$ne": "t1"}}, {"id": {"$null": True}}]
TO_ONE: list[Any] = [
    *[{"parent": {"$null": True}}, {"parent": {"$null": False}}, {"parent": {}}],
    *[{"country": "DE"}, {"country": None}, {"country.name": {"$startswith": "G"}}],
    *[{"country_id": {"$nin": ["DE", None]}}, {"country": {"code": {"$gt": "DE"}}}],
]


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    kinds = ["leaf", "leaf", "one", "tags"]
    if depth:
        kinds += ["and", "or", "not", "both", "parent", "children", "dotted"]
    kind = draw(st.sampled_from(kinds))
    inner = trees(depth - 1)
    if kind in ("and", "or"):
        return {f"${kind}": draw(st.lists(inner, max_size=3))}
    if kind == "not":
        return {"$not": draw(inner)}
    if kind == "both":
        return {**draw(inner), **draw(inner)}
    if kind == "parent":
        return {"parent": draw(inner.filter(lambda tree: set(tree) != {"$null"}))}
    if kind == "children":
        return {"children": {draw(st.sampled_from(QUANTIFIERS)): draw(inner)}}
    if kind == "tags":
        return {"tags": {draw(st.sampled_from(QUANTIFIERS)): draw(st.sampled_from(TAGS))}}
    if kind == "one":
        return draw(st.sampled_from(TO_ONE))
    leaf = draw(leaves())
    return {f"parent.{name}": wanted for name, wanted in leaf.items()} if kind == "dotted" else leaf


ROW = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})


def as_json(value: Any) -> Any:
    """Operands as a channel brings them."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dt.timedelta):
        return f"PT{value // dt.timedelta(seconds=1)}S"
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return str(value) if isinstance(value, (UUID, Decimal)) else value


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows that refer to earlier ones, with tags and a country."""
    rows = draw(st.lists(ROW, min_size=1, max_size=8))
    for number, row in enumerate(rows):
        row["id"] = number + 1
        row["parent_id"] = draw(st.none() | st.integers(1, number)) if number else None
        row["country_id"] = draw(st.sampled_from([None, "DE", "FR"]))
        row["tag_names"] = draw(st.sets(st.sampled_from(["t1", "t2"])))
    return rows


def store(alias: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as the oracle sees them, once they are in the database."""
    everything = Everything.objects.using(alias)
    everything.all().delete()
    tags = {name: Tag.objects.using(alias).create(name=name) for name in ("t1", "t2")}
    countries = {
        item.code: {"code": item.code, "name": item.name}
        for item in Country.objects.using(alias).all()
    }
    beside = {"tag_names", "parent", "children", "tags", "country"}
    everything.bulk_create(
        [Everything(**{name: row[name] for name in row if name not in beside}) for row in rows]
    )
    links = [
        Everything.tags.through(everything_id=row["id"], tag_id=tags[name].pk)
        for row in rows
        for name in row["tag_names"]
    ]
    Everything.tags.through._default_manager.using(alias).bulk_create(links)
    seen = {row["id"]: dict(row) for row in rows}
    for row in seen.values():
        row["parent"] = seen.get(row["parent_id"])
        row["children"] = [other for other in seen.values() if other["parent_id"] == row["id"]]
        row["tags"] = [{"name": name, "id": tags[name].pk} for name in row["tag_names"]]
        row["country"] = countries.get(row["country_id"])
    return list(seen.values())


@given(rows=tables(), wanted=st.lists(trees(), min_size=6, max_size=6))
def test_filters_select_what_the_language_says(
    database: str, nexus: Nexus, rows: list[dict[str, Any]], wanted: list[Any]
) -> None:
    with undone(database):
        seen = store(database, rows)
        for tree in wanted:
            params = {"filter": as_json(tree)}
            expected = [row["id"] for row in seen if matches(tree, row)]
            found = nexus.execute("EverythingListNode", params, fields=["id"], count="exact")
            assert [record["id"] for record in found["records"]] == expected, tree
            assert found["count"] == len(expected)
            assert nexus.execute("EverythingCountNode", params) == {"count": len(expected)}


@pytest.mark.parametrize(
    ("step", "there"),
    [
        ("1", True), ("-2", True), ("+1", True), ("01", True), (" 1", True), ("0000000000001", True),
        ("1 ", False), ("1.0", False), ("+-1", False), ("\u0661", False), ("3", False), ("-4", False),
        ("99999999999999999999", False), ("", False),
    ],
)  # fmt: skip
def test_positions_in_lists_are_read_alike(
    database: str, nexus: Nexus, step: str, there: bool
) -> None:
    """PostgreSQL reads them with C's ``strtol``; the other databases follow."""
    with undone(database):
        key = nexus.execute("EverythingCreateNode", text="positions", json=["a", "b", "c"])["id"]
        params = {"id": key, f"json.{step}": {"$exists": True}}
        assert nexus.execute("EverythingCountNode", filter=params) == {"count": int(there)}
