"""Django's spelling of conditions (``price__gte=100``) → the filter language.

The lookups are enumerated and names are resolved in the scope that the compiler uses too, so that
nothing of Django's own machinery can be reached, and a hidden name is told like an unknown one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from dataflow_nexus.access.grants import grant_for
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.fields import Kind, Rejected, parse_boolean
from dataflow_nexus.operations.base import Operation
from dataflow_nexus.operations.json_text import NotJSONError, parse
from dataflow_nexus.queries.dialects import escape_like
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.scope import Compilation, Scope
from dataflow_nexus.registry import ModelField, Relation

TEXT_KINDS = frozenset({"string", "text", "file"})
_COMPARISONS = {"gt": "$gt", "gte": "$gte", "lt": "$lt", "lte": "$lte"}
_MATCHES = {
    name: f"${name}"
    for name in (
        "contains",
        "icontains",
        "startswith",
        "istartswith",
        "endswith",
        "iendswith",
        "regex",
    )
}
LOOKUPS = ("exact", "iexact", *_MATCHES, *_COMPARISONS, "in", "range", "isnull")
_MAX_STEPS = 16


def to_filter(
    operation: Operation, principal: Principal, texts: Mapping[str, str]
) -> dict[str, Any]:
    """One filter that all the lookups together mean.

    Lookups over one to-many relation speak of the same related record, as in one call of Django's
    ``filter()``. Raises ``Invalid`` naming the lookup as it is spelled.
    """
    merged: dict[str, Any] = {}
    others: list[dict[str, Any]] = []
    scope = _scope(operation, principal)
    for spelled, text in texts.items():
        condition = _condition(scope, operation, spelled, text)
        if not _merge(merged, condition):
            others.append(condition)
    return {"$and": [merged, *others]} if others else merged


def _scope(operation: Operation, principal: Principal) -> Scope:
    exposed = operation.exposed
    grant = grant_for(principal, exposed.label, "view")
    if grant is None:
        raise Invalid(f"{exposed.resource} can't be filtered")
    compilation = Compilation(
        alias="",
        principal=principal,
        configuration=operation.catalog.configuration,
        grant_on=lambda model: grant_for(principal, model._meta.label_lower, "view"),
    )
    return Scope(compilation, exposed, grant)


def _other_side(scope: Scope, relation: Relation) -> Scope:
    target = scope.exposed.registry.of(relation.target)
    grant = scope.compilation.grant_on(relation.target)
    assert target is not None
    assert grant is not None
    return Scope(scope.compilation, target, grant)


def _condition(scope: Scope, operation: Operation, spelled: str, text: str) -> dict[str, Any]:
    """The filter that one lookup means: one conditions object inside one per relation."""
    steps = spelled.split("__")
    known: list[str] = list(operation.verb.parameters)
    wrappers: list[tuple[str, bool]] = []
    if len(steps) > _MAX_STEPS:
        raise unknown("field", spelled, (), at=spelled)
    while True:
        field, name, lookup = _field(scope, steps)
        if field is not None and (lookup in LOOKUPS or not _follows(scope, steps)):
            if lookup not in LOOKUPS:
                raise unknown("lookup", lookup, LOOKUPS, at=spelled)
            conditions = _on_field(scope, field, lookup, text, spelled)
            break
        if steps[0] == "id" and field is None and scope.exposed.composite_id:
            name, conditions = "id", _key(scope, "__".join(steps[1:]) or "exact", text, spelled)
            break
        relation = scope.relation(steps[0])
        if relation is None or len(steps) == 1:
            name = steps[0] or spelled
            raise unknown("field", name, [*known, *scope.known()], at=spelled)
        wrappers.append((relation.name, relation.many))
        scope, steps, known = _other_side(scope, relation), steps[1:], []
    condition = {name: conditions}
    for outer, many in reversed(wrappers):
        condition = {outer: {"$some": condition} if many else condition}
    return condition


def _key(scope: Scope, lookup: str, text: str, at: str) -> Any:
    """What a composite ``id`` has to equal: its values in key order with commas between, or a JSON object."""
    if lookup != "exact":
        raise unknown("lookup", lookup, ("exact",), at=at)
    fields = [scope.field(item.name, at) for item in scope.exposed.key]
    names = [field.name for field in fields]
    if text.lstrip().startswith("{"):
        given = _json(text, at)
    else:
        parts = text.split(",")
        given = dict(zip(names, parts, strict=True)) if len(parts) == len(names) else {}
        given = {field.name: _value(field.kind, given[field.name], at) for field in fields if given}
    if set(given) != set(names):
        message = (
            f'"{at}" must hold the {len(names)} values {", ".join(names)}, with commas between'
        )
        raise Invalid.field(at, "type", message)
    for field in fields:
        _checked(field.kind.coerce, given[field.name], at)
    return given


def _follows(scope: Scope, steps: list[str]) -> bool:
    return len(steps) > 1 and scope.relation(steps[0]) is not None


def _field(scope: Scope, steps: list[str]) -> tuple[ModelField | None, str, str]:
    """The field that the steps begin with, its name in a filter, and the lookup that is left.

    A column may hold ``__`` itself, so the longest name comes first. A to-one relation without
    a field behind it stands for its foreign key.
    """
    for cut in range(len(steps), 0, -1):
        name = "__".join(steps[:cut])
        field = scope.find(name)
        if field is not None:
            return field, name, "__".join(steps[cut:]) if cut < len(steps) else "exact"
    relation = scope.relation(steps[0])
    lookup = steps[1] if len(steps) == 2 else "exact"
    if relation is None or relation.many or relation.field_name is None or lookup not in LOOKUPS:
        return None, "", ""
    if len(steps) > 2 or (len(steps) == 2 and _other_side(scope, relation).find(lookup)):
        return None, "", ""
    return scope.find(relation.field_name), relation.field_name, lookup


def _on_field(scope: Scope, field: ModelField, lookup: str, text: str, at: str) -> Any:
    """What stands beside the field's name in the filter."""
    if not field.many:
        return _operand(field, lookup, text, at)
    relation = scope.relation(field.name)
    key = _other_side(scope, relation).exposed.key if relation is not None else ()
    if len(key) != 1:
        raise Invalid.field(at, "not_filterable", f'"{field.name}" can\'t be filtered')
    if lookup == "isnull":
        return {"$none" if _truth(text, at) else "$some": {}}
    return {"$some": {key[0].name: _operand(key[0], lookup, text, at)}}


def _operand(field: ModelField, lookup: str, text: str, at: str) -> Any:
    kind, is_text = field.kind, field.kind.name in TEXT_KINDS
    if lookup == "isnull":
        return {"$null": _truth(text, at)}
    if lookup in _MATCHES or (lookup == "iexact" and is_text):
        if not is_text and kind.name != "json":
            message = f'"{lookup}" works on text, and "{field.name}" is {kind.name}'
            raise Invalid.field(at, "operator", message)
        return {"$ilike": escape_like(text)} if lookup == "iexact" else {_MATCHES[lookup]: text}
    if lookup == "in":
        return {"$in": _items(kind, text, at)}
    if lookup == "range":
        items = _items(kind, text, at)
        if len(items) != 2:
            raise Invalid.field(at, "type", f'"{at}" must be two values with a comma between')
        return {"$between": items}
    if text == "null" and not is_text and lookup in ("exact", "iexact"):
        return {"$null": True}
    value = _value(kind, text, at)
    if lookup in _COMPARISONS:
        return {_COMPARISONS[lookup]: value}
    return {"$eq": value} if isinstance(value, dict) else value


def _items(kind: Kind, text: str, at: str) -> list[Any]:
    if not text.lstrip().startswith("["):
        return [_value(kind, item, at) for item in text.split(",")] if text else []
    items = _json(text, at)
    if not isinstance(items, list):
        raise Invalid.field(at, "type", f'"{at}" must be an array')
    return items


def _value(kind: Kind, text: str, at: str) -> Any:
    """The operand as a JSON client would write it, once its kind has taken it."""
    value = _json(text, at) if kind.name == "json" else _checked(kind.parse, text, at)
    _checked(kind.coerce, value, at)
    return _number(text) if kind.name == "decimal" else value


def _number(text: str) -> int | Decimal:
    number = Decimal(text)
    return int(text) if text.isdecimal() and len(text) < 40 else number


def _json(text: str, at: str) -> Any:
    try:
        return parse(text)
    except NotJSONError:
        raise Invalid.field(at, "type", f'"{at}" must be JSON') from None


def _checked(read: Callable[[Any], Any], value: Any, at: str) -> Any:
    try:
        return read(value)
    except Rejected as problem:
        raise Invalid.field(at, problem.code, f'"{at}" {problem.message}') from None


def _truth(text: str, at: str) -> bool:
    return bool(_checked(parse_boolean, text, at))


def _merge(into: dict[str, Any], condition: dict[str, Any]) -> bool:
    """Add the condition to the filter in place, unless the two say something about one operator."""
    plan = list(_merged(into, condition))
    if any(target is None for target, _, _ in plan):
        return False
    for target, name, value in plan:
        assert target is not None
        target[name] = value
    return True


def _merged(
    into: dict[str, Any], condition: dict[str, Any]
) -> Iterable[tuple[dict[str, Any] | None, str, Any]]:
    """The assignments that adding takes; one without a target says that it is impossible."""
    for name, wanted in condition.items():
        if name not in into:
            yield into, name, wanted
            continue
        present = into[name]
        if not isinstance(present, dict) and isinstance(wanted, dict) and "$eq" not in wanted:
            yield into, name, {"$eq": present, **wanted}
        elif not isinstance(wanted, dict) and isinstance(present, dict) and "$eq" not in present:
            yield into, name, {**present, "$eq": wanted}
        elif (
            isinstance(present, dict)
            and isinstance(wanted, dict)
            and (name == "$some" or not name.startswith("$"))
        ):
            yield from _merged(present, wanted)
        else:
            yield None, name, wanted
