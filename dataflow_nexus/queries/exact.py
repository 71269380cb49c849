"""Exact sums and averages for SQLite, whose own are doubles or overflow. Numbers of any size travel as text."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

_STORED = Context(prec=15)
"""What SQLite keeps of a decimal: Django reads its doubles with as many digits."""
_EXACT = Context(prec=4000, traps=[])
_ZERO = Decimal(0)


class ExactSum:
    """The aggregate ``dataflow_sum(x)``: null for no values, else the sum in plain notation."""

    def __init__(self) -> None:
        self._total = _ZERO
        self._whole = 0
        self._found = False

    def step(self, value: Any) -> None:
        if value is None:
            return
        self._found = True
        if isinstance(value, int):
            self._whole += value
        elif isinstance(value, float):
            self._total = _EXACT.add(self._total, _STORED.create_decimal_from_float(value))
        else:
            number = _EXACT.create_decimal(str(value))
            if (
                not number.is_nan()
            ):  # a column may hold text, which counts for nothing, as in SQLite's own sum
                self._total = _EXACT.add(self._total, number)

    def finalize(self) -> str | None:
        if not self._found:
            return None
        text = format(_EXACT.add(self._total, Decimal(self._whole)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text


def exact_ratio(total: str | None, number: int) -> float | None:
    """The double nearest to ``total / number``."""
    found = _fraction(total)
    return None if found is None else float(found / number)


def exact_mean(total: str | None, number: int, digits: int) -> str | None:
    """``total / number`` in plain notation with ``digits`` digits after the point, half-even."""
    found = _fraction(total)
    if found is None:
        return None
    rounded = round(found / number * 10**digits)
    text = str(abs(rounded)).rjust(digits + 1, "0")
    sign = "-" if rounded < 0 else ""
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"


def _fraction(total: str | None) -> Fraction | None:
    """The number that a text holds; none for none, for infinities and for what is no number."""
    number = None if total is None else Decimal(total)
    return Fraction(number) if number is not None and number.is_finite() else None
