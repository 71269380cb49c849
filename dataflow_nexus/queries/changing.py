"""INSERT, UPDATE and DELETE as SQL: columns from the model, values as parameters in the columns' own form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connections, models
from django.db.models.expressions import DatabaseDefault

from dataflow_nexus.queries.connections import quote
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL, join, param
from dataflow_nexus.registry import Exposed, ModelField


def new_row(exposed: Exposed, instance: models.Model) -> dict[str, Any]:
    """The prepared-to-be columns of a new instance: Django's defaults and ``pre_save`` fill what was not given.

    A column whose value the database makes (a sequence, ``db_default``) is left out.
    """
    row: dict[str, Any] = {}
    for field in exposed.columns.values():
        source = field.source
        assert isinstance(source, models.Field)
        assert field.column is not None
        if getattr(source, "generated", False):
            continue
        value = source.pre_save(instance, True)
        if isinstance(value, DatabaseDefault) or (
            value is None and isinstance(source, models.AutoField)
        ):
            continue
        row[field.column] = value
    return row


def stored(alias: str, source: models.Field[Any, Any], value: Any) -> Any:
    """A Python value as the parameter that the column takes."""
    return source.get_db_prep_save(value, connections[alias])


def insert(alias: str, exposed: Exposed, rows: Sequence[Mapping[str, Any]]) -> SQL:
    """``INSERT INTO … VALUES …`` of rows that all have the same columns."""
    sources: dict[str, Any] = {str(item.column): item.source for item in exposed.columns.values()}
    table = quote(alias, exposed.table)
    columns = list(rows[0])
    if not columns:
        return SQL(f"INSERT INTO {table} DEFAULT VALUES")
    names = ", ".join(quote(alias, column) for column in columns)
    tuples = [
        join(
            ", ", [param(stored(alias, sources[column], row[column])) for column in columns]
        ).wrapped("(", ")")
        for row in rows
    ]
    return SQL(f"INSERT INTO {table} ({names}) VALUES ") + join(", ", tuples)


def insert_one(alias: str, exposed: Exposed, columns: Sequence[str]) -> SQL:
    """``INSERT`` of one row, its parameters still to come, in the order of the columns."""
    if not columns:
        return SQL(f"INSERT INTO {quote(alias, exposed.table)} DEFAULT VALUES")
    names = ", ".join(quote(alias, column) for column in columns)
    places = ", ".join("%s" for _ in columns)
    return SQL(f"INSERT INTO {quote(alias, exposed.table)} ({names}) VALUES ({places})")


def assignments(scope: Scope, values: Mapping[str, Any]) -> SQL:
    """``col = …, col = …``: plain values, and computations over the column of the scope's table."""
    alias, columns = scope.compilation.alias, scope.exposed.columns
    pieces: list[SQL] = []
    for name, value in values.items():
        field = columns[name]
        target = quote(alias, str(field.column)) + " = "
        if hasattr(value, "operator"):
            pieces.append(target + computed(scope, field, value.operator, value.operand))
        elif isinstance(value, DatabaseDefault):
            pieces.append(target + default_of(scope, field))
        else:
            assert isinstance(field.source, models.Field)
            pieces.append(target + param(stored(alias, field.source, value)))
    return join(", ", pieces)


def default_of(scope: Scope, field: ModelField) -> SQL:
    """A column's database default. SQLite's UPDATE has no word for it, and takes the expression that it is made of."""
    if scope.compilation.dialect.name == "postgresql":
        return SQL("DEFAULT")
    source: Any = field.source
    compiler = models.sql.Query(source.model).get_compiler(using=scope.compilation.alias)
    text, params = compiler.compile(source._db_default_expression)
    return SQL(text, tuple(params))


def computed(scope: Scope, field: ModelField, operator: str, operand: Any) -> SQL:
    """A new value that the database computes from the old one, so that no concurrent change is lost."""
    dialect, column = scope.compilation.dialect, scope.raw(field)
    if operator == "$append":
        return _appended(scope, field, column, operand)
    sign = {"$inc": "+", "$dec": "-", "$multiply": "*"}[operator]
    number = dialect.operand(operand) if field.kind.name == "decimal" else param(operand)
    found = column + f" {sign} " + number
    scale = getattr(field.storage, "decimal_places", None)
    return found.wrapped("round(", f", {int(scale)})") if scale is not None else found


def _appended(scope: Scope, field: ModelField, column: SQL, operand: Any) -> SQL:
    postgresql = scope.compilation.dialect.renders_json
    if field.kind.name == "string":
        return "coalesce(" + column + ", '') || " + param(operand)
    alias = scope.compilation.alias
    if field.kind.name == "array":
        base: Any = field.storage
        element = base.base_field.get_db_prep_value(operand, connections[alias], prepared=False)
        kind = base.db_type(connections[alias])
        return "coalesce(" + column + f", '{{}}')::{kind} || ARRAY[" + param(element) + f"]::{kind}"
    assert isinstance(field.source, models.Field)
    document = param(stored(alias, field.source, operand))
    if postgresql:
        old = "coalesce((" + column + ")::jsonb, '[]'::jsonb)"  # the column may be of type json
        return old + " || jsonb_build_array(" + document + "::jsonb)"
    return "json_insert(coalesce(" + column + ", '[]'), '$[#]', json(" + document + "))"


def update(scope: Scope, values: Mapping[str, Any], condition: SQL) -> SQL:
    """``UPDATE … SET … WHERE …`` of the scope's table."""
    table = scope.compilation.quote(scope.exposed.table)
    return (
        SQL(f"UPDATE {table} AS {scope.alias} SET ")
        + assignments(scope, values)
        + " WHERE "
        + condition
    )


def delete(scope: Scope, condition: SQL) -> SQL:
    table = scope.compilation.quote(scope.exposed.table)
    return SQL(f"DELETE FROM {table} AS {scope.alias} WHERE ") + condition


def returning(alias: str, columns: Sequence[str]) -> str:
    return " RETURNING " + ", ".join(quote(alias, column) for column in columns)
