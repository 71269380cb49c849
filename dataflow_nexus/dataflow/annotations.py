"""Python annotations → Django fields (docs/models.md)."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import enum
import inspect
import sys
import types
import typing
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Literal, Union, get_args, get_origin

from django.core.exceptions import ValidationError
from django.db import models

from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.registry import nearest

ABSENT: Any = object()
"""No default was given, which ``None`` would be."""
Itself = type("Itself", (), {})
"""Stands for the class that is being declared, in its own annotations."""
SQLITE_DECIMAL = {"max_digits": 15, "decimal_places": 4}
"""SQLite keeps decimals as doubles, which are exact to 15 digits."""


class RequiredText(models.TextField):  # type: ignore[type-arg]  # not subscriptable at run time
    """May be empty, may not be left out: in Python, too, a ``str`` without a default has to be given."""

    empty_strings_allowed = False


class RequiredBytes(models.BinaryField):  # type: ignore[type-arg]  # not subscriptable at run time
    """May be empty, may not be left out."""

    empty_strings_allowed = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attribute:
    """One annotated name of a class: what it may hold, and its default."""

    owner: str
    name: str
    type: Any
    default: Any = ABSENT
    nullable: bool = False
    choices: Sequence[tuple[Any, str]] | None = None
    key: bool = False
    unique: bool = False
    digits: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def error(self, message: str) -> ConfigurationError:
        return ConfigurationError(f"{self.owner}.{self.name}: {message}")


def resolved(cls: type, names: Mapping[str, Any]) -> dict[str, Any]:
    """The annotations of a class and its bases, evaluated in its module, with ``names`` of the calling function.

    ``get_type_hints`` would look names up in the class as well, where a field ``date`` hides the type ``date``.
    """
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        space = dict(vars(sys.modules.get(base.__module__, types.ModuleType(""))))
        space |= {**names, cls.__name__: Itself}
        holder = type(base.__name__, (), {"__annotations__": inspect.get_annotations(base)})
        try:
            found |= typing.get_type_hints(
                holder, globalns=space, localns=space, include_extras=True
            )
        except NameError as error:
            name = error.name or "?"
            raise ConfigurationError(
                f"{cls.__name__}: the annotation {name!r} names nothing that is defined here{nearest(name, space)};"
                " a model that another one points to is declared first"
            ) from None
        except (TypeError, SyntaxError) as error:
            raise ConfigurationError(
                f"{cls.__name__}: an annotation cannot be evaluated: {error}"
            ) from None
    return found


def field_for(attribute: Attribute) -> models.Field[Any, Any]:
    """The Django field of an annotated attribute. Raises ``ConfigurationError`` for a type that no column holds."""
    if isinstance(attribute.default, models.Field):
        return attribute.default
    if isinstance(attribute.default, dataclasses.Field):
        attribute = dataclasses.replace(attribute, default=_dataclass_default(attribute.default))
    origin = get_origin(attribute.type)
    if origin is typing.Annotated:
        declared = [item for item in attribute.type.__metadata__ if isinstance(item, models.Field)]
        return (
            declared[0]
            if declared
            else field_for(dataclasses.replace(attribute, type=get_args(attribute.type)[0]))
        )
    if origin in (Union, types.UnionType):
        return field_for(_without_none(attribute))
    if origin is Literal:
        return field_for(_literal(attribute))
    plain = origin if origin in (list, dict) else attribute.type
    if isinstance(plain, type) and issubclass(plain, enum.Enum):
        return field_for(_enumerated(attribute, plain))
    if plain is Itself or (isinstance(plain, type) and issubclass(plain, models.Model)):
        return _foreign_key(attribute, plain)
    make = _MAKERS.get(plain) if isinstance(plain, type) else None
    if make is None:
        known = " ".join(item.__name__ for item in _MAKERS)
        raise attribute.error(
            f"no column holds {_spelled(attribute.type)}; known are {known}, Optional, Literal, Enum, models"
        )
    field = make(attribute)
    _check_default(attribute, field)
    return field


def _check_default(attribute: Attribute, field: models.Field[Any, Any]) -> None:
    """A default that the column can't hold would fail at every request that leaves it out."""
    value = attribute.default
    if value in (ABSENT, None) or callable(value) or isinstance(field, models.ForeignKey):
        return
    if isinstance(value, enum.Enum):
        value = value.value
    try:
        field.to_python(value)
    except (ValidationError, ValueError, TypeError, ArithmeticError):
        raise attribute.error(f"the default {value!r} is no {_spelled(attribute.type)}") from None
    if attribute.choices is not None and value not in {item for item, _ in attribute.choices}:
        raise attribute.error(f"the default {value!r} is none of its choices")


def _spelled(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _dataclass_default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return ABSENT if field.default_factory is dataclasses.MISSING else field.default_factory


def _without_none(attribute: Attribute) -> Attribute:
    kinds = [item for item in get_args(attribute.type) if item is not type(None)]
    if len(kinds) != 1 or len(kinds) == len(get_args(attribute.type)):
        raise attribute.error(f"a union may only add None to one type, not {attribute.type}")
    return dataclasses.replace(attribute, type=kinds[0], nullable=True)


def _literal(attribute: Attribute) -> Attribute:
    values = get_args(attribute.type)
    named = [value for value in values if value is not None]
    kinds = {type(value) for value in named}
    if len(kinds) != 1 or not kinds <= {str, int}:
        raise attribute.error("a Literal must hold values of one type, str or int")
    return dataclasses.replace(
        attribute,
        type=kinds.pop(),
        nullable=attribute.nullable or len(named) < len(values),
        choices=[(value, str(value)) for value in named],
    )


def _enumerated(attribute: Attribute, kind: type[enum.Enum]) -> Attribute:
    values = [member.value for member in kind]
    kinds = {type(value) for value in values}
    if len(kinds) != 1 or not kinds <= {str, int}:
        raise attribute.error(f"the values of {kind.__name__} must be of one type, str or int")
    default = attribute.default.value if isinstance(attribute.default, kind) else attribute.default
    labels = [(member.value, str(getattr(member, "label", member.name))) for member in kind]
    return dataclasses.replace(attribute, type=kinds.pop(), default=default, choices=labels)


# --- makers ----------------------------------------------------------------------------------------------------------


def _common(attribute: Attribute, *, blank: bool = False) -> dict[str, Any]:
    """Keyword arguments that every field takes."""
    found: dict[str, Any] = {
        "null": attribute.nullable and not attribute.key,
        "blank": attribute.nullable or (blank and attribute.choices is None),
    }
    if attribute.key:
        found["primary_key"] = True
    elif attribute.unique:
        found["unique"] = True
    if attribute.choices is not None:
        found["choices"] = list(attribute.choices)
    if attribute.default is not ABSENT:
        found["default"] = _default(attribute.default)
    return found


def _default(value: Any) -> Any:
    """A value that nobody shares: mutable ones are copied for each record."""
    if isinstance(value, enum.Enum):
        value = value.value
    return partial(copy.deepcopy, value) if isinstance(value, (list, dict, bytearray)) else value


def _text(attribute: Attribute) -> models.Field[Any, Any]:
    free = attribute.default is ABSENT and not attribute.nullable and attribute.choices is None
    kind = RequiredText if free else models.TextField
    return kind(**_common(attribute, blank=not attribute.key))


def _bytes(attribute: Attribute) -> models.Field[Any, Any]:
    free = attribute.default is ABSENT and not attribute.nullable
    kind = RequiredBytes if free else models.BinaryField
    return kind(**_common(attribute, blank=True), editable=True)


def _integer(attribute: Attribute) -> models.Field[Any, Any]:
    if attribute.key and attribute.default in (ABSENT, None):
        return models.BigAutoField(primary_key=True)
    return models.BigIntegerField(**_common(attribute))


def _decimal(attribute: Attribute) -> models.Field[Any, Any]:
    return models.DecimalField(**_common(attribute), **attribute.digits)


def _json(attribute: Attribute) -> models.Field[Any, Any]:
    return models.JSONField(**_common(attribute, blank=True))


def _simple(kind: type[models.Field[Any, Any]]) -> Callable[[Attribute], models.Field[Any, Any]]:
    return lambda attribute: kind(**_common(attribute))


def _foreign_key(attribute: Attribute, target: type) -> models.Field[Any, Any]:
    """What happens to rows that point to a deleted one is the database's own rule."""
    return models.ForeignKey(
        "self" if target is Itself else target, on_delete=models.DO_NOTHING, **_common(attribute)
    )


_MAKERS: dict[type, Callable[[Attribute], models.Field[Any, Any]]] = {
    str: _text,
    int: _integer,
    float: _simple(models.FloatField),
    bool: _simple(models.BooleanField),
    Decimal: _decimal,
    dt.datetime: _simple(models.DateTimeField),
    dt.date: _simple(models.DateField),
    dt.time: _simple(models.TimeField),
    dt.timedelta: _simple(models.DurationField),
    uuid.UUID: _simple(models.UUIDField),
    bytes: _bytes,
    dict: _json,
    list: _json,
}
