"""Many plain rows in few statements: insert, insert or update, update by key.

Only for models that Django itself would write without calling anybody: no overridden ``save``, no listeners, a grant
that allows everything. All other rows are written one by one (``bulk``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from django.db import connections, models

from dataflow_nexus.exceptions import NotFound
from dataflow_nexus.operations import instances
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.columns import Columns
from dataflow_nexus.operations.filling import fill_of
from dataflow_nexus.operations.given_rows import Row
from dataflow_nexus.operations.given_values import keep_key
from dataflow_nexus.operations.outcomes import Done, Key, asked_for
from dataflow_nexus.operations.reading import compilation
from dataflow_nexus.operations.references import missing_keys, must_look
from dataflow_nexus.operations.uploads import is_upload
from dataflow_nexus.operations.values import Change, Faults
from dataflow_nexus.queries import changing, recordsets
from dataflow_nexus.queries.connections import fetch
from dataflow_nexus.queries.copying import copy_in, takes_copies
from dataflow_nexus.queries.faults import foreign_key_conflict
from dataflow_nexus.queries.python_rendering import converter
from dataflow_nexus.queries.scope import base_queryset
from dataflow_nexus.registry import Exposed, ModelField


def writes_plainly(call: Call, *actions: str) -> bool:
    """Whether statements over many rows mean the same as a write of each."""
    return (
        all(call.grants[action].unrestricted for action in actions)
        and not instances.saves_itself(call.exposed.model)
        and base_queryset(call.exposed, compilation(call)) is None
        and recordsets.plain_fields(call.exposed)
    )


def is_postgresql(call: Call) -> bool:
    return connections[call.alias].vendor == "postgresql"


def takes_columns(call: Call) -> bool:
    """Whether rows can go as whole columns: PostgreSQL, and every column has an encoder."""
    names = [str(item.column) for item in call.exposed.columns.values()]
    return is_postgresql(call) and recordsets.encoders(call.exposed, names) is not None


def is_plain(exposed: Exposed, row: Row) -> bool:
    """Whether a row has column values alone: no lists of ids, no files, nothing that the database computes."""
    columns = exposed.columns
    return bool(row.values) and not any(
        name not in columns or isinstance(value, Change) or is_upload(value)
        for name, value in row.values.items()
    )


def in_shapes(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows that give the same fields, together."""
    shapes: dict[frozenset[str], list[Row]] = {}
    for row in rows:
        shapes.setdefault(frozenset(row.values), []).append(row)
    yield from shapes.values()


# --- insert ----------------------------------------------------------------------------------------------------------


def insert(
    call: Call, rows: Sequence[Row], *, key: tuple[str, ...] = (), resolution: str = "error"
) -> list[Done]:
    """Insert rows. ``resolution`` says what a row does that has the same ``key``: ``error``, ``skip`` or ``update``."""
    done: list[Done] = []
    for shape in in_shapes(rows):
        done += _insert_shape(call, shape, key, resolution)
    # a row that was skipped may refer to nothing; among others it fails with them and is then written alone
    if any(item.how != "skipped" for item in done):
        check_references(call, _referring_values(rows))
    return done


def insert_columns(call: Call, columns: Columns, start: int, stop: int) -> list[Done]:
    """Insert the rows of checked columns from one place to another (PostgreSQL); the keys, where asked for."""
    exposed, alias = call.exposed, call.alias
    chosen = {name: values[start:stop] for name, values in columns.values.items()}
    count = min(stop, columns.rows) - start
    fill = fill_of(exposed, frozenset(chosen))
    given = {column: chosen[name] for column, name in fill.named}
    constants = {**fill.constant, **{column: make() for column, make in fill.clocks}}
    given |= {column: [make() for _ in range(count)] for column, make in fill.made}
    done: list[Done] = []
    if asked_for(call) == "none" and takes_copies(alias, exposed.table):
        copy_in(alias, exposed, given, constants)
    else:
        statement = recordsets.insert_columns(alias, exposed, given, constants, count)
        shown = changing.returning(alias, [str(item.column) for item in exposed.key])
        read = key_reader(alias, exposed.key)
        found = fetch(alias, statement + shown)
        done = [Done(number, "inserted", read(row)) for number, row in enumerate(found, start)]
    check_references(call, chosen)
    return done


def _insert_shape(call: Call, rows: list[Row], key: tuple[str, ...], resolution: str) -> list[Done]:
    exposed, alias = call.exposed, call.alias
    fill = fill_of(exposed, frozenset(rows[0].values))
    statement = recordsets.insert(alias, exposed, [fill.row(row.values) for row in rows])
    columns = [str(exposed.columns[name].column) for name in key]
    kept = [
        item.name for item in exposed.key if item.name in rows[0].values and item.name not in key
    ]
    if resolution == "skip":
        statement = statement + recordsets.on_conflict(alias, columns, None)
    elif resolution == "update":
        names = [name for name in rows[0].values if name not in key and name not in kept]
        updated = [str(exposed.columns[name].column) for name in names]
        updated += [column for column in automatic_columns(exposed) if column not in updated]
        statement = statement + recordsets.on_conflict(alias, columns, updated)
    shown = [str(item.column) for item in exposed.key]
    statement = statement + changing.returning(alias, shown)
    if resolution == "update":
        statement = statement + ", (xmax = 0)"
    found = fetch(alias, statement)
    read = key_reader(alias, exposed.key)
    inserted = [(read(item), item[-1] if resolution == "update" else True) for item in found]
    if resolution == "update" and kept:
        for row, (made, _) in zip(rows, inserted, strict=False):
            keep_key(made, {name: row.values[name] for name in kept})
    done = [
        Done(row.number, "inserted" if new else "updated", made)
        for row, (made, new) in zip(rows, inserted, strict=False)
    ]
    return done + [Done(row.number, "skipped", None) for row in rows[len(found) :]]


def automatic_columns(exposed: Exposed) -> list[str]:
    """The columns that every save sets anew."""
    return [
        str(item.column)
        for item in exposed.columns.values()
        if getattr(item.source, "auto_now", False)
    ]


def key_reader(alias: str, fields: Sequence[ModelField]) -> Callable[[Sequence[Any]], Key]:
    """From the first columns of a returned row to a key."""
    steps = [(field.name, converter(alias, field)) for field in fields]
    return lambda row: {
        name: convert(value) for (name, convert), value in zip(steps, row, strict=False)
    }


def _referring_values(rows: Sequence[Row]) -> Mapping[str, Sequence[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.values.items():
            found.setdefault(name, []).append(value)
    return found


def check_references(call: Call, values: Mapping[str, Sequence[Any]]) -> None:
    """Raise ``Conflict`` naming the fields in which some value refers to nothing, where the database does not tell."""
    wrong = []
    for name, column in values.items():
        field = call.exposed.columns[name]
        if (
            field.foreign_key is not None
            and must_look(call, field.foreign_key)
            and missing_keys(call, field, column)
        ):
            wrong.append(name)
    if wrong:
        raise foreign_key_conflict(sorted(wrong))


# --- update ----------------------------------------------------------------------------------------------------------


def update(call: Call, rows: Sequence[Row]) -> list[Done]:
    """Give rows, each found by its primary key, their new values (PostgreSQL)."""
    done: list[Done] = []
    names = tuple(item.name for item in call.exposed.key)
    for shape in in_shapes(rows):
        found = update_shape(call, shape, names)
        missing = [row for row in shape if row.number not in found]
        if missing:
            raise NotFound(f'there is no such record in "{call.exposed.resource}"')
        done += [Done(row.number, "updated", found[row.number]) for row in shape]
    check_references(call, _referring_values(rows))
    return done


def update_shape(call: Call, rows: list[Row], names: tuple[str, ...]) -> dict[int, Key]:
    """Update rows that give the same fields, each found by the fields ``names``: the key of each that is there."""
    exposed, alias = call.exposed, call.alias
    columns = {name: str(exposed.columns[name].column) for name in exposed.columns}
    known = [{**row.values, **row.key} for row in rows]
    given = [{columns[name]: value for name, value in values.items()} for values in known]
    scratch = exposed.model()
    automatic = {
        str(item.column): item.source.pre_save(scratch, False)
        for item in exposed.columns.values()
        if isinstance(item.source, models.Field) and getattr(item.source, "auto_now", False)
    }
    fields = [*exposed.key, *(exposed.columns[name] for name in names)]
    statement = recordsets.update(
        alias,
        exposed,
        [columns[name] for name in names],
        given,
        automatic,
        [str(item.column) for item in fields],
    )
    found = fetch(alias, statement)
    count = len(exposed.key)
    read, match = key_reader(alias, exposed.key), key_reader(alias, fields[count:])
    by_match = {tuple(match(row[count:]).values()): read(row) for row in found}
    return {
        row.number: by_match[marker]
        for row, values in zip(rows, known, strict=True)
        if (marker := tuple(values[name] for name in names)) in by_match
    }


def can_update(exposed: Exposed, row: Row) -> bool:
    """Whether the document of a row can be unpacked: every column has an encoder."""
    names = [str(exposed.columns[name].column) for name in {**row.values, **row.key}]
    return recordsets.encoders(exposed, names) is not None


def update_known(
    call: Call, rows: Sequence[Row], key: tuple[str, ...], lacking: Sequence[str]
) -> list[Done]:
    """Upsert rows that lack fields which a new record needs: each must be there (PostgreSQL)."""
    done: list[Done] = []
    for shape in in_shapes(rows):
        found = update_shape(call, shape, key)
        if len(found) < len(shape):
            faults = Faults()
            for name in lacking:
                faults.add(name, "required", f'"{name}" is required')
            faults.raise_any()
        done += [Done(row.number, "updated", found[row.number]) for row in shape]
    check_references(call, _referring_values(rows))
    return done
