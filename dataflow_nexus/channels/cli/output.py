"""Result bytes → what a person or a pipe reads. JSON is the result's own bytes and a line feed."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any

import msgspec

from dataflow_nexus.channels.errors import problem
from dataflow_nexus.exceptions import NexusError

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_RECORDS = {"list": "records", "aggregate": "groups"}
"""Verbs whose result is mainly a list, and the name of that list."""
Row = dict[str, msgspec.Raw]


@dataclass(kw_only=True)
class Streams:
    """Where a command reads and writes; ``out`` takes bytes."""

    out: IO[bytes]
    err: IO[str]
    input: IO[bytes]
    terminal: bool
    """Whether a person reads the output."""
    progress: bool
    """Whether a person watches the error stream."""

    def say(self, text: str) -> None:
        """A line of output."""
        self.out.write(f"{text}\n".encode())
        self.out.flush()


def standard() -> Streams:
    """The process's own streams."""
    return Streams(
        out=sys.stdout.buffer,
        err=sys.stderr,
        input=sys.stdin.buffer,
        terminal=sys.stdout.isatty(),
        progress=sys.stderr.isatty(),
    )


class TextOut(io.RawIOBase):
    """Bytes into a text stream, for ``call_command(…, stdout=…)``."""

    def __init__(self, text: Any) -> None:
        super().__init__()
        self._text = text

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._text.write(bytes(data).decode())
        return len(data)


# --- results --------------------------------------------------------------------------------------


def write_result(streams: Streams, answer: bytes, verb: str, fmt: str) -> None:
    """Write the result of an operation in a format of ``FORMATS``."""
    if fmt == "json":
        streams.out.write(answer + b"\n")
    elif fmt == "ndjson":
        for raw in _raw_rows(answer, verb):
            streams.out.write(bytes(raw) + b"\n")
    elif fmt == "csv":
        streams.out.write(_csv(_rows(answer, verb)).encode())
    else:
        _table(streams, answer, verb)
    streams.out.flush()


def _raw_rows(answer: bytes, verb: str) -> list[msgspec.Raw]:
    name = _RECORDS.get(verb)
    if name is None:
        return [msgspec.Raw(answer)]
    found = msgspec.json.decode(answer, type=dict[str, msgspec.Raw])
    return msgspec.json.decode(found[name], type=list[msgspec.Raw])


def _rows(answer: bytes, verb: str) -> list[Row]:
    return [msgspec.json.decode(raw, type=Row) for raw in _raw_rows(answer, verb)]


def _columns(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def text_of(raw: msgspec.Raw | None) -> str:
    """A JSON value as people write it: text without quotes, null as nothing."""
    if raw is None:
        return ""
    data = bytes(raw)
    if data == b"null":
        return ""
    return msgspec.json.decode(data, type=str) if data[:1] == b'"' else data.decode()


def _csv(rows: Sequence[Row]) -> str:
    from dataflow_nexus.operations.exporting import neutralized

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    columns = _columns(rows)
    if columns:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([neutralized(text_of(row.get(name))) for name in columns])
    return file.getvalue()


def _table(streams: Streams, answer: bytes, verb: str) -> None:
    """``rich`` is imported here, because most commands need no table."""
    rows = _rows(answer, verb)
    if verb in _RECORDS:
        show_table(
            streams, _columns(rows), [[text_of(v) for v in _padded(row, rows)] for row in rows]
        )
        _say_more(streams, answer)
    else:
        pairs = [[name, text_of(value)] for row in rows for name, value in row.items()]
        show_table(streams, None, pairs)


def _padded(row: Row, rows: Sequence[Row]) -> list[msgspec.Raw | None]:
    return [row.get(name) for name in _columns(rows)]


def _say_more(streams: Streams, answer: bytes) -> None:
    found = msgspec.json.decode(answer, type=dict[str, msgspec.Raw])
    count, following = text_of(found.get("count")), text_of(found.get("next"))
    if count:
        streams.say(f"{count} in all")
    if following:
        streams.say(f"more: --cursor {following}")


def show_table(
    streams: Streams, columns: Sequence[str] | None, rows: Sequence[Sequence[str]]
) -> None:
    """A table as wide as the terminal; without ``columns`` two columns of names and values."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=box.SIMPLE_HEAD if columns else None, show_header=bool(columns), pad_edge=False
    )
    for name in columns or ("", ""):
        table.add_column(Text(plain(name)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    if columns is not None and not rows:
        streams.say("nothing found")
        return
    width = None if streams.terminal else 200
    with io.StringIO() as file:
        Console(file=file, width=width, force_terminal=streams.terminal, highlight=False).print(
            table
        )
        streams.out.write(file.getvalue().encode())


def plain(text: str) -> str:
    """Text that no terminal takes for a command."""
    return _CONTROL.sub(lambda match: repr(match.group())[1:-1], text)


# --- errors ---------------------------------------------------------------------------------------


def write_error(streams: Streams, error: NexusError, request_id: str, *, as_json: bool) -> None:
    """A message, with a line for each thing that is wrong; or the error object."""
    if as_json:
        streams.err.write(msgspec.json.encode(problem(error, request_id)).decode() + "\n")
    else:
        streams.err.write(f"{error.code}: {plain(error.detail)}\n")
        for item in error.errors:
            if item.message != error.detail:
                streams.err.write(f"  {plain(item.field)}: {plain(item.message)}\n")
    streams.err.flush()
