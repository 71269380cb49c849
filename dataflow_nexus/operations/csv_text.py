"""CSV as text → records of cells (RFC 4180), a line at a time.

Not by Python's ``csv``: it takes no cell above 131,072 characters, unless that is allowed to every reader of the
process, those of other applications included. What it takes and refuses otherwise (strictly, in its default dialect) is
the same here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

from dataflow_nexus.exceptions import LimitExceeded

MAX_CELL = 32 * 1024 * 1024
"""Characters of one cell, over all of its lines: as large as a whole body is by default."""
_QUOTED = re.compile(r'[^"]*+(?:""[^"]*+)*+')


class NotCSVError(ValueError):
    """Text that is no CSV, with the reason."""


class Records:
    """The records of lines, which come without their line feeds. Empty lines are empty records.

    Raises ``NotCSVError``, ``LimitExceeded`` for a cell above ``MAX_CELL``, and what reading a line raises.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.line = 0
        """The number of the line that was read last."""

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        line = next(self._lines)
        self.line += 1
        if '"' in line:
            return self._quoted(line)
        plain = _unended(line)
        return plain.split(",") if plain else []

    def _quoted(self, line: str) -> list[str]:
        cells: list[str] = []
        start = 0
        while True:
            if line.startswith('"', start):
                cell, line, end = self._cell(line, start + 1)
                if not line[end:].strip("\r"):
                    return [*cells, cell]
                if line[end] != ",":
                    raise NotCSVError("',' expected after '\"'")
            else:
                end = line.find(",", start)
                if end < 0:
                    return [*cells, _unended(line[start:])]
                cell = _whole(line[start:end])
            cells.append(cell)
            start = end + 1

    def _cell(self, line: str, start: int) -> tuple[str, str, int]:
        """A cell whose quotation mark has been opened, the line that it ends in, and where."""
        part, end = _until_quote(line, start)
        if end < len(line):
            return part, line, end + 1
        text = io.StringIO()
        text.write(part)
        while True:
            following = next(self._lines, None)
            if following is None:
                raise NotCSVError("unexpected end of data")
            self.line += 1
            part, end = _until_quote(following, 0)
            text.write("\n")
            text.write(part)
            if text.tell() > MAX_CELL:
                raise LimitExceeded(f"a cell is longer than {MAX_CELL} characters")
            if end < len(following):
                return text.getvalue(), following, end + 1


def _until_quote(line: str, start: int) -> tuple[str, int]:
    """The text up to the quotation mark that ends a cell, or to the end of the line; and where that is."""
    found = _QUOTED.match(line, start)
    assert found is not None
    return found.group().replace('""', '"'), found.end()


def _unended(text: str) -> str:
    """The end of a line without what is left of its ending."""
    return _whole(text.rstrip("\r"))


def _whole(text: str) -> str:
    if "\r" in text:
        raise NotCSVError("a carriage return stands in a cell without quotation marks")
    return text
