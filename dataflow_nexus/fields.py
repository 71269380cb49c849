"""The one table: Django field ↔ JSON Schema ↔ JSON value ↔ SQL rendering.

A *kind* says, for one type of value: which JSON it is, how a caller's value becomes a Python value, how a Python value
becomes JSON, and how PostgreSQL renders it by itself. Both renderings must give equal bytes (CONTRACT, section 4).
Nothing here knows a model, a grant or a request.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec
from django.conf import settings
from django.db import models

INT64 = 2**63
_DECIMAL_TEXT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_INTEGER_TEXT = re.compile(r"[+-]?\d{1,40}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?")
_DATETIME = re.compile(
    r"\d{4}-\d{2}-\d{2}([T t]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?)?"
)
_DURATION = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<weeks>[+-]?\d+)W)?(?:(?P<days>[+-]?\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>[+-]?\d+(?:\.\d+)?)H)?(?:(?P<minutes>[+-]?\d+(?:\.\d+)?)M)?"
    r"(?:(?P<seconds>[+-]?\d+(?:\.\d+)?)S)?)?"
)


class Rejected(ValueError):
    """A value that a kind does not take. ``code`` is for machines, the message finishes "must be …" for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _wrong(expected: str) -> Rejected:
    return Rejected("type", f"must be {expected}")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one type of value looks from outside and inside.

    ``name`` is the family that decides which operators apply. ``coerce`` takes a caller's value (JSON, or the native
    Python object) and returns the Python value that Django stores, or raises ``Rejected``. ``parse`` turns text (query
    string, command line, CSV) into a value for ``coerce``. ``render`` turns a stored Python value into what msgspec
    encodes. ``postgresql`` wraps an SQL expression so that ``row_to_json`` prints the same bytes; ``None`` where only
    Python can render. ``as_text`` says that the Python path on PostgreSQL reads the column as JSON text.
    """

    name: str
    schema: Mapping[str, Any]
    coerce: Callable[[Any], Any]
    parse: Callable[[str], Any]
    render: Callable[[Any], Any]
    postgresql: Callable[[str], str] | None
    as_text: bool = False
    element: Kind | None = None


def _same(value: Any) -> Any:
    return value


# --- text ------------------------------------------------------------------------------------------------------------


def check_text(value: str) -> str:
    """Refuse what no database stores: NUL and lone surrogates."""
    if "\x00" in value:
        raise Rejected("null_character", "must not hold the character NUL")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Rejected("surrogate", "must be valid Unicode (it holds a lone surrogate)") from None
    return value


def _coerce_string(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("a string")
    return check_text(str(value))


STRING = Kind(
    name="string",
    schema={"type": "string"},
    coerce=_coerce_string,
    parse=_same,
    render=str,
    postgresql=_same,
)


# --- numbers ---------------------------------------------------------------------------------------------------------


def _coerce_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _wrong("an integer")
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong("an integer")
    if isinstance(value, Decimal) and (not value.is_finite() or value.adjusted() > 30):
        raise Rejected("range", "must be an integer of at most 64 bits")
    if int(value) != value:
        raise _wrong("an integer")
    if not -INT64 <= int(value) < INT64:
        raise Rejected("range", "must be an integer of at most 64 bits")
    return int(value)


def _parse_integer(text: str) -> int:
    if not _INTEGER_TEXT.fullmatch(text.strip()):
        raise _wrong("an integer")
    return int(text)


INTEGER = Kind(
    name="integer",
    schema={"type": "integer"},
    coerce=_coerce_integer,
    parse=_parse_integer,
    render=_same,
    postgresql=_same,
)


def to_decimal(value: Any) -> Decimal:
    """An exact decimal from a JSON number, a numeric string or a Python number; at most 1,000 digits either side."""
    if isinstance(value, str) and not _DECIMAL_TEXT.fullmatch(value):
        raise _wrong("a decimal number")
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise _wrong("a decimal number")
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, ValueError):
        raise _wrong("a decimal number") from None
    if not number.is_finite():
        raise _wrong("a finite decimal number")
    if abs(number.adjusted()) > 1000 or len(number.as_tuple().digits) > 1000:
        raise Rejected("range", "must be a decimal number of at most 1,000 digits")
    return number


def plain(number: Decimal, scale: int | None = None) -> str:
    """Plain notation, never an exponent; with ``scale`` digits after the point where given."""
    return format(number, "f") if scale is None else f"{number:.{scale}f}"


@lru_cache(maxsize=256)
def decimal_kind(scale: int | None, bounded: bool = True) -> Kind:
    """Decimals are strings with the column's scale. ``bounded`` columns cannot hold infinities, only NaN."""

    def postgresql(expression: str) -> str:
        if bounded:
            return f"nullif({expression}, 'NaN')::text"
        return f"CASE WHEN {expression}::text NOT IN ('NaN', 'Infinity', '-Infinity') THEN {expression}::text END"

    def render(value: Any) -> str | None:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
        return plain(number, scale) if number.is_finite() else None

    return Kind(
        name="decimal",
        schema={"type": "string", "format": "decimal"},
        coerce=to_decimal,
        parse=_same,
        render=render,
        postgresql=postgresql,
    )


def float8out(value: float) -> str:
    """The digits that PostgreSQL prints for a double: the shortest that round-trips, ``1e+20`` from 15 digits on.

    Source: ``double_to_shortest_decimal_buf`` in ``src/common/d2s.c``.
    """
    mantissa, _, exponent = f"{Decimal(repr(value)).normalize():e}".partition("e")
    power = int(exponent)
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if power < -4 or power >= 15:
        return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return plain(Decimal(repr(value)).normalize())


def _coerce_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise _wrong("a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Rejected("range", "must be a finite number within double precision")
    return number


def _parse_number(text: str) -> Decimal:
    if not _DECIMAL_TEXT.fullmatch(text.strip()):
        raise _wrong("a number")
    return Decimal(text.strip())


def _render_float(value: Any) -> msgspec.Raw | None:
    return msgspec.Raw(float8out(float(value)).encode()) if math.isfinite(value) else None


FLOAT = Kind(
    name="float",
    schema={"type": "number"},
    coerce=_coerce_float,
    parse=_parse_number,
    render=_render_float,
    postgresql=lambda sql: f"nullif(nullif(nullif({sql}::float8, 'NaN'), 'Infinity'), '-Infinity')",
    as_text=True,
)


# --- truth -----------------------------------------------------------------------------------------------------------


def _coerce_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong("true or false")
    return value


def parse_boolean(text: str) -> bool:
    """``true false 1 0``, in any case."""
    truth = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
    if truth is None:
        raise _wrong("true or false")
    return truth


BOOLEAN = Kind(
    name="boolean",
    schema={"type": "boolean"},
    coerce=_coerce_boolean,
    parse=parse_boolean,
    render=bool,
    postgresql=_same,
)


# --- time ------------------------------------------------------------------------------------------------------------


def _coerce_date(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise _wrong("a date like 2026-01-31")
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise _wrong("a date that exists, like 2026-01-31") from None


def _parse_datetime(value: str) -> dt.datetime:
    if not _DATETIME.fullmatch(value):
        raise _wrong("a date and time like 2026-01-31T13:45:00Z")
    try:
        return dt.datetime.fromisoformat(value.upper().replace(",", "."))
    except ValueError:
        raise _wrong("a date and time that exists, like 2026-01-31T13:45:00Z") from None


def _coerce_datetime(value: Any, *, zoned: bool) -> dt.datetime:
    if isinstance(value, str):
        value = _parse_datetime(value)
    elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if not isinstance(value, dt.datetime):
        raise _wrong("a date and time like 2026-01-31T13:45:00Z")
    try:
        if zoned:
            return (
                value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
            )
        return value if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError:
        raise Rejected("range", "must be a date and time of the years 1 to 9999 in UTC") from None


def _fraction(text: str) -> str:
    """ISO text without trailing zeros in its fraction of a second."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _render_zoned(value: Any) -> str:
    if isinstance(value, str):
        return value
    moment = value.astimezone(dt.UTC) if value.tzinfo is not None else value
    return _fraction(moment.replace(tzinfo=None).isoformat()) + "Z"


def _render_naive(value: Any) -> str:
    return value if isinstance(value, str) else _fraction(value.isoformat())


def _zoned_postgresql(sql: str) -> str:
    text = f"btrim(to_json({sql} AT TIME ZONE 'UTC')::text, '\"')"
    return f"CASE WHEN isfinite({sql}) THEN replace({text} || 'Z', ' BCZ', 'Z BC') ELSE {text} END"


DATE = Kind(
    name="date",
    schema={"type": "string", "format": "date"},
    coerce=_coerce_date,
    parse=_same,
    render=lambda value: value if isinstance(value, str) else value.isoformat(),
    postgresql=_same,
    as_text=True,
)
ZONED = Kind(
    name="datetime",
    schema={"type": "string", "format": "date-time"},
    coerce=lambda value: _coerce_datetime(value, zoned=True),
    parse=_same,
    render=_render_zoned,
    postgresql=_zoned_postgresql,
    as_text=True,
)
NAIVE = Kind(
    name="datetime",
    schema={"type": "string", "description": "date and time without a zone, ISO 8601"},
    coerce=lambda value: _coerce_datetime(value, zoned=False),
    parse=_same,
    render=_render_naive,
    postgresql=lambda sql: f"{sql}::timestamp",
    as_text=True,
)


def _coerce_time(value: Any) -> dt.time:
    if isinstance(value, dt.time) and value.tzinfo is None:
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise _wrong("a time like 13:45:00")
    try:
        return dt.time.fromisoformat(value.replace(",", "."))
    except ValueError:
        raise _wrong("a time that exists, like 13:45:00") from None


TIME = Kind(
    name="time",
    schema={"type": "string", "format": "time", "description": "time of day without a zone"},
    coerce=_coerce_time,
    parse=_same,
    render=_render_naive,
    postgresql=_same,
    as_text=True,
)


def _coerce_duration(value: Any) -> dt.timedelta:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match is None or value[-1] in "PT":
            raise _wrong("an ISO 8601 duration of weeks, days and time, like P1DT2H30M")
        sign = match.group("sign")
        parts = {
            name: float(part) for name, part in match.groupdict().items() if part and name != "sign"
        }
        try:
            value = dt.timedelta(**parts) * (-1 if sign == "-" else 1)
        except OverflowError:
            raise Rejected("range", "must be a duration of at most 292,000 years") from None
    if not isinstance(value, dt.timedelta):
        raise _wrong("an ISO 8601 duration like P1DT2H30M")
    if not -INT64 <= value // dt.timedelta(microseconds=1) < INT64:
        raise Rejected("range", "must be a duration of at most 292,000 years")
    return value


def iso_duration(value: dt.timedelta) -> str:
    """ISO 8601 as PostgreSQL's ``iso_8601`` style: each part has its own sign, zero is ``PT0S``."""
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    date = f"{value.days}D" if value.days else ""
    clock = (
        (f"{hours}H" if hours else "")
        + (f"{minutes}M" if minutes else "")
        + (f"{seconds}{fraction}S" if seconds or fraction else "")
    )
    return f"P{date}{'T' if clock else ''}{clock}" if date or clock else "PT0S"


def _duration_postgresql(sql: str) -> str:
    """Independent of IntervalStyle: the parts are taken one by one."""

    def part(unit: str, letter: str) -> str:
        value = f"trim_scale(extract({unit} FROM {sql})::numeric)::text"
        return f"CASE WHEN extract({unit} FROM {sql}) <> 0 THEN {value} || '{letter}' ELSE '' END"

    date = " || ".join(
        part(unit, letter) for unit, letter in (("year", "Y"), ("month", "M"), ("day", "D"))
    )
    clock = " || ".join(
        part(unit, letter) for unit, letter in (("hour", "H"), ("minute", "M"), ("second", "S"))
    )
    whole = f"rtrim('P' || {date} || 'T' || {clock}, 'T')"
    return f"CASE WHEN {sql} IS NOT NULL THEN coalesce(nullif({whole}, 'P'), 'PT0S') END"


DURATION = Kind(
    name="duration",
    schema={"type": "string", "format": "duration"},
    coerce=_coerce_duration,
    parse=_same,
    render=lambda value: value if isinstance(value, str) else iso_duration(value),
    postgresql=_duration_postgresql,
    as_text=True,
)


# --- the rest --------------------------------------------------------------------------------------------------------


def _coerce_uuid(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if isinstance(value, str):
        try:
            return uuid.UUID(value)
        except ValueError:
            pass
    raise _wrong("a UUID")


UUID = Kind(
    name="uuid",
    schema={"type": "string", "format": "uuid"},
    coerce=_coerce_uuid,
    parse=_same,
    render=str,
    postgresql=_same,
)


def _coerce_binary(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise _wrong("bytes in base64")


BINARY = Kind(
    name="binary",
    schema={"type": "string", "contentEncoding": "base64"},
    coerce=_coerce_binary,
    parse=_same,
    render=lambda value: base64.b64encode(bytes(value)).decode(),
    postgresql=lambda sql: f"translate(encode({sql}, 'base64'), E'\\n', '')",
)


def coerce_json(value: Any, depth: int = 64) -> Any:
    """A JSON value that both databases store: exact numbers become doubles, impossible characters are refused."""
    if depth == 0:
        raise Rejected("depth", "must not be nested deeper than 64 levels")
    if isinstance(value, Decimal):
        number = float(value)
        if not math.isfinite(number):
            raise Rejected("range", "must not hold a number beyond double precision")
        return number
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return check_text(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Rejected("range", "must not hold NaN or an infinity")
        return value
    if isinstance(value, (list, tuple)):
        return [coerce_json(item, depth - 1) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {check_text(key): coerce_json(item, depth - 1) for key, item in value.items()}
    raise _wrong("a JSON value")


def _parse_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text, strict=True)
    except (msgspec.DecodeError, RecursionError):
        raise _wrong("JSON") from None


def _render_json(value: Any) -> msgspec.Raw:
    """Compact; through the standard library, because documents may hold integers of any size."""
    return msgspec.Raw(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


JSON = Kind(
    name="json",
    schema={},
    coerce=coerce_json,
    parse=_parse_json,
    render=_render_json,
    postgresql=_same,
    as_text=True,
)
TEXT = Kind(
    name="text",
    schema={"type": "string", "description": "the database's own text form"},
    coerce=_coerce_string,
    parse=_same,
    render=str,
    postgresql=_same,
    as_text=True,
)
"""Ranges, network addresses and everything unknown: the database's text, in and out."""


def file_kind(field: models.FileField) -> Kind:
    """A URL out (so Python renders it), an uploaded file or a stored name in."""

    def coerce(value: Any) -> Any:
        return check_text(value) if isinstance(value, str) else value

    return Kind(
        name="file",
        schema={"type": "string", "format": "uri-reference"},
        coerce=coerce,
        parse=_same,
        render=lambda value: field.storage.url(value) if value else None,
        postgresql=None,
    )


@lru_cache(maxsize=256)
def array_kind(element: Kind) -> Kind:
    """PostgreSQL arrays: JSON arrays of the element's kind."""

    def coerce(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise _wrong("an array")
        return [None if item is None else element.coerce(item) for item in value]

    def parse(text: str) -> Any:
        if text.lstrip().startswith("["):
            return _parse_json(text)
        return [element.parse(item) for item in text.split(",")] if text else []

    render_element = element.postgresql

    def each(sql: str) -> str:
        assert render_element is not None
        return (
            f"CASE WHEN {sql} IS NOT NULL THEN"
            f" ARRAY(SELECT {render_element('e')} FROM unnest({sql}) WITH ORDINALITY AS u(e, o) ORDER BY o) END"
        )

    # unnest() flattens, so nested arrays whose elements need work are left to Python
    nested = element.name == "array"
    postgresql = (
        _same if render_element is _same else None if nested or render_element is None else each
    )

    return Kind(
        name="array",
        schema={"type": "array", "items": dict(element.schema)},
        coerce=coerce,
        parse=parse,
        render=lambda value: [None if item is None else element.render(item) for item in value],
        postgresql=postgresql,
        as_text=postgresql is not None,
        element=element,
    )


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
    (models.GenericIPAddressField, TEXT),
]


def kind_of(field: models.Field[Any, Any]) -> Kind:
    """The kind of a concrete field; a foreign key has the kind of the field it points to."""
    field = storage_field(field)
    kind = _stored_kind(field)
    if hasattr(field, "from_db_value") and not type(field).__module__.startswith("django."):
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


def schema_of(field: models.Field[Any, Any]) -> dict[str, Any]:
    """JSON Schema (2020-12) of a field's values, without null."""
    stored = storage_field(field)
    schema: dict[str, Any] = dict(kind_of(field).schema)
    if isinstance(stored, models.IntegerField):
        low, high = INTEGER_RANGES.get(stored.get_internal_type(), (-INT64, INT64 - 1))
        if high < INT64 - 1:
            schema |= {"minimum": low, "maximum": high}
        elif low == 0:
            schema |= {"minimum": 0}
    if (
        stored.max_length
        and schema.get("type") == "string"
        and not isinstance(stored, models.BinaryField)
    ):
        schema["maxLength"] = stored.max_length
    if field.flatchoices and schema.get("type") in ("string", "integer", "number"):
        schema["enum"] = [value for value, _ in field.flatchoices]
    if field.help_text:
        schema["description"] = str(field.help_text)
    return schema
