"""The functions of Aggregate: which kinds each takes, what it gives, and how both databases compute the same value.

Integers and decimals are summed exactly, and their average is the exact quotient, rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import msgspec
from django.db import models

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.fields import FLOAT, INTEGER, decimal_kind
from dataflow_nexus.queries.ordering import SORTABLE
from dataflow_nexus.queries.python_rendering import converter
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL
from dataflow_nexus.registry import ModelField

FUNCTIONS = ("$sum", "$avg", "$min", "$max", "$count", "$count_distinct")
GROUPS = "g"
"""The alias of the statement that groups, inside the one that renders."""
_NUMBERS = frozenset({"integer", "decimal", "float"})
_EXTREMES = _NUMBERS | {"boolean", "date", "datetime", "time", "duration", "string", "uuid"}
_TAKES: Mapping[str, tuple[frozenset[str], str]] = {
    "$sum": (_NUMBERS, "numbers"),
    "$avg": (_NUMBERS, "numbers"),
    "$min": (_EXTREMES, "numbers, text, times, UUIDs and truth values"),
    "$max": (_EXTREMES, "numbers, text, times, UUIDs and truth values"),
    "$count_distinct": (SORTABLE, "values that can be compared"),
}
_AVERAGE_DIGITS = 4
"""Digits that an average of decimals has beyond its column's scale."""
_UNSCALED_DIGITS = 16
"""Digits of an average where the column has no scale."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One value of every group.

    ``field`` gives its outside name and its kind. ``parts`` are computed per group; ``value`` is made of them and is
    what ``having`` and ``order_by`` see; ``shown`` is selected, and ``read`` makes of it what msgspec encodes.
    """

    field: ModelField
    parts: Mapping[str, SQL]
    value: str
    shown: str
    read: Callable[[Any], Any]

    @property
    def name(self) -> str:
        return self.field.name


@dataclass(frozen=True, kw_only=True)
class Result:
    """A result to compute: ``function`` of ``value``, which holds a ``field`` (neither for ``$count`` of all)."""

    name: str
    function: str
    value: SQL | None
    field: ModelField | None


def key_column(scope: Scope, field: ModelField, name: str, part: str, value: SQL) -> Column:
    """What rows are grouped by."""
    return _column(scope, replace(field, name=name, nullable=True), {part: value}, part)


def result_column(scope: Scope, result: Result, part: str) -> Column:
    """The column of a result, whose kind ``check`` has seen."""
    field, value = result.field, result.value
    if field is None or value is None:
        return _counted(scope, result, {part: SQL("count(*)")}, part)
    if result.function == "$count":
        return _counted(scope, result, {part: value.wrapped("count(", ")")}, part)
    if result.function == "$count_distinct":
        return _counted(scope, result, {part: value.wrapped("count(DISTINCT ", ")")}, part)
    if result.function in ("$min", "$max"):
        function = result.function.removeprefix("$")
        found = scope.compilation.dialect.extreme(function, value, field.kind.name)
        return _column(scope, replace(field, name=result.name, nullable=True), {part: found}, part)
    if result.function == "$sum":
        return _summed(scope, result, field, part, value)
    return _averaged(scope, result, field, part, value)


def check(function: str, field: ModelField, name: str, at: str) -> None:
    """Refuse a function on a kind of values that it does not take."""
    kinds, words = _TAKES.get(function, (None, ""))
    if kinds is not None and field.kind.name not in kinds:
        raise Invalid.field(
            at, "operator", f'{function} takes {words}, and "{name}" is {field.kind.name}'
        )


# --- functions -------------------------------------------------------------------------------------------------------


def _counted(scope: Scope, result: Result, parts: Mapping[str, SQL], part: str) -> Column:
    return _column(scope, _made(result.name, models.BigIntegerField()), parts, part)


def _summed(scope: Scope, result: Result, field: ModelField, part: str, value: SQL) -> Column:
    if field.kind.name == "float":
        made = _made(result.name, models.FloatField())
        return _column(scope, made, {part: value.wrapped("sum(", ")")}, part)
    made = (
        _made(result.name, models.BigIntegerField())
        if field.kind.name == "integer"
        else replace(field, name=result.name, nullable=True)
    )
    dialect = scope.compilation.dialect
    return _exact(scope, made, {part: dialect.total(value)}, f"{GROUPS}.{part}")


def _averaged(scope: Scope, result: Result, field: ModelField, part: str, value: SQL) -> Column:
    dialect = scope.compilation.dialect
    if field.kind.name == "float":
        made = _made(result.name, models.FloatField())
        return _column(scope, made, {part: value.wrapped("avg(", ")")}, part)
    total, number = part, f"{part}n"
    parts = {total: dialect.total(value), number: value.wrapped("count(", ")")}
    total, number = f"{GROUPS}.{total}", f"{GROUPS}.{number}"
    if field.kind.name == "integer":
        made = _made(result.name, models.FloatField())
        quotient = dialect.ratio(total, number)
        return replace(_column(scope, made, parts, part), **_selected(scope, made, quotient))
    scale = getattr(field.storage, "decimal_places", None)
    digits = _UNSCALED_DIGITS if scale is None else scale + _AVERAGE_DIGITS
    made = _made(result.name, models.DecimalField(max_digits=1000, decimal_places=digits))
    return _exact(scope, made, parts, dialect.mean(total, number, digits))


def _made(name: str, source: models.Field[Any, Any]) -> ModelField:
    """A field for values that no column of the model holds."""
    kind = INTEGER
    if isinstance(source, models.DecimalField):
        kind = decimal_kind(source.decimal_places)
    elif isinstance(source, models.FloatField):
        kind = FLOAT
    return ModelField(
        name=name,
        kind=kind,
        source=source,
        column=name,
        nullable=True,
        writable=False,
        required=False,
    )


# --- rendering -------------------------------------------------------------------------------------------------------


def _column(scope: Scope, field: ModelField, parts: Mapping[str, SQL], part: str) -> Column:
    """A column that one part holds, rendered as records render its kind."""
    selected = _selected(scope, field, f"{GROUPS}.{part}")
    return Column(field=field, parts=parts, **selected)


def _selected(scope: Scope, field: ModelField, value: str) -> dict[str, Any]:
    if scope.compilation.dialect.renders_json and field.kind.postgresql is not None:
        shown = f"to_json({field.kind.postgresql(value)})::text"
        return {"value": value, "shown": shown, "read": _spliced}
    convert, render = converter(scope.compilation.alias, field), field.kind.render

    def read(stored: Any) -> Any:
        found = convert(stored)
        return None if found is None else render(found)

    return {"value": value, "shown": value, "read": read}


def _spliced(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())


def _exact(scope: Scope, field: ModelField, parts: Mapping[str, SQL], value: str) -> Column:
    """A number of any size: PostgreSQL's own, and text on SQLite."""
    dialect = scope.compilation.dialect
    if dialect.renders_json:
        return Column(field=field, parts=parts, **_selected(scope, field, value))

    def read(text: str | None) -> Any:
        if text is None:
            return None
        if field.kind.name == "integer":
            return msgspec.Raw(text.encode())
        return field.kind.render(Decimal(text))

    return Column(
        field=field, parts=parts, value=f"CAST({value} AS NUMERIC)", shown=value, read=read
    )
