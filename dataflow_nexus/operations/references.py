"""Foreign keys and lists of ids that point to nothing, or to what the principal may not see: one and the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, connections, models
from django.db.models.expressions import DatabaseDefault

from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.reading import compilation
from dataflow_nexus.operations.values import Change, Values
from dataflow_nexus.queries.connections import fetch, quote
from dataflow_nexus.queries.faults import foreign_key_conflict
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL, all_of, join, param, where
from dataflow_nexus.registry import ModelField

_CHUNK = 500
_FOREIGN_KEY = ("23503", "SQLITE_CONSTRAINT_FOREIGNKEY")


def check_references(call: Call, values: Values) -> None:
    """Raise ``Conflict`` naming the fields that refer to no visible record.

    PostgreSQL checks plain foreign keys itself and names them; it is asked here only where a grant hides rows.
    """
    wrong = [
        field.name
        for field in referring(call, values)
        if missing_keys(call, field, values[field.name] if field.many else [values[field.name]])
    ]
    if wrong:
        raise foreign_key_conflict(wrong)


@contextmanager
def naming_references(call: Call, values: Values) -> Iterator[None]:
    """PostgreSQL names the first foreign key that refers to nothing, and SQLite none; here all are.

    SQLite tells of them at once where the table does not put its checks off, as Django's own tables do. Stands around
    the transaction of the write, so that what failed is rolled back before the look.
    """
    try:
        yield
    except IntegrityError as error:
        told = (getattr(error.__cause__, name, None) for name in ("sqlstate", "sqlite_errorname"))
        if not set(told) & set(_FOREIGN_KEY):
            raise
        wrong = [
            name
            for name, value in values.items()
            if name in call.exposed.columns
            and call.exposed.columns[name].foreign_key is not None
            and not isinstance(value, Change)
            and missing_keys(call, call.exposed.columns[name], [value])
        ]
        if not wrong:
            raise
        raise foreign_key_conflict(wrong) from error


def referring(call: Call, values: Values) -> Iterable[ModelField]:
    """The given fields whose references must be looked up."""
    for name, value in values.items():
        field = call.exposed.fields.get(name) or call.exposed.columns[name]
        if (field.many and value) or (
            field.foreign_key is not None
            and value is not None
            and must_look(call, field.foreign_key)
        ):
            yield field


def must_look(call: Call, source: Any) -> bool:
    grant = call.grant_on(source.remote_field.model)
    restricted = grant is None or not grant.all_rows
    return restricted or (connections[call.alias].vendor != "postgresql" and source.db_constraint)


def hidden_ids(call: Call, key: Mapping[str, Any], name: str) -> list[Any]:
    """What stands in a record's list of ids and the principal may not see."""
    many: Any = call.exposed.fields[name].source
    grant = call.grant_on(many.remote_field.model)
    if grant is not None and grant.all_rows:
        return []
    through = many.remote_field.through
    near, far = many.m2m_field_name(), many.m2m_reverse_field_name()
    [own] = through._meta.get_field(near).foreign_related_fields
    rows = through._base_manager.using(call.alias).filter(**{f"{near}_id": key[own.attname]})
    present = rows.values_list(f"{far}_id", flat=True)
    return missing_keys(call, call.exposed.fields[name], present)


def missing_keys(call: Call, field: ModelField, keys: Iterable[Any]) -> list[Any]:
    """The keys that belong to no visible record of the model that the field points to.

    The database's own default is not known here, and its constraint speaks about it, as it does for a new record.
    """
    source: Any = field.source
    target: type[models.Model] = source.remote_field.model
    pointed = source.target_field if field.foreign_key is not None else target._meta.pk
    connection = connections[call.alias]
    wanted = {
        key: pointed.get_db_prep_value(key, connection, prepared=False)
        for key in dict.fromkeys(keys)
        if key is not None and not isinstance(key, DatabaseDefault)
    }
    grant = call.grant_on(target)
    if not wanted or grant is None:
        return list(wanted)
    name, table, visible = (
        quote(call.alias, str(pointed.column)),
        SQL(quote(call.alias, target._meta.db_table)),
        None,
    )
    exposed = call.exposed.registry.of(target)
    if exposed is not None and not grant.all_rows:
        scope = Scope(compilation(call), exposed, grant)
        name, table, visible = f"{scope.alias}.{name}", scope.source(), scope.visible()
    found: set[Any] = set()
    values = list(wanted.values())
    for start in range(0, len(values), _CHUNK):
        chunk = [param(value) for value in values[start : start + _CHUNK]]
        given = f"{name} IN (" + join(", ", chunk) + ")"
        statement = f"SELECT {name} FROM " + table + where(all_of([given, visible]))
        found |= {row[0] for row in fetch(call.alias, statement)}
    return [key for key, value in wanted.items() if value not in found and key not in found]
