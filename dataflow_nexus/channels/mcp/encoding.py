"""JSON of messages, whatever text a caller has sent to be given back."""

from __future__ import annotations

import json

import msgspec


def encoded(value: object) -> bytes:
    """The JSON of a value; numbers that JSON has not are null."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:  # a lone surrogate goes back as the escape that it came as
        return json.dumps(value, ensure_ascii=True).encode()
