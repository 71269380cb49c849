"""Create, Update, Delete and Upsert of one record.

On PostgreSQL a write of a plain model is one statement that changes the row and renders the record; everything else
(instances, lists of ids, restricted grants, SQLite) is a transaction that ends by reading what the database holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import DataError, connections, models

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.fields import Rejected
from dataflow_nexus.operations import instances, parameters
from dataflow_nexus.operations.authority import under
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.deleting import delete_records
from dataflow_nexus.operations.reading import (
    compilation,
    equal_to,
    key_condition,
    missing,
    record_by_key,
)
from dataflow_nexus.operations.references import check_references
from dataflow_nexus.operations.transactions import writing
from dataflow_nexus.operations.triggers import returns_final_row
from dataflow_nexus.operations.values import (
    Change,
    Faults,
    Values,
    Writer,
    checked_value,
    required_faults,
)
from dataflow_nexus.queries import changing
from dataflow_nexus.queries.connections import fetch
from dataflow_nexus.queries.python_rendering import converter
from dataflow_nexus.queries.rendering import rendered
from dataflow_nexus.queries.rows import needed_columns
from dataflow_nexus.queries.scope import Scope, base_queryset
from dataflow_nexus.queries.shapes import Shape, full_shape
from dataflow_nexus.queries.sql import SQL, where
from dataflow_nexus.registry import Exposed, ModelField

Key = Mapping[str, Any]


# --- what was given --------------------------------------------------------------------------------------------------


def writer(call: Call, action: str) -> Writer:
    return Writer(exposed=call.exposed, writing=call.grants[action], reading=call.reading)


def given_values(call: Call, action: str, *, changes: bool = False, faults: Faults) -> Values:
    """The values that stand flat among the parameters and those in ``fields``, together."""
    made = writer(call, action)
    own = call.operation.verb.parameters
    names = {*call.exposed.fields, *(item.name for item in call.exposed.key), "id"} - set(own)
    inner = parameters.mapping(call, "fields") or {}
    flat = {name: value for name, value in call.params.items() if name not in own}
    for name in flat:
        if name in parameters.OLD_NAMES and name not in names:
            parameters.refuse_unknown(call, fields=names)
    values = made.collect(flat, changes=changes, faults=faults)
    more = made.collect(inner, at="fields", changes=changes, faults=faults)
    for name in set(values) & set(more):
        faults.add(name, "duplicate", f'"{name}" is given twice: flat and in "fields"')
    return {**values, **more}


def split(exposed: Exposed, values: Values) -> tuple[Values, Values]:
    """Column values, and lists of ids."""
    columns = {name: value for name, value in values.items() if name in exposed.columns}
    return columns, {name: value for name, value in values.items() if name not in exposed.columns}


# --- create ----------------------------------------------------------------------------------------------------------


def create(call: Call) -> bytes:
    """The new record."""
    faults = Faults()
    values = given_values(call, "add", faults=faults)
    presets = {name for source in call.grants["add"].sources for name in source.presets}
    required_faults(call.exposed, {*values, *presets}, faults)
    faults.raise_any()
    dry_run = parameters.boolean(call, "dry_run")
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
        and not split(exposed, values)[1]
        and not instances.saves_itself(exposed.model)
        and not full_shape(exposed, reading).needs_python
        and base_queryset(exposed, compilation(call)) is None
        and not any(hasattr(value, "read") for value in values.values())
        and returns_final_row(call.alias, exposed.table)
    )


def full(call: Call) -> Shape:
    assert call.reading is not None
    return full_shape(call.exposed, call.reading)


def insert_rendered(call: Call, values: Values) -> bytes:
    """Insert and render in one statement."""
    _, row = changing.new_row(call.exposed, values)
    found = render_change(call, changing.insert(call.alias, call.exposed, [row]))
    return str(found[0][0]).encode()


def render_change(
    call: Call, statement: SQL, keys: list[str] | None = None, extra: str = ""
) -> list[tuple[Any, ...]]:
    """Run a changing statement and render the rows that it returns; ``[]`` where it touched none."""
    shape = full(call)
    scope = Scope(compilation(call), call.exposed, shape.grant)
    columns = list(dict.fromkeys([*needed_columns(shape), *(keys or [])]))
    changed = statement + changing.returning(call.alias, columns) + extra
    statement = rendered(
        scope, changed, shape, [*(keys or []), *(["dataflow_new"] if extra else [])], common=True
    )
    connection = connections[call.alias]
    if not connection.in_atomic_block:
        return fetch(call.alias, statement)
    with writing(call.alias):
        return fetch(call.alias, statement)


def insert_row(call: Call, values: Values) -> Key:
    """Insert in the running transaction; returns the new key."""
    exposed = call.exposed
    columns, lists = split(exposed, values)
    if instances.saves_itself(exposed.model):
        key: Key = instances.save_new(call, columns)
    else:
        _, row = changing.new_row(exposed, columns)
        statement = changing.insert(call.alias, exposed, [row])
        names = [str(field.column) for field in exposed.key]
        found = fetch(call.alias, statement + changing.returning(call.alias, names))[0]
        key = {
            field.name: converter(call.alias, field)(value)
            for field, value in zip(exposed.key, found, strict=True)
        }
    set_lists(call, key, lists)
    return key


def set_lists(call: Call, key: Key, lists: Values) -> None:
    """Replace many-to-many lists whole."""
    if lists:
        instance = instances.bound_instance(call.exposed, call.alias, key)
        for name, ids in lists.items():
            getattr(instance, name).set(ids)


# --- update ----------------------------------------------------------------------------------------------------------


def update(call: Call) -> bytes:
    """The record after."""
    faults = Faults()
    values = given_values(call, "change", changes=True, faults=faults)
    keys = {field.name for field in call.exposed.key}
    for name in keys & set(values):
        faults.add(name, "primary_key", f'"{name}" is the primary key and can\'t be changed')
    if parameters.boolean(call, "replace"):
        values = replaced(call, values, faults)
    faults.raise_any()
    dry_run = parameters.boolean(call, "dry_run")
    scope = Scope(compilation(call), call.exposed, call.grants["change"])
    condition = key_condition(call, scope)
    if not values:
        return unchanged(call, condition, scope)
    if not dry_run and is_direct(call, "change", values) and not any(must_check(call, values)):
        with naming_overflow(values):
            found = render_change(
                call, changing.update(scope, with_automatic(call, values), condition)
            )
        if not found:
            raise missing(call)
        return str(found[0][0]).encode()
    with writing(call.alias, dry_run=dry_run):
        key = locked_key(call, condition, scope)
        change_in_transaction(call, key, values)
        return record_by_key(call, key)


@contextmanager
def naming_overflow(values: Values) -> Iterator[None]:
    """The database does not say which computed value left its column's range; only these can have."""
    try:
        yield
    except DataError as error:
        names = [
            name
            for name, value in values.items()
            if isinstance(value, Change) and value.operator != "$append"
        ]
        if not names:
            raise
        faults = Faults()
        for name in names:
            faults.add(
                name, "range", f'the new value of "{name}" would be outside of its column\'s range'
            )
        raise Invalid(faults.errors[0].message, faults.errors) from error


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


def replaced(call: Call, values: Values, faults: Faults) -> Values:
    """``replace``: every writable field that is absent takes its default, null, or is missing."""
    result = dict(values)
    grant = call.grants["change"]
    for field in call.exposed.fields.values():
        if (
            field.name in values
            or field.primary_key
            or not field.writable
            or not grant.writes(field.name)
        ):
            continue
        if field.many:
            result[field.name] = []
        elif isinstance(field.source, models.Field) and not is_automatic(field.source):
            if field.required:
                faults.add(field.name, "required", f'"{field.name}" is required')
            elif field.source.has_default() or not field.nullable:
                result[field.name] = field.source.get_default()
            else:
                result[field.name] = None
    return result


def is_automatic(source: models.Field[Any, Any]) -> bool:
    return getattr(source, "auto_now", False) or getattr(source, "auto_now_add", False)


def with_automatic(call: Call, values: Values) -> Values:
    """The column values of an update, with what ``auto_now`` fields take now."""
    result = dict(values)
    instance: models.Model | None = None
    for field in call.exposed.columns.values():
        if getattr(field.source, "auto_now", False) and field.name not in result:
            instance = instance or call.exposed.model()
            assert isinstance(field.source, models.Field)
            result[field.name] = field.source.pre_save(instance, False)
    return result


def must_check(call: Call, values: Values) -> list[ModelField]:
    """Fields whose computed value must pass the field's own validators after the fact."""
    found = []
    for name, value in values.items():
        if isinstance(value, Change):
            field = call.exposed.columns[name]
            source: Any = field.storage
            plain = field.kind.name == "integer" and not source._validators and not source.choices
            if not (plain and connections[call.alias].vendor == "postgresql"):
                found.append(field)
    return found


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
            fetch(call.alias, statement)
        check_computed(call, key, columns)
    set_lists(call, key, lists)
    return key


def stored_files(call: Call, values: Values) -> Values:
    """Uploaded files put into their storage, so that the column holds their name."""
    if not any(hasattr(value, "read") for value in values.values()):
        return values
    result = dict(values)
    for name, value in values.items():
        if hasattr(value, "read"):
            source = call.exposed.columns[name].source
            assert isinstance(source, models.Field)
            instance = call.exposed.model(**{name: value})
            result[name] = source.pre_save(instance, False)
    return result


def check_appends(call: Call, scope: Scope, key: Key, values: Values) -> None:
    """``$append`` needs an array where the column is JSON."""
    for name, value in values.items():
        field = call.exposed.columns[name]
        if isinstance(value, Change) and value.operator == "$append" and field.kind.name == "json":
            function = "jsonb_typeof" if scope.compilation.dialect.renders_json else "json_type"
            start = SQL(f"SELECT {function}(") + scope.raw(field) + ") FROM " + scope.source()
            found = fetch(call.alias, start + where(equal_to(scope, key)))
            if found and found[0][0] not in (None, "array"):
                raise Invalid.field(
                    name, "type", f'"{name}" is no array, so $append has nothing to append to'
                )


def check_computed(call: Call, key: Key, values: Values) -> None:
    """Run validators on what the database computed; the transaction rolls back where they refuse it."""
    fields = must_check(call, values)
    if not fields:
        return
    scope = Scope(compilation(call), call.exposed, call.grants["change"])
    names = ", ".join(scope.raw(field).text for field in fields)
    found = fetch(
        call.alias, SQL(f"SELECT {names} FROM ") + scope.source() + where(equal_to(scope, key))
    )
    faults = Faults()
    for field, raw in zip(fields, found[0] if found else (), strict=False):
        if raw is not None:
            checked(field, converter(call.alias, field)(raw), faults)
    faults.raise_any()


def checked(field: ModelField, value: Any, faults: Faults) -> None:
    try:
        checked_value(field, value)
    except Rejected as problem:
        faults.add(field.name, problem.code, f'"{field.name}" {problem.message}')


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
    reading = call.reading
    values = {
        field.name: field.kind.render(key[field.name])
        if reading is not None and reading.reads(field.name)
        else None
        for field in call.exposed.key
    }
    return next(iter(values.values())) if len(values) == 1 else values
