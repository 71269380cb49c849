"""Upsert: create one record, or change the one that has the same unique key.

On PostgreSQL a plain model takes one ``INSERT … ON CONFLICT``, so two upserts of one key cannot collide. Elsewhere the
row is looked for under a lock, and a collision with another writer starts over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connections, transaction

from dataflow_nexus.exceptions import Conflict
from dataflow_nexus.operations import parameters
from dataflow_nexus.operations.authority import required_faults, visible
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.computed_values import must_check
from dataflow_nexus.operations.given_values import (
    given_values,
    keep_key,
    with_automatic,
    without_key,
    writer,
)
from dataflow_nexus.operations.reading import compilation, equal_to, record_by_key
from dataflow_nexus.operations.references import naming_references
from dataflow_nexus.operations.transactions import writing
from dataflow_nexus.operations.values import Faults, Values
from dataflow_nexus.operations.writing import (
    Key,
    change_in_transaction,
    create_in_transaction,
    is_direct,
    render_change,
    skipped,
)
from dataflow_nexus.queries import changing
from dataflow_nexus.queries.connections import fetch, quote
from dataflow_nexus.queries.faults import unique_conflict
from dataflow_nexus.queries.python_rendering import converter
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL, where
from dataflow_nexus.registry import Exposed

TRIES = 3


@dataclass(frozen=True, kw_only=True)
class Upsert:
    """``key`` are the names of the unique key, ``create`` the values of a new record, ``update`` those that change."""

    key: tuple[str, ...]
    create: Values
    update: Values

    @property
    def has_null(self) -> bool:
        """A null in the key equals nothing, so the record is new."""
        return any(self.create.get(name) is None for name in self.key)


def upsert(call: Call) -> bytes:
    """``{"created": bool, "record": {…}}``."""
    wanted = parse(call)
    dry_run = parameters.boolean(call, "dry_run")
    with naming_references(call, {**wanted.create, **wanted.update}):
        if not dry_run and not wanted.has_null and is_one_statement(call, wanted):
            return answer(*_on_conflict(call, wanted))
        return _in_tries(call, wanted, dry_run=dry_run)


def _in_tries(call: Call, wanted: Upsert, *, dry_run: bool) -> bytes:
    """Look, then write; another writer between the two makes it look again."""
    for attempt in range(TRIES):
        try:
            with writing(call.alias, dry_run=dry_run):
                created, key = upsert_in_transaction(call, wanted)
                return answer(created, record_by_key(call, key))
        except (_Collision, IntegrityError) as error:
            if attempt == TRIES - 1 or not isinstance(error, _Collision):
                raise
    raise AssertionError


def answer(created: bool, record: bytes) -> bytes:
    return b'{"created":' + (b"true" if created else b"false") + b',"record":' + record + b"}"


class _Collision(Conflict):
    """Another writer made the row between the look and the insert."""


# --- what was asked --------------------------------------------------------------------------------------------------


def parse(call: Call) -> Upsert:
    """The two forms: ``where`` with ``create`` and ``update``, or flat values with ``conflict_on``."""
    where_values = parameters.mapping(call, "where")
    faults = Faults()
    found = _flat(call, faults) if where_values is None else _where(call, where_values, faults)
    faults.raise_any()
    return found


def _flat(call: Call, faults: Faults) -> Upsert:
    for name in ("create", "update"):
        if call.params.get(name) is not None:
            faults.add(name, "exclusive", f'"{name}" needs "where" beside it')
    values = given_values(call, "add", faults=faults)
    key = conflict_key(call, faults)
    for name in key:
        if name not in values and not faults.errors:
            faults.add(name, "required", f'"{name}" is required: it is part of the key')
    update = {name: value for name, value in values.items() if name not in key}
    changer = writer(call, "change")
    for name in update:
        changer.field(name, name, faults)
    return Upsert(key=key, create=values, update=update)


def _where(call: Call, where_values: Mapping[str, Any], faults: Faults) -> Upsert:
    flat = [name for name in call.params if name not in call.operation.verb.parameters]
    for name in [
        *flat,
        *(item for item in ("conflict_on", "fields") if call.params.get(item) is not None),
    ]:
        faults.add(
            str(name),
            "exclusive",
            f'"{name}" can\'t stand beside "where": use "create" and "update"',
        )
    adding, changing_ = writer(call, "add"), writer(call, "change")
    chosen = adding.collect(where_values, at="where", faults=faults)
    more = adding.collect(parameters.mapping(call, "create") or {}, at="create", faults=faults)
    update = changing_.collect(
        parameters.mapping(call, "update") or {}, at="update", changes=True, faults=faults
    )
    key = tuple(chosen)
    if not faults.errors and not faults.denied:
        key = unique_key(call.exposed, key, "where", faults)
        for name in key:
            if name in more and more[name] != chosen[name]:
                faults.add(f"create.{name}", "exclusive", f'"{name}" has another value in "where"')
        named = {item.name: chosen.get(item.name) for item in call.exposed.key}
        update = without_key(named, update, faults, at="update")
    return Upsert(key=key, create={**more, **chosen}, update=update)


def conflict_key(call: Call, faults: Faults) -> tuple[str, ...]:
    """The names of ``conflict_on``, by default of the primary key."""
    given = call.params.get("conflict_on")
    if given is None:
        return tuple(field.name for field in call.exposed.key)
    if isinstance(given, str):
        given = [given]
    if (
        not isinstance(given, (list, tuple))
        or not given
        or not all(isinstance(name, str) for name in given)
    ):
        faults.add("conflict_on", "type", '"conflict_on" must be an array of field names')
        return ()
    if call.exposed.composite_id and list(given) == ["id"]:
        given = [field.name for field in call.exposed.key]
    made = writer(call, "add")
    fields = [made.field(name, f"conflict_on.{index}", faults) for index, name in enumerate(given)]
    return unique_key(
        call.exposed,
        tuple(field.name for field in fields if field is not None),
        "conflict_on",
        faults,
    )


def unique_key(
    exposed: Exposed, names: tuple[str, ...], at: str, faults: Faults
) -> tuple[str, ...]:
    """The declared key of these names in its own order, or a fault."""
    for key in exposed.unique_keys:
        if sorted(key) == sorted(names):
            return key
    if not faults.errors and not faults.denied:
        faults.add(at, "unique_key", f'"{at}" must name exactly one unique key')
    return names


# --- one statement ---------------------------------------------------------------------------------------------------


def is_one_statement(call: Call, wanted: Upsert) -> bool:
    """Whether ``ON CONFLICT`` can do all of it."""
    missing = Faults()
    required_faults(call, wanted.create, missing)
    return (
        not missing.errors
        and not missing.refusal
        and not any(item.name in wanted.update for item in call.exposed.key)
        and call.grants["change"].unrestricted
        and is_direct(call, "add", wanted.create)
        and is_direct(call, "change", wanted.update)
        and not must_check(call, wanted.update)
    )


def _on_conflict(call: Call, wanted: Upsert) -> tuple[bool, bytes]:
    exposed, alias = call.exposed, call.alias
    scope = Scope(compilation(call), exposed, call.grants["change"])
    row = changing.new_row(exposed, exposed.model(**wanted.create))
    statement = changing.insert(alias, exposed, [row])
    statement = SQL(statement.text.replace(" (", f" AS {scope.alias} (", 1), statement.params)
    columns = ", ".join(quote(alias, str(exposed.columns[name].column)) for name in wanted.key)
    values = with_automatic(call, wanted.update)
    if not values:  # a change of nothing still has to return the row
        name = wanted.key[0]
        values = {name: wanted.create[name]}
    sets = changing.assignments(scope, values)
    statement = statement + f" ON CONFLICT ({columns}) DO UPDATE SET " + sets
    new = ", (xmax = 0) AS dataflow_new"
    found = render_change(call, statement, extra=new)
    if not found:
        raise skipped(call)
    return bool(found[0][1]), str(found[0][0]).encode()


# --- look, then write ------------------------------------------------------------------------------------------------


def upsert_in_transaction(call: Call, wanted: Upsert) -> tuple[bool, Key]:
    """``(created, key)``, in the running transaction."""
    existing = None if wanted.has_null else find(call, wanted)
    if existing is not None:
        keep_key(existing, wanted.update)
        update = {name: value for name, value in wanted.update.items() if name not in existing}
        if update:
            change_in_transaction(call, existing, update)
        return False, existing
    faults = Faults()
    required_faults(call, wanted.create, faults)
    faults.raise_any()
    try:
        with transaction.atomic(using=call.alias):
            return True, create_in_transaction(call, wanted.create)
    except IntegrityError as error:
        if not wanted.has_null and exists(call, wanted):
            raise _Collision("the record was made at the same time") from error
        raise


def find(call: Call, wanted: Upsert) -> Key | None:
    """The key of the row that has the unique key, locked. One that the principal may not change is a conflict."""
    exposed = call.exposed
    scope = Scope(compilation(call), exposed, call.grants["change"])
    names = ", ".join(
        f"{scope.alias}.{quote(call.alias, str(field.column))}" for field in exposed.key
    )
    table = SQL(f"{quote(call.alias, exposed.table)} {scope.alias}")
    condition = equal_to(scope, {name: wanted.create[name] for name in wanted.key})
    lock = " FOR UPDATE" if connections[call.alias].vendor == "postgresql" else ""
    found = fetch(call.alias, f"SELECT {names} FROM " + table + where(condition) + lock)
    if not found:
        return None
    key = {
        field.name: converter(call.alias, field)(value)
        for field, value in zip(exposed.key, found[0], strict=True)
    }
    hidden = call.reading is not None and not visible(call, call.reading, key)
    if hidden or not visible(call, call.grants["change"], key):
        raise unique_conflict(list(wanted.key))
    return key


def exists(call: Call, wanted: Upsert) -> bool:
    scope = Scope(compilation(call), call.exposed, call.grants["change"])
    table = SQL(f"{quote(call.alias, call.exposed.table)} {scope.alias}")
    condition = equal_to(scope, {name: wanted.create[name] for name in wanted.key})
    return bool(fetch(call.alias, SQL("SELECT 1 FROM ") + table + where(condition)))
