"""Create, Update, Delete and Upsert of one record.

On PostgreSQL a write of a plain model is one statement that changes the row and renders the record; everything else
(instances, lists of ids, restricted grants, SQLite) is a transaction that ends by reading what the database holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from django.db import connections, models

from dataflow_nexus.exceptions import Conflict
from dataflow_nexus.operations import instances, parameters
from dataflow_nexus.operations.authority import is_there, required_faults, under
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.computed_values import (
    check_appends,
    check_computed,
    must_check,
    naming_overflow,
)
from dataflow_nexus.operations.deleting import delete_records
from dataflow_nexus.operations.filling import insert_of
from dataflow_nexus.operations.given_values import (
    given_values,
    replaced,
    split,
    with_automatic,
    without_key,
)
from dataflow_nexus.operations.reading import (
    compilation,
    equal_to,
    key_condition,
    missing,
    named_key,
    record_by_key,
)
from dataflow_nexus.operations.references import (
    check_references,
    hidden_ids,
    naming_references,
    referring,
)
from dataflow_nexus.operations.transactions import writing
from dataflow_nexus.operations.triggers import returns_final_row
from dataflow_nexus.operations.uploads import is_upload, storing
from dataflow_nexus.operations.values import (
    Change,
    Faults,
    Values,
)
from dataflow_nexus.queries import changing
from dataflow_nexus.queries.connections import fetch, fetch_again, run
from dataflow_nexus.queries.python_rendering import converter
from dataflow_nexus.queries.recordsets import plain_fields
from dataflow_nexus.queries.rendering import is_personal, rendered
from dataflow_nexus.queries.scope import Scope, base_queryset
from dataflow_nexus.queries.shapes import Shape, full_shape
from dataflow_nexus.queries.sql import SQL, all_of, where

Key = Mapping[str, Any]


# --- create ----------------------------------------------------------------------------------------------------------


def create(call: Call) -> bytes:
    """The new record."""
    faults = Faults()
    values = given_values(call, "add", faults=faults)
    required_faults(call, values, faults)
    faults.raise_any()
    dry_run = parameters.boolean(call, "dry_run")
    with naming_references(call, values):
        if not dry_run and is_direct(call, "add", values):
            return insert_rendered(call, values)
        with writing(call.alias, dry_run=dry_run):
            key = create_in_transaction(call, values)
            return record_by_key(call, key)


def create_in_transaction(call: Call, values: Values) -> Key:
    key = under(
        call, call.grants["add"], values, before=None, write=lambda chosen: insert_row(call, chosen)
    )
    check_references(call, values)
    return key


def is_direct(call: Call, action: str, values: Values) -> bool:
    """Whether one statement is the whole write: PostgreSQL, a plain model, an unrestricted grant."""
    reading = call.reading
    exposed = call.exposed
    return (
        connections[call.alias].vendor == "postgresql"
        and call.grants[action].unrestricted
        and reading is not None
        and reading.unrestricted
        and all(name in exposed.columns for name in values)
        and not instances.saves_itself(exposed.model)
        and not full_shape(exposed, reading).needs_python
        and not is_personal(
            Scope(compilation(call), exposed, reading), full_shape(exposed, reading)
        )
        and not any(referring(call, values))
        and base_queryset(exposed, compilation(call)) is None
        and not any(map(is_upload, values.values()))
        and returns_final_row(call.alias, exposed.table)
    )


def full(call: Call) -> Shape:
    assert call.reading is not None
    return full_shape(call.exposed, call.reading)


def insert_rendered(call: Call, values: Values) -> bytes:
    """Insert and render in one statement."""
    exposed, alias = call.exposed, call.alias
    if plain_fields(exposed):
        made = insert_of(
            alias, exposed, frozenset(values), lambda inner: around_change(call, inner)
        )
        statement = made.statement(values)
    else:
        row = changing.new_row(exposed, exposed.model(**values))
        statement = around_change(call, changing.insert(alias, exposed, [row]))
    found = run_change(call, statement, often=True)
    if not found:
        raise skipped(call)
    return str(found[0][0]).encode()


def render_change(
    call: Call, statement: SQL, keys: Sequence[str] = (), extra: str = ""
) -> list[tuple[Any, ...]]:
    """Run a changing statement and render the rows that it returns; ``[]`` where it touched none."""
    return run_change(call, around_change(call, statement, keys, extra))


def around_change(call: Call, statement: SQL, keys: Sequence[str] = (), extra: str = "") -> SQL:
    """A changing statement with the rendering of the rows that it returns."""
    shape = full(call)
    scope = Scope(compilation(call), call.exposed, shape.grant)
    columns = list(dict.fromkeys([*shape.columns, *keys]))
    changed = statement + changing.returning(call.alias, columns) + extra
    names = [*keys, *(["dataflow_new"] if extra else [])]
    return rendered(scope, changed, shape, names, common=True)


def run_change(call: Call, statement: SQL, *, often: bool = False) -> list[tuple[Any, ...]]:
    """One statement is a transaction of its own; inside another it also lets deferred constraints speak."""
    if not connections[call.alias].in_atomic_block:
        return (fetch_again if often else fetch)(call.alias, statement)
    with writing(call.alias):
        return fetch(call.alias, statement)


def insert_row(call: Call, values: Values) -> Key:
    """Insert in the running transaction; returns the new key."""
    exposed = call.exposed
    columns, lists = split(exposed, values)
    if instances.saves_itself(exposed.model):
        key: Key = instances.save_new(call, columns)
    else:
        instance = exposed.model(**columns)
        with storing(call.alias, instance, columns):
            row = changing.new_row(exposed, instance)
        statement = changing.insert(call.alias, exposed, [row])
        names = [str(field.column) for field in exposed.key]
        found = fetch(call.alias, statement + changing.returning(call.alias, names))
        if not found:
            raise skipped(call)
        key = {
            field.name: converter(call.alias, field)(value)
            for field, value in zip(exposed.key, found[0], strict=True)
        }
    set_lists(call, key, lists)
    return key


def skipped(call: Call) -> Conflict:
    """A trigger may leave a write out without an error; it must not be answered as if it were done."""
    return Conflict(
        f'a trigger or rule of the database left out the change of "{call.exposed.resource}"'
    )


def set_lists(call: Call, key: Key, lists: Values) -> None:
    """Replace many-to-many lists whole, save what the principal may not see of them."""
    if lists:
        instance = instances.bound_instance(call.exposed, call.alias, key)
        for name, ids in lists.items():
            getattr(instance, name).set([*ids, *hidden_ids(call, key, name)])


# --- update ----------------------------------------------------------------------------------------------------------


def update(call: Call) -> bytes:
    """The record after."""
    faults = Faults()
    values = given_values(call, "change", changes=True, faults=faults)
    scope = Scope(compilation(call), call.exposed, call.grants["change"])
    if any(field.name in values for field in call.exposed.key):
        values = without_key(named_key(call, scope), values, faults)
    if parameters.boolean(call, "replace"):
        values = replaced(call, values, faults)
    faults.raise_any()
    dry_run = parameters.boolean(call, "dry_run")
    condition = key_condition(call, scope)
    if not values:
        return unchanged(call, condition, scope)
    with naming_references(call, values):
        return changed(call, scope, condition, values, dry_run=dry_run)


def changed(call: Call, scope: Scope, condition: SQL, values: Values, *, dry_run: bool) -> bytes:
    """The record that a condition selects, with new values. Raises ``NotFound`` where it selects none."""
    if not dry_run and is_direct(call, "change", values) and not any(must_check(call, values)):
        with naming_overflow(values):
            found = render_change(
                call, changing.update(scope, with_automatic(call, values), condition)
            )
        if not found:
            locked_key(call, condition, scope)
            raise skipped(call)
        return str(found[0][0]).encode()
    with writing(call.alias, dry_run=dry_run):
        key = locked_key(call, condition, scope)
        change_in_transaction(call, key, values)
        return record_by_key(call, key)


def unchanged(call: Call, condition: SQL, scope: Scope) -> bytes:
    """An update of nothing answers the record as it is, where the principal could have changed it."""
    with writing(call.alias):
        key = locked_key(call, condition, scope)
        under(call, call.grants["change"], {}, before=key, write=lambda _: key)
        return record_by_key(call, key)


def change_in_transaction(call: Call, key: Key, values: Values) -> None:
    under(
        call,
        call.grants["change"],
        values,
        before=key,
        write=lambda chosen: change_row(call, key, chosen),
    )
    check_references(
        call, {name: value for name, value in values.items() if not isinstance(value, Change)}
    )


def locked_key(call: Call, condition: SQL, scope: Scope) -> Key:
    """The key of the row that a condition selects, locked where the database locks rows."""
    exposed = call.exposed
    names = ", ".join(
        f"{scope.alias}.{scope.compilation.quote(str(field.column))}" for field in exposed.key
    )
    source = scope.source()
    lock = (
        " FOR UPDATE"
        if scope.compilation.dialect.renders_json and not source.text.startswith("(")
        else ""
    )
    found = fetch(call.alias, f"SELECT {names} FROM " + source + where(condition) + lock)
    if not found:
        raise missing(call)
    return {
        field.name: converter(call.alias, field)(value)
        for field, value in zip(exposed.key, found[0], strict=True)
    }


def change_row(call: Call, key: Key, values: Values) -> Key:
    """Update in the running transaction."""
    exposed = call.exposed
    columns, lists = split(exposed, values)
    if columns and instances.saves_itself(exposed.model):
        instance = instances.instance_of(call, key)
        if instance is None:
            raise missing(call)
        instances.save_changed(call, instance, columns)
    elif columns:
        stored = stored_files(call, columns)
        scope = Scope(compilation(call), exposed, call.grants["change"])
        check_appends(call, scope, key, columns)
        statement = changing.update(scope, with_automatic(call, stored), equal_to(scope, key))
        with naming_overflow(columns):
            if not run(call.alias, statement):
                raise skipped(call)
        check_computed(call, key, columns)
    set_lists(call, key, lists)
    return key


def stored_files(call: Call, values: Values) -> Values:
    """Uploaded files put into their storage, so that the column holds their name."""
    if not any(map(is_upload, values.values())):
        return values
    result = dict(values)
    for name, value in values.items():
        if is_upload(value):
            source = call.exposed.columns[name].source
            assert isinstance(source, models.Field)
            instance = call.exposed.model(**{name: value})
            with storing(call.alias, instance, {name: value}):
                result[name] = source.pre_save(instance, False)
    return result


# --- delete ----------------------------------------------------------------------------------------------------------


def delete(call: Call) -> bytes:
    """``{"id": …, "deleted": true}``."""
    parameters.refuse_unknown(call)
    scope = Scope(compilation(call), call.exposed, call.grants["delete"])
    condition = key_condition(call, scope)
    with writing(call.alias, dry_run=parameters.boolean(call, "dry_run")):
        key = locked_key(call, condition, scope)
        shown = shown_key(call, key)
        delete_records(call, [key])
    return msgspec.json.encode({"id": shown, "deleted": True})


def shown_key(call: Call, key: Key) -> Any:
    """A key as JSON shows it: a scalar, or an object where it is composite; null where it may not be read."""
    reading, names = call.reading, [field.name for field in call.exposed.key]
    shown = reading is not None and all(reading.reads(name) for name in names)
    if shown and reading is not None and not reading.shows_all:
        scope = Scope(compilation(call), call.exposed, reading, written=True)
        masks = [scope.visible(), *(scope.mask(name) for name in names)]
        shown = is_there(call, scope, all_of([equal_to(scope, key), *masks]))
    values = {
        field.name: field.kind.render(key[field.name]) if shown else None
        for field in call.exposed.key
    }
    return next(iter(values.values())) if len(values) == 1 else values
