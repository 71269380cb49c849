"""How an operation is compared with the table in memory, and the operations on one record."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from dataflow_nexus.exceptions import NexusError
from tests.stateful import shapes
from tests.stateful.table import Refused, Row, Shape, Table

Replay = Callable[[Table, Any], None]
"""Does the same to the table, and compares the answer where there is one. Raises ``Refused``."""
FLAGS = st.booleans()
SELDOM = st.sampled_from([False, False, False, True])


def plain(value: Any) -> Any:
    """As a caller writes it, and an answer shows it: decimals as text."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def refusal(replay: Callable[[], None]) -> tuple[str, ...]:
    """The codes with which the table refuses; none where it does not."""
    try:
        replay()
    except Refused as problem:
        return problem.codes
    return ()


def same(found: Any, expected: Any, *about: Any) -> None:
    assert found == expected, (found, expected, about)


class Records(RuleBasedStateMachine):
    """One model's. ``shape`` and the ways to ask are given by a subclass."""

    shape: Shape
    execute: Callable[[str, dict[str, Any]], bytes]
    run_batch: Callable[[list[dict[str, Any]]], bytes]
    steps: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.table = Table(self.shape)
        self.draws: Any = None

    # --- asking --------------------------------------------------------------------------------

    def ask(self, verb: str, params: dict[str, Any]) -> Any:
        return msgspec.json.decode(
            type(self).execute(f"{self.shape.node}{verb}Node", plain(params))
        )

    def compare(self, verb: str, params: dict[str, Any], replay: Replay) -> None:
        """Run and replay: the same answer or the same error, which changes nothing."""
        type(self).steps[verb] += 1
        try:
            answer = self.ask(verb, params)
        except NexusError as error:
            type(self).steps[error.code] += 1
            code = error.code
        else:
            self.keep(replay, answer, params)
            return
        expected = refusal(lambda: replay(self.table.copy(), None))
        assert code in expected, (code, expected, verb, params)

    def keep(self, replay: Replay, answer: Any, params: dict[str, Any]) -> None:
        table = self.table.copy()
        replay(table, answer)
        if not params.get("dry_run"):
            self.table = table

    def shown(self, row: Row) -> Row:
        return {name: plain(row[name]) for name in self.shape.columns}

    def seen(self, record: Row) -> Row:
        return {name: record[name] for name in self.shape.columns}

    def id_of(self, row: Row) -> Any:
        """The key as ``id`` takes it."""
        if len(self.shape.key) == 1:
            return row[self.shape.key[0]]
        return {name: row[name] for name in self.shape.key}

    def number(self, record: Row | None) -> int | None:
        return record["id"] if record is not None and self.shape.numbered else None

    def key(self, data: Any) -> tuple[Any, ...]:
        """The key of a row, most often of one that is there."""
        there = sorted(self.table.rows)
        if there and data.draw(st.integers(0, 7)):
            return data.draw(st.sampled_from(there))
        if self.shape.numbered:
            return (shapes.NOWHERE,)
        values = shapes.VALUES[self.shape.node]
        return tuple(data.draw(values[name]) for name in self.shape.key)

    def with_key(self, key: tuple[Any, ...]) -> dict[str, Any]:
        return {"id": self.id_of(dict(zip(self.shape.key, key, strict=True)))}

    # --- one record ----------------------------------------------------------------------------

    def creating(self, data: Any) -> tuple[dict[str, Any], Replay]:
        row = data.draw(shapes.rows(self.shape))

        def replay(table: Table, answer: Any) -> None:
            made = table.insert(row, self.number(answer))
            assert answer is None or self.seen(answer) == self.shown(made)

        return row, replay

    def updating(self, data: Any) -> tuple[dict[str, Any], Replay]:
        key, values = self.key(data), data.draw(shapes.changes(self.shape, keys=True))

        def replay(table: Table, answer: Any) -> None:
            row = table.change(key, values)
            assert answer is None or self.seen(answer) == self.shown(row)

        return {**self.with_key(key), **values}, replay

    def replacing(self, data: Any) -> tuple[dict[str, Any], Replay]:
        key, values = self.key(data), data.draw(shapes.rows(self.shape))
        values = {name: value for name, value in values.items() if name not in self.shape.key}

        def replay(table: Table, answer: Any) -> None:
            row = table.replace(key, values)
            assert answer is None or self.seen(answer) == self.shown(row)

        return {**self.with_key(key), **values, "replace": True}, replay

    def deleting(self, data: Any) -> tuple[dict[str, Any], Replay]:
        key = self.key(data)

        def replay(table: Table, answer: Any) -> None:
            table.delete(key)
            assert answer is None or answer == {**self.with_key(key), "deleted": True}

        return self.with_key(key), replay

    def upserting(self, data: Any) -> tuple[dict[str, Any], Replay]:
        row = data.draw(shapes.rows(self.shape))
        params = {**row, "conflict_on": list(self.shape.unique)}
        if data.draw(FLAGS):
            where = {name: row[name] for name in self.shape.unique}
            rest = {name: value for name, value in row.items() if name not in where}
            params = {"where": where, "create": rest, "update": rest}

        def replay(table: Table, answer: Any) -> None:
            table.check(row, whole=False)
            twin = table.twin(row)
            rest = {name: value for name, value in row.items() if name not in self.shape.unique}
            record = None if answer is None else answer["record"]
            made = (
                table.insert(row, self.number(record)) if twin is None else table.change(twin, rest)
            )
            assert answer is None or answer["created"] is (twin is None)
            assert record is None or self.seen(record) == self.shown(made)

        return params, replay

    def write_one(self, data: Any, verb: str, *, dry_run: bool) -> None:
        node, params, replay = self.drawn(data, verb)
        self.compare(node, {**params, "dry_run": True} if dry_run else params, replay)

    @initialize(data=st.data())
    def begin(self, data: Any) -> None:
        for _ in range(data.draw(st.integers(2, 6))):
            self.write_one(data, "Create", dry_run=False)

    @rule(data=st.data(), dry_run=SELDOM)
    def create(self, data: Any, dry_run: bool) -> None:
        self.write_one(data, "Create", dry_run=dry_run)

    @rule(data=st.data(), dry_run=SELDOM, replace=FLAGS)
    def update(self, data: Any, dry_run: bool, replace: bool) -> None:
        self.write_one(data, "Replace" if replace else "Update", dry_run=dry_run)

    @rule(data=st.data(), dry_run=SELDOM)
    def delete(self, data: Any, dry_run: bool) -> None:
        self.write_one(data, "Delete", dry_run=dry_run)

    @rule(data=st.data(), dry_run=SELDOM)
    def upsert(self, data: Any, dry_run: bool) -> None:
        self.write_one(data, "Upsert", dry_run=dry_run)

    def drawn(self, data: Any, verb: str) -> tuple[str, dict[str, Any], Replay]:
        ways = {
            "Create": self.creating, "Update": self.updating, "Replace": self.replacing, "Delete": self.deleting,
            "Upsert": self.upserting,
        }  # fmt: skip
        params, replay = ways[verb](data)
        return "Update" if verb == "Replace" else verb, params, replay
