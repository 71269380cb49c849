"""Integers, decimals and floats: exact where the column is, printed as PostgreSQL prints them."""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Any

import msgspec

from dataflow_nexus.fields.kinds import Kind, Rejected, same, wrong

INT64 = 2**63
_DECIMAL_TEXT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER_TEXT = re.compile(r"[+-]?\d{1,40}", re.ASCII)


def _coerce_integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise wrong("an integer")
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong("an integer")
    if isinstance(value, Decimal) and (not value.is_finite() or value.adjusted() > 30):
        raise Rejected("range", "must be an integer of at most 64 bits")
    if int(value) != value:
        raise wrong("an integer")
    if not -INT64 <= int(value) < INT64:
        raise Rejected("range", "must be an integer of at most 64 bits")
    return int(value)


def _parse_integer(text: str) -> int | Decimal:
    """``3.0`` and ``3e0`` are whole numbers as they are in JSON; whether a number is whole is for ``coerce`` to say."""
    stripped = text.strip()
    if _INTEGER_TEXT.fullmatch(stripped):
        return int(stripped)
    if not _DECIMAL_TEXT.fullmatch(stripped):
        raise wrong("an integer")
    return _exact(stripped)


def _exact(text: str) -> Decimal:
    """The decimal of a well-formed number. One whose exponent Python can't hold is infinite: no kind takes that."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


INTEGER = Kind(
    name="integer",
    schema={"type": "integer"},
    coerce=_coerce_integer,
    parse=_parse_integer,
    render=same,
    postgresql=same,
)


def to_decimal(value: Any) -> Decimal:
    """An exact decimal from a JSON number, a numeric string or a Python number; at most 1,000 digits either side."""
    if isinstance(value, str) and not _DECIMAL_TEXT.fullmatch(value):
        raise wrong("a decimal number")
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise wrong("a decimal number")
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except (InvalidOperation, ValueError):
        raise wrong("a decimal number") from None
    if not number.is_finite():
        raise wrong("a finite decimal number")
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
        parse=same,
        render=render,
        postgresql=postgresql,
    )


def float8out(value: float) -> str:
    """The digits that PostgreSQL prints for a double: the shortest that round-trips, ``1e+20`` from 15 digits on.

    Source: ``double_to_shortest_decimal_buf`` in ``src/common/d2s.c``.
    """
    digits = _shortest(value).normalize()
    mantissa, _, exponent = f"{digits:e}".partition("e")
    power = int(exponent)
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if power < -4 or power >= 15:
        return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return plain(digits)


_WHOLE = 2.0**53
"""From here on doubles are whole numbers, and the number half-way between two of them may be a short one."""


def _shortest(value: float) -> Decimal:
    """The shortest decimal that is nearer to ``value`` than to any other double.

    Python's own may lie half-way between two doubles (``1e+23``), which PostgreSQL does not rely on being read back.
    """
    known = Decimal(repr(value))
    if abs(value) < _WHOLE:
        return known
    exact = Fraction(abs(value))
    below = (exact + Fraction(math.nextafter(abs(value), 0))) / 2
    above = exact + Fraction(math.ulp(value)) / 2
    if below < abs(Fraction(known)) < above:
        return known
    for power in range(known.adjusted(), -1, -1):
        unit = 10**power
        down = exact // unit
        near = [
            (abs(number * unit - exact), number % 2, number * unit)
            for number in (down, down + 1)
            if below < number * unit < above
        ]
        if near:
            return Decimal(min(near)[2]).copy_sign(known)
    raise AssertionError


def _coerce_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise wrong("a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Rejected("range", "must be a finite number within double precision")
    if value and not number:
        raise Rejected("range", "must be 0 or a number that double precision tells from 0")
    return number


def _parse_number(text: str) -> Decimal:
    if not _DECIMAL_TEXT.fullmatch(text.strip()):
        raise wrong("a number")
    return _exact(text.strip())


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
