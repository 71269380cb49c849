"""Rows that come as CSV, lines of JSON or an array, with something wrong in one of ten thousand."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import override_settings

from dataflow_nexus.channels.decoding import MAX_LINE_BYTES
from testproject.shop.models import Tag
from tests.bad_input.checks import check_refusal, contents
from tests.parity.channels import Answer, by_python, command, http, operation_of, rolled_back
from tests.routing import POSTGRESQL, SQLITE

pytestmark = pytest.mark.django_db(databases=[SQLITE, POSTGRESQL])
LINES = 10_000
BAD_LINE = 9_999
INDEX = BAD_LINE - 2
"""The first line of a CSV names the columns, and the first row has the index 0."""
CSV, NDJSON = "text/csv", "application/x-ndjson"


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def alias(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def rows(**bad: Any) -> list[dict[str, Any]]:
    """As many as a CSV of `LINES` lines has; `bad` is in the one at `BAD_LINE`."""
    made = [{"name": f"bulk-{number}"} for number in range(LINES - 1)]
    made[INDEX] |= bad
    return made


def csv_of(made: list[dict[str, Any]]) -> bytes:
    return ("name\n" + "".join(f"{row['name']}\n" for row in made)).encode()


def ndjson_of(made: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in made).encode()


Way = Callable[[list[dict[str, Any]], Path, dict[str, str]], Answer]


def by_http(made: list[dict[str, Any]], folder: Path, params: dict[str, str], kind: str) -> Answer:
    query = f"?{urlencode(params)}" if params else ""
    content_type, text = (CSV, csv_of) if kind == "csv" else (NDJSON, ndjson_of)
    return http("POST", f"/api/tags/bulk{query}", text(made), content_type=content_type)


def by_body(made: list[dict[str, Any]], folder: Path, params: dict[str, str]) -> Answer:
    return http("POST", "/api/tags/bulk", json.dumps({"data": made, **params}))


def by_iterator(made: list[dict[str, Any]], folder: Path, params: dict[str, str]) -> Answer:
    return by_python(operation_of("TagBulkCreate"), {"data": iter(made), **params})


def by_file(
    made: list[dict[str, Any]], folder: Path, params: dict[str, str], kind: str, *, piped: bool
) -> Answer:
    text = json.dumps(made).encode() if kind == "json" else TEXTS[kind](made)
    options = [f"--{name.replace('_', '-')}={value}" for name, value in params.items()]
    if piped:
        return command("tags", "bulk-create", "--file=-", *options, stdin=text)
    path = folder / f"rows.{kind}"
    path.write_bytes(text)
    return command("tags", "bulk-create", "--file", str(path), *options)


TEXTS = {"csv": csv_of, "ndjson": ndjson_of}
WAYS: dict[str, Way] = {
    "HTTP csv": partial(by_http, kind="csv"),
    "HTTP ndjson": partial(by_http, kind="ndjson"),
    "HTTP json": by_body,
    "Python": by_iterator,
    **{
        f"CLI {'piped ' * piped}{kind}": partial(by_file, kind=kind, piped=piped)
        for kind in ("csv", "ndjson", "json")
        for piped in (False, True)
    },
}


@pytest.mark.parametrize(
    ("bad", "code", "fault"),
    [
        ({"name": "x" * 51}, "invalid", "max_length"),
        ({"name": "eco"}, "conflict", "unique"),
        ({"name": "bulk-3"}, "invalid", "duplicate"),
        ({"name": "a\x00"}, "invalid", "null_character"),
    ],
)
def test_a_bad_row_late_in_a_file(
    alias: str, bad: dict[str, Any], code: str, fault: str, tmp_path: Path
) -> None:
    before = contents(alias)
    with rolled_back(alias):
        for way in WAYS.values():
            answer = way(rows(**bad), tmp_path, {})
            check_refusal(answer)
            assert (answer.code, answer.faults) == (code, [(f"data.{INDEX}.name", fault)])
            assert contents(alias) == before


@pytest.mark.parametrize("way", WAYS)
def test_the_good_rows_go_on(alias: str, way: str, tmp_path: Path) -> None:
    before = Tag.objects.using(alias).count()
    with rolled_back(alias):
        answer = WAYS[way](rows(name="x" * 51), tmp_path, {"on_error": "continue"})
        assert Tag.objects.using(alias).count() == before + LINES - 2
    found = json.loads(answer.body)
    assert (found["processed"], found["inserted"]) == (LINES - 1, LINES - 2)
    assert [(item["index"], item["code"]) for item in found["errors"]] == [(INDEX, "invalid")]


WRONG: list[tuple[str, bytes, str, list[str]]] = [
    (CSV, b"", "malformed", []),
    (CSV, b"\n", "malformed", []),
    (CSV, b"name,name\na,b\n", "invalid", ["name"]),
    (CSV, b"name,colour\na,b\n", "invalid", ["data.0.colour"]),
    (CSV, b"name\na\nb,c\n", "invalid", ["data.1"]),
    (CSV, b'name\n"a\n', "malformed", []),
    (CSV, b'name\n"a"b\n', "malformed", []),
    (CSV, b"name\n\xff\n", "malformed", []),
    (CSV, b"\xff\xfen\x00", "malformed", []),
    (CSV, b"id,name\nx,a\n", "invalid", ["data.0.id"]),
    (CSV, b"id,name\n99999999999999999999,a\n", "invalid", ["data.0.id"]),
    (CSV, b"name\n" + b"x" * (MAX_LINE_BYTES + 1), "limit_exceeded", []),
    (CSV, b"name\neco\n", "conflict", ["data.0.name"]),
    (NDJSON, b'{"name": "a"}\n{"name": ', "malformed", ["data.1"]),
    (NDJSON, b'{"name": "a"}\n[1]\n', "invalid", ["data.1"]),
    (NDJSON, b'{"name": "a"}\nnull\n', "invalid", ["data.1"]),
    (NDJSON, b'{"name": "a", "name": "b"}\n', "invalid", ["data.0.name"]),
    (NDJSON, b'{"name": "\xff"}\n', "malformed", ["data.0"]),
    (NDJSON, b'{"name": 5}\n', "invalid", ["data.0.name"]),
    (NDJSON, b'{"name": ' + b"[" * 100 + b"]" * 100 + b"}\n", "limit_exceeded", ["data.0"]),
    (NDJSON, b" " * (MAX_LINE_BYTES + 1), "limit_exceeded", []),
]


@pytest.mark.parametrize(("kind", "text", "code", "fields"), WRONG)
def test_rows_that_cannot_be_read(
    alias: str, kind: str, text: bytes, code: str, fields: list[str], tmp_path: Path
) -> None:
    path = tmp_path / ("rows.csv" if kind == CSV else "rows.ndjson")
    path.write_bytes(text)
    before = contents(alias)
    with rolled_back(alias):
        for answer in (
            http("POST", "/api/tags/bulk", text, content_type=kind),
            http("PUT", "/api/tags/bulk", text, content_type=kind),
            command("tags", "bulk-create", "--file", str(path)),
        ):
            check_refusal(answer)
            assert (answer.code, answer.fields) == (code, fields)
        assert contents(alias) == before


@override_settings(DATAFLOW_NEXUS={**settings.DATAFLOW_NEXUS, "MAX_BULK_ROWS": 100})
def test_rows_are_bounded(alias: str, tmp_path: Path) -> None:
    before = contents(alias)
    with rolled_back(alias):
        for way in WAYS.values():
            for more in ({}, {"on_error": "continue"}):
                answer = way(rows(), tmp_path, more)
                check_refusal(answer)
                assert answer.code == "limit_exceeded"
        answer = http("DELETE", "/api/tags/bulk", json.dumps({"ids": list(range(101))}))
        assert answer.code == "limit_exceeded"
        assert contents(alias) == before
