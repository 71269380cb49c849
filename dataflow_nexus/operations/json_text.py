"""JSON text → Python values, strictly, for every channel that takes JSON from outside.

Stricter than ``json.loads``: a name that comes twice in one object, NaN and infinities are refused,
nesting is bounded, and no input makes it raise anything but the errors named here. Fractions become
``Decimal``, so that decimal columns lose nothing.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from dataflow_nexus.exceptions import Invalid, LimitExceeded

MAX_DEPTH = 80
"""Levels of nesting. Filters and JSON columns have lower bounds of their own, which name the parameter."""
_MAX_DIGITS = 1100
_TOO_LONG = Decimal("Infinity")
"""Stands for a number that no column holds, so that its field refuses it by name."""


class NotJSONError(ValueError):
    """The text is not JSON (RFC 8259); the message says where, for people."""


def parse(text: str) -> Any:
    """The value of a JSON text.

    Raises ``NotJSONError``, ``Invalid`` for a name that comes twice, ``LimitExceeded`` beyond
    ``MAX_DEPTH`` levels.
    """
    try:
        value = _decoded(text)
    except json.JSONDecodeError as error:
        raise NotJSONError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _too_deep() from None
    if text.count("{") + text.count("[") > MAX_DEPTH and isinstance(value, (dict, list)):
        _bound(value, MAX_DEPTH - 1)
    return value


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (json.JSONDecodeError, NotJSONError):
        raise
    except ValueError:  # Python converts no integer of more than some thousand digits
        return _DECODER_OF_LONG_INTEGERS.decode(text)


def _bound(value: dict[str, Any] | list[Any], left: int) -> None:
    if left < 0:
        raise _too_deep()
    for item in value.values() if isinstance(value, dict) else value:
        kind = type(item)  # the decoder makes no subclasses
        if kind is dict or kind is list:
            _bound(item, left - 1)


def _too_deep() -> LimitExceeded:
    return LimitExceeded(f"JSON is nested deeper than {MAX_DEPTH} levels")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid.field(twice, "duplicate", f'the name "{twice}" comes twice in one object')
    return found


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= _MAX_DIGITS else _TOO_LONG
    except InvalidOperation:
        return _TOO_LONG
    return number if -_MAX_DIGITS <= number.adjusted() <= _MAX_DIGITS else _TOO_LONG


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= _MAX_DIGITS else _TOO_LONG


def _no_constant(name: str) -> NoReturn:
    raise NotJSONError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_decimal, parse_constant=_no_constant
)
_DECODER_OF_LONG_INTEGERS = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=_decimal,
    parse_int=_integer,
    parse_constant=_no_constant,
)
