"""Export: every record that matches, as CSV, NDJSON or JSON, a chunk at a time.

Parameters are checked before the first chunk is asked for; records are List's, byte for byte. A fault in the middle
is raised, so that what was sent until then never looks whole.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from dataflow_nexus import deadlines
from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.operations import parameters
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.reading import compilation, selection
from dataflow_nexus.queries import python_rendering, rendering
from dataflow_nexus.queries.cursors import Reading
from dataflow_nexus.queries.faults import translated
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.ordering import compile_order
from dataflow_nexus.queries.rows import Rows
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.shapes import Shape, make_shape

BATCH = 500
"""Records per chunk."""
MAX_ROWS = 2**62
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
Encode = Callable[[list[str]], bytes]


def export(call: Call, fmt: str) -> Iterator[bytes]:
    """Chunks of an export. Raises ``Invalid`` at once for parameters that are wrong."""
    encoders: dict[str, Callable[[Call, Shape], Writer]] = {
        "csv": CSV,
        "ndjson": NDJSON,
        "json": JSON,
    }
    if fmt not in encoders:
        raise unknown("format", fmt, encoders, at="format")
    rows, shape = _prepared(call)
    return _chunks(call, rows, shape, encoders[fmt](call, shape))


def _prepared(call: Call) -> tuple[Rows, Shape]:
    """The rows and what is shown of them. List's pages do not count here: ``limit`` has no maximum."""
    parameters.refuse_unknown(call)
    grant = call.grants["view"]
    scope = Scope(compilation(call), call.exposed, grant)
    limit = parameters.integer(call, "limit", None, low=0, high=MAX_ROWS)
    offset = parameters.integer(call, "offset", 0, low=0, high=parameters.MAX_OFFSET) or 0
    for name in ("cursor", "count"):
        if call.params.get(name) not in (None, "none"):
            raise Invalid.field(
                name, "unsupported", f'an export takes no "{name}": it has no pages'
            )
    bounds = [bound for bound in (limit, grant.max_rows) if bound is not None]
    rows = Rows(
        scope=scope,
        condition=selection(call, scope),
        order=compile_order(scope, call.params.get("order_by")),
        limit=min(bounds) if bounds else None,
        offset=offset,
    )
    return rows, make_shape(scope, call.params.get("fields"), call.params.get("expand"))


def _chunks(call: Call, rows: Rows, shape: Shape, writer: Writer) -> Iterator[bytes]:
    """The first chunk holds the first records too, so that an early fault comes before any byte."""
    seconds = call.configuration.statement_timeout
    reading = Reading(call.alias)
    statement, records = _way(rows, shape)
    with translated(call.exposed, call.alias):
        try:
            with reading.inside(), deadlines.within(call.alias, seconds):
                reading.open(statement)
            start, batch = writer.start(), [()]
            while batch:
                with reading.inside(), deadlines.within(call.alias, seconds):
                    batch = reading.fetch(BATCH)
                    texts = records(batch)
                chunk = start + writer.records(texts)
                start = b""
                if chunk:
                    yield chunk
            end = writer.end()
            if end:
                yield end
        finally:
            with reading.inside():
                reading.close()


def _way(rows: Rows, shape: Shape) -> tuple[Any, Callable[[list[Any]], list[str]]]:
    """The statement, and how its rows become JSON texts."""
    if rows.scope.compilation.dialect.renders_json and not shape.needs_python:
        inner = rows.statement(rendering.needed_columns(shape))
        return rendering.rendered(rows.scope, inner, shape), lambda found: [r[0] for r in found]
    names, statement = python_rendering.reading(rows, shape)
    encode = msgspec.json.encode

    def records(found: list[Any]) -> list[str]:
        parents = [dict(zip(names, row, strict=False)) for row in found]
        made = python_rendering.records_of(rows.scope, parents, shape)
        return [encode(record).decode() for record in made]

    return statement, records


# --- formats ---------------------------------------------------------------------------------------------------------


class NDJSON:
    """One record per line."""

    def __init__(self, call: Call, shape: Shape) -> None:
        del call, shape

    def start(self) -> bytes:
        return b""

    def records(self, texts: list[str]) -> bytes:
        return "".join(f"{text}\n" for text in texts).encode()

    def end(self) -> bytes:
        return b""


class JSON:
    """One array."""

    def __init__(self, call: Call, shape: Shape) -> None:
        del call, shape
        self._first = True

    def start(self) -> bytes:
        return b"["

    def records(self, texts: list[str]) -> bytes:
        if not texts:
            return b""
        comma, self._first = ("" if self._first else ","), False
        return (comma + ",".join(texts)).encode()

    def end(self) -> bytes:
        return b"]"


class CSV:
    """RFC 4180, with a header; nested values as JSON, null as nothing."""

    def __init__(self, call: Call, shape: Shape) -> None:
        self._names = [field.name for field in shape.fields]
        self._names += [expand.relation.name for expand in shape.expands]
        self._cell = neutralized if call.configuration.csv_neutralize else str

    def start(self) -> bytes:
        return self._lines([self._names])

    def records(self, texts: list[str]) -> bytes:
        decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
        rows = (decode(text) for text in texts)
        return self._lines([[cell_text(row.get(name)) for name in self._names] for row in rows])

    def end(self) -> bytes:
        return b""

    def _lines(self, rows: list[list[str]]) -> bytes:
        file = io.StringIO()
        write = csv.writer(file, lineterminator="\r\n").writerow
        for row in rows:
            write([self._cell(text) for text in row])
        return file.getvalue().encode()


Writer = CSV | NDJSON | JSON


def cell_text(raw: msgspec.Raw | None) -> str:
    """A JSON value as people write it: text without quotes, null as nothing."""
    data = b"null" if raw is None else bytes(raw)
    if data == b"null":
        return ""
    return msgspec.json.decode(data, type=str) if data[:1] == b'"' else data.decode()


def neutralized(text: str) -> str:
    """Text that a spreadsheet shows and never runs: a leading apostrophe where it would; numbers stay numbers."""
    if text.startswith(_RISKY) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
