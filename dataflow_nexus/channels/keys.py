"""Primary keys in URLs: plain text where that is safe, else ``~`` and base64url of its JSON.

Servers decode a path before they split it, so an escaped slash or comma would be lost.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.operations import texts
from dataflow_nexus.operations.json_text import NotJSONError, parse
from dataflow_nexus.registry import KEY_WORDS, Exposed

_SAFE = re.compile(r"[A-Za-z0-9_.:-]+")


def read_key(exposed: Exposed, text: str) -> Any:
    """The ``id`` that a path segment stands for. Raises ``Invalid`` naming ``id``."""
    if not text.startswith("~"):
        return texts.key(exposed, text)
    encoded = text[1:]
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        found = parse(raw.decode())
    except (binascii.Error, ValueError, NotJSONError):
        message = '"id" must be ~ and the base64url of JSON'
        raise Invalid.field("id", "type", message) from None
    if found is None:
        raise Invalid.field("id", "type", '"id" must be the JSON of a key')
    return found


def write_key(exposed: Exposed, record: Mapping[str, Any]) -> str | None:
    """The path segment of a record; ``None`` where the record does not show its whole key."""
    values = [record.get(field.name) for field in exposed.key]
    if not values or any(value is None for value in values):
        return None
    parts = [value if isinstance(value, str) else str(value) for value in values]
    plain = ",".join(parts)
    dots = plain.strip(".") == ""
    if all(_SAFE.fullmatch(part) for part in parts) and not dots and plain not in KEY_WORDS:
        return plain
    composite = len(values) > 1
    names = [field.name for field in exposed.key]
    document = dict(zip(names, values, strict=True)) if composite else values[0]
    return "~" + base64.urlsafe_b64encode(msgspec.json.encode(document)).rstrip(b"=").decode()
