"""What a field takes: a caller's value is coerced, then put through null, blank, choices, range and validators.

The rules of a field are worked out once; what Django's own validators would say costs nothing while they agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.core import validators
from django.core.exceptions import ValidationError
from django.db import models

from dataflow_nexus.fields import INTEGER_RANGES, Rejected
from dataflow_nexus.registry import ModelField

Check = Callable[[Any], Any]
Rule = Callable[[Any], None]
Test = Callable[[Any], bool]


def make_check(field: ModelField) -> Check:
    """A function from a caller's value to the value that is stored. It raises ``Rejected``."""
    if field.many:
        return lambda value: _keys(field, value)
    coerce, rules, nullable = field.kind.coerce, make_rules(field), field.nullable

    def check(value: Any) -> Any:
        if value is None:
            if not nullable:
                raise Rejected("null", "must not be null")
            return None
        coerced = coerce(value)
        for rule in rules:
            rule(coerced)
        return coerced

    return check


def make_rules(field: ModelField) -> tuple[Rule, ...]:
    """What a coerced value that is not null has to pass; each raises ``Rejected``."""
    rules = (_range(field), _blank(field), _choices(field), _validators(field), _elements(field))
    return tuple(rule for rule in rules if rule is not None)


def check_elements(field: ModelField, values: Any) -> None:
    """Raise ``Rejected`` where one of an array's coerced elements is none that its column takes."""
    rule = _elements(field)
    if rule is not None:
        rule(values)


def _elements(field: ModelField) -> Rule | None:
    """The rules of an array's elements. The database would round a decimal, and refuse others without a name."""
    if field.kind.element is None:
        return None
    base: Any = field.storage
    element = replace(field, source=base.base_field, kind=field.kind.element)
    made = (_range(element), _choices(element), _validators(element), _elements(element))
    rules = [rule for rule in made if rule is not None]
    if not rules:
        return None

    def rule(values: Any) -> None:
        for index, value in enumerate(values):
            for each in rules if value is not None else ():
                try:
                    each(value)
                except Rejected as problem:
                    raise Rejected(problem.code, f"{problem.message} (item {index})") from None

    return rule


def _keys(field: ModelField, value: Any) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise Rejected("type", "must be an array of ids")
    return list(dict.fromkeys(field.kind.coerce(item) for item in value))


def integer_range(storage: models.Field[Any, Any]) -> tuple[int, int]:
    """The least and the greatest value of an integer column."""
    name = storage.get_internal_type()
    return INTEGER_RANGES.get(name, INTEGER_RANGES["BigIntegerField"])


def _range(field: ModelField) -> Rule | None:
    if not isinstance(field.storage, models.IntegerField):
        return None
    low, high = integer_range(field.storage)

    def rule(value: Any) -> None:
        if isinstance(value, int) and not low <= value <= high:
            raise Rejected("range", f"must be between {low} and {high}")

    return rule


def _blank(field: ModelField) -> Rule | None:
    source = field.source
    assert isinstance(source, models.Field)
    if source.blank or field.kind.name in ("boolean", "json"):
        return None
    empty = source.empty_values

    def rule(value: Any) -> None:
        if value in empty:
            raise Rejected("blank", "must not be blank")

    return rule


def _choices(field: ModelField) -> Rule | None:
    source = field.source
    assert isinstance(source, models.Field)
    if not source.choices:
        return None
    empty = source.empty_values

    def rule(value: Any) -> None:  # choices may be a callable, whose answer changes
        allowed = [choice for choice, _ in source.flatchoices]
        if value not in allowed and value not in empty:
            named = ", ".join(str(choice) for choice in allowed)
            raise Rejected("choice", f"must be one of {named}")

    return rule


def _validators(field: ModelField) -> Rule | None:
    source, stored = field.source, field.storage
    assert isinstance(source, models.Field)
    tests = tests_of(field)
    if tests == ():
        return None

    def rule(value: Any) -> None:
        if tests is not None and all(test(value) for test in tests):
            return
        try:
            stored.run_validators(value)
            if source is not stored:
                source.run_validators(value)
        except ValidationError as problem:
            code = str(problem.error_list[0].code or "validator")
            text = " ".join(str(message) for message in problem.messages)
            raise Rejected(code, f"is not valid: {text}") from None

    return rule


def tests_of(field: ModelField) -> tuple[Test, ...] | None:
    """Plain tests that all hold exactly where all of the field's validators agree; ``None`` where one is unknown."""
    source: Any = field.source
    stored: Any = field.storage
    listed = [*stored.validators, *([] if source is stored else source.validators)]
    tests = [_test(validator) for validator in listed]
    known = tuple(test for test in tests if test is not None)
    return known if len(known) == len(tests) else None


def _test(validator: Any) -> Test | None:
    """A plain test that holds exactly where one of Django's own validators agrees; ``None`` for any other."""
    kind = type(validator)
    if kind is validators.ProhibitNullCharactersValidator:
        return lambda value: "\x00" not in str(value)
    if kind is validators.DecimalValidator:
        return _decimal_test(validator)
    limit = getattr(validator, "limit_value", None)
    if isinstance(limit, bool) or not isinstance(limit, (int, Decimal)):
        return None
    if kind is validators.MaxLengthValidator:
        return lambda value: len(value) <= limit
    if kind is validators.MinLengthValidator:
        return lambda value: len(value) >= limit
    if kind is validators.MaxValueValidator:
        return lambda value: bool(value <= limit)
    if kind is validators.MinValueValidator:
        return lambda value: bool(value >= limit)
    return None


def _decimal_test(validator: validators.DecimalValidator) -> Test | None:
    digits, places = validator.max_digits, validator.decimal_places
    if digits is None or places is None:
        return None
    whole = digits - places

    def test(value: Any) -> bool:
        exponent = value.as_tuple().exponent
        return isinstance(exponent, int) and -places <= exponent <= 0 and value.adjusted() < whole

    return test
