"""What a kind of value is, and the simplest ones: text and truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dataflow_nexus.exceptions import TOO_DEEP


class Rejected(ValueError):
    """A value that a kind does not take. ``code`` is for machines, the message finishes "must be …" for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class TooDeep(Rejected):
    """A value that is nested deeper than any may be: a limit was passed, whatever else the value is."""

    def __init__(self, message: str) -> None:
        super().__init__(TOO_DEEP, message)


def wrong(expected: str) -> Rejected:
    return Rejected("type", f"must be {expected}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """How one type of value looks from outside and inside.

    ``name`` is the family that decides which operators apply. ``coerce`` takes a caller's value (JSON, or the native
    Python object) and returns the Python value that Django stores, or raises ``Rejected``. ``parse`` turns text (query
    string, command line, CSV) into a value for ``coerce``. ``render`` turns a stored Python value into what msgspec
    encodes. ``postgresql`` wraps an SQL expression so that ``row_to_json`` prints the same bytes; ``None`` where only
    Python can render. ``as_text`` says that the Python path on PostgreSQL reads the column as JSON text. A kind equals
    itself alone, so that it can be the key of a cache.
    """

    name: str
    schema: Mapping[str, Any]
    coerce: Callable[[Any], Any]
    parse: Callable[[str], Any]
    render: Callable[[Any], Any]
    postgresql: Callable[[str], str] | None
    as_text: bool = False
    element: Kind | None = None


def same(value: Any) -> Any:
    return value


# --- text ---


def check_text(value: str) -> str:
    """Refuse what no database stores: NUL and lone surrogates."""
    if "\x00" in value:
        raise Rejected("null_character", "must not hold the character NUL")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Rejected("surrogate", "must be valid Unicode (it holds a lone surrogate)") from None
    return value


def coerce_string(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong("a string")
    return check_text(str(value))


STRING = Kind(
    name="string",
    schema={"type": "string"},
    coerce=coerce_string,
    parse=same,
    render=str,
    postgresql=same,
)


# --- truth ---


def _coerce_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong("true or false")
    return value


def parse_boolean(text: str) -> bool:
    """``true false 1 0``, in any case."""
    truth = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
    if truth is None:
        raise wrong("true or false")
    return truth


BOOLEAN = Kind(
    name="boolean",
    schema={"type": "boolean"},
    coerce=_coerce_boolean,
    parse=parse_boolean,
    render=bool,
    postgresql=same,
)
