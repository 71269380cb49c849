"""Bytes that callers send → parameters and rows: JSON documents, newline-delimited JSON, CSV.

Rows are read one by one as an operation asks for them. A row that can't be read is given as the
error itself in its place, so that the operation names it by its index, or goes on without it.
What ends the reading (a limit, text that is not UTF-8) is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dataflow_nexus.exceptions import Invalid, LimitExceeded, Malformed, NexusError
from dataflow_nexus.operations import texts
from dataflow_nexus.operations.csv_text import NotCSVError, Records
from dataflow_nexus.operations.json_text import NotJSONError, parse
from dataflow_nexus.registry import Exposed

_Read = Callable[[str], Any]
MAX_LINE_BYTES = 1024 * 1024
"""The longest line of newline-delimited JSON or CSV; a longer one is ``limit_exceeded``."""


def document(raw: bytes, what: str = "the body") -> Any:
    """A JSON document of any type. Raises ``Malformed`` for what is no JSON or no UTF-8."""
    if not raw.strip():
        raise Malformed(f"{what} is empty")
    try:
        return parse(raw.decode())
    except UnicodeDecodeError:
        raise Malformed(f"{what} is not UTF-8") from None
    except NotJSONError as error:
        raise Malformed(f"{what} is not JSON: {error}") from None


def parameters(raw: bytes) -> dict[str, Any]:
    """A JSON object of parameters. Raises ``Malformed``; ``Invalid`` for another type."""
    found = document(raw)
    if not isinstance(found, dict):
        raise Invalid.field("body", "type", "the body must be a JSON object of parameters")
    return found


def ndjson_rows(chunks: Iterable[bytes]) -> Iterator[Any]:
    """One JSON value per line; empty lines are skipped."""
    for number, line in enumerate(_lines(chunks), start=1):
        if line.strip():
            try:
                yield document(line, f"line {number}")
            except NexusError as error:
                yield error


def csv_rows(exposed: Exposed, chunks: Iterable[bytes]) -> Iterator[Any]:
    """One object per line, under the names of the first line.

    The first line is read at once. Raises ``Malformed`` where there is none, ``Invalid`` where a
    name comes twice.
    """
    reader = Records(_text_lines(chunks))
    try:
        header = next(reader, None)
    except NotCSVError as error:
        raise Malformed(f"line 1 is not CSV: {error}") from None
    if not header:
        raise Malformed("the CSV has no header line")
    names = [name.strip() for name in header]
    for name in names:
        if names.count(name) > 1:
            raise Invalid.field(name, "duplicate", f'the column "{name}" comes twice')
    return _objects(reader, names, [texts.cell_reader(exposed, name) for name in names])


def _objects(reader: Records, names: list[str], readers: list[_Read]) -> Iterator[Any]:
    while True:
        try:
            cells = next(reader, None)
        except NotCSVError as error:
            raise Malformed(f"line {reader.line} is not CSV: {error}") from None
        if cells is None:
            return
        if not cells:
            continue
        if len(cells) != len(names):
            message = f"line {reader.line} has {len(cells)} cells, the header {len(names)}"
            yield Invalid(message)
            continue
        try:
            yield _object(names, readers, cells)
        except NexusError as error:
            yield error


def _object(names: list[str], readers: list[_Read], cells: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, read, text in zip(names, readers, cells, strict=True):
        value = read(text)
        if value is not texts.ABSENT:
            row[name] = value
    return row


def _text_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    for number, line in enumerate(_lines(chunks), start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise Malformed(f"line {number} is not UTF-8") from None


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their line feeds, however the chunks are cut."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield _short(line)
        _short(rest)
    if rest:
        yield rest


def _short(line: bytes) -> bytes:
    if len(line) > MAX_LINE_BYTES:
        raise LimitExceeded(f"a line is longer than {MAX_LINE_BYTES} bytes")
    return line
