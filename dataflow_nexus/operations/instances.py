"""Writes through Django instances: for models that override ``save``, ``delete`` or ``clean`` or have listeners.

Such a model's own code is part of its meaning, so it runs; everything else is written by direct SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from weakref import WeakKeyDictionary

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import signals

from dataflow_nexus.exceptions import Conflict
from dataflow_nexus.fields import Rejected
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.computed_values import outside, too_large
from dataflow_nexus.operations.uploads import storing
from dataflow_nexus.operations.values import Change, Faults, Values, checked_value, from_validation
from dataflow_nexus.registry import Exposed, ModelField

_DIGITS = 4000
"""More than two operands of at most a thousand digits each can make."""


def saves_itself(model: type[models.Model]) -> bool:
    """Whether creating or changing a record must go through ``save``."""
    if signals.pre_save.has_listeners(model) or signals.post_save.has_listeners(model):
        return True
    if model not in _own_code:
        _own_code[model] = _has_own_code(model)
    return _own_code[model]


_own_code: WeakKeyDictionary[type[models.Model], bool] = WeakKeyDictionary()


def _has_own_code(model: type[models.Model]) -> bool:
    own = any(
        getattr(model, name) is not getattr(models.Model, name)
        for name in ("save", "save_base", "clean", "full_clean")
    )
    fields = model._meta.concrete_fields
    inherited = any(field.model._meta.db_table != model._meta.db_table for field in fields)
    placed = any(
        hasattr(field, "get_placeholder")
        and not type(field).__module__.startswith("django.contrib.postgres")
        for field in fields
        if field.column is not None
        and not isinstance(field, (models.BinaryField, models.GeneratedField))
    )
    return own or inherited or placed


def deletes_itself(model: type[models.Model]) -> bool:
    """Whether deleting a record must go through ``delete`` or Django's collector."""
    listened = signals.pre_delete.has_listeners(model) or signals.post_delete.has_listeners(model)
    return model.delete is not models.Model.delete or listened


def instance_of(call: Call, values: Mapping[str, Any]) -> models.Model | None:
    """The instance of a key, locked for this transaction where the database can."""
    exposed, alias = call.exposed, call.alias
    queryset = exposed.model._base_manager.using(alias).select_for_update()
    return queryset.filter(**dict(values)).first()


def save_new(call: Call, values: Values) -> dict[str, Any]:
    """Create through the model; returns the new key."""
    exposed = call.exposed
    plain = {name: value for name, value in values.items() if name in exposed.columns}
    instance = exposed.model(**plain)
    with storing(call.alias, instance, plain):
        _save(instance, call, exposed, new=True)
    return key_of(exposed, instance)


def save_changed(call: Call, instance: models.Model, values: Values) -> None:
    """Change through the model. The row is locked, so a computed value is computed here without losing a change."""
    exposed = call.exposed
    faults = Faults()
    for name, value in values.items():
        if isinstance(value, Change):
            setattr(instance, name, _result(exposed.columns[name], instance, value, faults))
        elif name in exposed.columns:
            setattr(instance, name, value)
    faults.raise_any()
    with storing(call.alias, instance, values):
        _save(instance, call, exposed)


def _save(instance: models.Model, call: Call, exposed: Exposed, *, new: bool = False) -> None:
    # In the tables that it inherits from a new record is new as well, and never one that is there.
    force_insert = (models.Model,) if new and exposed.inherited_keys else new
    try:
        instance.clean()
        instance.save(using=call.alias, force_insert=force_insert)
    except ValidationError as error:
        raise from_validation(error, exposed, call.knows) from error


def _result(field: ModelField, instance: models.Model, change: Change, faults: Faults) -> Any:
    """The computed value, which must be one that the field takes."""
    try:
        value = _computed(field, getattr(instance, field.name), change)
        if isinstance(value, Decimal) and too_large(field, value):
            outside(field.name, faults)
            return None
        return None if value is None else checked_value(field, value)
    except Rejected as problem:
        faults.add(field.name, problem.code, f'"{field.name}" {problem.message}')
        return None


def _computed(field: ModelField, before: Any, change: Change) -> Any:
    """What the database makes of the same change. Raises ``Rejected`` where there is nothing to append to."""
    operand = change.operand
    if change.operator == "$append":
        if field.kind.name == "string":
            return (before or "") + operand
        if before is not None and not isinstance(before, list):
            raise Rejected("type", "is no array, so $append has nothing to append to")
        return [*(before or []), operand]
    if before is None:
        return None
    with localcontext() as context:
        context.prec = _DIGITS
        if change.operator == "$multiply":
            found = before * operand
        else:
            found = before + operand if change.operator == "$inc" else before - operand
        scale = getattr(field.storage, "decimal_places", None)
        return found if scale is None else found.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)


def key_of(exposed: Exposed, instance: models.Model) -> dict[str, Any]:
    return {field.name: getattr(instance, field.name) for field in exposed.key}


def bound_instance(exposed: Exposed, alias: str, key: Mapping[str, Any]) -> models.Model:
    """An instance that stands for an existing row, for Django's related managers; nothing is read."""
    instance = exposed.model(**key)
    instance._state.adding = False
    instance._state.db = alias
    return instance


def stale() -> Conflict:
    return Conflict("the record was changed or deleted at the same time; try again")
