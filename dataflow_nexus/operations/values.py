"""The values of a write: which fields may be given, what each takes, and every fault named at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from dataflow_nexus.access.grants import Grant
from dataflow_nexus.exceptions import (
    TOO_DEEP,
    FieldError,
    Invalid,
    LimitExceeded,
    PermissionDenied,
)
from dataflow_nexus.fields import Rejected
from dataflow_nexus.operations.checking import Check, check_elements, make_check
from dataflow_nexus.queries.names import at as step
from dataflow_nexus.registry import Exposed, ModelField, nearest

OPERATORS = ("$inc", "$dec", "$multiply", "$append", "$set")
_NUMERIC = frozenset({"integer", "decimal", "float"})


@dataclass(frozen=True, kw_only=True)
class Change:
    """A value that the database computes: ``operator`` over the column and a coerced operand."""

    operator: str
    operand: Any


Values = dict[str, Any]
"""Coerced values, or ``Change``s, by outside field name; a list of keys for a many-to-many field."""


class Faults:
    """Collects what is wrong, so that a caller learns all of it at once."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self.denied: list[str] = []
        self.unread: set[str] = set()
        """Fields that stand inside a wrong value: they are not missing."""
        self.refusal = ""
        """Why nothing can be written at all, where nothing else is wrong."""

    def add(self, field: str, code: str, message: str) -> None:
        self.errors.append(FieldError(field, code, message))

    def raise_any(self) -> None:
        """Raise ``Invalid``, ``LimitExceeded`` or ``PermissionDenied`` when something was wrong."""
        if self.errors:
            detail = (
                self.errors[0].message
                if len(self.errors) == 1
                else f"{len(self.errors)} values are wrong"
            )
            too_deep = all(item.code == TOO_DEEP for item in self.errors)
            raise (LimitExceeded if too_deep else Invalid)(detail, self.errors)
        if self.denied:
            name = self.denied[0]
            errors = [
                FieldError(item, "read_only", f'"{item}" can\'t be written') for item in self.denied
            ]
            error = PermissionDenied(f'"{name}" can\'t be written')
            error.errors = tuple(errors)
            raise error
        if self.refusal:
            raise PermissionDenied(self.refusal)


@dataclass(frozen=True, kw_only=True)
class Writer:
    """What may be written to a model under one action's grant, and read under the other."""

    exposed: Exposed
    writing: Grant
    reading: Grant | None

    def writable(self) -> list[str]:
        """Names for suggestions, and for the parameters that may stand flat."""
        return [name for name, field in self._candidates().items() if self._may_write(field)]

    def _candidates(self) -> Mapping[str, ModelField]:
        keys = {item.name: item for item in self.exposed.key if item.name in self.exposed.fields}
        return {**self.exposed.fields, **keys}

    def _may_write(self, field: ModelField) -> bool:
        return field.writable and (self.writing.writes(field.name) or self._presets(field.name))

    def _presets(self, name: str) -> bool:
        """Whether a preset may be said again: by whom may read it, and with no other value."""
        known = self.reading is not None and self.reading.reads(name)
        return known and name in self.writing.presets

    def find(self, name: str) -> ModelField | None:
        found = self._candidates().get(name)
        repeats = name in self.exposed.inherited_keys
        if repeats or (found is None and name == "id" and len(self.exposed.key) == 1):
            found = self._candidates().get(self.exposed.key[0].name)
        return found

    def field(self, name: str, at: str, faults: Faults) -> ModelField | None:
        """The field to write, or a fault: unknown where it is neither readable nor writable."""
        found = self.find(name)
        if found is not None and self._may_write(found):
            return found
        if found is not None and self.reading is not None and self.reading.reads(found.name):
            faults.denied.append(at)
        else:
            faults.add(at, "unknown", f'unknown field "{name}"{nearest(name, self.writable())}')
        return None

    def collect(
        self, given: Mapping[Any, Any], *, at: str = "", changes: bool = False, faults: Faults
    ) -> Values:
        """The values of one object. ``changes`` allows ``$inc`` and the like."""
        found: Values = {}
        if self.exposed.composite_id and "id" in given:
            found = self._collect_key(given["id"], step(at, "id"), faults)
            given = {name: value for name, value in given.items() if name != "id"}
        plan = self._plan
        for name, value in given.items():
            known = plan.get(name) or self.known(name, faults, at=at)
            if known is None:
                continue
            field, check = known
            try:
                checked = (
                    self._value(field, check, value, changes)
                    if isinstance(value, Mapping)
                    else check(value)
                )
            except Rejected as problem:
                path = step(at, name)
                faults.add(path, problem.code, f'"{path}" {problem.message}')
                continue
            again = field.primary_key and self.exposed.inherited_keys  # a record of it shows both
            if field.name in found and not (again and found[field.name] == checked):
                faults.add(step(at, name), "duplicate", f'"{field.name}" is given twice')
            found[field.name] = checked
        return found

    def _collect_key(self, key: Any, at: str, faults: Faults) -> Values:
        """The columns that a composite ``id`` holds: all of the key, and nothing else."""
        names = [field.name for field in self.exposed.key]
        if not isinstance(key, Mapping):
            faults.add(at, "type", f'"{at}" must be an object of {", ".join(names)}')
            faults.unread.update(names)
            return {}
        for name in key:
            if name not in names:
                path = step(at, name)
                faults.add(path, "unknown", f'unknown field "{name}"{nearest(str(name), names)}')
        for name in names:
            if name not in key:
                faults.add(step(at, name), "required", f'"{step(at, name)}" is required')
        given = {name: key[name] for name in names if name in key}
        return self.collect(given, at=at, faults=faults)

    @cached_property
    def _plan(self) -> dict[Any, tuple[ModelField, Check]]:
        """What was found out about names, kept for the rows to come; checks live as long as the model is exposed."""
        return {}

    def known(self, name: Any, faults: Faults, *, at: str = "") -> tuple[ModelField, Check] | None:
        """The field to write with its check, or a fault."""
        if name in self._plan:
            return self._plan[name]
        path = step(at, name)
        if not isinstance(name, str):
            faults.add(path, "type", "the names of fields must be strings")
            return None
        field = self.field(name, path, faults)
        if field is None:
            return None
        known = self._plan[name] = field, check_of(self.exposed, field)
        return known

    def _value(
        self, field: ModelField, check: Check, value: Mapping[Any, Any], changes: bool
    ) -> Any:
        if len(value) == 1:
            operator = next(iter(value))
            if operator == "$set":
                return check(value["$set"])
            if (
                isinstance(operator, str)
                and operator.startswith("$")
                and (changes or field.kind.name != "json")
            ):
                return _change(field, operator, value[operator], changes)
        elif field.kind.name != "json" and any(str(name).startswith("$") for name in value):
            raise Rejected("operator", "takes one operator")
        return check(value)


_checks: WeakKeyDictionary[Exposed, dict[str, Check]] = WeakKeyDictionary()


def check_of(exposed: Exposed, field: ModelField) -> Check:
    """The field's check, worked out once."""
    known = _checks.setdefault(exposed, {})
    if field.name not in known:
        known[field.name] = make_check(field)
    return known[field.name]


def _change(field: ModelField, operator: str, operand: Any, changes: bool) -> Change:
    if operator not in OPERATORS:
        raise Rejected(
            "unknown", f'has the unknown operator "{operator}"{nearest(operator, OPERATORS)}'
        )
    if not changes:
        raise Rejected("operator", f"takes a value here, not {operator}")
    if field.primary_key or field.many:
        raise Rejected("operator", f"does not take {operator}")
    kind = field.kind
    if operator == "$append":
        if kind.name == "array":
            assert kind.element is not None
            element = kind.element.coerce(operand)
            check_elements(field, [element])  # the database would cut what is too long
            return Change(operator=operator, operand=element)
        if kind.name not in ("string", "json"):
            raise Rejected("operator", "does not take $append: it is neither text nor an array")
        return Change(operator=operator, operand=kind.coerce(operand))
    if kind.name not in _NUMERIC:
        raise Rejected("operator", f"does not take {operator}: it is not a number")
    return Change(operator=operator, operand=kind.coerce(operand))


def checked_value(field: ModelField, value: Any) -> Any:
    """A caller's value as it is stored. Raises ``Rejected``."""
    return make_check(field)(value)


def from_validation(
    error: ValidationError, exposed: Exposed, known: Callable[[str], bool]
) -> Invalid:
    """What a model's own ``clean`` refused, in its own words, under outside names as far as they are known."""
    by_django = {
        item.source.name: name for name, item in exposed.columns.items() if item.source is not None
    }
    errors: list[FieldError] = []
    for django_name, problems in (
        error.error_dict if hasattr(error, "error_dict") else {"__all__": error.error_list}
    ).items():
        name = by_django.get(django_name, django_name)
        for problem in problems:
            message = " ".join(str(text) for text in problem.messages)
            told = name if known(name) else NON_FIELD_ERRORS
            errors.append(FieldError(told, str(problem.code or "invalid"), message))
    return Invalid("; ".join(item.message for item in errors), errors)
