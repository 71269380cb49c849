"""Rows that all give the same fields, checked a column at a time: the short way of a large bulk create.

It says yes or nothing. Where any value is not plainly right, the rows are read one by one, which names what is wrong;
so this way may never take what the other refuses, nor make another value of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Any, NamedTuple

from django.db import models

from dataflow_nexus.fields import Rejected
from dataflow_nexus.operations.checking import Check, integer_range, tests_of
from dataflow_nexus.operations.values import Faults, Writer
from dataflow_nexus.registry import ModelField

_SCALARS = frozenset({str, int, bool, float, Decimal})
"""Types whose equal values are one value: each is checked once."""
_SIGNED = frozenset({float, Decimal})
"""But for these, whose zeros are equal and differ."""


class Columns(NamedTuple):
    """Checked values by field name; every column has a value, or null, for each row."""

    rows: int
    values: dict[str, Sequence[Any]]


def read_columns(writer: Writer, rows: Sequence[Any], required: Iterable[str]) -> Columns | None:
    """The rows as checked columns; ``None`` where they have to be read one by one."""
    if not rows or set(map(type, rows)) != {dict} or len(set(map(tuple, rows))) != 1:
        return None
    found: dict[str, Sequence[Any]] = {}
    for name, values in zip(
        rows[0], zip(*(row.values() for row in rows), strict=True), strict=True
    ):
        known = writer.known(name, Faults())
        if known is None or known[0].name in found or known[0].name not in writer.exposed.columns:
            return None
        field, check = known
        try:
            found[field.name] = check_column(field, check, values)
        except (Rejected, _Unsure):
            return None
    return Columns(len(rows), found) if found.keys() >= set(required) else None


def repeats(columns: Columns, keys: Iterable[tuple[str, ...]]) -> bool:
    """Whether two rows may have the same unique key."""
    for names in keys:
        if all(name in columns.values for name in names):
            rows = list(zip(*(columns.values[name] for name in names), strict=True))
            try:
                if len(set(rows)) < len(rows):
                    return True
            except TypeError:
                return True
    return False


class _Unsure(Exception):
    """The column holds something that only the check of one value can judge."""


def check_column(field: ModelField, check: Check, values: Sequence[Any]) -> Sequence[Any]:
    """The values as they are stored. Raises where one is wrong, or might be."""
    kinds = set(map(type, values))
    if kinds == {NoneType} and field.nullable:
        return values
    kinds.discard(NoneType)
    if len(kinds) != 1:
        raise _Unsure
    kind = kinds.pop()
    short = _SHORT.get((field.kind.name, kind))
    if short is not None and None not in values and short(field, values):
        return list(map(Decimal, values)) if field.kind.name == "decimal" else values
    if kind in _SCALARS and not (kind in _SIGNED and 0 in values):
        checked = {value: check(value) for value in set(values)}
        return [checked[value] for value in values]
    if kind is dict:  # it may be an operator
        raise _Unsure
    return [check(value) for value in values]


def _plain_texts(field: ModelField, values: Sequence[str]) -> bool:
    """Texts that hold no impossible character and pass every validator."""
    source: Any = field.source
    tests = tests_of(field)
    if tests is None or source.choices or (not source.blank and "" in values):
        return False
    whole = "".join(values)
    if "\x00" in whole or not (whole.isascii() or _encodes(whole)):
        return False
    return all(all(map(test, values)) for test in tests)


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _plain_decimals(field: ModelField, values: Sequence[str]) -> bool:
    """Plain notation within the column's digits: then no validator of Django's own can object."""
    storage: Any = field.storage
    if storage.max_digits is None or field.source is None or not _only_its_own(field):
        return False
    form = _decimal_form(storage.max_digits - storage.decimal_places, storage.decimal_places)
    return form.fullmatch("\n".join(values)) is not None


def _only_its_own(field: ModelField) -> bool:
    """Whether a decimal field has no rule beyond its digits."""
    source: Any = field.source
    storage: Any = field.storage
    return source is storage and not storage._validators and not source.choices


@lru_cache(maxsize=256)
def _decimal_form(whole: int, places: int) -> re.Pattern[str]:
    one = rf"-?[0-9]{{1,{max(whole, 1)}}}" + (rf"(?:\.[0-9]{{1,{places}}})?" if places else "")
    if whole == 0:
        one = rf"-?0(?:\.[0-9]{{1,{places}}})?"
    return re.compile(rf"{one}(?:\n{one})*")


def _plain_integers(field: ModelField, values: Sequence[int]) -> bool:
    """Integers whose extremes are within the column, and no rule looks at anything else."""
    source: Any = field.source
    tests = tests_of(field)
    if tests is None or source.choices or not isinstance(field.storage, models.IntegerField):
        return False
    low, high = integer_range(field.storage)
    ends = min(values), max(values)
    return low <= ends[0] and ends[1] <= high and all(test(end) for test in tests for end in ends)


_SHORT: dict[tuple[str, type], Callable[[ModelField, Sequence[Any]], bool]] = {
    ("string", str): _plain_texts,
    ("decimal", str): _plain_decimals,
    ("integer", int): _plain_integers,
}
