"""New rows of plain models: what is given, Django's defaults for the rest, and the statement that inserts them.

Worked out once per set of given fields, because rows that give the same fields go the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from django.db import connections, models
from django.utils import timezone

from dataflow_nexus.queries import changing
from dataflow_nexus.queries.recordsets import prepared_as_is
from dataflow_nexus.queries.sql import SQL
from dataflow_nexus.registry import Exposed, ModelField


class Fill(NamedTuple):
    """``(column, field)`` pairs that are given, columns with one default, and those whose default is made for each row.

    A column that the database fills is in none of them.
    """

    named: tuple[tuple[str, str], ...]
    constant: Mapping[str, Any]
    clocks: tuple[tuple[str, Callable[[], Any]], ...]
    """Columns that take the time: rows of one statement may share it."""
    made: tuple[tuple[str, Callable[[], Any]], ...]

    def row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values by column of one row."""
        found = {column: values[name] for column, name in self.named}
        found.update(self.constant)
        for column, make in (*self.clocks, *self.made):
            found[column] = make()
        return found


class Insert(NamedTuple):
    """An ``INSERT`` whose text is known: each row only needs its parameters."""

    text: str
    fill: Fill
    prepare: tuple[tuple[str, Callable[[Any], Any]], ...]

    def statement(self, values: Mapping[str, Any]) -> SQL:
        row = self.fill.row(values)
        return SQL(self.text, tuple(prepare(row[column]) for column, prepare in self.prepare))


_CLOCKS = (timezone.now, timezone.localdate, timezone.localtime)
_MOST = 256
"""Sets of given fields that are remembered per model: a caller could invent any number of them."""
_fills: WeakKeyDictionary[Exposed, dict[frozenset[str], Fill]] = WeakKeyDictionary()
_inserts: WeakKeyDictionary[Exposed, dict[tuple[str, frozenset[str]], Insert]] = WeakKeyDictionary()


def fill_of(exposed: Exposed, given: frozenset[str]) -> Fill:
    """``make_fill``, remembered."""
    known = _fills.setdefault(exposed, {})
    if given not in known:
        if len(known) >= _MOST:
            known.clear()
        known[given] = make_fill(exposed, given)
    return known[given]


def insert_of(
    alias: str, exposed: Exposed, given: frozenset[str], around: Callable[[SQL], SQL]
) -> Insert:
    """The statement that inserts a row which gives these fields, with what stands around it; no other parameters."""
    known = _inserts.setdefault(exposed, {})
    asked = (alias, given)
    if asked not in known:
        if len(known) >= _MOST:
            known.clear()
        known[asked] = _make_insert(alias, exposed, given, around)
    return known[asked]


def _make_insert(
    alias: str, exposed: Exposed, given: frozenset[str], around: Callable[[SQL], SQL]
) -> Insert:
    fill = fill_of(exposed, given)
    columns = list(fill.row(dict.fromkeys(given)))
    by_column = {str(item.column): item for item in exposed.columns.values()}
    prepare = tuple((column, _preparation(alias, by_column[column])) for column in columns)
    whole = around(changing.insert_one(alias, exposed, columns))
    assert not whole.params
    return Insert(whole.text, fill, prepare)


def _preparation(alias: str, field: ModelField) -> Callable[[Any], Any]:
    """What a value goes through to become a parameter; many need nothing."""
    if connections[alias].vendor == "postgresql" and prepared_as_is(field):
        return _as_it_is
    source: Any = field.source
    return lambda value: changing.stored(alias, source, value)


def _as_it_is(value: Any) -> Any:
    return value


def _of_the_database(source: Any) -> bool:
    """Whether the database's default is the only one."""
    return bool(source.has_db_default() and not source.has_default())


def make_fill(exposed: Exposed, given: frozenset[str]) -> Fill:
    """How the columns of a row are filled which gives just these fields."""
    scratch = exposed.model()
    named: list[tuple[str, str]] = []
    constant: dict[str, Any] = {}
    clocks: list[tuple[str, Callable[[], Any]]] = []
    made: list[tuple[str, Callable[[], Any]]] = []
    for name, item in exposed.columns.items():
        source: Any = item.source
        column = str(item.column)
        if getattr(source, "generated", False):
            continue
        if getattr(source, "auto_now", False) or getattr(source, "auto_now_add", False):
            clocks.append((column, partial(source.pre_save, scratch, True)))
        elif name in given:
            named.append((column, name))
        elif isinstance(source, models.AutoField) or _of_the_database(source):
            continue
        elif callable(source.default) and source.has_default():
            kind = clocks if source.default in _CLOCKS else made
            kind.append((column, source.get_default))
        else:
            constant[column] = source.get_default()
    return Fill(tuple(named), constant, tuple(clocks), tuple(made))
