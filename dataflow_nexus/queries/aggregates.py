"""The functions of Aggregate: which kinds each takes, what it gives, and how both databases compute the same value.

Integers, decimals and durations are summed exactly, and their average is the exact quotient, rounded once.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import msgspec
from django.db import models

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.fields import kind_of, plain
from dataflow_nexus.queries.ordering import SORTABLE
from dataflow_nexus.queries.python_rendering import converter
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL
from dataflow_nexus.registry import ModelField

FUNCTIONS = ("$sum", "$avg", "$min", "$max", "$count", "$count_distinct")
GROUPS = "g"
"""The alias of the statement that groups, inside the one that renders."""
GROUPABLE = SORTABLE
_SUMMED = frozenset({"integer", "decimal", "float", "duration"})
_COMPARED = _SUMMED | {"boolean", "date", "datetime", "time", "string", "uuid"}
_TAKES: Mapping[str, tuple[frozenset[str], str]] = {
    "$sum": (_SUMMED, "numbers and durations"),
    "$avg": (_SUMMED, "numbers and durations"),
    "$min": (_COMPARED, "numbers, text, times, UUIDs and truth values"),
    "$max": (_COMPARED, "numbers, text, times, UUIDs and truth values"),
    "$count_distinct": (GROUPABLE, "values that can be compared"),
}
_AVERAGE_DIGITS = 4
"""Digits that an average of decimals has beyond its column's scale."""
_UNSCALED_DIGITS = 16
"""Digits of such an average where the column has no scale."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """A result to compute: ``function`` of ``value``, which holds a ``field``; neither for ``$count`` of all rows."""

    name: str
    function: str
    value: SQL | None = None
    field: ModelField | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One value of every group.

    ``field`` gives its outside name and its kind. ``parts`` are computed per group; ``value`` is made of them and is
    what ``having`` and ``order_by`` compare; ``shown`` is selected, and ``read`` makes of it what msgspec encodes.
    """

    field: ModelField
    parts: Mapping[str, SQL]
    value: str
    shown: str
    read: Callable[[Any], Any]

    @property
    def name(self) -> str:
        return self.field.name


def check(function: str, field: ModelField, name: str, at: str) -> None:
    """Refuse a kind of values that the function does not take."""
    kinds, words = _TAKES.get(function, (None, ""))
    if kinds is not None and field.kind.name not in kinds:
        message = f'{function} takes {words}, and "{name}" is {field.kind.name}'
        raise Invalid.field(at, "operator", message)


def key_column(scope: Scope, field: ModelField, name: str, part: str, value: SQL) -> Column:
    """What rows are grouped by."""
    return _column(scope, _named(field, name), {part: value}, f"{GROUPS}.{part}")


def result_column(scope: Scope, result: Result, part: str) -> Column:
    """The column of a result; ``part`` is its name inside the statement."""
    field, value, function = result.field, result.value, result.function
    if field is None or value is None:
        made, found = _made(result.name, models.BigIntegerField()), SQL("count(*)")
    elif function in ("$count", "$count_distinct"):
        made = _made(result.name, models.BigIntegerField())
        found = value.wrapped("count(" if function == "$count" else "count(DISTINCT ", ")")
    elif function in ("$min", "$max"):
        made = _named(field, result.name)
        kind = field.kind.name
        found = scope.compilation.dialect.extreme(function.removeprefix("$"), value, kind)
    elif field.kind.name == "float":
        made = _made(result.name, models.FloatField())
        found = value.wrapped("sum(" if function == "$sum" else "avg(", ")")
        return _finite(_column(scope, made, {part: found}, f"{GROUPS}.{part}"))
    elif function == "$sum":
        return _summed(scope, result.name, field, part, value)
    else:
        return _averaged(scope, result.name, field, part, value)
    return _column(scope, made, {part: found}, f"{GROUPS}.{part}")


# --- exact numbers ---------------------------------------------------------------------------------------------------


def _summed(scope: Scope, name: str, field: ModelField, part: str, value: SQL) -> Column:
    total = f"{GROUPS}.{part}"
    parts = {part: scope.compilation.dialect.total(value, field.kind.name)}
    if field.kind.name == "integer":
        field = _made(name, models.BigIntegerField())
    return _exact(scope, _named(field, name), parts, total)


def _averaged(scope: Scope, name: str, field: ModelField, part: str, value: SQL) -> Column:
    dialect, kind = scope.compilation.dialect, field.kind.name
    total, number = f"{GROUPS}.{part}", f"{GROUPS}.{part}n"
    parts = {part: dialect.total(value, kind), f"{part}n": value.wrapped("count(", ")")}
    if kind == "integer":
        made = _made(name, models.FloatField())
        return _column(scope, made, parts, dialect.ratio(total, number))
    if kind == "duration":
        return _exact(scope, _named(field, name), parts, dialect.mean(total, number, 0))
    stored: Any = field.storage
    scale = stored.decimal_places
    digits = _UNSCALED_DIGITS if scale is None else scale + _AVERAGE_DIGITS
    made = _made(name, models.DecimalField(max_digits=stored.max_digits, decimal_places=digits))
    return _exact(scope, made, parts, dialect.mean(total, number, digits))


def _exact(scope: Scope, field: ModelField, parts: Mapping[str, SQL], value: str) -> Column:
    """A number of any size: on SQLite it comes as text. Durations are numbers of microseconds."""
    dialect = scope.compilation.dialect
    if dialect.renders_json:
        spelled = dialect.span(value) if field.kind.name == "duration" else value
        return _column(scope, field, parts, spelled)

    def read(text: str | None) -> Any:
        number = None if text is None else Decimal(text)
        if number is None or not number.is_finite():
            return None
        if field.kind.name == "integer":
            return msgspec.Raw(plain(number).encode())
        if field.kind.name == "duration":
            return field.kind.render(dt.timedelta(microseconds=int(number)))
        return field.kind.render(number)

    compared = f"CAST({value} AS NUMERIC)"
    return Column(field=field, parts=parts, value=compared, shown=value, read=read)


def _finite(column: Column) -> Column:
    """A sum of doubles beyond all doubles is refused: PostgreSQL can't compute it, and SQLite makes it infinite."""

    def read(value: Any) -> Any:
        if isinstance(value, float) and math.isinf(value):
            raise out_of_range([column.name])
        return column.read(value)

    return replace(column, read=read)


def out_of_range(names: list[str]) -> Invalid:
    """The error of results that no double holds."""
    listed = " or ".join(f'"{name}"' for name in names)
    message = f"{listed} is beyond double precision"
    return Invalid.field(f"aggregate.{names[0]}", "range", message)


# --- columns ---------------------------------------------------------------------------------------------------------


def _named(field: ModelField, name: str) -> ModelField:
    return replace(field, name=name, nullable=True)


def _made(name: str, source: models.Field[Any, Any]) -> ModelField:
    """A field for values that no column of a model holds."""
    return ModelField(
        name=name,
        kind=kind_of(source),
        source=source,
        column=name,
        nullable=True,
        writable=False,
        required=False,
    )


def _column(scope: Scope, field: ModelField, parts: Mapping[str, SQL], value: str) -> Column:
    """A column rendered as records render its kind."""
    if scope.compilation.dialect.renders_json and field.kind.postgresql is not None:
        shown = f"to_json({field.kind.postgresql(value)})::text"
        return Column(field=field, parts=parts, value=value, shown=shown, read=_spliced)
    convert, render = converter(scope.compilation.alias, field), field.kind.render

    def read(stored: Any) -> Any:
        found = convert(stored)
        return None if found is None else render(found)

    return Column(field=field, parts=parts, value=value, shown=value, read=read)


def _spliced(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())
