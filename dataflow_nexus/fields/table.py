"""Which kind a Django field has, which integers its column holds, and its JSON Schema."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from django.conf import settings
from django.db import models

from dataflow_nexus.fields.kinds import BOOLEAN, STRING, Kind
from dataflow_nexus.fields.numbers import FLOAT, INT64, INTEGER, decimal_kind
from dataflow_nexus.fields.others import ADDRESS, BINARY, JSON, TEXT, UUID, array_kind, file_kind
from dataflow_nexus.fields.times import DATE, DURATION, NAIVE, TIME, ZONED

_BY_CLASS: list[tuple[type[models.Field[Any, Any]], Kind]] = [
    (models.BooleanField, BOOLEAN),
    (models.IntegerField, INTEGER),
    (models.FloatField, FLOAT),
    (models.DateField, DATE),
    (models.TimeField, TIME),
    (models.DurationField, DURATION),
    (models.UUIDField, UUID),
    (models.BinaryField, BINARY),
    (models.JSONField, JSON),
    (models.CharField, STRING),
    (models.TextField, STRING),
    (models.GenericIPAddressField, ADDRESS),
]


def kind_of(field: models.Field[Any, Any]) -> Kind:
    """The kind of a concrete field; a foreign key has the kind of the field it points to."""
    field = storage_field(field)
    kind = _stored_kind(field)
    convert = getattr(type(field), "from_db_value", None)
    if convert is not None and not convert.__module__.startswith("django."):
        return replace(
            kind, postgresql=None, as_text=False
        )  # what the column holds is not the value
    return kind


def _stored_kind(field: models.Field[Any, Any]) -> Kind:
    if isinstance(field, models.DateTimeField):
        zoned = settings.USE_TZ and not getattr(field, "naive", False)
        return ZONED if zoned else NAIVE
    if isinstance(field, models.DecimalField):
        return decimal_kind(field.decimal_places, field.max_digits is not None)
    if isinstance(field, models.FileField):
        return file_kind(field)
    base = getattr(field, "base_field", None)
    if base is not None and hasattr(field, "size"):
        return array_kind(kind_of(base))
    for cls, kind in _BY_CLASS:
        if isinstance(field, cls):
            return kind
    return TEXT


INTEGER_RANGES = {
    "SmallIntegerField": (-(2**15), 2**15 - 1),
    "IntegerField": (-(2**31), 2**31 - 1),
    "BigIntegerField": (-(2**63), 2**63 - 1),
    "PositiveSmallIntegerField": (0, 2**15 - 1),
    "PositiveIntegerField": (0, 2**31 - 1),
    "PositiveBigIntegerField": (0, 2**63 - 1),
    "SmallAutoField": (-(2**15), 2**15 - 1),
    "AutoField": (-(2**31), 2**31 - 1),
    "BigAutoField": (-(2**63), 2**63 - 1),
}
"""What each integer column holds, on every database alike (Django's table for PostgreSQL)."""


def storage_field(field: models.Field[Any, Any]) -> models.Field[Any, Any]:
    """The field whose type a column really has: the far end of a chain of foreign keys."""
    while isinstance(field, models.ForeignKey):
        field = field.target_field
    if isinstance(field, models.GeneratedField) and field.output_field is not None:
        return field.output_field
    return field


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema with null allowed."""
    if "enum" in schema:
        schema = {**schema, "enum": [*schema["enum"], None]}
    if "type" not in schema:
        return schema
    types = schema["type"]
    return {**schema, "type": [*(types if isinstance(types, list) else [types]), "null"]}


def is_made(field: models.Field[Any, Any]) -> bool:
    """Whether saving makes the value: a serial key, or the link to the record in an inherited table."""
    link = getattr(field.remote_field, "parent_link", False)
    return bool(link) or isinstance(field, models.AutoField)


def schema_of(field: models.Field[Any, Any]) -> dict[str, Any]:
    """JSON Schema (2020-12) of a field's values, without null."""
    stored = storage_field(field)
    kind = kind_of(field)
    schema: dict[str, Any] = dict(kind.schema)
    if isinstance(stored, models.IntegerField):
        low, high = INTEGER_RANGES.get(stored.get_internal_type(), (-INT64, INT64 - 1))
        if high < INT64 - 1:
            schema |= {"minimum": low, "maximum": high}
        elif low == 0:
            schema |= {"minimum": 0}
    if (
        stored.max_length and kind.name == "string"
    ):  # others measure what is stored, not what is shown
        schema["maxLength"] = stored.max_length
    if kind.element is not None:
        # an array of PostgreSQL may hold nulls, whatever it is an array of
        schema["items"] = nullable(schema_of(cast(Any, stored).base_field))
    if field.flatchoices and schema.get("type") in ("string", "integer", "number"):
        schema["enum"] = [value for value, _ in field.flatchoices]
    if field.help_text:
        schema["description"] = str(field.help_text)
    return schema
