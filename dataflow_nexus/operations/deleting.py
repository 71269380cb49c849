"""Deleting rows with Django's meaning: ``on_delete`` is honoured, a cascade needs permission for what it removes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models.deletion import Collector, ProtectedError, RestrictedError
from django.db.models.fields.reverse_related import ForeignObjectRel

from dataflow_nexus.exceptions import Conflict
from dataflow_nexus.operations import instances
from dataflow_nexus.operations.authority import may_delete
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.reading import compilation, equal_to
from dataflow_nexus.queries import changing
from dataflow_nexus.queries.connections import fetch, run
from dataflow_nexus.queries.operators import complement
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import SQL, all_of, any_of, where
from dataflow_nexus.registry import Exposed

Key = Mapping[str, Any]
_CHUNK = 500


def delete_records(call: Call, keys: Sequence[Key]) -> int:
    """Delete rows in the running transaction; returns how many of the model's own went.

    Raises ``Conflict`` where a reference protects a row or a cascade would remove what the principal may not.
    """
    exposed, grant = call.exposed, call.grants["delete"]
    if not grant.all_rows:
        for key in keys:
            may_delete(call, grant, key)
    if instances.deletes_itself(exposed.model) or is_referred_to(exposed):
        return _through_django(call, keys)
    scope = Scope(compilation(call), exposed, grant)
    deleted = 0
    for start in range(0, len(keys), _CHUNK):
        condition = any_of(equal_to(scope, key) for key in keys[start : start + _CHUNK])
        deleted += run(call.alias, changing.delete(scope, condition))
    return deleted


def is_referred_to(exposed: Exposed) -> bool:
    """Whether Django must look for rows that refer to a deleted one, or for parents and files of it."""
    meta = exposed.model._meta
    related = any(
        isinstance(item, ForeignObjectRel)
        and not isinstance(item, models.ManyToManyRel)
        and getattr(item, "on_delete", None) is not models.DO_NOTHING
        for item in meta.get_fields(include_hidden=True)
    )
    generic = any(hasattr(field, "bulk_related_objects") for field in meta.private_fields)
    return related or generic or bool(meta.parents) or bool(meta.many_to_many)


def _through_django(call: Call, keys: Sequence[Key]) -> int:
    exposed, alias = call.exposed, call.alias
    deleted = 0
    for start in range(0, len(keys), _CHUNK):
        found = _instances(call, keys[start : start + _CHUNK])
        collector = Collector(using=alias, origin=found[0] if found else None)
        try:
            collector.collect(found)
        except ProtectedError as error:
            raise _protected(call, error.protected_objects) from error
        except RestrictedError as error:
            raise _protected(call, error.restricted_objects) from error
        _check_cascade(call, collector, found)
        if exposed.model.delete is not models.Model.delete:
            for instance in found:
                instance.delete(using=alias)
        else:
            collector.delete()
        deleted += len(found)
    return deleted


def _instances(call: Call, keys: Sequence[Key]) -> list[models.Model]:
    manager = call.exposed.model._base_manager.using(call.alias)
    if len(call.exposed.key) == 1:
        name = call.exposed.key[0].name
        return list(manager.filter(**{f"{name}__in": [key[name] for key in keys]}))
    condition = models.Q()
    for key in keys:
        condition |= models.Q(**key)
    return list(manager.filter(condition))


def _protected(call: Call, objects: Any) -> Conflict:
    """The models that stand in the way are named to whom may see them, be it none of their records."""
    found = {type(item) for item in objects}
    known = [model for model in found if call.grant_on(model) is not None]
    names = sorted(str(model._meta.verbose_name_plural) for model in known)
    return Conflict(
        f"the record can't be deleted: {', '.join(names) or 'other records'} refer to it"
    )


def _check_cascade(call: Call, collector: Collector, chosen: Sequence[models.Model]) -> None:
    """Every other row that would go must be the principal's to delete."""
    if call.principal.unrestricted:
        return
    batches: list[tuple[type[models.Model], Any]] = [
        (model, list(rows)) for model, rows in collector.data.items()
    ]
    batches += [(queryset.model, queryset) for queryset in collector.fast_deletes]
    meant = {instance.pk for instance in chosen}
    for model, rows in batches:
        if model._meta.auto_created:
            continue
        keys = [instance.pk for instance in rows]
        if model is call.exposed.model:
            keys = [key for key in keys if key not in meant]
        if keys and not _may_remove(call, model, keys):
            raise Conflict("the record can't be deleted: other records refer to it")


def _may_remove(call: Call, model: type[models.Model], keys: list[Any]) -> bool:
    grant = call.grant_on(model, "delete")
    exposed = call.exposed.registry.of(model)
    if grant is None or exposed is None:
        return False
    if grant.all_rows:
        return True
    scope = Scope(compilation(call), exposed, grant)
    visible = scope.visible()
    assert visible is not None
    chosen = any_of(equal_to(scope, _as_key(exposed, key)) for key in keys)
    outside = all_of([chosen, complement(visible)])
    return not fetch(call.alias, SQL("SELECT 1 FROM ") + scope.source() + where(outside))


def _as_key(exposed: Exposed, key: Any) -> Key:
    values = key if isinstance(key, tuple) else (key,)
    return {field.name: value for field, value in zip(exposed.key, values, strict=True)}
