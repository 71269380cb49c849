"""One question through every channel, and the same question in plain SQL to the published file."""

import io
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import connections

from dataflow_nexus import Nexus
from dataflow_nexus.channels.cli.output import Streams
from dataflow_nexus.launching import main
from dataflow_nexus.operations.base import Operation
from tests.parity import channels
from tests.parity.channels import Answer, Params

APP = "tests.chinook.app"
Row = dict[str, Any]


class Chinook:
    """The application on one database."""

    def __init__(self, nexus: Nexus, alias: str) -> None:
        self.nexus = nexus
        self.alias = alias

    def ask(self, node: str, /, **params: Any) -> Any:
        """The parsed result, which every channel answered in the same bytes."""
        operation = channels.operation_of(node, self.nexus)
        answers = {
            "Python": self._by_python,
            "REST node": channels.by_node,
            "REST resource": channels.by_resource,
            "CLI execute": channels.by_execute,
            "CLI resource": channels.by_command,
        }
        if operation.verb.name == "aggregate":
            answers["REST resource, body"] = channels.by_aggregate_body
        bodies = {name: _body(ask(operation, params)) for name, ask in answers.items()}
        first = bodies["Python"]
        assert bodies == dict.fromkeys(bodies, first)
        return json.loads(first)

    def _by_python(self, operation: Operation, params: Params) -> Answer:
        return Answer(self.nexus.execute_json(operation.node, params), None)

    def ids_here(self, statement: str) -> list[Any]:
        """The first value of every row of plain SQL on this very database: its order of text is its own."""
        with connections[self.alias].cursor() as cursor:
            cursor.execute(statement)
            return [row[0] for row in cursor.fetchall()]

    def pages(self, node: str, /, **params: Any) -> list[list[Row]]:
        """The records of every page, by its cursor."""
        found: list[list[Row]] = []
        following: Mapping[str, Any] = {}
        while True:
            page = self.ask(node, **params, **following)
            found.append(page["records"])
            if page["next"] is None:
                return found
            following = {"cursor": page["next"]}


def command(*words: str, terminal: bool = False) -> bytes:
    """What the `nexus` command of this application prints."""
    out, err = io.BytesIO(), io.StringIO()
    streams = Streams(out=out, err=err, input=io.BytesIO(), terminal=terminal, progress=False)
    assert (main.run(words, streams), err.getvalue()) == (0, "")
    return out.getvalue()


def _body(answer: Answer | None) -> bytes:
    assert answer is not None, "not sayable"
    assert answer.error is None, answer.raw
    return answer.body


class Published:
    """The file, asked with nothing but the standard library."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        self._connection.create_function("fold", 1, _fold, deterministic=True)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()

    def column(self, statement: str, *values: Any) -> list[Any]:
        """The first value of every row."""
        return [row[0] for row in self.rows(statement, *values)]

    def one(self, statement: str, *values: Any) -> Any:
        """The first value of the only row."""
        [[value]] = self.rows(statement, *values)
        return value

    def records(self, table: str, rest: str = "") -> list[Row]:
        """Rows as records: names in snake case, prices with two decimals, moments in UTC."""
        cursor = self._connection.execute(f'SELECT * FROM "{table}" {rest}')
        names = [column[0] for column in cursor.description]
        return [as_record(dict(zip(names, row, strict=True))) for row in cursor]

    def close(self) -> None:
        self._connection.close()


def _fold(text: str | None) -> str | None:
    """Lower case in every script; SQLite's own knows ASCII."""
    return None if text is None else text.lower()


def money(value: float) -> str:
    return f"{value:.2f}"


def moment(text: str) -> str:
    return text.replace(" ", "T") + "Z"


_SPELLED = {"UnitPrice": money, "Total": money}
_SPELLED |= dict.fromkeys(("InvoiceDate", "BirthDate", "HireDate"), moment)
_NAMED = {"ReportsTo": "manager_id"}


def as_record(row: Row) -> Row:
    found = {}
    for name, value in row.items():
        spelled = _SPELLED.get(name, _same)
        snake = "".join(f"_{char.lower()}" if char.isupper() else char for char in name)
        found[_NAMED.get(name, snake.removeprefix("_"))] = None if value is None else spelled(value)
    return found


def _same(value: Any) -> Any:
    return value
