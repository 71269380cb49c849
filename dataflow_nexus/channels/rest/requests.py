"""HTTP requests → parameters: query string, JSON, forms with files, streamed rows.

The body is read from the stream, so that this application's own limit counts and a large bulk write
never lies in memory as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.channels.decoding import csv_rows, ndjson_rows, parameters
from dataflow_nexus.exceptions import (
    Invalid,
    LimitExceeded,
    Malformed,
    UnsupportedMediaType,
)
from dataflow_nexus.operations import texts
from dataflow_nexus.operations.base import Operation

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MAX_QUERY_PARAMETERS = 1000
_CHUNK = 64 * 1024
_ROWS = {"application/x-ndjson": "ndjson", "text/csv": "csv"}
_REPLACED = "\N{REPLACEMENT CHARACTER}"


def query_pairs(request: HttpRequest) -> list[tuple[str, str]]:
    """The query string, strictly: Django would replace what is no UTF-8. Raises ``Malformed``."""
    raw: str = request.META.get("QUERY_STRING", "")
    if not raw:
        return []
    if _BAD_ESCAPE.search(raw):
        raise Malformed("the query string has a percent sign without two hexadecimal digits")
    try:
        if not raw.isascii() and hasattr(request, "environ"):
            raw = raw.encode("latin-1").decode()  # WSGI hands bytes over as Latin-1 (PEP 3333)
        return parse_qsl(
            raw, keep_blank_values=True, errors="strict", max_num_fields=_MAX_QUERY_PARAMETERS
        )
    except UnicodeError:
        raise Malformed("the query string is not UTF-8") from None
    except ValueError:
        message = f"the query string has more than {_MAX_QUERY_PARAMETERS} parameters"
        raise LimitExceeded(message) from None


def from_query(
    operation: Operation, principal: Principal, pairs: list[tuple[str, str]]
) -> dict[str, Any]:
    return texts.from_text(operation, pairs, principal=principal) if pairs else {}


def with_body(
    request: HttpRequest, operation: Operation, params: dict[str, Any], *, optional: bool = False
) -> dict[str, Any]:
    """The parameters of the query string and those of a JSON body.

    An ``optional`` body may be missing. Raises ``Invalid`` for a parameter that is in both.
    """
    limit = operation.catalog.configuration.max_body_bytes
    return merged(params, json_object(request, limit, optional=optional))


def merged(params: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    for name in params.keys() & more.keys():
        message = f'"{name}" is given in the query string and in the body'
        raise Invalid.field(name, "duplicate", message)
    return {**params, **more}


def json_object(request: HttpRequest, limit: int, *, optional: bool = False) -> dict[str, Any]:
    """The JSON object in the body."""
    raw = read_body(request, limit)
    if not raw and optional:
        return {}
    if raw:
        _check_json_type(request)
    return parameters(raw)


def _check_json_type(request: HttpRequest) -> None:
    given = request.content_type or ""
    json_type = given == "application/json" or (
        given.startswith("application/") and given.endswith("+json")
    )
    _check_charset(request)
    if not json_type:
        named = f"not {given}" if given else "and the request names none"
        raise UnsupportedMediaType(f"the content type must be application/json, {named}")


def _check_charset(request: HttpRequest) -> None:
    charset = (request.content_params or {}).get("charset", "utf-8")
    if charset.lower().replace("_", "-") not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f'the charset must be utf-8, not "{charset}"')


# --- reading --------------------------------------------------------------------------------------


def read_body(request: HttpRequest, limit: int) -> bytes:
    """The whole body. Raises ``LimitExceeded`` without reading more than ``limit`` bytes."""
    _check_length(request, limit)
    raw = _reader(request)(limit + 1)
    if len(raw) > limit:
        raise _too_large(limit)
    return raw


def chunks(request: HttpRequest, limit: int) -> Iterator[bytes]:
    """The body piece by piece, under the same limit."""
    _check_length(request, limit)
    read = _reader(request)
    total = 0
    while chunk := read(_CHUNK):
        total += len(chunk)
        if total > limit:
            raise _too_large(limit)
        yield chunk


def _check_length(request: HttpRequest, limit: int) -> None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and (len(length) > 18 or int(length) > limit):
        raise _too_large(limit)


def _too_large(limit: int) -> LimitExceeded:
    return LimitExceeded(f"the body is larger than {limit} bytes")


def _reader(request: HttpRequest) -> Callable[[int], bytes]:
    """Django reads nothing from a request without Content-Length, which a chunked one has not."""
    source: Any = request
    environ = getattr(request, "environ", {})
    if not request.META.get("CONTENT_LENGTH") and environ.get("wsgi.input_terminated"):
        source = environ["wsgi.input"]

    def read(size: int) -> bytes:
        try:
            data: bytes = source.read(size)
        except (UnreadablePostError, OSError):
            raise Malformed("the body ended before its end") from None
        return data

    return read


# --- rows -----------------------------------------------------------------------------------------


def is_rows(request: HttpRequest) -> bool:
    """Whether the body is rows to stream rather than JSON parameters."""
    return request.content_type in _ROWS


def rows(request: HttpRequest, operation: Operation) -> Iterator[Any]:
    """The rows of a streamed body, read as they are asked for."""
    _check_charset(request)
    pieces = chunks(request, operation.catalog.configuration.max_body_bytes)
    if request.content_type == "text/csv":
        return csv_rows(operation.exposed, pieces)
    return ndjson_rows(pieces)


# --- forms ----------------------------------------------------------------------------------------


def is_form(request: HttpRequest, operation: Operation) -> bool:
    """Whether the body is a form with files, for a model that has files."""
    if request.content_type != "multipart/form-data":
        return False
    return any(field.kind.name == "file" for field in operation.exposed.fields.values())


def form(
    request: HttpRequest, operation: Operation, principal: Principal, params: dict[str, Any]
) -> dict[str, Any]:
    """The parameters of the query string and those of a form: files as Django's uploaded files."""
    if not request.META.get("CONTENT_LENGTH"):
        raise Malformed("a form needs a Content-Length")
    _check_length(request, operation.catalog.configuration.max_body_bytes)
    try:
        fields, files = request.parse_file_upload(request.META, request)
    except MultiPartParserError as error:
        raise Malformed(f"the form can't be read: {error}") from None
    except SuspiciousOperation:
        raise LimitExceeded("the form has too many parts or too long ones") from None
    except UnreadablePostError:
        raise Malformed("the form ended before its end") from None
    pairs = [(name, text) for name in fields for text in fields.getlist(name)]
    if any(_REPLACED in name or _REPLACED in str(text) for name, text in pairs):
        raise Malformed("the form is not UTF-8")
    found = texts.from_text(operation, [(n, str(t)) for n, t in pairs], principal=principal)
    for name in files:
        uploads = files.getlist(name)
        if len(uploads) > 1 or name in found:
            raise Invalid.field(name, "duplicate", f'"{name}" is given twice')
        found[name] = uploads[0]
    return merged(params, found)
