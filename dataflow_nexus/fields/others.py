"""UUIDs, bytes, JSON, files, arrays, and whatever the database prints as text."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec
from django.db import models
from django.utils.ipv6 import clean_ipv6_address

from dataflow_nexus.fields.kinds import (
    Kind,
    Rejected,
    TooDeep,
    check_text,
    coerce_string,
    same,
    wrong,
)

_UUID_TEXT = re.compile(r"(urn:uuid:)?\{?[0-9A-Fa-f-]{32,36}\}?")
"""Python's own reading takes more: underscores, signs, digits of any script."""


def _coerce_uuid(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if isinstance(value, str) and _UUID_TEXT.fullmatch(value):
        try:
            return uuid.UUID(value)
        except ValueError:
            pass
    raise wrong("a UUID")


UUID = Kind(
    name="uuid",
    schema={"type": "string", "format": "uuid"},
    coerce=_coerce_uuid,
    parse=same,
    render=str,
    postgresql=same,
)


def _coerce_binary(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            pass
    raise wrong("bytes in base64")


BINARY = Kind(
    name="binary",
    schema={"type": "string", "contentEncoding": "base64"},
    coerce=_coerce_binary,
    parse=same,
    render=lambda value: base64.b64encode(bytes(value)).decode(),
    postgresql=lambda sql: f"translate(encode({sql}, 'base64'), E'\\n', '')",
)


def coerce_json(value: Any, depth: int = 64) -> Any:
    """A JSON value that both databases store: exact numbers become doubles, impossible characters are refused."""
    if depth == 0:
        raise TooDeep("must not be nested deeper than 64 levels")
    if isinstance(value, Decimal):
        number = float(value)
        if not math.isfinite(number):
            raise Rejected("range", "must not hold a number beyond double precision")
        return number
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return check_text(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Rejected("range", "must not hold NaN or an infinity")
        return value
    if isinstance(value, (list, tuple)):
        return [coerce_json(item, depth - 1) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {check_text(key): coerce_json(item, depth - 1) for key, item in value.items()}
    raise wrong("a JSON value")


def _parse_json(text: str) -> Any:
    try:
        return msgspec.json.decode(text, strict=True)
    except (msgspec.DecodeError, RecursionError):
        raise wrong("JSON") from None


def _render_json(value: Any) -> msgspec.Raw:
    """Compact; through the standard library, because documents may hold integers of any size."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        return msgspec.Raw(text.encode())
    except UnicodeEncodeError:  # JSON may spell a lone surrogate, and has to again
        return msgspec.Raw(json.dumps(value, separators=(",", ":")).encode())


def _postgresql_json(sql: str) -> str:
    """A column of type ``json`` keeps the text that it was given: without its line ends a record is one line."""
    line = f"replace(replace({sql}::text, E'\\n', ''), E'\\r', '')::json"
    return f"CASE WHEN pg_typeof({sql}) = 'json'::regtype THEN {line} ELSE to_json({sql}) END"


JSON = Kind(
    name="json",
    schema={},
    coerce=coerce_json,
    parse=_parse_json,
    render=_render_json,
    postgresql=_postgresql_json,
    as_text=True,
)
TEXT = Kind(
    name="text",
    schema={"type": "string", "description": "the database's own text form"},
    coerce=coerce_string,
    parse=same,
    render=str,
    postgresql=same,
    as_text=True,
)
"""Ranges, network addresses and everything unknown: the database's text, in and out."""


def _coerce_address(value: Any) -> str:
    """An IPv4 or IPv6 address in the spelling that both databases store."""
    text = coerce_string(value)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise wrong("an IPv4 or IPv6 address") from None
    if address.version == 4:
        return text
    if address.scope_id is not None:
        raise wrong("an IPv4 or IPv6 address without a zone")
    return clean_ipv6_address(text)


ADDRESS = replace(TEXT, coerce=_coerce_address)


def file_kind(field: models.FileField) -> Kind:
    """A URL out (so Python renders it); in comes an uploaded file, or an empty string for none.

    A name is not taken: it would point the record at any file of the storage.
    """

    def coerce(value: Any) -> Any:
        if value == "" or hasattr(value, "chunks"):
            return value
        raise wrong("an uploaded file (multipart/form-data), or empty")

    return Kind(
        name="file",
        schema={"type": "string", "format": "uri-reference"},
        coerce=coerce,
        parse=same,
        render=lambda value: field.storage.url(value) if value else None,
        postgresql=None,
    )


@lru_cache(maxsize=256)
def array_kind(element: Kind) -> Kind:
    """PostgreSQL arrays: JSON arrays of the element's kind."""

    def coerce(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise wrong("an array")
        return [None if item is None else element.coerce(item) for item in value]

    def parse(text: str) -> Any:
        if text.lstrip().startswith("["):
            return _parse_json(text)
        return [element.parse(item) for item in text.split(",")] if text else []

    render_element = element.postgresql

    def each(sql: str) -> str:
        assert render_element is not None
        return (
            f"CASE WHEN {sql} IS NOT NULL THEN"
            f" ARRAY(SELECT {render_element('e')} FROM unnest({sql}) WITH ORDINALITY AS u(e, o) ORDER BY o) END"
        )

    # unnest() flattens, so nested arrays whose elements need work are left to Python
    nested = element.name == "array"
    postgresql = (
        same if render_element is same else None if nested or render_element is None else each
    )

    return Kind(
        name="array",
        schema={"type": "array", "items": dict(element.schema)},
        coerce=coerce,
        parse=parse,
        render=lambda value: [None if item is None else element.render(item) for item in value],
        postgresql=postgresql,
        as_text=postgresql is not None,
        element=element,
    )
