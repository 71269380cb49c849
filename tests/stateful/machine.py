"""Operations in any order, each compared with the table in memory: its answer or its error, and all rows afterwards."""

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from dataflow_nexus.exceptions import NexusError
from tests.stateful import shapes
from tests.stateful.records import FLAGS, Records, plain, refusal, same
from tests.stateful.table import Refused, Row, Table


class Operations(Records):
    """One model's. ``shape`` and the ways to ask are given by a subclass."""

    # --- many records --------------------------------------------------------------------------

    def of_counts(
        self, answer: Any, counts: dict[str, int], errors: list[tuple[int, str]], *about: Any
    ) -> None:
        same({name: answer[name] for name in counts}, counts, "the numbers", about)
        told = [(item["index"], item["code"]) for item in answer.get("errors", [])]
        same(told, errors, "the errors", about)

    @rule(
        data=st.data(),
        verb=st.sampled_from(["BulkCreate", "BulkUpsert"]),
        resolution=st.sampled_from(["error", "skip", None]),
        go_on=FLAGS,
    )
    def write_rows(self, data: Any, verb: str, resolution: str | None, go_on: bool) -> None:
        rows = data.draw(st.lists(shapes.rows(self.shape), max_size=4))
        params: dict[str, Any] = {"data": rows, "return": "records"}
        if verb == "BulkUpsert":
            params["conflict_on"] = list(self.shape.unique)
        if resolution is not None:
            params["conflict_resolution"] = resolution
        if go_on:
            params["on_error"] = "continue"
        chosen = resolution or ("update" if verb == "BulkUpsert" else "error")

        def replay(table: Table, answer: Any) -> None:
            written: list[Row] = []
            records = iter(answer["records"] if answer is not None else ())

            def write(row: Row) -> str:
                how = table.upserted(row, chosen)
                if how != "skipped":
                    written.append(row)
                return how

            counts, errors = table.bulk(rows, write, whole=verb == "BulkCreate", go_on=go_on)
            if answer is None:
                return
            self.of_counts(answer, counts, errors, params)
            assert len(answer["records"]) == len(written)
            for row, record in zip(written, records, strict=True):
                key = table.twin(row)
                assert key is not None
                made = table.rows.pop(key)
                if self.shape.numbered and made["id"] < 0:
                    made["id"] = record["id"]
                table.rows[table.key_of(made)] = made
                assert self.seen(record) == self.shown(made)

        self.compare(verb, params, replay)

    @rule(data=st.data(), go_on=FLAGS)
    def change_rows(self, data: Any, go_on: bool) -> None:
        number = data.draw(st.integers(0, 3))
        keys = list(dict.fromkeys(self.key(data) for _ in range(number)))
        rows = [(key, data.draw(shapes.changes(self.shape, keys=False))) for key in keys]
        params: dict[str, Any] = {
            "data": [{**self.with_key(key), **values} for key, values in rows]
        }
        if go_on:
            params["on_error"] = "continue"

        def replay(table: Table, answer: Any) -> None:
            by_index = iter(rows)

            def write(values: Row) -> str:
                key, values = next(by_index)
                table.change(key, values)
                return "updated"

            counts, errors = table.bulk([{} for _ in rows], write, whole=False, go_on=go_on)
            if answer is not None:
                self.of_counts(answer, counts, errors, params)

        self.compare("BulkUpdate", params, replay)

    @rule(data=st.data(), most=st.none() | st.integers(0, 3))
    def change_selected(self, data: Any, most: int | None) -> None:
        tree, values = (
            data.draw(shapes.conditions(self.shape)),
            data.draw(shapes.changes(self.shape, keys=False)),
        )
        params = {
            "filter": tree,
            "fields": values,
            "max_affected": most,
            "return": "ids",
            "confirmed": True,
        }

        def replay(table: Table, answer: Any) -> None:
            table.check(
                {name: value for name, value in values.items() if not isinstance(value, dict)},
                whole=False,
            )
            found = table.select(tree)
            if most is not None and len(found) > most:
                raise Refused("limit_exceeded")
            for row in found:
                table.change(table.key_of(row), values)
            if answer is not None:
                self.of_counts(answer, {"processed": len(found), "updated": len(found)}, [])
                assert answer["ids"] == [self.id_of(row) for row in found]

        self.compare("BulkUpdate", params, replay)

    @rule(data=st.data(), most=st.none() | st.integers(0, 3), by_ids=FLAGS)
    def delete_selected(self, data: Any, most: int | None, by_ids: bool) -> None:
        params: dict[str, Any] = {"max_affected": most, "confirmed": True}
        tree = data.draw(shapes.conditions(self.shape))
        keys = [self.key(data) for _ in range(data.draw(st.integers(0, 3)))]
        if by_ids:
            params["ids"] = [self.with_key(key)["id"] for key in keys]
        else:
            params["filter"] = tree

        def replay(table: Table, answer: Any) -> None:
            asked = set(keys) if by_ids else {table.key_of(row) for row in table.select(tree)}
            there = asked & table.rows.keys()
            if most is not None and len(there) > most:
                raise Refused("limit_exceeded")
            for key in there:
                del table.rows[key]
            counts = {
                "processed": len(asked),
                "deleted": len(there),
                "skipped": len(asked) - len(there),
            }
            if answer is not None:
                self.of_counts(answer, counts, [])

        self.compare("BulkDelete", params, replay)

    # --- several in one transaction ------------------------------------------------------------

    @rule(
        data=st.data(),
        verbs=st.lists(
            st.sampled_from(["Create", "Update", "Delete", "Upsert"]), min_size=1, max_size=4
        ),
    )
    def run_together(self, data: Any, verbs: list[str]) -> None:
        drawn = [self.drawn(data, verb) for verb in verbs]
        operations = [
            {"node": f"{self.shape.node}{verb}Node", "params": plain(params)}
            for verb, params, _ in drawn
        ]
        type(self).steps["Batch"] += 1
        table, code = self.table.copy(), None
        try:
            results = [
                item["result"]
                for item in msgspec.json.decode(type(self).run_batch(operations))["results"]
            ]
        except NexusError as error:
            code, results = error.code, [None] * len(drawn)
            type(self).steps[code] += 1

        def replay_all() -> None:
            for (_, _, replay), result in zip(drawn, results, strict=True):
                replay(table, result)

        expected = refusal(replay_all)
        if code is None:
            assert not expected, (expected, operations)
            self.table = table
        else:
            assert code in expected, (code, expected, operations)

    # --- reading -------------------------------------------------------------------------------

    @rule(data=st.data())
    def read_one(self, data: Any) -> None:
        key = self.key(data)

        def replay(table: Table, answer: Any) -> None:
            row = table.found(key)
            assert answer is None or self.seen(answer) == self.shown(row)

        self.compare("Read", self.with_key(key), replay)

    @rule(data=st.data(), limit=st.integers(1, 4), offset=st.integers(0, 3))
    def read_pages(self, data: Any, limit: int, offset: int) -> None:
        tree, order_by = (
            data.draw(shapes.conditions(self.shape)),
            data.draw(shapes.orders(self.shape)),
        )
        type(self).steps["List"] += 1
        expected = [
            self.shown(row) for row in self.table.ordered(self.table.select(tree), order_by)
        ]
        asked: dict[str, Any] = {"filter": tree, "order_by": order_by, "limit": limit}
        page = self.ask("List", {**asked, "offset": offset, "count": "exact"})
        assert [self.seen(record) for record in page["records"]] == expected[
            offset : offset + limit
        ]
        assert page["count"] == len(expected)
        found, page = [], self.ask("List", asked)
        while page["next"] is not None:
            assert len(page["records"]) == limit
            found += page["records"]
            page = self.ask("List", {**asked, "cursor": page["next"]})
        found += page["records"]
        assert [self.seen(record) for record in found] == expected
        assert self.ask("Count", {"filter": tree}) == {"count": len(expected)}

    @rule(data=st.data())
    def sum_up(self, data: Any) -> None:
        tree = data.draw(shapes.conditions(self.shape))
        (name,) = self.shape.nullable
        type(self).steps["Aggregate"] += 1
        asked = {"n": {"$count": "*"}, "sum": {"$sum": "price"}, "least": {"$min": "price"}}
        answer = self.ask("Aggregate", {"group_by": [name], "aggregate": asked, "filter": tree})
        rows: dict[Any, list[Decimal]] = {}
        for row in self.table.select(tree):
            rows.setdefault(row[name], []).append(row["price"])
        expected = [
            {name: value, "n": len(prices), "sum": plain(sum(prices)), "least": plain(min(prices))}
            for value, prices in rows.items()
        ]
        assert sorted(answer["groups"], key=repr) == sorted(expected, key=repr)

    # --- always --------------------------------------------------------------------------------

    @invariant()
    def every_row_is_the_same(self) -> None:
        page = self.ask("List", {"order_by": list(self.shape.key), "limit": 1000})
        found = {
            tuple(record[name] for name in self.shape.key): self.seen(record)
            for record in page["records"]
        }
        assert found == {key: self.shown(row) for key, row in self.table.rows.items()}
