"""Dates, times of day, moments with and without a zone, durations: ISO 8601 in and out."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from dataflow_nexus.fields.kinds import Kind, Rejected, same, wrong
from dataflow_nexus.fields.numbers import INT64

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?", re.ASCII)
_DATETIME = re.compile(
    r"\d{4}-\d{2}-\d{2}([T t]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_DURATION = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<weeks>[+-]?\d+)W)?(?:(?P<days>[+-]?\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<hours>[+-]?\d+(?:\.\d+)?)H)?(?:(?P<minutes>[+-]?\d+(?:\.\d+)?)M)?"
    r"(?:(?P<seconds>[+-]?\d+(?:\.\d+)?)S)?)?",
    re.ASCII,
)


def _coerce_date(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise wrong("a date like 2026-01-31")
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise wrong("a date that exists, like 2026-01-31") from None


def _parse_datetime(value: str) -> dt.datetime:
    if not _DATETIME.fullmatch(value):
        raise wrong("a date and time like 2026-01-31T13:45:00Z")
    try:
        return dt.datetime.fromisoformat(value.upper().replace(",", "."))
    except ValueError:
        raise wrong("a date and time that exists, like 2026-01-31T13:45:00Z") from None


def _coerce_datetime(value: Any, *, zoned: bool) -> dt.datetime:
    if isinstance(value, str):
        value = _parse_datetime(value)
    elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    if not isinstance(value, dt.datetime):
        raise wrong("a date and time like 2026-01-31T13:45:00Z")
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
    """Years of our era take the short way; what comes before them, and infinity, the long one.

    The cast is for tables that others made, whose columns may have no zone: Django takes their values as UTC.
    """
    text = f"({sql}::timestamptz AT TIME ZONE 'UTC')::text"
    old = f"regexp_replace({text}, '^(\\S+) (\\S+) BC$', '\\1T\\2Z BC')"
    ours = f"{sql} >= '0001-01-01 00:00:00+00' AND {sql} < 'infinity'"
    return f"CASE WHEN {ours} THEN replace({text}, ' ', 'T') || 'Z' ELSE {old} END"


DATE = Kind(
    name="date",
    schema={"type": "string", "format": "date"},
    coerce=_coerce_date,
    parse=same,
    render=lambda value: value if isinstance(value, str) else value.isoformat(),
    postgresql=same,
    as_text=True,
)
ZONED = Kind(
    name="datetime",
    schema={"type": "string", "format": "date-time"},
    coerce=lambda value: _coerce_datetime(value, zoned=True),
    parse=same,
    render=_render_zoned,
    postgresql=_zoned_postgresql,
    as_text=True,
)
NAIVE = Kind(
    name="datetime",
    schema={"type": "string", "description": "date and time without a zone, ISO 8601"},
    coerce=lambda value: _coerce_datetime(value, zoned=False),
    parse=same,
    render=_render_naive,
    postgresql=lambda sql: f"{sql}::timestamp",
    as_text=True,
)


def _coerce_time(value: Any) -> dt.time:
    if isinstance(value, dt.time) and value.tzinfo is None:
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise wrong("a time like 13:45:00")
    try:
        return dt.time.fromisoformat(value.replace(",", "."))
    except ValueError:
        raise wrong("a time that exists, like 13:45:00") from None


TIME = Kind(
    name="time",
    schema={"type": "string", "format": "time", "description": "time of day without a zone"},
    coerce=_coerce_time,
    parse=same,
    render=_render_naive,
    postgresql=same,
    as_text=True,
)


def _coerce_duration(value: Any) -> dt.timedelta:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match is None or value[-1] in "PT":
            raise wrong("an ISO 8601 duration of weeks, days and time, like P1DT2H30M")
        sign = match.group("sign")
        parts = {
            name: float(part) for name, part in match.groupdict().items() if part and name != "sign"
        }
        try:
            value = dt.timedelta(**parts) * (-1 if sign == "-" else 1)
        except OverflowError:
            raise Rejected("range", "must be a duration of at most 292,000 years") from None
    if not isinstance(value, dt.timedelta):
        raise wrong("an ISO 8601 duration like P1DT2H30M")
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
    parse=same,
    render=lambda value: value if isinstance(value, str) else iso_duration(value),
    postgresql=_duration_postgresql,
    as_text=True,
)
