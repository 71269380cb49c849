"""Result bytes → what a person or a pipe reads. JSON is the result's own bytes and a line feed."""

from __future__ import annotations

import codecs
import csv
import io
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

import msgspec
from django.core.management.base import OutputWrapper

from dataflow_nexus.channels.errors import problem_json
from dataflow_nexus.exceptions import NexusError
from dataflow_nexus.operations.formats import cell_text, neutralized

_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_PIPED_WIDTH = 200
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
    """Bytes into the text stream of a Django command, for ``call_command(…, stdout=…)``."""

    def __init__(self, text: OutputWrapper) -> None:
        super().__init__()
        self._text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._text.write(self._decoder.decode(bytes(data)), ending="")
        return len(data)


# --- results --------------------------------------------------------------------------------------


def write_result(
    streams: Streams, answer: bytes, verb: str, fmt: str, *, neutralize: bool = True
) -> None:
    """Write the result of an operation in a format of ``FORMATS``.

    ``neutralize`` says whether CSV cells that a spreadsheet would run are made harmless.
    """
    if fmt == "json":
        streams.out.write(answer + b"\n")
    elif fmt == "ndjson":
        for raw in _raw_rows(answer, verb):
            streams.out.write(bytes(raw) + b"\n")
    elif fmt == "csv":
        streams.out.write(_csv(_rows(answer, verb), neutralized if neutralize else str))
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


def _cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """The names of all columns, and the texts under them."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return columns, [[cell_text(row.get(name)) for name in columns] for row in rows]


def _csv(rows: Sequence[Row], cell: Callable[[str], str]) -> bytes:
    file = io.StringIO()
    write = csv.writer(file, lineterminator="\r\n").writerow
    columns, lines = _cells(rows)
    for line in [columns, *lines] if columns else ():
        write([cell(text) for text in line])
    return file.getvalue().encode()


def _table(streams: Streams, answer: bytes, verb: str) -> None:
    rows = _rows(answer, verb)
    if verb in _RECORDS:
        show_table(streams, *_cells(rows))
        _say_more(streams, answer)
    else:
        pairs = [[name, cell_text(value)] for row in rows for name, value in row.items()]
        show_table(streams, None, pairs)


def _say_more(streams: Streams, answer: bytes) -> None:
    found = msgspec.json.decode(answer, type=dict[str, msgspec.Raw])
    count, following = cell_text(found.get("count")), cell_text(found.get("next"))
    if count:
        streams.say(f"{count} in all")
    if following:
        streams.say(f"more: --cursor {following}")


def show_table(
    streams: Streams, columns: Sequence[str] | None, rows: Sequence[Sequence[str]]
) -> None:
    """A table as wide as the terminal; without ``columns`` two columns of names and values.

    ``rich`` is imported here, because most commands need no table.
    """
    if columns is not None and not rows:
        streams.say("nothing found")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    style = box.SIMPLE_HEAD if columns else None
    table = Table(box=style, show_header=bool(columns), pad_edge=False)
    for name in columns or ("", ""):
        table.add_column(Text(plain(name)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    width = None if streams.terminal else _PIPED_WIDTH
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=streams.terminal).print(table)
    streams.out.write(file.getvalue().encode())
    streams.out.flush()


def plain(text: str) -> str:
    """Text that no terminal takes for a command, and that can be encoded."""
    return _UNSHOWN.sub(lambda match: repr(match.group())[1:-1], text)


# --- errors ---------------------------------------------------------------------------------------


def write_error(streams: Streams, error: NexusError, request_id: str, *, as_json: bool) -> None:
    """A message, with a line for each thing that is wrong; or the error object."""
    if as_json:
        streams.err.write(problem_json(error, request_id).decode() + "\n")
    else:
        streams.err.write(f"{error.code}: {plain(error.detail)}\n")
        for item in error.errors:
            if item.message != error.detail:
                streams.err.write(f"  {plain(item.field)}: {plain(item.message)}\n")
    streams.err.flush()
