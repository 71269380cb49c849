"""Bulk update and delete of what a filter selects, and bulk delete by keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections

from dataflow_nexus.exceptions import Invalid, LimitExceeded
from dataflow_nexus.operations import instances, parameters, setwise
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.computed_values import must_check, naming_overflow
from dataflow_nexus.operations.deleting import delete_records, is_referred_to
from dataflow_nexus.operations.given_rows import keys_of
from dataflow_nexus.operations.given_values import with_automatic, writer
from dataflow_nexus.operations.outcomes import (
    Done,
    Key,
    Outcome,
    asked_for,
    check_affected,
    of_number,
    result,
    returned,
)
from dataflow_nexus.operations.reading import compilation, equal_to, seeing, selection
from dataflow_nexus.operations.references import check_references, naming_references
from dataflow_nexus.operations.setwise import key_reader
from dataflow_nexus.operations.transactions import writing
from dataflow_nexus.operations.uploads import is_upload
from dataflow_nexus.operations.values import Change, Faults, Values
from dataflow_nexus.operations.writing import change_in_transaction
from dataflow_nexus.queries import changing
from dataflow_nexus.queries.connections import fetch, run
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL, TRUE, all_of, any_of, where

_CHUNK = 500


def chosen_rows(call: Call, scope: Scope) -> SQL | None:
    """The condition of ``filter`` among what the principal may read; none selects every row, once it is confirmed."""
    seen = seeing(call, scope)
    condition = selection(call, seen)
    everything = condition is None or condition.text.strip("() ") == TRUE.text
    if everything and not parameters.boolean(call, "confirmed"):
        raise Invalid.field(
            "confirmed", "required", 'an empty "filter" means every record: say "confirmed": true'
        )
    return None if condition is None else all_of([condition, seen.visible()])


def locked_keys(call: Call, scope: Scope, condition: SQL | None) -> list[Key]:
    """The keys of the visible rows that a condition selects, in key order, locked where the database locks rows."""
    fields = call.exposed.key
    names = ", ".join(
        f"{scope.alias}.{scope.compilation.quote(str(item.column))}" for item in fields
    )
    source = scope.source()
    lockable = connections[call.alias].vendor == "postgresql" and not source.text.startswith("(")
    limit = call.configuration.max_bulk_rows
    statement = SQL(f"SELECT {names} FROM ") + source + where(all_of([condition, scope.visible()]))
    statement = statement + f" ORDER BY {names}" + SQL(" LIMIT %s", (limit + 1,))
    found = fetch(call.alias, statement + (" FOR UPDATE" if lockable else ""))
    if len(found) > limit:
        raise LimitExceeded(f"the filter selects more than {limit} records")
    read = key_reader(call.alias, fields)
    return [read(row) for row in found]


# --- update ----------------------------------------------------------------------------------------------------------


def update_selected(call: Call) -> bytes:
    """Change the same fields of all rows that a filter selects."""
    if call.params.get("filter") is None:
        raise Invalid.field("filter", "required", '"filter" with "fields", or "data", is required')
    if call.params.get("on_error") == "continue":
        raise Invalid.field("on_error", "exclusive", '"on_error" needs "data" beside it')
    values = _new_values(call)
    scope = Scope(compilation(call), call.exposed, call.grants["change"])
    condition = chosen_rows(call, scope)
    wanted = asked_for(call)
    check_affected(call, 0)
    dry_run = parameters.boolean(call, "dry_run")
    with naming_references(call, values), writing(call.alias, dry_run=dry_run):
        if wanted == "none" and _is_one_statement(call, values):
            statement = changing.update(scope, with_automatic(call, values), condition or TRUE)
            with naming_overflow(values):
                number = run(call.alias, statement)
            check_references(call, _plain_values(values) if number else {})
            check_affected(call, number)
            return result(of_number("updated", number), {})
        keys = locked_keys(call, scope, condition)
        check_affected(call, len(keys))
        for key in keys:
            change_in_transaction(call, key, values)
        done = [Done(number, "updated", key) for number, key in enumerate(keys)]
        return result(Outcome(processed=len(keys), done=done), returned(call, keys))


def _new_values(call: Call) -> Values:
    faults = Faults()
    given = parameters.mapping(call, "fields")
    if not given:
        raise Invalid.field("fields", "required", '"fields" must hold at least one new value')
    values = writer(call, "change").collect(given, at="fields", changes=True, faults=faults)
    for item in call.exposed.key:
        if item.name in values:
            message = f'"{item.name}" is the primary key and can\'t be changed'
            faults.add(f"fields.{item.name}", "primary_key", message)
    faults.raise_any()
    return values


def _plain_values(values: Values) -> Values:
    return {name: value for name, value in values.items() if not isinstance(value, Change)}


def _is_one_statement(call: Call, values: Values) -> bool:
    computed = any(isinstance(value, Change) for value in values.values())
    reads_all = call.reading is not None and call.reading.shows_all
    return (
        setwise.writes_plainly(call, "change")
        and (reads_all or not computed)
        and all(name in call.exposed.columns for name in values)
        and not any(map(is_upload, values.values()))
        and not must_check(call, values)
        and not any(
            isinstance(value, Change) and value.operator == "$append" for value in values.values()
        )
    )


# --- delete ----------------------------------------------------------------------------------------------------------


def delete_selected(call: Call) -> bytes:
    """Delete what a filter selects, or the records of ``ids``; an id of no visible record is skipped."""
    by_ids, by_filter = call.params.get("ids"), call.params.get("filter")
    if (by_ids is None) == (by_filter is None):
        if by_ids is None:
            raise Invalid.field("filter", "required", '"filter" or "ids" is required')
        raise Invalid.field("ids", "exclusive", 'give "filter" or "ids", not both')
    scope = Scope(compilation(call), call.exposed, call.grants["delete"])
    given = None if by_ids is None else keys_of(call, scope)
    condition = chosen_rows(call, scope) if given is None else None
    wanted = asked_for(call)
    check_affected(call, 0)
    with writing(call.alias, dry_run=parameters.boolean(call, "dry_run")):
        if given is None and wanted == "none" and _deletes_plainly(call):
            number = run(call.alias, changing.delete(scope, condition or TRUE))
            check_affected(call, number)
            return result(of_number("deleted", number), {})
        keys = (
            locked_keys(call, scope, condition) if given is None else _present(call, scope, given)
        )
        check_affected(call, len(keys))
        more = returned(call, keys)
        delete_records(call, keys)
    done = [Done(number, "deleted", key) for number, key in enumerate(keys)]
    total = len(keys) if given is None else len(given)
    done += [Done(number, "skipped", None) for number in range(len(keys), total)]
    return result(Outcome(processed=total, done=done), more)


def _deletes_plainly(call: Call) -> bool:
    exposed = call.exposed
    return (
        setwise.writes_plainly(call, "delete")
        and not instances.deletes_itself(exposed.model)
        and not is_referred_to(exposed)
    )


def _present(call: Call, scope: Scope, keys: Sequence[Key]) -> list[Key]:
    """Those of the keys that belong to a visible record, in the given order."""
    there: set[tuple[Any, ...]] = set()
    for start in range(0, len(keys), _CHUNK):
        chunk = any_of(equal_to(scope, key) for key in keys[start : start + _CHUNK])
        there |= {tuple(key.values()) for key in locked_keys(call, scope, chunk)}
    return [key for key in keys if tuple(key.values()) in there]
