"""Where databases differ in spelling: text matching, JSON paths, truncated dates. One small class per database."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from dataflow_nexus.queries.connections import canonical, folded
from dataflow_nexus.queries.sql import SQL, join, param


def escape_like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _glob(pattern: str) -> str:
    """A LIKE pattern (with backslash escapes) as a GLOB pattern, which SQLite compares case-sensitively."""
    out: list[str] = []
    escaped = False
    for char in pattern:
        if escaped or char not in "%_\\":
            out.append(f"[{char}]" if char in "*?[" else char)
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            out.append("*" if char == "%" else "?")
    return "".join(out)


_ONE = "1." + "0" * 40
"""A factor that gives a quotient 40 digits after the point."""
_LARGEST = Decimal(repr(sys.float_info.max))
_DAY = "86400000000"
"""A day in microseconds."""


class PostgreSQL:
    """PostgreSQL 14 and later."""

    name = "postgresql"
    renders_json = True

    def like(self, value: SQL, pattern: str, *, fold: bool) -> SQL:
        return value + (" ILIKE " if fold else " LIKE ") + param(pattern)

    def regex(self, value: SQL, pattern: str) -> SQL:
        return value + " ~ " + param(pattern)

    def as_text(self, value: SQL) -> SQL:
        """As records show it: a cast would add the length of its mask to an address."""
        return value.wrapped("(to_json(", ") #>> '{}')")

    def number(self, value: Any) -> SQL:
        return SQL("%s::numeric", (value,))

    operand = number

    def json_equal(self, value: SQL, path: Sequence[str], other: Any) -> SQL:
        return self._at(value, path) + SQL(" = %s::jsonb", (json.dumps(other),))

    def json_in(self, value: SQL, path: Sequence[str], others: Sequence[Any]) -> SQL:
        listed = join(", ", [SQL("%s::jsonb", (json.dumps(other),)) for other in others])
        return self._at(value, path) + " IN (" + listed + ")"

    def json_exists(self, value: SQL, path: Sequence[str]) -> SQL:
        return self._at(value, path) + " IS NOT NULL"

    def json_is_null(self, value: SQL, path: Sequence[str]) -> SQL:
        return "coalesce(" + self._at(value, path) + ", 'null'::jsonb) = 'null'::jsonb"

    def json_number(self, value: SQL, path: Sequence[str]) -> SQL:
        found = self._at(value, path)
        typed = "CASE WHEN jsonb_typeof(" + found + ") = 'number' THEN (" + found
        return typed + " #>> '{}')::numeric END"

    def json_text(self, value: SQL, path: Sequence[str]) -> SQL:
        found = self._at(value, path)
        return "CASE WHEN jsonb_typeof(" + found + ") = 'string' THEN " + found + " #>> '{}' END"

    @staticmethod
    def _at(value: SQL, path: Sequence[str]) -> SQL:
        if not path:
            return value.wrapped("(", ")::jsonb")
        return "((" + value + ")::jsonb #> " + SQL("%s::text[]", (list(path),)) + ")"

    def date_trunc(self, unit: str, value: SQL, *, zoned: bool) -> SQL:
        if zoned:
            return SQL("date_trunc(%s, ", (unit,)) + value + ", 'UTC')"
        return SQL("date_trunc(%s, ", (unit,)) + value + "::timestamp)"

    def day(self, value: SQL) -> SQL:
        """The date of a truncated date."""
        return value.wrapped("(", ")::date")

    def total(self, value: SQL, kind: str) -> SQL:
        """An exact sum of integers, of decimals, or of durations in microseconds."""
        if kind == "duration":
            return value.wrapped("sum(extract(epoch FROM ", ") * 1000000)")
        return value.wrapped("sum(", ")")

    def ratio(self, total: str, number: str) -> str:
        """The double nearest to ``total / number``: the quotient has digits enough for that."""
        return f"({total} * {_ONE} / {number})::float8"

    def mean(self, total: str, number: str, digits: int) -> str:
        """``total / number`` rounded half-even, in whole numbers alone, because a numeric quotient is not exact."""
        whole, divisor = f"(abs({total}) * {10**digits})", f"{number}::numeric"
        quotient, rest = f"div({whole}, {divisor})", f"2 * mod({whole}, {divisor})"
        up = f"{rest} > {divisor} OR ({rest} = {divisor} AND mod({quotient}, 2) = 1)"
        unit = f"1e-{digits}::numeric"
        return f"(sign({total}) * ({quotient} + CASE WHEN {up} THEN 1 ELSE 0 END) * {unit})"

    def span(self, total: str) -> str:
        """The interval of microseconds, in days and a positive time of day, as Django stores durations."""
        rest = f"mod(mod({total}, {_DAY}) + {_DAY}, {_DAY})"
        days = f"div({total} - {rest}, {_DAY})"
        return f"({days}::int * interval '1 day' + {rest}::float8 * interval '1 microsecond')"

    def extreme(self, function: str, value: SQL, kind: str) -> SQL:
        """``min`` or ``max``, which lack truth values and UUIDs."""
        if kind == "boolean":
            return value.wrapped("bool_and(" if function == "min" else "bool_or(", ")")
        if kind == "uuid":
            return value.wrapped(f"{function}((", ")::text)::uuid")
        return value.wrapped(f"{function}(", ")")

    def key_text(self, value: SQL, kind: str) -> SQL:
        """A sort key in a form that goes into a cursor and back without loss."""
        return value if kind in ("integer", "boolean") else value.wrapped("(", ")::text")


class SQLite:
    """SQLite 3.35 and later, with the functions of ``connections``."""

    name = "sqlite"
    renders_json = False

    def like(self, value: SQL, pattern: str, *, fold: bool) -> SQL:
        if fold:
            return "dataflow_lower(" + value + ") GLOB " + param(_glob(folded(pattern)))
        return value + " GLOB " + param(_glob(pattern))

    def regex(self, value: SQL, pattern: str) -> SQL:
        return value + " REGEXP " + param(pattern)

    def as_text(self, value: SQL) -> SQL:
        return value.wrapped("CAST(", " AS TEXT)")

    def number(self, value: Any) -> SQL:
        """What is too near to zero for SQLite's numbers is the nearest of them, and not zero itself."""
        if value and not float(value):
            return param(math.copysign(math.ulp(0), value))
        return SQL("CAST(%s AS NUMERIC)", (str(value),))

    def operand(self, value: Any) -> SQL:
        """A number to compute with: zero times SQLite's infinity would be null."""
        return self.number(max(-_LARGEST, min(value, _LARGEST)))

    def json_equal(self, value: SQL, path: Sequence[str], other: Any) -> SQL:
        return self._call("dataflow_json", value, path) + " = " + param(canonical(other))

    def json_in(self, value: SQL, path: Sequence[str], others: Sequence[Any]) -> SQL:
        listed = join(", ", [param(canonical(other)) for other in others])
        return self._call("dataflow_json", value, path) + " IN (" + listed + ")"

    def json_exists(self, value: SQL, path: Sequence[str]) -> SQL:
        return self._call("dataflow_json", value, path) + " IS NOT NULL"

    def json_is_null(self, value: SQL, path: Sequence[str]) -> SQL:
        return "coalesce(" + self._call("dataflow_json", value, path) + ", 'null') = 'null'"

    def json_number(self, value: SQL, path: Sequence[str]) -> SQL:
        return self._call("dataflow_json_number", value, path)

    def json_text(self, value: SQL, path: Sequence[str]) -> SQL:
        return self._call("dataflow_json_text", value, path)

    @staticmethod
    def _call(function: str, value: SQL, path: Sequence[str]) -> SQL:
        return f"{function}(" + value + ", " + param(json.dumps(list(path))) + ")"

    def date_trunc(self, unit: str, value: SQL, *, zoned: bool) -> SQL:  # noqa: ARG002  # stored in UTC either way
        """Text in the form that Django stores: ``YYYY-MM-DD HH:MM:SS``.

        Fractions are cut off first: SQLite would round the last instant of the year 9999 into the next.
        """
        value = value.wrapped("substr(", ", 1, 19)")
        if unit == "week":
            # the day by itself first: a modifier rounds the last half millisecond of a day up to the next
            day = "strftime('%%Y-%%m-%%d', strftime('%%Y-%%m-%%d', " + value + ")"
            day += ", '-6 days', 'weekday 1')"
            return day + " || ' 00:00:00'"
        if unit == "quarter":
            month = (
                "printf('%%02d', (CAST(strftime('%%m', " + value + ") AS INTEGER) - 1) / 3 * 3 + 1)"
            )
            return "strftime('%%Y', " + value + ") || '-' || " + month + " || '-01 00:00:00'"
        formats = {
            "second": "%%Y-%%m-%%d %%H:%%M:%%S",
            "minute": "%%Y-%%m-%%d %%H:%%M:00",
            "hour": "%%Y-%%m-%%d %%H:00:00",
            "day": "%%Y-%%m-%%d 00:00:00",
            "month": "%%Y-%%m-01 00:00:00",
            "year": "%%Y-01-01 00:00:00",
        }
        return f"strftime('{formats[unit]}', " + value + ")"

    def day(self, value: SQL) -> SQL:
        return value.wrapped("substr(", ", 1, 10)")

    def total(self, value: SQL, kind: str) -> SQL:  # noqa: ARG002  # durations are stored as microseconds
        """Text, because neither of SQLite's numbers holds every sum."""
        return value.wrapped("dataflow_sum(", ")")

    def ratio(self, total: str, number: str) -> str:
        return f"dataflow_ratio({total}, {number})"

    def mean(self, total: str, number: str, digits: int) -> str:
        return f"dataflow_mean({total}, {number}, {digits})"

    def span(self, total: str) -> str:
        """Microseconds are what SQLite stores of a duration."""
        return total

    def extreme(self, function: str, value: SQL, kind: str) -> SQL:  # noqa: ARG002  # all kinds compare
        return value.wrapped(f"{function}(", ")")

    def key_text(self, value: SQL, kind: str) -> SQL:  # noqa: ARG002  # no kind needs another form here
        """The stored value as it is: an expression has no declared type, so no converter touches it."""
        return "+" + value


Dialect = PostgreSQL | SQLite
DIALECTS: dict[str, Dialect] = {"postgresql": PostgreSQL(), "sqlite": SQLite()}
