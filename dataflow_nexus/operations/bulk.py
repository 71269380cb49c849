"""Create, change, delete and upsert many records in one transaction: all or nothing, or all but the bad rows.

Plain rows go in few statements (``setwise``); where a model's own code, a rule or a list of ids takes part, each row is
written as its single operation would write it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import DataError, IntegrityError, transaction

from dataflow_nexus.exceptions import (
    ConcurrentChange,
    Conflict,
    Invalid,
    KeysUsedUp,
    NotFound,
    PermissionDenied,
)
from dataflow_nexus.operations import parameters, setwise
from dataflow_nexus.operations.authority import needed, required_faults
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.bulk_selecting import delete_selected, update_selected
from dataflow_nexus.operations.columns import read_columns, repeats
from dataflow_nexus.operations.given_rows import (
    Rejects,
    Row,
    batch_size,
    items,
    read_changes,
    read_rows,
    without_duplicates,
)
from dataflow_nexus.operations.given_values import writer
from dataflow_nexus.operations.outcomes import (
    Done,
    Outcome,
    asked_for,
    check_affected,
    result,
    returned,
)
from dataflow_nexus.operations.reading import compilation, equal_to
from dataflow_nexus.operations.references import naming_references
from dataflow_nexus.operations.transactions import check_deferred, writing
from dataflow_nexus.operations.upserting import Upsert, conflict_key, upsert_in_transaction
from dataflow_nexus.operations.values import Faults
from dataflow_nexus.operations.writing import (
    change_in_transaction,
    create_in_transaction,
    locked_key,
)
from dataflow_nexus.queries.faults import translated
from dataflow_nexus.queries.scope import Scope

BATCH = 10_000
Write = Callable[[Sequence[Row]], list[Done]]


def bulk_create(call: Call) -> bytes:
    """The bulk result; every row is a new record."""
    parameters.refuse_unknown(call)
    resolution = parameters.choice(call, "conflict_resolution", ("error", "skip"), "error")
    key = _conflict_on(call)
    required = needed(call)
    rejects = _rejects(call)
    asked_for(call)
    given = items(call)
    plainly = setwise.writes_plainly(call, "add")
    if plainly and resolution == "error" and setwise.takes_columns(call):
        done = _create_columns(call, given, required)
        if done is not None:
            return done
    rows = read_rows(given, writer(call, "add"), rejects, required=required)
    rows = without_duplicates(rows, rejects, call.exposed.unique_keys)

    def write(chosen: Sequence[Row]) -> list[Done]:
        if plainly and all(setwise.is_plain(call.exposed, row) for row in chosen):
            return setwise.insert(call, chosen, key=key, resolution=resolution)
        return [_create_one(call, row, key, resolution) for row in chosen]

    return _write_rows(call, rows, rejects, write)


def _create_columns(call: Call, given: Sequence[Any], required: Sequence[str]) -> bytes | None:
    """The result where every row is right and new; ``None``, and nothing written, where one has to be named."""
    columns = read_columns(writer(call, "add"), given, required)
    if columns is None or repeats(columns, call.exposed.unique_keys):
        return None
    size = batch_size(call, BATCH)
    outcome = Outcome(processed=columns.rows)
    try:
        with writing(call.alias, dry_run=parameters.boolean(call, "dry_run")):
            for start in range(0, columns.rows, size):
                done = setwise.insert_columns(call, columns, start, start + size)
                outcome.done += done
                outcome.counted["inserted"] += min(size, columns.rows - start) - len(done)
                outcome.check(call)
            more = returned(call, outcome.keys)
    except (IntegrityError, DataError, Conflict):
        return None
    if call.params.get("on_error") == "continue":
        more["errors"] = []
    return result(outcome, more)


def bulk_upsert(call: Call) -> bytes:
    """The bulk result; a row whose key exists changes that record, is skipped, or is an error."""
    parameters.refuse_unknown(call)
    resolution = parameters.choice(
        call, "conflict_resolution", ("update", "skip", "error"), "update"
    )
    key = _conflict_on(call) or tuple(item.name for item in call.exposed.key)
    rejects = _rejects(call)
    rows = read_rows(items(call), writer(call, "add"), rejects)
    rows = _changeable(call, rows, key, rejects)
    rows = without_duplicates(rows, rejects, call.exposed.unique_keys)
    plainly = setwise.writes_plainly(call, "add", "change") and setwise.is_postgresql(call)

    def write(chosen: Sequence[Row]) -> list[Done]:
        chosen = in_lock_order(chosen, key)
        if plainly and all(setwise.is_plain(call.exposed, row) for row in chosen):
            return _upsert_plain(call, chosen, key, resolution)
        return [_upsert_one(call, row, key, resolution) for row in chosen]

    return _write_rows(call, rows, rejects, write)


def bulk_update(call: Call) -> bytes:
    """The bulk result; either the same change of all that a filter selects, or other values per row."""
    parameters.refuse_unknown(call)
    rejects = _rejects(call)
    _check_unneeded(call)
    if call.params.get("data") is None:
        return update_selected(call)
    for name in ("filter", "fields"):
        if call.params.get(name) is not None:
            raise Invalid.field(name, "exclusive", f'"{name}" can\'t stand beside "data"')
    scope = Scope(compilation(call), call.exposed, call.grants["change"])
    rows = read_changes(call, writer(call, "change"), scope, rejects)
    keys = (tuple(item.name for item in call.exposed.key), *call.exposed.unique_keys)
    rows = without_duplicates(rows, rejects, dict.fromkeys(keys))
    plainly = setwise.writes_plainly(call, "change") and setwise.is_postgresql(call)

    def write(chosen: Sequence[Row]) -> list[Done]:
        exposed = call.exposed
        chosen = in_lock_order(chosen, [item.name for item in exposed.key])
        if plainly and all(
            setwise.is_plain(exposed, row) and setwise.can_update(exposed, row) for row in chosen
        ):
            return setwise.update(call, chosen)
        return [_update_one(call, row) for row in chosen]

    return _write_rows(call, rows, rejects, write)


def bulk_delete(call: Call) -> bytes:
    """The bulk result; what a filter selects, or the records of ``ids``."""
    parameters.refuse_unknown(call)
    _check_unneeded(call)
    return delete_selected(call)


# --- what was asked --------------------------------------------------------------------------------------------------


def _check_unneeded(call: Call) -> None:
    """Refuse values of the wrong type also where rows or a filter make the parameter idle: nothing is ignored."""
    parameters.boolean(call, "confirmed")
    batch_size(call, BATCH)


def _rejects(call: Call) -> Rejects:
    return Rejects(
        going_on=parameters.choice(call, "on_error", ("stop", "continue"), "stop") == "continue"
    )


def _conflict_on(call: Call) -> tuple[str, ...]:
    """The names of ``conflict_on``; none where it was not given."""
    if call.params.get("conflict_on") is None:
        return ()
    faults = Faults()
    key = conflict_key(call, faults)
    faults.raise_any()
    return key


def _changeable(
    call: Call, rows: Sequence[Row], key: tuple[str, ...], rejects: Rejects
) -> list[Row]:
    """The rows of an upsert that name their key and may be written in both ways."""
    changer = writer(call, "change")
    generated = {item.name for item in call.exposed.key if not item.required}
    kept: list[Row] = []
    for row in rows:
        faults = Faults()
        for name in key:
            if name not in row.values and name not in generated:
                faults.add(name, "required", f'"{name}" is required: it is part of the key')
        for name in row.values:
            if name not in key:
                changer.field(name, name, faults)
        try:
            faults.raise_any()
        except (Invalid, PermissionDenied) as error:
            rejects.add(row.number, error)
        else:
            kept.append(row)
    return kept


# --- writing ---------------------------------------------------------------------------------------------------------


def _write_rows(call: Call, rows: Sequence[Row], rejects: Rejects, write: Write) -> bytes:
    rejects.raise_any()
    size = batch_size(call, BATCH)
    asked_for(call)
    check_affected(call, 0)
    outcome = Outcome(processed=len(rows) + len(rejects.found))
    with writing(call.alias, dry_run=parameters.boolean(call, "dry_run")):
        for batch in _batches(rows, size):
            outcome.done += _written(call, batch, rejects, write)
            rejects.raise_any()
            outcome.check(call)
        more = returned(call, outcome.keys)
    if rejects.going_on:
        more["errors"] = rejects.listed()
    return result(outcome, more)


def _batches(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _written(call: Call, rows: Sequence[Row], rejects: Rejects, write: Write) -> list[Done]:
    """Write rows; where the database or a rule refuses, halve them until the bad ones stand alone.

    No row is to blame for a deadlock or for keys that have run out, and halves would only run into the same: they end
    the whole write.
    """
    alone = rows[0].values if len(rows) == 1 else {}
    try:
        with (
            translated(call.exposed, call.alias, call.knows),
            naming_references(call, alone),
            transaction.atomic(using=call.alias),
        ):
            done = write(rows)
            check_deferred(call.alias)
            return done
    except (ConcurrentChange, KeysUsedUp):
        raise
    except (Invalid, Conflict, NotFound, PermissionDenied) as error:
        if len(rows) == 1:
            rejects.add(rows[0].number, error)
            return []
    middle = len(rows) // 2
    done = _written(call, rows[:middle], rejects, write)
    if rejects.found and not rejects.going_on:
        return done
    return done + _written(call, rows[middle:], rejects, write)


def _create_one(call: Call, row: Row, key: tuple[str, ...], resolution: str) -> Done:
    if resolution != "skip":
        return Done(row.number, "inserted", create_in_transaction(call, row.values))
    try:
        with translated(call.exposed, call.alias, call.knows), transaction.atomic(using=call.alias):
            return Done(row.number, "inserted", create_in_transaction(call, row.values))
    except Conflict as error:
        names = {item.field for item in error.errors if item.code == "unique"}
        if not names or (key and names != set(key)):
            raise
        return Done(row.number, "skipped", None)


def _update_one(call: Call, row: Row) -> Done:
    scope = Scope(compilation(call), call.exposed, call.grants["change"])
    key = locked_key(call, equal_to(scope, row.key), scope)
    if row.values:
        change_in_transaction(call, key, row.values)
    return Done(row.number, "updated", key)


def _upsert_plain(
    call: Call, rows: Sequence[Row], key: tuple[str, ...], resolution: str
) -> list[Done]:
    """Rows that lack what a new record needs can only change one; the others are inserted or change one."""
    done: list[Done] = []
    whole: list[Row] = []
    lacking: dict[tuple[str, ...], list[Row]] = {}
    required = [item.name for item in call.exposed.columns.values() if item.required]
    for row in rows:
        names = tuple(name for name in required if name not in row.values)
        (lacking.setdefault(names, []) if names else whole).append(row)
    if whole:
        done += setwise.insert(call, whole, key=key, resolution=resolution)
    for names, chosen in lacking.items():
        if resolution == "update" and all(_finds(call, row, key) for row in chosen):
            done += setwise.update_known(call, chosen, key, names)
        else:
            done += [_upsert_one(call, row, key, resolution) for row in chosen]
    return done


def in_lock_order(rows: Sequence[Row], key: Sequence[str]) -> Sequence[Row]:
    """Rows by their key, so that writers of the same rows wait for each other in one order and never in a circle."""

    def place(row: Row) -> tuple[tuple[bool, Any], ...]:
        known = {**row.values, **row.key}
        return tuple((known.get(name) is not None, known.get(name)) for name in key)

    try:
        return sorted(rows, key=place)
    except TypeError:  # values without an order
        return rows


def _finds(call: Call, row: Row, key: tuple[str, ...]) -> bool:
    """Whether a row can be matched by its key in a statement over many."""
    named = all(row.values.get(name) is not None for name in key)
    named &= not any(item.name in row.values for item in call.exposed.key if item.name not in key)
    return named and setwise.can_update(call.exposed, row)


def _upsert_one(call: Call, row: Row, key: tuple[str, ...], resolution: str) -> Done:
    if resolution != "update":
        _need_all(call, row)
        return _create_one(call, row, key, resolution)
    update = {name: value for name, value in row.values.items() if name not in key}
    wanted = Upsert(key=key, create=row.values, update=update)
    created, made = upsert_in_transaction(call, wanted)
    return Done(row.number, "inserted" if created else "updated", made)


def _need_all(call: Call, row: Row) -> None:
    faults = Faults()
    required_faults(call, row.values, faults)
    faults.raise_any()
