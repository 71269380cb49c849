"""What PostgreSQL renders and what Python renders are equal byte for byte, whatever rows hold and servers are set to."""

import base64
import copy
import datetime as dt
import ipaddress
import json
import math
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.db import connections, models, transaction
from hypothesis import given
from hypothesis import strategies as st
from testproject.pgtypes.models import Address, Arrays, Ranges
from testproject.shop.models import Everything, Product, Tag

from dataflow_nexus.nexus import Nexus
from tests.queries.compiling import by_database, by_python
from tests.routing import POSTGRESQL, SQLITE
from tests.strategies import (
    DATES,
    EVERYTHING,
    EVERYTHING_ROWS,
    TEXTS,
    decimals,
    integers,
)

Row = Mapping[str, Any]
FIELDS = [
    field.attname
    for field in Everything._meta.concrete_fields
    if not isinstance(field, models.FileField)
]
"""What both can render of the model with every field type; a file's URL is Python's alone."""
JSON_FIELDS = {"json", "json_null"}


@contextmanager
def undone(alias: str) -> Iterator[None]:
    """What is written inside is rolled back at the end."""
    with transaction.atomic(using=alias):
        yield
        transaction.set_rollback(True, using=alias)


def texts(found: Sequence[tuple[Any, ...]]) -> list[str]:
    return [str(row[0]) for row in found]


def save(model: type[models.Model], alias: str, rows: Sequence[Row]) -> None:
    manager = model._default_manager.using(alias)
    manager.all().delete()
    manager.bulk_create([model(**row, pk=number) for number, row in enumerate(rows, 1)])


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
