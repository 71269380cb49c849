"""CSV is read as Python's strict reader reads it, but for its limit on a cell."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dataflow_nexus import LimitExceeded
from dataflow_nexus.operations import csv_text
from dataflow_nexus.operations.csv_text import NotCSVError, Records


def read(text: str) -> list[list[str]]:
    *lines, last = text.split("\n")
    return list(Records([*lines, last] if last else lines))


def expected(text: str) -> list[list[str]] | None:
    """What Python says; ``None`` where it refuses."""
    try:
        return list(csv.reader(io.StringIO(text, newline="\n"), strict=True))
    except csv.Error:
        return None


@given(st.text(alphabet=st.sampled_from('ab,,"""\r\n\n ä\x00'), max_size=40))
@example('a,"b""c",\r\n')
@example('"a\r\nb",c\r\r\n')
@example('a"b,"c"')
@example('"a"b')
@example("a\rb")
@example('"')
def test_it_reads_what_python_reads(text: str) -> None:
    wanted = expected(text)
    if wanted is None:
        with pytest.raises(NotCSVError):
            read(text)
    else:
        assert read(text) == wanted


@given(st.lists(st.lists(st.text(max_size=20), min_size=2), max_size=5))
def test_it_reads_what_python_writes(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    assert read(text.getvalue()) == rows


def test_lines_are_counted_over_cells() -> None:
    records = Records(['a,"b', "", 'c"', "d"])
    assert (next(records), records.line) == (["a", "b\n\nc"], 3)
    assert (next(records), records.line) == (["d"], 4)


def test_long_cells() -> None:
    limit = csv.field_size_limit()
    quotes = '""' * 200_000
    assert read(f'{"x" * 500_000},"{quotes}"') == [["x" * 500_000, '"' * 200_000]]
    assert len(read('"' + "line\n" * 100_000 + '"')[0][0]) == 500_000
    assert csv.field_size_limit() == limit


def test_the_longest_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "MAX_CELL", 10)
    assert read('"1234\n6789"') == [["1234\n6789"]]
    with pytest.raises(LimitExceeded, match="longer than 10 characters"):
        read('"1234\n\n67890"')
