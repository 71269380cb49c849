"""Pieces of SQL: text made of quoted identifiers and our own words, and values that are always parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True, unsafe_hash=True)
class SQL:
    """A piece of a statement in Django's parameter style: ``%s`` per value, ``%%`` for a percent sign.

    Never changed once made; not frozen, because that makes each of the many pieces of a statement twice as dear.
    """

    text: str
    params: tuple[Any, ...] = ()
    closed: bool = False
    """Whether it is one ``EXISTS (…)``, before which a NOT may stand: true or false, never unknown."""

    def __add__(self, other: SQL | str) -> SQL:
        if isinstance(other, str):
            return SQL(self.text + other, self.params)
        return SQL(self.text + other.text, self.params + other.params)

    def __radd__(self, other: str) -> SQL:
        return SQL(other + self.text, self.params)

    def wrapped(self, before: str, after: str) -> SQL:
        return SQL(before + self.text + after, self.params)


def negated(condition: SQL) -> SQL:
    """The opposite of a closed condition."""
    assert condition.closed
    text = condition.text
    text = text.removeprefix("NOT ") if text.startswith("NOT ") else f"NOT {text}"
    return SQL(text, condition.params, closed=True)


def param(value: Any) -> SQL:
    return SQL("%s", (value,))


def join(separator: str, pieces: Iterable[SQL]) -> SQL:
    listed = list(pieces)
    return SQL(
        separator.join(piece.text for piece in listed),
        tuple(value for piece in listed for value in piece.params),
    )


def all_of(conditions: Iterable[SQL | None]) -> SQL | None:
    """The conjunction; ``None`` stands for "true" on both sides."""
    present = [condition for condition in conditions if condition is not None]
    if not present:
        return None
    return present[0] if len(present) == 1 else _joined(" AND ", present)


def any_of(conditions: Iterable[SQL]) -> SQL:
    """The disjunction; of nothing it is false."""
    present = list(conditions)
    if not present:
        return FALSE
    return present[0] if len(present) == 1 else _joined(" OR ", present)


def _joined(word: str, conditions: list[SQL]) -> SQL:
    """Each in parentheses, unless it needs none: SQLite's parser takes few levels of them."""
    return join(word, [item if item.closed else item.wrapped("(", ")") for item in conditions])


def where(condition: SQL | None) -> SQL:
    """`` WHERE …``, or nothing."""
    return SQL("") if condition is None else condition.wrapped(" WHERE ", "")


TRUE = SQL("1 = 1")
FALSE = SQL("1 = 0")
