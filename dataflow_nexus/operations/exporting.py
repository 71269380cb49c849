"""Export: every record that matches, as CSV, NDJSON or JSON, a chunk at a time.

Records are List's, byte for byte, and so are its parameters; there are no pages, so ``limit`` has no maximum and
nothing continues at a cursor. Memory is bounded by the size of a chunk. What breaks off never looks whole: a fault
after the first bytes leaves a last line that no parser takes, and is raised as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from dataflow_nexus import deadlines
from dataflow_nexus.exceptions import Invalid, NexusError
from dataflow_nexus.operations import hooks, parameters
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.formats import FORMATS, Format
from dataflow_nexus.operations.reading import compilation, selection
from dataflow_nexus.queries import python_rendering, rendering
from dataflow_nexus.queries.cursors import Reading
from dataflow_nexus.queries.faults import translated
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.ordering import compile_order
from dataflow_nexus.queries.rows import Rows
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.shapes import Shape, make_shape
from dataflow_nexus.queries.sql import SQL

CHUNK_BYTES = 256 * 1024
"""What a chunk aims at; the number of records in it follows from those before."""
FIRST_RECORDS, MOST_RECORDS = 50, 1000


@dataclass(frozen=True, kw_only=True)
class _Source:
    """A statement, and how a batch of its rows becomes records in JSON."""

    statement: SQL
    records: Callable[[list[Any]], list[str]]


def export(call: Call, fmt: str) -> Iterator[bytes]:
    """Chunks of an export. Parameters that are wrong raise ``Invalid`` here, before the first chunk is asked for.

    The model's ``before`` hook sees the parameters; ``after``, which takes a result, does not see a stream. Each batch
    has the time that an operation has; the time in which nobody asks for the next one is not counted.
    """
    if fmt not in FORMATS:
        raise unknown("format", fmt, FORMATS, at="format")
    with translated(call.exposed, call.alias):
        call = hooks.prepared(call)
    rows, shape = _selected(call)
    names = [field.name for field in shape.fields]
    names += [expand.relation.name for expand in shape.expands]
    written = FORMATS[fmt](names, neutralize=call.configuration.csv_neutralize)
    return _chunks(call, _source(rows, shape), written)


def _selected(call: Call) -> tuple[Rows, Shape]:
    """The rows in List's order, and what is shown of them."""
    parameters.refuse_unknown(call)
    grant = call.grants["view"]
    scope = Scope(compilation(call), call.exposed, grant)
    limit = parameters.integer(call, "limit", None, low=0, high=parameters.MAX_OFFSET)
    offset = parameters.integer(call, "offset", 0, low=0, high=parameters.MAX_OFFSET) or 0
    if call.params.get("cursor") is not None:
        raise Invalid.field("cursor", "unsupported", 'an export has no pages, so no "cursor"')
    if parameters.choice(call, "count", ("none", "exact", "estimated"), "none") != "none":
        raise Invalid.field("count", "unsupported", 'an export says no "count"')
    bounds = [bound for bound in (limit, grant.max_rows) if bound is not None]
    rows = Rows(
        scope=scope,
        condition=selection(call, scope),
        order=compile_order(scope, call.params.get("order_by")),
        limit=min(bounds, default=None),
        offset=offset,
    )
    return rows, make_shape(scope, call.params.get("fields"), call.params.get("expand"))


def _source(rows: Rows, shape: Shape) -> _Source:
    """By whichever side can render the shape, as for List."""
    if rows.scope.compilation.dialect.renders_json and not shape.needs_python:
        inner = rows.statement(shape.columns)
        statement = rendering.rendered(rows.scope, inner, shape)
        return _Source(statement=statement, records=lambda batch: [str(row[0]) for row in batch])
    names, statement = python_rendering.reading(rows, shape)
    encode = msgspec.json.encode

    def records(batch: list[Any]) -> list[str]:
        parents = [dict(zip(names, row, strict=False)) for row in batch]
        made = python_rendering.records_of(rows.scope, parents, shape)
        return [encode(record).decode() for record in made]

    return _Source(statement=statement, records=records)


def _chunks(call: Call, source: _Source, written: Format) -> Iterator[bytes]:
    """The first chunk holds the first records, so that whatever fails at once fails before any byte."""
    reading = Reading(call.alias)
    size, more, head, begun = FIRST_RECORDS, True, written.start(), False
    try:
        with _step(call, reading):
            reading.open(source.statement)
        while more:
            with _step(call, reading):
                batch = reading.fetch(size)
                records = source.records(batch)
            more = len(batch) == size
            chunk = head + written.records(records) + (b"" if more else written.end())
            head = b""
            size = _next_size(size, len(chunk))
            if chunk:
                begun = True
                yield chunk
    except NexusError as error:
        if begun:
            yield written.broken(error.detail)
        raise
    finally:
        with reading.inside():
            reading.close()


@contextmanager
def _step(call: Call, reading: Reading) -> Iterator[None]:
    """One question to the database, with an operation's time limit."""
    seconds = call.configuration.statement_timeout
    with (
        reading.inside(),
        translated(call.exposed, call.alias),
        deadlines.within(call.alias, seconds),
    ):
        yield


def _next_size(size: int, length: int) -> int:
    """Records for the next chunk, so that it comes near to ``CHUNK_BYTES``; at most doubled from one to the next."""
    fitting = size * CHUNK_BYTES // max(length, 1)
    return max(1, min(fitting, 2 * size, MOST_RECORDS))
