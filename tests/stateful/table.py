"""A table in memory: what the operations mean, in plain Python. It knows no database and nothing of the product."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.queries.oracle import matches

Row = dict[str, Any]
Key = tuple[Any, ...]
MOST = Decimal("99999999.99")
"""The greatest decimal that a column holds."""
BULK = ("processed", "inserted", "updated", "deleted", "skipped")


class Refused(Exception):
    """What an operation answers instead of a result, by its code.

    Of several rows that are wrong in several ways, any may be told first.
    """

    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = codes


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A model as the table knows it."""

    node: str
    key: tuple[str, ...]
    numbered: bool
    """Whether the database gives new rows their key."""
    unique: tuple[str, ...]
    """One unique key; the primary key itself where the model has no other."""
    defaults: Mapping[str, Any]
    nullable: frozenset[str]
    columns: tuple[str, ...]
    references: Mapping[str, frozenset[int]]
    """Foreign keys, and the keys that they may name."""

    def required(self) -> list[str]:
        given = self.key if self.numbered else ()
        return [name for name in self.columns if name not in self.defaults and name not in given]


@dataclass
class Table:
    """Rows by key, in the order of their keys where it matters."""

    shape: Shape
    rows: dict[Key, Row] = field(default_factory=dict)
    provisional: int = 0

    def copy(self) -> Table:
        rows = {key: dict(row) for key, row in self.rows.items()}
        return Table(self.shape, rows, self.provisional)

    def sorted(self) -> list[Row]:
        return [self.rows[key] for key in sorted(self.rows)]

    # --- what a row has to be ------------------------------------------------------------------

    def check(self, values: Row, *, whole: bool) -> None:
        """Types and required columns, then references: the order in which both are told."""
        missing = self.shape.required() if whole else []
        if any(name not in values for name in missing):
            raise Refused("invalid")
        for name, value in values.items():
            if value is None and name not in self.shape.nullable:
                raise Refused("invalid")

    def check_references(self, values: Row) -> None:
        for name, allowed in self.shape.references.items():
            if values.get(name) is not None and values[name] not in allowed:
                raise Refused("conflict")

    def twin(self, values: Row, *, but: Key | None = None) -> Key | None:
        """The key of another row with the same unique key."""
        names = self.shape.unique
        for key, row in self.rows.items():
            if key != but and all(row[name] == values.get(name, row) for name in names):
                return key
        return None

    def found(self, key: Key) -> Row:
        if key not in self.rows:
            raise Refused("not_found")
        return self.rows[key]

    # --- one row -------------------------------------------------------------------------------

    def insert(self, values: Row, number: int | None = None) -> Row:
        """The new row; where the database numbers rows and none is told, the number is provisional."""
        self.check(values, whole=True)
        self.check_references(values)
        if self.twin(values) is not None:
            raise Refused("conflict")
        row = {name: values.get(name, self.shape.defaults.get(name)) for name in self.shape.columns}
        if self.shape.numbered:
            self.provisional -= 1
            row[self.shape.key[0]] = self.provisional if number is None else number
        self.rows[self.key_of(row)] = row
        return row

    def change(self, key: Key, values: Row) -> Row:
        self.check(values, whole=False)
        row = self.found(key)
        new = {name: changed(row[name], value) for name, value in values.items()}
        self.check_references(new)
        if self.twin({**row, **new}, but=key) is not None:
            raise Refused("conflict")
        row.update(new)
        return row

    def replace(self, key: Key, values: Row) -> Row:
        kept = dict(zip(self.shape.key, key, strict=True))
        self.check({**values, **kept}, whole=True)
        names = [name for name in self.shape.columns if name not in kept]
        whole = {name: values.get(name, self.shape.defaults.get(name)) for name in names}
        return self.change(key, whole)

    def delete(self, key: Key) -> None:
        self.found(key)
        del self.rows[key]

    def key_of(self, row: Mapping[str, Any]) -> Key:
        return tuple(row[name] for name in self.shape.key)

    # --- many rows -----------------------------------------------------------------------------

    def bulk(
        self, data: Sequence[Row], write: Callable[[Row], str], *, whole: bool, go_on: bool
    ) -> tuple[dict[str, int], list[tuple[int, str]]]:
        """The counts and the errors of rows that are all read and then written one after the other."""
        counts = dict.fromkeys(BULK, 0) | {"processed": len(data)}
        errors: dict[int, str] = {}
        seen: set[Key] = set()
        for index, row in enumerate(data):
            key = tuple(row.get(name) for name in self.shape.unique)
            try:
                self.check(row, whole=whole)
                if key in seen and None not in key:
                    raise Refused("invalid")
                seen.add(key)
            except Refused:
                errors[index] = "invalid"
        if errors and not go_on:
            raise Refused("invalid")
        for index, row in enumerate(data):
            if index not in errors:
                try:
                    counts[write(row)] += 1
                except Refused as problem:
                    errors[index] = problem.codes[0]
        if errors and not go_on:
            raise Refused(*errors.values())
        return counts, sorted(errors.items())

    def upserted(self, row: Row, resolution: str) -> str:
        twin = self.twin(row)
        if resolution != "update":
            self.check(row, whole=True)
        if twin is None:
            self.insert(row)
            return "inserted"
        if resolution == "error":
            raise Refused("conflict")
        if resolution == "skip":
            return "skipped"
        self.change(
            twin, {name: value for name, value in row.items() if name not in self.shape.unique}
        )
        return "updated"

    # --- reading -------------------------------------------------------------------------------

    def select(self, tree: Any) -> list[Row]:
        return [row for row in self.sorted() if matches(tree, row)]

    def ordered(self, rows: Iterable[Row], order_by: Sequence[str]) -> list[Row]:
        """Sorted as asked, then by key; a null is larger than any value."""
        found = sorted(rows, key=self.key_of)
        for item in reversed(order_by):
            name = item.removeprefix("-")
            found.sort(
                key=lambda row: (row[name] is None, row[name] if row[name] is not None else 0),
                reverse=item.startswith("-"),
            )
        return found


def changed(value: Any, new: Any) -> Any:
    """A new value, or what an operator makes of the old one."""
    if not isinstance(new, Mapping):
        return new
    ((operator, operand),) = new.items()
    if value is None:
        return None
    number = value + (operand if operator == "$inc" else -operand)
    if isinstance(value, Decimal) and abs(number) > MOST:
        raise Refused("invalid")
    return number
