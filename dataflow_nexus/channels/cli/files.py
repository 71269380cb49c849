"""Rows from a file (``--file``) and exports to one, with a progress bar where a person watches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import IO, Any

from dataflow_nexus.channels.cli.output import Streams
from dataflow_nexus.channels.decoding import csv_rows, document, ndjson_rows
from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.registry import Exposed

_CHUNK = 64 * 1024
_KINDS = {".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}
Advance = Callable[[int], None]


def kind_of(path: str) -> str | None:
    """``json``, ``ndjson`` or ``csv`` by the end of a file's name."""
    return _KINDS.get(Path(path).suffix.lower())


@contextmanager
def rows(exposed: Exposed, path: str, streams: Streams) -> Iterator[Any]:
    """The rows of a file, or of the standard input for ``-``, read as they are asked for.

    JSON is one array; the others are read line by line. Raises ``Invalid`` naming ``file``.
    """
    if path == "-":
        with _bar(streams, None) as advance:
            yield _sniffed(exposed, _chunks(streams.input, advance))
        return
    kind = kind_of(path)
    if kind is None:
        raise unknown_kind(path)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(path).open("rb"))
        except OSError as error:
            raise _unusable(path, error) from None
        advance = stack.enter_context(_bar(streams, os.fstat(file.fileno()).st_size))
        yield _decoded(exposed, kind, _chunks(file, advance))


def unknown_kind(path: str) -> Invalid:
    """The error for a file whose name says no format."""
    known = ", ".join(_KINDS)
    return Invalid.field("file", "type", f'"file" must end in one of {known}, not "{path}"')


def _unusable(path: str, error: OSError) -> Invalid:
    reason = (error.strerror or "it can't be used").lower()
    return Invalid.field("file", "unusable", f'"file": {path}: {reason}')


def _chunks(file: IO[bytes], advance: Advance) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        advance(len(chunk))
        yield chunk


def _decoded(exposed: Exposed, kind: str, chunks: Iterable[bytes]) -> Any:
    if kind == "csv":
        return csv_rows(exposed, chunks)
    if kind == "ndjson":
        return ndjson_rows(chunks)
    found = document(b"".join(chunks), "the file")
    if not isinstance(found, list):
        raise Invalid.field("file", "type", '"file" must hold a JSON array of rows')
    return found


def _sniffed(exposed: Exposed, chunks: Iterator[bytes]) -> Any:
    """The standard input has no name: an array begins with a bracket, an object with a brace."""
    head = b""
    for chunk in chunks:
        head += chunk
        if head.strip():
            break
    first = head.lstrip()[:1]
    kind = "json" if first == b"[" else "ndjson" if first == b"{" else "csv"
    return _decoded(exposed, kind, chain([head], chunks))


def save(path: str, chunks: Iterator[bytes], streams: Streams) -> None:
    """Write an export under another name first, so that half a file never has the asked name."""
    first = next(chunks, b"")
    draft = Path(f"{path}.part")
    try:
        with draft.open("wb") as file, _bar(streams, None) as advance:
            for chunk in chain([first], chunks):
                file.write(chunk)
                advance(len(chunk))
        draft.replace(path)
    except OSError as error:
        raise _unusable(path, error) from None
    finally:
        with suppress(OSError):  # the folder itself may be missing, or be a file
            draft.unlink(missing_ok=True)


@contextmanager
def _bar(streams: Streams, total: int | None) -> Iterator[Advance]:
    """A progress bar over bytes, on the error stream of a terminal."""
    if not streams.progress:
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeElapsedColumn

    columns = (BarColumn(), DownloadColumn(), TimeElapsedColumn())
    console = Console(file=streams.err, force_terminal=True)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda size: progress.advance(task, size)
