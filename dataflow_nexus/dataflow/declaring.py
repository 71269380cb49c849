"""A plain annotated class becomes a Django model."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_origin

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models
from django.db.models.base import ModelBase

from dataflow_nexus.dataflow.annotations import (
    ABSENT,
    SQLITE_DECIMAL,
    Attribute,
    field_for,
    resolved,
)
from dataflow_nexus.dataflow.installing import cheap_registration
from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.registry import default_resource, nearest

REGISTERED = frozenset(
    [
        "resource",
        "operations",
        "fields",
        "exclude",
        "search_fields",
        "queryset",
        "computed",
        "before",
        "after",
    ]
)
"""Keys of ``__dataflow__`` that ``register`` takes."""
KEYS = REGISTERED | {"primary_key", "unique", "max_digits", "decimal_places"}
_DECLARING = ("dataflow", "indexes", "tablename")
_OURS = frozenset(
    {*(f"__{name}__" for name in _DECLARING), "__annotations__", "__dict__", "__weakref__"}
)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A model and the options that it is registered with."""

    model: type[models.Model]
    options: Mapping[str, Any]


def declare(cls: type, *, label: str, alias: str, names: Mapping[str, Any]) -> Declared:
    """The Django model of an annotated class; the class's methods, properties and constants stay.

    ``names`` are those of the function around the class, for annotations that are text (PEP 563). Raises
    ``ConfigurationError`` where the class cannot be a model.
    """
    options = _options(cls)
    space: dict[str, Any] = {key: value for key, value in vars(cls).items() if key not in _OURS}
    space |= _fields(cls, options, alias, names)
    space["Meta"] = _meta(cls, label, options)
    space["__module__"], space["__qualname__"] = cls.__module__, cls.__qualname__
    bases = tuple(base for base in cls.__bases__ if base is not object)
    try:
        with cheap_registration():
            made: Any = ModelBase(cls.__name__, (*bases, models.Model), space)
        for constraint in made._meta.constraints:
            for name in getattr(constraint, "fields", ()):
                made._meta.get_field(name)
    except FieldDoesNotExist as error:
        raise ConfigurationError(f"{cls.__name__}.__indexes__: {error}") from None
    model: type[models.Model] = made
    _rebind(model, cls)
    model._dataflow_alias = alias  # type: ignore[attr-defined]  # read by the registry and the router
    return Declared(
        model=model, options={key: value for key, value in options.items() if key in REGISTERED}
    )


def _options(cls: type) -> dict[str, Any]:
    _check_names(cls)
    options = vars(cls).get("__dataflow__", {})
    if not isinstance(options, Mapping):
        raise ConfigurationError(
            f"{cls.__name__}.__dataflow__ must be a dictionary, not {type(options).__name__}"
        )
    for key in options:
        if key not in KEYS:
            raise ConfigurationError(
                f"{cls.__name__}.__dataflow__: unknown key {key!r}{nearest(str(key), KEYS)}"
            )
    return dict(options)


def _check_names(cls: type) -> None:
    """Refuse what looks like one of our names, which would be ignored: ``__primary_key__``, ``__table_name__``."""
    for name, value in vars(cls).items():
        if name in _OURS or callable(value) or not (name.startswith("__") and name.endswith("__")):
            continue
        where = f"{cls.__name__}.{name}"
        if name.strip("_") in KEYS:
            raise ConfigurationError(f"{where}: {name.strip('_')!r} is a key of __dataflow__")
        near = difflib.get_close_matches(name.strip("_"), _DECLARING, n=1, cutoff=0.7)
        if near:
            raise ConfigurationError(f'{where} means nothing — did you mean "__{near[0]}__"?')


# --- fields ----------------------------------------------------------------------------------------------------------


def _fields(
    cls: type, options: Mapping[str, Any], alias: str, names: Mapping[str, Any]
) -> dict[str, Any]:
    annotations = {
        name: kind
        for name, kind in resolved(cls, names).items()
        if not name.startswith("_") and kind is not ClassVar and get_origin(kind) is not ClassVar
    }
    plain = {name: value for name, value in vars(cls).items() if isinstance(value, models.Field)}
    known = [*annotations, *(name for name in plain if name not in annotations)]
    for name in known:
        if hasattr(models.Model, name) or name.endswith("_") or "__" in name:
            raise ConfigurationError(
                f"{cls.__name__}.{name}: a field cannot be named so; give it another name,"
                " and a Django field with this db_column"
            )
    key = _key(cls, options, known)
    _named(cls, options, "max_digits", known)
    _named(cls, options, "decimal_places", known)
    unique = {item for item in options.get("unique", ()) if isinstance(item, str)}
    found: dict[str, Any] = {}
    if not key and not any(field.primary_key for field in plain.values()):
        found["id"] = models.BigAutoField(primary_key=True)
    for name in known:
        found[name] = (
            plain[name]
            if name not in annotations
            else field_for(
                Attribute(
                    owner=cls.__name__,
                    name=name,
                    type=annotations[name],
                    default=getattr(cls, name, ABSENT),
                    key=key == (name,),
                    unique=name in unique,
                    digits=_digits(name, options, alias),
                )
            )
        )
    for field in found.values():  # Django sorts fields by the order in which they were made
        field.creation_counter = models.Field.creation_counter
        models.Field.creation_counter += 1
    if len(key) > 1:
        found["pk"] = models.CompositePrimaryKey(*key)
    return found


def _key(cls: type, options: Mapping[str, Any], known: Iterable[str]) -> tuple[str, ...]:
    """The names of the declared primary key: ``primary_key`` of the options, else a field ``id``, else none."""
    named = options.get("primary_key")
    known = list(known)
    if named is None:
        return ("id",) if "id" in known else ()
    names = (named,) if isinstance(named, str) else tuple(named)
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"{cls.__name__}: primary_key names no field: {name!r}{nearest(str(name), known)}"
            )
    return names


def _named(cls: type, options: Mapping[str, Any], key: str, known: Iterable[str]) -> None:
    values = options.get(key, {})
    if not isinstance(values, Mapping):
        raise ConfigurationError(f"{cls.__name__}.__dataflow__: {key} maps field names to numbers")
    for name in values:
        if name not in known:
            raise ConfigurationError(
                f"{cls.__name__}: {key} names no field: {name!r}{nearest(str(name), known)}"
            )


def _digits(name: str, options: Mapping[str, Any], alias: str) -> dict[str, int | None]:
    """PostgreSQL's ``numeric`` without bounds holds and prints what the column does; SQLite needs digits."""
    unbounded: dict[str, int | None] = {"max_digits": None, "decimal_places": None}
    digits = {key: options[key][name] for key in unbounded if name in options.get(key, {})}
    if digits or connections.settings[alias]["ENGINE"].endswith("sqlite3"):
        return {**SQLITE_DECIMAL, **digits}
    return unbounded


# --- table and indexes -----------------------------------------------------------------------------------------------


def _meta(cls: type, label: str, options: Mapping[str, Any]) -> type:
    """``managed`` is false: none of Django's commands ever makes, changes or drops the table."""
    own = vars(cls).get("Meta")
    table = (
        vars(cls).get("__tablename__")
        or getattr(own, "db_table", None)
        or default_resource(cls.__name__)
    )
    if not isinstance(table, str):
        raise ConfigurationError(
            f"{cls.__name__}.__tablename__ must be text, not {type(table).__name__}"
        )
    indexes, constraints = _indexes(cls, table)
    constraints += [
        _unique(table, tuple(item))
        for item in options.get("unique", ())
        if not isinstance(item, str)
    ]
    body = {
        "app_label": label,
        "db_table": table,
        "managed": False,
        "indexes": [*getattr(own, "indexes", ()), *indexes],
        "constraints": [*getattr(own, "constraints", ()), *constraints],
    }
    if not hasattr(own, "verbose_name") and not hasattr(own, "verbose_name_plural"):
        body["verbose_name_plural"] = default_resource(cls.__name__).replace("_", " ")
    return type("Meta", (own,) if own is not None else (), body)


def _indexes(cls: type, table: str) -> tuple[list[models.Index], list[models.BaseConstraint]]:
    """``__indexes__``: names, tuples of names, dictionaries of ``fields``, ``unique`` and ``name``, or Django's own."""
    indexes: list[models.Index] = []
    constraints: list[models.BaseConstraint] = []
    for item in vars(cls).get("__indexes__", ()):
        if isinstance(item, models.Index):
            indexes.append(item)
        elif isinstance(item, models.BaseConstraint):
            constraints.append(item)
        elif isinstance(item, Mapping):
            unknown = set(item) - {"fields", "unique", "name"}
            if unknown or not item.get("fields"):
                raise ConfigurationError(
                    f"{cls.__name__}.__indexes__: an index has fields, unique and name, not {dict(item)}"
                )
            fields = (item["fields"],) if isinstance(item["fields"], str) else tuple(item["fields"])
            if item.get("unique"):
                constraints.append(_unique(table, fields, item.get("name")))
            else:
                indexes.append(models.Index(fields=fields, name=item.get("name")))
        elif isinstance(item, (str, list, tuple)):
            indexes.append(models.Index(fields=[item] if isinstance(item, str) else list(item)))
        else:
            raise ConfigurationError(f"{cls.__name__}.__indexes__: {item!r} is no index")
    return indexes, constraints


def _unique(
    table: str, fields: tuple[str, ...], name: str | None = None
) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=fields, name=name or f"{table}_{'_'.join(fields)}_uniq")


# --- methods ---------------------------------------------------------------------------------------------------------


def _rebind(model: type, cls: type) -> None:
    """Let ``super()`` without arguments work in the methods of a class that was replaced by another."""
    for value in vars(cls).values():
        inner = getattr(value, "__func__", value)
        inner = getattr(inner, "fget", inner)
        if (
            not isinstance(inner, types.FunctionType)
            or "__class__" not in inner.__code__.co_freevars
        ):
            continue
        cell = (inner.__closure__ or ())[inner.__code__.co_freevars.index("__class__")]
        if cell.cell_contents is cls:
            cell.cell_contents = model
