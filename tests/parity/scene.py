"""Rows that the sample data lacks, with the same ids on both databases."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models

from testproject.shop.models import Document, Everything, Note, Promotion

MOMENT = datetime(2026, 3, 14, 15, 9, 26, 535000, tzinfo=UTC)
"""The time at which everything in these tests happens."""


def _everything() -> list[dict[str, Any]]:
    """One row with every value, one with no more than it must, one of extremes, one that repeats."""
    common = {"datetime": MOMENT, "db_default_datetime": MOMENT}
    full = {
        "text": "Ünïcode ☃ \"quoted\" 'single' back\\slash\ttab",
        "char": "red car",
        "char_null": "x",
        "char_unique": "one",
        "code": "B22",
        "slug": "a-slug",
        "email": "a@b.example",
        "url": "https://shop.example/?a=1&b=2",
        "colour": "green",
        "level": 2,
        "boolean": True,
        "boolean_null": False,
        "small": -7,
        "integer": 40,
        "integer_null": 12,
        "big": 2**62,
        "positive_small": 3,
        "positive": 2,
        "positive_big": 9,
        "float": 0.1,
        "float_null": 1e20,
        "decimal": Decimal("12.50"),
        "decimal_null": Decimal("-0.01"),
        "decimal_whole": Decimal(123456789012),
        "decimal_fine": Decimal("123456.123456789"),
        "date": date(2024, 2, 29),
        "time": time(23, 59, 59, 999999),
        "datetime_null": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
        "duration": timedelta(days=1, hours=2, minutes=3, seconds=4, microseconds=500000),
        "uuid": UUID("00000000-0000-4000-8000-000000000001"),
        "uuid_null": UUID("ffffffff-ffff-4fff-bfff-ffffffffffff"),
        "binary": b"\x00\xff\x10",
        "binary_null": b"",
        "json": {"a": {"b": [1, 2.5, None, "x"]}, "color": "red", "n": 3},
        "json_null": [1, {"k": "v"}],
        "ip": "192.0.2.1",
        "db_default_integer": 1,
        "db_default_char": "given",
        "country_id": "DE",
    }
    extreme = {
        "text": "",
        "char": "50% _under*star?[x]",
        "char_unique": "two",
        "small": -(2**15),
        "integer": -(2**31),
        "big": -(2**63),
        "positive_big": 2**63 - 1,
        "float": -1.7976931348623157e308,
        "float_null": 5e-324,
        "decimal": Decimal("-99999999.99"),
        "decimal_fine": Decimal("-999999.999999999"),
        "date": date(1, 1, 1),
        "time": time(0),
        "datetime_null": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        "duration": timedelta(days=-3, microseconds=1),
        "uuid": UUID(int=2),
        "json": "a text",
        "json_null": 0,
        "ip": "2001:db8::1",
        "parent_id": 1,
        "twin_id": 1,
    }
    plain = {"text": "plain", "uuid": UUID(int=3), "json": []}
    again = {
        **plain,
        "text": "Plain",
        "uuid": UUID(int=4),
        "float": -0.0,
        "json": {"color": None},
        "json_null": False,
        "parent_id": 1,
    }
    return [
        {**common, **row, "id": number}
        for number, row in enumerate((full, extreme, plain, again), start=1)
    ]


ROWS: dict[type[models.Model], list[dict[str, Any]]] = {
    Everything: _everything(),
    Note: [
        {"id": 1, "title": "First note", "slug": "first-note", "body": "text", "product_id": 1},
        {"id": 2, "title": "Second Ünïcode", "slug": "second-unicode", "body": ""},
    ],
    Promotion: [
        {"id": 1, "name": "Spring", "starts_on": date(2026, 3, 1), "ends_on": date(2026, 3, 31)},
        {"id": 2, "name": "Late", "starts_on": date(2026, 5, 1), "ends_on": date(2026, 5, 2)},
    ],
    Document: [
        {"id": 1, "title": "Shown", "owner_id": 1},
        {"id": 2, "title": "Hidden", "owner_id": 1, "deleted_at": MOMENT},
        {"id": 3, "title": "Shown too"},
    ],
}
LINKED: dict[tuple[type[models.Model], str], dict[int, list[int]]] = {
    (Everything, "tags"): {1: [1, 3], 2: [3]},
    (Promotion, "products"): {1: [1, 2]},
}


def load(alias: str) -> None:
    """Insert the rows."""
    for model, rows in ROWS.items():
        model._base_manager.using(alias).bulk_create(model(**row) for row in rows)
    Everything._base_manager.using(alias).update(updated_at=MOMENT)
    for (model, name), linked in LINKED.items():
        many: Any = model._meta.get_field(name)
        near, far = many.m2m_column_name(), many.m2m_reverse_name()
        through = many.remote_field.through
        through._base_manager.using(alias).bulk_create(
            through(**{near: key, far: other}) for key, ids in linked.items() for other in ids
        )


def unload(alias: str) -> None:
    """Delete them again."""
    for model, rows in ROWS.items():
        keys = [row["id"] for row in rows]
        model._base_manager.using(alias).filter(pk__in=keys).delete()
