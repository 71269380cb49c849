"""Keyset paging: a cursor holds the sort values of the last row, and a condition selects what comes after them.

A cursor is deterministic authenticated encryption (AES-SIV, RFC 5297) of those values, with a key derived from
``SECRET_KEY``, bound to node, filter and order. It holds no time, no random part and no credential, so equal requests
get equal cursors; and nobody can read a value from it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec
from django.conf import settings

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.fields.numbers import plain
from dataflow_nexus.queries.dialects import Dialect
from dataflow_nexus.queries.ordering import Term
from dataflow_nexus.queries.sql import FALSE, SQL, all_of, any_of, join, param


@lru_cache(maxsize=4)
def _cipher(secret: str) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import (
        AESSIV,
    )  # 20 ms to import, and only paging needs it

    return AESSIV(hashlib.sha512(b"dataflow_nexus.cursor\x00" + secret.encode()).digest())


def binding(node: str, params: dict[str, Any], terms: Sequence[Term]) -> bytes:
    """What a cursor belongs to: the same cursor under another node, filter or order is invalid."""
    spelled = [term.spelled for term in terms]
    return msgspec.json.encode([node, _exact(params), spelled], order="sorted", enc_hook=str)


def _exact(value: Any) -> Any:
    """Floats as decimals, which is how numbers come in JSON: both ask for the same page."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {name: _exact(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exact(item) for item in value]
    return value


_SAFE_DIGITS = 15
"""Digits that SQLite's numbers keep whichever way they go between text and binary."""


def write_cursor(values: Sequence[Any], bound: bytes, terms: Sequence[Term]) -> str:
    keys = [
        _decimal_key(value, term.scale) if term.kind == "decimal" and value is not None else value
        for value, term in zip(values, terms, strict=True)
    ]
    packed = msgspec.msgpack.encode(keys)
    return _spelled(_cipher(settings.SECRET_KEY).encrypt(packed, [bound]))


def _decimal_key(value: Any, scale: int | None) -> Any:
    """A decimal in plain notation with its column's scale, whichever database it is from.

    What that would change stays as the database gave it: more digits than the scale, or than a double holds.
    """
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return value
    if not number.is_finite():
        return value
    text = plain(number, scale)
    exact = isinstance(value, str) or len(number.normalize().as_tuple().digits) <= _SAFE_DIGITS
    return text if exact and Decimal(text) == number else value


def _spelled(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def read_cursor(cursor: Any, bound: bytes, terms: Sequence[Term]) -> list[Any]:
    """The sort values of a cursor. Raises ``Invalid`` unless it was made here for the same node, filter and order."""
    from cryptography.exceptions import InvalidTag

    wrong = Invalid.field(
        "cursor", "cursor", "the cursor is not one of this list with this filter and order"
    )
    if not isinstance(cursor, str) or not cursor.isascii():
        raise wrong
    try:
        sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        if _spelled(sealed) != cursor:  # decoding skips characters that do not belong there
            raise wrong
        packed = _cipher(settings.SECRET_KEY).decrypt(sealed, [bound])
    except (binascii.Error, ValueError, InvalidTag):
        raise wrong from None
    values: list[Any] = msgspec.msgpack.decode(packed)
    if len(values) != len(terms):
        raise wrong
    return values


def after(terms: Sequence[Term], values: Sequence[Any], dialect: Dialect) -> SQL:
    """The condition that a row comes after the row with these sort values."""
    keys = [
        None
        if value is None
        else dialect.number(Decimal(value))
        if term.kind == "decimal" and isinstance(value, str)
        else param(value)
        for term, value in zip(terms, values, strict=True)
    ]
    directions = {term.descending for term in terms}
    if len(terms) > 1 and len(directions) == 1 and not any(term.nullable for term in terms):
        sign = " < " if terms[0].descending else " > "
        left = join(", ", [term.value for term in terms]).wrapped("(", ")")
        return left + sign + join(", ", [key for key in keys if key]).wrapped("(", ")")
    found = FALSE
    for term, key in reversed(list(zip(terms, keys, strict=True))):
        tied = all_of([_equal(term, key), found])
        assert tied is not None
        found = any_of([_beyond(term, key), tied])
    return found


def _equal(term: Term, key: SQL | None) -> SQL:
    return term.value + " IS NULL" if key is None else term.value + " = " + key


def _beyond(term: Term, key: SQL | None) -> SQL:
    if key is None:
        return term.value + " IS NOT NULL" if term.nulls_first else FALSE
    beyond = term.value + (" < " if term.descending else " > ") + key
    if term.nullable and not term.nulls_first:
        return any_of([beyond, term.value + " IS NULL"])
    return beyond
