"""Text → parameters: what query strings, forms and command lines have in common. Knows no channel.

Text that its type can't read goes on as it is: the operation then refuses it in the words that it
has for every channel. Only what no operation ever sees (a lookup, JSON that is none) is refused
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.fields import INTEGER, Kind, Rejected, parse_boolean
from dataflow_nexus.operations.base import Operation
from dataflow_nexus.operations.json_text import NotJSONError, parse
from dataflow_nexus.operations.lookups import TEXT_KINDS, to_filter
from dataflow_nexus.registry import Exposed, ModelField

LOOKUP_VERBS = frozenset({"list", "count", "aggregate"})
"""Verbs whose other names are conditions."""
AGGREGATES = ("sum", "avg", "min", "max", "count", "count_distinct")
_NAMES = frozenset({"expand", "order_by", "group_by", "conflict_on"})
_INTEGERS = frozenset({"limit", "offset", "batch_size", "max_affected"})
_TRUTHS = frozenset({"dry_run", "replace", "confirmed"})
_JSON = frozenset({"filter", "having", "where", "create", "update", "aggregate", "data"})
ABSENT: Final = object()
"""What an empty CSV cell means where it is neither text nor null."""


def from_text(
    operation: Operation, pairs: Iterable[tuple[str, str]], *, principal: Principal = SYSTEM
) -> dict[str, Any]:
    """The parameters of an operation from names and texts.

    An array is comma-separated or JSON, an object is JSON, truth is ``true false 1 0``. Other names
    are fields on writes, and conditions (``price__gte``) on List, Count and Aggregate. Names that
    the principal may not read are unknown. Raises ``Invalid``.
    """
    verb = operation.verb
    params: dict[str, Any] = {}
    lookups: dict[str, str] = {}
    short: dict[str, str] = {}
    seen: set[str] = set()
    for spelled, text in pairs:
        name = "order_by" if spelled == "sort" and "order_by" in verb.parameters else spelled
        if name in seen:
            raise Invalid.field(spelled, "duplicate", f'"{spelled}" is given twice')
        seen.add(name)
        if name in verb.parameters:
            params[name] = _parameter(operation, name, text)
        elif verb.name == "aggregate" and name in AGGREGATES:
            short[name] = text
        elif verb.takes_fields:
            params[name] = given(operation.exposed, name, text)
        elif verb.name in LOOKUP_VERBS:
            lookups[name] = text
        else:
            params[name] = text
    if short:
        params["aggregate"] = _aggregates(short, params.get("aggregate"))
    if lookups:
        found = to_filter(operation, principal, lookups)
        given_too = "filter" in params
        params["filter"] = {"$and": [params["filter"], found]} if given_too else found
    return params


# --- the parameters of verbs ----------------------------------------------------------------------


def _names(text: str, name: str) -> Any:
    if text.lstrip().startswith("["):
        return json_value(text, name)
    return [item.strip() for item in text.split(",")] if text.strip() else []


def json_value(text: str, name: str) -> Any:
    """The value of a JSON parameter. Raises ``Invalid`` naming it where that is not JSON."""
    try:
        return parse(text)
    except NotJSONError as error:
        raise Invalid.field(name, "type", f'"{name}" must be JSON: {error}') from None


def _parameter(operation: Operation, name: str, text: str) -> Any:
    """A parameter of the verb itself; what is not listed here is plain text."""
    if name == "group_by" and text.lstrip().startswith("{"):
        return json_value(text, name)  # a single {"$date_trunc": […]}
    if name in _NAMES:
        return _names(text, name)
    if name in _INTEGERS:
        return _read(INTEGER.parse, text)
    if name in _TRUTHS:
        return _read(parse_boolean, text)
    if name in _JSON:
        return json_value(text, name)
    if name == "fields":
        projection = operation.verb.effect == "read"
        return _names(text, name) if projection else json_value(text, name)
    if name == "id":
        return key(operation.exposed, text)
    if name == "ids":
        return _keys(operation.exposed, text)
    return text


def key(exposed: Exposed, text: str) -> Any:
    """A primary key: one value; of a composite key a JSON object, or its values in key order."""
    if len(exposed.key) == 1:
        return _read(exposed.key[0].kind.parse, text)
    if text.lstrip().startswith("{"):
        return json_value(text, "id")
    parts = text.split(",")
    if len(parts) != len(exposed.key):
        names = ", ".join(field.name for field in exposed.key)
        message = f'"id" must hold the {len(exposed.key)} values {names}, with commas between'
        raise Invalid.field("id", "type", message)
    pairs = zip(exposed.key, parts, strict=True)
    return {field.name: _read(field.kind.parse, part) for field, part in pairs}


def _keys(exposed: Exposed, text: str) -> Any:
    if text.lstrip().startswith("["):
        return json_value(text, "ids")
    if len(exposed.key) != 1:
        raise Invalid.field("ids", "type", '"ids" must be a JSON array of objects')
    kind = exposed.key[0].kind
    return [_read(kind.parse, item) for item in text.split(",")] if text else []


def _aggregates(short: Mapping[str, str], given: Any) -> Any:
    """``sum=price,stock&count=*`` as named results, beside those of a JSON ``aggregate``."""
    if given is not None and not isinstance(given, dict):
        return given
    found: dict[str, Any] = dict(given or {})
    for function, text in short.items():
        for item in _names(text, function):
            name = function if item == "*" else f"{function}_{item}"
            if name in found:
                raise Invalid.field(function, "duplicate", f'there are two results named "{name}"')
            found[name] = {f"${function}": item}
    return found


def named(exposed: Exposed, name: str) -> ModelField | None:
    """The field of a name; ``id`` is the primary key."""
    found = exposed.fields.get(name)
    if found is None and name == "id" and len(exposed.key) == 1:
        return exposed.key[0]
    return found


# --- the values of fields -------------------------------------------------------------------------


def given(exposed: Exposed, name: str, text: str) -> Any:
    """What a write is given under a name: the value of a field, or a composite ``id``."""
    field = named(exposed, name)
    if field is not None:
        return value(field, text)
    return key(exposed, text) if name == "id" and exposed.composite_id else text


def cell_reader(exposed: Exposed, name: str) -> Callable[[str], Any]:
    """The same for the cells of a CSV column."""
    field = named(exposed, name)
    if field is not None:
        return partial(cell, field)
    return partial(key, exposed) if name == "id" and exposed.composite_id else str


def value(field: ModelField, text: str) -> Any:
    """The value of a field on a write. ``null`` is null but for text, ``{"$inc": 1}`` a change."""
    operator = _operator(text)
    if operator is not None and (len(operator) == 1 or field.kind.name not in TEXT_KINDS):
        return operator
    if field.many:
        return _listed(field.kind, text, field.name)
    if field.kind.name == "json":
        return json_value(text, field.name)
    if text == "null" and field.kind.name not in TEXT_KINDS:
        return None
    return _typed(field.kind, text, field.name)


def cell(field: ModelField, text: str) -> Any:
    """The value of a CSV cell. An empty one is null where the field may be null, the empty text of
    a text field, and else ``ABSENT``. Raises ``Invalid`` for broken JSON."""
    if text:
        if field.many:
            return _listed(field.kind, text, field.name)
        if field.kind.name == "json":
            return json_value(text, field.name)
        return _typed(field.kind, text, field.name)
    if field.many:
        return []
    if field.nullable:
        return None
    return "" if field.kind.name in TEXT_KINDS else ABSENT


def _typed(kind: Kind, text: str, name: str) -> Any:
    if kind.name == "array" and text.lstrip().startswith("["):
        return json_value(text, name)
    return _read(kind.parse, text)


def _listed(kind: Kind, text: str, name: str) -> Any:
    if text.lstrip().startswith("["):
        return json_value(text, name)
    return [_read(kind.parse, item.strip()) for item in text.split(",")] if text.strip() else []


def _operator(text: str) -> dict[str, Any] | None:
    """``{"$inc": 1}``: an object with a name that begins with a dollar sign."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = parse(text)
    except NotJSONError:
        return None
    operators = isinstance(found, dict) and any(name.startswith("$") for name in found)
    return found if operators else None


def _read(read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except Rejected:
        return text
