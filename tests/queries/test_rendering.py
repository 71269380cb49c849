"""PostgreSQL and Python render equal bytes, whatever the rows hold and whatever the server is set to."""

import base64
import datetime as dt
import ipaddress
import json
import math
import re
import uuid
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.db import connections
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from dataflow_nexus.access.grants import UNRESTRICTED, Grant, Source
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.queries import python_rendering, rendering
from testproject.pgtypes.models import Address, Arrays, Ranges
from testproject.shop.models import Everything, Product
from tests.queries.compiling import (
    FIELDS,
    Row,
    by_database,
    by_python,
    prepared,
    save,
    texts,
    undone,
)
from tests.routing import SQLITE
from tests.strategies import (
    DATES,
    EVERYTHING,
    EVERYTHING_ROWS,
    TEXTS,
    decimals,
    integers,
)

JSON_FIELDS = {"json", "json_null"}


# --- an independent reading of section 4 of the contract -------------------------------------------------------------

_PART = re.compile(r"([+-]?[\d.]+)([A-Z])")
_MICROSECONDS = {"D": 86_400_000_000, "H": 3_600_000_000, "M": 60_000_000, "S": 1_000_000}


def span(text: str) -> dt.timedelta:
    """An ISO 8601 duration of days and time, each part with a sign of its own."""
    assert re.fullmatch(r"P([+-]?\d+D)?(T([+-]?\d+H)?([+-]?\d+M)?([+-]?\d+(\.\d*[1-9])?S)?)?", text)
    parts = [Decimal(number) * _MICROSECONDS[unit] for number, unit in _PART.findall(text)]
    assert parts
    return dt.timedelta(microseconds=int(sum(parts)))


def same(value: Any, shown: Any) -> bool:
    """Whether ``shown`` is the JSON value of a stored Python value."""
    if value is None or isinstance(value, (bool, str)):
        return bool(shown == value) and type(shown) is type(value)
    if isinstance(value, float):
        return shown is None if not math.isfinite(value) else float(shown) == value
    if isinstance(value, dt.timedelta):
        return span(shown) == value
    if isinstance(value, list):
        return len(value) == len(shown) and all(map(same, value, shown))
    return bool(shown == spelled(value))


def spelled(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        text = value.replace(tzinfo=None).isoformat()
        return (text.rstrip("0") if "." in text else text) + "Z"
    if isinstance(value, dt.time):
        text = value.isoformat()
        return text.rstrip("0") if "." in text else text
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def equal_json(value: Any, shown: Any) -> bool:
    """Equal documents: a float may come back as the integer it equals."""
    if isinstance(value, bool) or isinstance(shown, bool):
        return value is shown
    if isinstance(value, dict) and isinstance(shown, dict):
        return value.keys() == shown.keys() and all(equal_json(value[k], shown[k]) for k in value)
    if isinstance(value, list) and isinstance(shown, list):
        return len(value) == len(shown) and all(map(equal_json, value, shown))
    if isinstance(value, float) and isinstance(shown, int):
        return value == float(shown)
    return bool(value == shown)


def check_record(row: Row, text: str) -> None:
    shown = json.loads(text)
    assert list(shown) == [name for name in FIELDS if name in shown]
    for name, value in row.items():
        if name in JSON_FIELDS:
            assert equal_json(value, shown[name]), name
        elif name == "ip" and value is not None:
            assert ipaddress.ip_address(shown[name]) == ipaddress.ip_address(value)
        else:
            assert same(value, shown[name]), (name, value, shown[name])
    assert shown["generated"] == row["integer"] + row["positive"]


# --- every field type ------------------------------------------------------------------------------------------------


@given(rows=EVERYTHING_ROWS)
def test_both_renderings_give_equal_bytes(on_postgresql: str, rows: list[Row]) -> None:
    with undone(on_postgresql):
        save(Everything, on_postgresql, rows)
        found = by_database(Everything, on_postgresql, fields=FIELDS)
        assert found == by_python(Everything, on_postgresql, fields=FIELDS)
        for row, text in zip(rows, texts(found), strict=True):
            check_record(row, text)


@given(rows=EVERYTHING_ROWS)
def test_sqlite_gives_equal_values(on_postgresql: str, rows: list[Row]) -> None:
    names = [name for name in FIELDS if name in EVERYTHING and name not in {*JSON_FIELDS, "ip"}]
    with undone(SQLITE), undone(on_postgresql):
        for alias in (SQLITE, on_postgresql):
            save(Everything, alias, rows)
        for row, text in zip(
            rows, texts(by_python(Everything, SQLITE, fields=FIELDS)), strict=True
        ):
            check_record(row, text)
        plain = texts(by_python(Everything, SQLITE, fields=names))
        assert plain == texts(by_database(Everything, on_postgresql, fields=names))


# --- what Python can't hold ------------------------------------------------------------------------------------------

WRITTEN: dict[str, list[tuple[str, str]]] = {
    "date": [
        ("'0044-03-15 BC'", '"0044-03-15 BC"'),
        ("'12345-06-07'", '"12345-06-07"'),
        ("'infinity'", '"infinity"'),
        ("'-infinity'", '"-infinity"'),
    ],
    "time": [("'24:00:00'", '"24:00:00"'), ("'23:59:59.9'", '"23:59:59.9"')],
    "datetime_null": [
        ("'0044-03-15 12:00:00.25+00 BC'", '"0044-03-15T12:00:00.25Z BC"'),
        ("'12345-06-07 01:02:03+00'", '"12345-06-07T01:02:03Z"'),
        ("'0001-01-01 00:00:00+14'", '"0001-12-31T10:00:00Z BC"'),
        ("'infinity'", '"infinity"'),
        ("'-infinity'", '"-infinity"'),
    ],
    "duration": [
        ("'1 year 2 months'", '"P1Y2M"'),
        ("'-1 month 3 days -04:05:06.5'", '"P-1M3DT-4H-5M-6.5S"'),
        ("'100 hours'", '"PT100H"'),
        ("'170000000 years'", '"P170000000Y"'),
        ("'0'", '"PT0S"'),
    ],
    "float_null": [("'NaN'", "null"), ("'Infinity'", "null"), ("'-Infinity'", "null")],
    "decimal_null": [("'NaN'", "null"), ("'0.1'", '"0.10"')],
    "json_null": [
        ("'null'", "null"),
        ("'1e400'", "1" + "0" * 400),
        ("'1.10'", "1.10"),
        ("""'{"b": 1, "aa": [1,  2], "b": 2}'""", '{"b": 2, "aa": [1, 2]}'),
        ("""'"\\u00e9\\u2028\\/"'""", '"é\u2028/"'),
    ],
    "ip": [("'10.0.0.0/8'", '"10.0.0.0/8"'), ("'2001:db8::1/128'", '"2001:db8::1"')],
    "binary_null": [
        ("convert_to(repeat('x', 100), 'UTF8')", f'"{base64.b64encode(b"x" * 100).decode()}"')
    ],
}
"""Literals by column, with the JSON that they become."""
CASES = [(name, *case) for name, cases in WRITTEN.items() for case in cases]


@pytest.mark.parametrize(("name", "literal", "shown"), CASES)
def test_values_that_sql_wrote(on_postgresql: str, name: str, literal: str, shown: str) -> None:
    save(Everything, on_postgresql, [{"text": "x"}])
    with connections[on_postgresql].cursor() as cursor:
        cursor.execute(f"UPDATE shop_everything SET {name} = {literal}")
    expected = f'{{"{name}":{shown}}}'
    assert texts(by_database(Everything, on_postgresql, fields=[name])) == [expected]
    assert texts(by_python(Everything, on_postgresql, fields=[name])) == [expected]


def test_a_record_with_a_file_and_values_that_python_cannot_hold(
    nexus: Nexus, on_postgresql: str
) -> None:
    """A file's URL is made by Python, which must not read the other columns as its own types."""
    save(Everything, on_postgresql, [{"text": "x", "file": "everything/a.txt"}])
    columns = {name: cases[0] for name, cases in WRITTEN.items()}
    sets = ", ".join(f"{name} = {literal}" for name, (literal, _) in columns.items())
    with connections[on_postgresql].cursor() as cursor:
        cursor.execute(f"UPDATE shop_everything SET {sets}")
    record = nexus.execute("EverythingReadNode", id=1)
    assert record["file"] == "/media/everything/a.txt"
    for name, (_, shown) in columns.items():
        assert record[name] == json.loads(shown), name


def test_json_that_is_no_unicode(nexus: Nexus, on_sqlite: str) -> None:
    """Only SQLite stores it; it leaves as it came."""
    save(Everything, on_sqlite, [{"text": "x", "json": {"a": "\ud800", "é": 1}}])
    found = texts(by_python(Everything, on_sqlite, fields=["json"]))
    assert found == ['{"json":{"a":"\\ud800","\\u00e9":1}}']
    for wanted, count in (({"json.a": {"$startswith": "x"}}, 0), ({"json.é": 1}, 1)):
        assert nexus.execute("EverythingCountNode", filter=wanted) == {"count": count}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (100.0, "100"),
        (1e23, "9.999999999999999e+22"),
        (math.nan, "null"),
        (-math.inf, "null"),
        (Decimal("NaN"), "null"),
        (Decimal("1E+3"), '"1000"'),
        (2**70, str(2**70)),
        (True, "true"),
        (b"\x00\xff", '"AP8="'),
        (dt.time(12, 0, 0, 500_000), '"12:00:00.5"'),
        (dt.date(2026, 1, 31), '"2026-01-31"'),
        (dt.datetime(2026, 1, 31, 12), '"2026-01-31T12:00:00"'),
        (
            dt.datetime(2026, 1, 31, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
            '"2026-01-31T10:00:00Z"',
        ),
        (dt.timedelta(days=1, seconds=5), '"P1DT5S"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Everything.Colour.RED, '"red"'),
        (gettext_lazy("lazy"), '"lazy"'),
        ({1: [None, (1.5, "x")]}, '{"1":[null,[1.5,"x"]]}'),
    ],
)
def test_what_a_callable_computes_is_spelled_like_a_column(value: Any, shown: str) -> None:
    assert msgspec.json.encode(python_rendering.jsonable(value)).decode() == shown


def test_what_a_callable_must_not_compute() -> None:
    with pytest.raises(TypeError, match="a computed value can't be Product"):
        python_rendering.jsonable(Product())


# --- types of PostgreSQL alone ---------------------------------------------------------------------------------------

ARRAYS = st.fixed_dictionaries(
    {
        "integers": st.lists(st.none() | integers(32), max_size=4),
        "texts": st.lists(st.none() | TEXTS, max_size=4),
        "decimals": st.none() | st.lists(st.none() | decimals(10, 2), max_size=4),
        "dates": st.none() | st.lists(st.none() | DATES, max_size=4),
        "uuids": st.none() | st.lists(st.none() | st.uuids(), max_size=3),
        "nested": st.integers(0, 3).flatmap(
            lambda width: (
                st.lists(st.lists(integers(32), min_size=width, max_size=width), max_size=3)
                if width
                else st.just([])
            )
        ),
    }
)
RANGES = {
    "integers": ["empty", "[1,5)", "(,)", "[,7]", "[-2147483648,2147483646]"],
    "big_integers": ["[-9223372036854775808,)", "(1,3]"],
    "decimals": ["[0.10,1e10)", "(-1.5,)", "empty", "[NaN,)"],
    "dates": ["[2026-01-01,2026-02-01]", "[0044-03-15 BC,infinity)", "(,12345-01-01)"],
    "datetimes": [
        '["2026-01-01 00:00:00+00","2026-01-01 12:30:00.5+00"]',
        '(,"0044-03-15 12:00:00+00 BC")',
        "[-infinity,infinity]",
    ],
}


@given(rows=st.lists(ARRAYS, min_size=1, max_size=4))
def test_arrays(on_postgresql: str, rows: list[Row]) -> None:
    with undone(on_postgresql):
        save(Arrays, on_postgresql, rows)
        found = by_database(Arrays, on_postgresql)
        assert found == by_python(Arrays, on_postgresql)
        for row, text in zip(rows, texts(found), strict=True):
            shown = json.loads(text)
            assert all(same(value, shown[name]) for name, value in row.items())


@given(
    row=st.fixed_dictionaries(
        {name: st.none() | st.sampled_from(literals) for name, literals in RANGES.items()}
    )
)
def test_ranges(on_postgresql: str, row: Row) -> None:
    with undone(on_postgresql):
        with connections[on_postgresql].cursor() as cursor:
            names, values = ", ".join(row), ", ".join(["%s"] * len(row))
            cursor.execute(
                f"INSERT INTO pgtypes_ranges ({names}) VALUES ({values})", [*row.values()]
            )
            cursor.execute(
                f"SELECT {', '.join(f'{name}::text' for name in row)} FROM pgtypes_ranges"
            )
            stored = cursor.fetchone()
        found = by_database(Ranges, on_postgresql)
        assert found == by_python(Ranges, on_postgresql)
        shown = json.loads(texts(found)[0])
        assert tuple(shown[name] for name in row) == stored


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "::ffff:1.2.3.4", "::1.2.3.4"]
)
def test_addresses(on_postgresql: str, host: str) -> None:
    with connections[on_postgresql].cursor() as cursor:
        cursor.execute("INSERT INTO pgtypes_address (host, label) VALUES (%s, '')", [host])
    found = by_database(Address, on_postgresql)
    assert found == by_python(Address, on_postgresql)
    assert json.loads(texts(found)[0])["host"] == host


# --- relations and masks ---------------------------------------------------------------------------------------------

EXPANDS = [
    ["category"],
    ["category.parent", "tags"],
    ["order_items.order.customer", "notes", "promotions"],
    ["category.children.products"],
]


@pytest.mark.parametrize("expand", EXPANDS)
def test_related_records(on_postgresql: str, expand: list[str]) -> None:
    found = by_database(Product, on_postgresql, expand=expand)
    assert found == by_python(Product, on_postgresql, expand=expand)
    on_sqlite = by_python(Product, SQLITE, expand=expand)
    assert [json.loads(text) for text in texts(found)] == [
        json.loads(text) for text in texts(on_sqlite)
    ]


def test_lists_of_ids(on_postgresql: str) -> None:
    fields = ["sku", "tags"]
    found = by_database(Product, on_postgresql, fields=fields)
    assert found == by_python(Product, on_postgresql, fields=fields)
    for text in texts(found):
        record = json.loads(text)
        product = Product.objects.get(sku=record["sku"])
        assert record["tags"] == sorted(product.tags.values_list("pk", flat=True))


CONDITIONS = st.sampled_from(
    [
        None,
        {"integer": {"$gt": 0}},
        {"boolean": True},
        {"char_null": {"$null": True}},
        {"json.a": 1},
        {"tags": {"$some": {"name": "eco"}}},
        {"country": {"code": "DE"}},
    ]
)
SHOWN = st.none() | st.frozensets(st.sampled_from(FIELDS), min_size=1)
SOURCES = st.builds(lambda rows, read: Source(rows=rows, read=read), CONDITIONS, SHOWN)


@given(rows=EVERYTHING_ROWS, sources=st.lists(SOURCES, min_size=1, max_size=3))
def test_masked_fields_are_left_out_by_both(
    on_postgresql: str, rows: list[Row], sources: list[Source]
) -> None:
    grant = Grant(sources=tuple(sources))
    readable = [name for name in FIELDS if grant.reads(name)]
    with undone(on_postgresql):
        save(Everything, on_postgresql, rows)
        wanted, shape = prepared(Everything, on_postgresql, grant=grant, fields=readable)
        found = rendering.render_rows(wanted, shape)
        assert found == python_rendering.render_rows(wanted, shape)
        wanted, shape = prepared(Everything, on_postgresql, grant=UNRESTRICTED, fields=FIELDS)
        whole = [json.loads(text) for text in texts(rendering.render_rows(wanted, shape))]
        for record in (json.loads(text) for text in texts(found)):
            assert any(record.items() <= other.items() for other in whole)
