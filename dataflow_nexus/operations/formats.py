"""What an export looks like as bytes: a JSON array, JSON lines, or CSV. Each is made of records in JSON."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence

import msgspec

_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet runs (OWASP, "CSV Injection"), in full width too."""
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


class NDJSON:
    """One record per line."""

    def __init__(self, names: Sequence[str], *, neutralize: bool) -> None:
        del names, neutralize  # JSON says names with every value, and runs nowhere

    def start(self) -> bytes:
        """What comes before the first record."""
        return b""

    def records(self, texts: Sequence[str]) -> bytes:
        """The next records."""
        return "".join(f"{text}\n" for text in texts).encode()

    def end(self) -> bytes:
        """What comes after the last record."""
        return b""

    def broken(self, detail: str) -> bytes:
        """Instead of the end, after a fault: what no parser takes."""
        return f"export interrupted: {detail}".encode()


class JSON(NDJSON):
    """One array."""

    _separator = ""

    def start(self) -> bytes:
        return b"["

    def records(self, texts: Sequence[str]) -> bytes:
        if not texts:
            return b""
        separator, self._separator = self._separator, ","
        return (separator + ",".join(texts)).encode()

    def end(self) -> bytes:
        return b"]"


class CSV(NDJSON):
    """RFC 4180 with a header. Nested values are JSON; null, and a field that is hidden on a row, are nothing."""

    def __init__(self, names: Sequence[str], *, neutralize: bool) -> None:
        self._names = names
        self._cell = neutralized if neutralize else str
        self._decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

    def start(self) -> bytes:
        return self._lines([self._names])

    def records(self, texts: Sequence[str]) -> bytes:
        records = [self._decode(text) for text in texts]
        return self._lines(
            [[cell_text(record.get(name)) for name in self._names] for record in records]
        )

    def broken(self, detail: str) -> bytes:
        """A quotation mark that is never closed."""
        return b'"' + super().broken(detail)

    def _lines(self, rows: Sequence[Sequence[str]]) -> bytes:
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerows([self._cell(text) for text in row] for row in rows)
        return file.getvalue().encode()


Format = NDJSON
FORMATS: Mapping[str, type[Format]] = {"csv": CSV, "ndjson": NDJSON, "json": JSON}


def cell_text(raw: msgspec.Raw | None) -> str:
    """A JSON value as people write it: text without quotes, null as nothing."""
    data = b"null" if raw is None else bytes(raw)
    if data == b"null":
        return ""
    return msgspec.json.decode(data, type=str) if data[:1] == b'"' else data.decode()


def neutralized(text: str) -> str:
    """Text that a spreadsheet shows and never runs: with an apostrophe before it where it would. Numbers stay."""
    if text.startswith(_RUN) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
