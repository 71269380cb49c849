"""Writes through Django instances: for models that override ``save``, ``delete`` or ``clean`` or have listeners.

Such a model's own code is part of its meaning, so it runs; everything else is written by direct SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import signals

from dataflow_nexus.exceptions import Conflict
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.values import Change, Values, from_validation
from dataflow_nexus.registry import Exposed


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
    _save(instance, call, exposed, force_insert=True)
    return key_of(exposed, instance)


def save_changed(call: Call, instance: models.Model, values: Values) -> None:
    """Change through the model. The row is locked, so a computed value is computed here without losing a change."""
    exposed = call.exposed
    for name, value in values.items():
        if name in exposed.columns:
            before = getattr(instance, name)
            setattr(
                instance, name, _computed(before, value) if isinstance(value, Change) else value
            )
    _save(instance, call, exposed)


def _save(
    instance: models.Model, call: Call, exposed: Exposed, *, force_insert: bool = False
) -> None:
    try:
        instance.clean()
        instance.save(using=call.alias, force_insert=force_insert)
    except ValidationError as error:
        raise from_validation(error, exposed) from error


def _computed(before: Any, change: Change) -> Any:
    if change.operator == "$append":
        if isinstance(before, str) or (isinstance(change.operand, str) and before is None):
            return (before or "") + change.operand
        return [*(before or []), change.operand]
    if before is None:
        return None
    if change.operator == "$multiply":
        return before * change.operand
    return before + change.operand if change.operator == "$inc" else before - change.operand


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
