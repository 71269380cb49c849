"""The filter language → one SQL condition, against what the grant shows.

Every name is looked up in a scope, every operator in an allow-list, every value is coerced by its field's kind and
becomes a parameter. ``$ne``, ``$nin`` and ``$not`` are exact complements: a row with null matches them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataflow_nexus.exceptions import Invalid, LimitExceeded
from dataflow_nexus.fields import STRING
from dataflow_nexus.queries.names import at as step
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.queries.operators import (
    OPERATORS,
    coerced,
    compare_field,
    compare_json,
    complement,
    truth,
)
from dataflow_nexus.queries.scope import Scope
from dataflow_nexus.queries.sql import FALSE, SQL, TRUE, all_of, any_of, negated
from dataflow_nexus.registry import ModelField, Relation

LOGICAL = ("$and", "$or", "$not")
QUANTIFIERS = ("$some", "$none", "$every")
_EQUALITIES = ("$eq", "$ne", "$in", "$nin")
_PRESENCE = ("$null", "$exists")


def compile_filter(scope: Scope, tree: Any, *, at: str = "filter", depth: int = 0) -> SQL | None:
    """The condition of a filter; ``None`` for an empty one, which selects every row.

    Raises ``Invalid`` naming the path of what is wrong: an unknown name or operator, a value of the wrong type, or a
    filter that is too deep or too large.
    """
    if not isinstance(tree, Mapping):
        raise Invalid.field(at, "type", f'"{at}" must be an object of conditions')
    if depth > scope.compilation.configuration.max_filter_depth:
        limit = scope.compilation.configuration.max_filter_depth
        raise LimitExceeded.depth(at, f"a filter is at most {limit} levels deep")
    conditions: list[SQL | None] = []
    if not tree:
        scope.compilation.count_condition(at)
    for name, wanted in tree.items():
        if not isinstance(name, str):
            raise Invalid.field(at, "type", f'the names in "{at}" must be strings')
        path = step(at, name)
        if name.startswith("$"):
            conditions.append(_logical(scope, name, wanted, path, depth))
        else:
            conditions.append(_named(scope, name, wanted, path, depth))
    return all_of(conditions)


def _logical(scope: Scope, name: str, wanted: Any, at: str, depth: int) -> SQL | None:
    if name not in LOGICAL:
        raise unknown("operator", name, LOGICAL, at=at)
    if name == "$not":
        inner = compile_filter(scope, wanted, at=at, depth=depth + 1)
        return FALSE if inner is None else complement(inner)
    if not isinstance(wanted, Sequence) or isinstance(wanted, str):
        raise Invalid.field(at, "type", f'"{at}" must be an array of filters')
    if not wanted:
        scope.compilation.count_condition(at)
    parts = [
        compile_filter(scope, item, at=f"{at}.{index}", depth=depth + 1) or TRUE
        for index, item in enumerate(wanted)
    ]
    return all_of(parts) if name == "$and" else any_of(parts)


# --- names -----------------------------------------------------------------------------------------------------------


def _named(scope: Scope, name: str, wanted: Any, at: str, depth: int) -> SQL | None:
    field = scope.find(name)
    if field is None and name == "id" and scope.exposed.composite_id:
        return _composite(scope, wanted, at)
    if field is not None and field.in_database:
        return _conditions(scope, field, (), wanted, at, depth)
    relation = scope.relation(name)
    if relation is not None:
        return _related(scope, relation, wanted, at, depth)
    head, dot, rest = name.partition(".")
    if dot:
        field = scope.find(head)
        if field is not None and field.kind.name == "json":
            coerced(STRING, rest, at)
            return _conditions(scope, field, tuple(rest.split(".")), wanted, at, depth)
        relation = scope.relation(head)
        if relation is not None and not relation.many:
            return _related(scope, relation, {rest: wanted}, at.removesuffix(f".{rest}"), depth)
    if scope.find(name) is not None:
        raise Invalid.field(
            at, "not_filterable", f'the field "{name}" is computed and can\'t be filtered'
        )
    raise unknown("field", name, scope.known(), at=at)


def _composite(scope: Scope, wanted: Any, at: str) -> SQL:
    """A condition on a composite ``id``: equality, which can also be one with any of several."""
    if not _are_operators(wanted):
        return _equal_key(scope, wanted, at)
    found: list[SQL | None] = []
    for name, value in wanted.items():
        path = step(at, name)
        if name not in _EQUALITIES:
            raise unknown("operator", name, _EQUALITIES, at=path)
        several = name in ("$in", "$nin")
        if several and (not isinstance(value, Sequence) or isinstance(value, str)):
            raise Invalid.field(path, "type", f'"{path}" must be an array of keys')
        keys = (
            [(item, f"{path}.{i}") for i, item in enumerate(value)] if several else [(value, path)]
        )
        equal = any_of([_equal_key(scope, key, where) for key, where in keys])
        found.append(complement(equal) if name in ("$ne", "$nin") else equal)
    condition = all_of(found)
    assert condition is not None
    return condition


def _equal_key(scope: Scope, wanted: Any, at: str) -> SQL:
    names = [field.name for field in scope.exposed.key]
    if not isinstance(wanted, Mapping) or set(wanted) != set(names):
        raise Invalid.field(at, "type", f'"{at}" must be an object of {", ".join(names)}')
    found = all_of(
        _conditions(scope, scope.field(n, step(at, n)), (), wanted[n], step(at, n), 0)
        for n in names
    )
    assert found is not None
    return found


def _related(scope: Scope, relation: Relation, wanted: Any, at: str, depth: int) -> SQL:
    scope.compilation.count_condition(at)
    related = scope.related(relation)
    if not relation.many:
        if isinstance(wanted, Mapping):
            if _are_operators(wanted):
                return _on_relation(scope, relation, wanted, at, depth)
            return related.exists(compile_filter(related.scope, wanted, at=at, depth=depth + 1))
        key = relation.field_name and scope.find(relation.field_name)
        if not key and wanted is None:
            return complement(related.exists(None))
        if not key:
            raise Invalid.field(at, "type", f'"{at}" must be an object of conditions')
        return _conditions(scope, key, (), wanted, at, depth) or TRUE
    if not isinstance(wanted, Mapping) or not wanted or not set(wanted) <= set(QUANTIFIERS):
        wrong = (
            next((name for name in wanted if name not in QUANTIFIERS), None)
            if isinstance(wanted, Mapping)
            else None
        )
        if wrong is not None and str(wrong).startswith("$"):
            raise unknown("operator", str(wrong), QUANTIFIERS, at=step(at, wrong))
        raise Invalid.field(
            at,
            "type",
            f'"{at}" must be an object of $some, $none or $every: it relates to many records',
        )
    return (
        all_of(_quantified(scope, relation, name, wanted[name], at, depth) for name in wanted)
        or TRUE
    )


def _on_relation(
    scope: Scope, relation: Relation, wanted: Mapping[str, Any], at: str, depth: int
) -> SQL:
    """Operators on a to-one relation: whether there is a visible related record, or which key leads to it."""
    if depth > scope.compilation.configuration.max_filter_depth:
        raise LimitExceeded.depth(at, "the filter is nested too deep")
    found: list[SQL | None] = []
    for name, value in wanted.items():
        path = step(at, name)
        key = relation.field_name and scope.find(relation.field_name)
        if name in _PRESENCE:
            there = scope.related(relation).exists(None)
            absent = truth(value, path) == (name == "$null")
            found.append(complement(there) if absent else there)
        elif name == "$not":
            found.append(complement(_on_relation(scope, relation, value, path, depth + 1)))
        elif key:
            found.append(_conditions(scope, key, (), {name: value}, at, depth))
        else:
            raise unknown("operator", name, _PRESENCE, at=path)
    return all_of(found) or TRUE


def _are_operators(wanted: Any) -> bool:
    """Whether a condition holds operators alone, so that it speaks of the key and not of what is related."""
    return (
        isinstance(wanted, Mapping)
        and bool(wanted)
        and all(
            name in OPERATORS and (name != "$not" or _are_operators(value))
            for name, value in wanted.items()
        )
    )


def _quantified(
    scope: Scope, relation: Relation, quantifier: str, wanted: Any, at: str, depth: int
) -> SQL:
    related = scope.related(relation)
    inner = compile_filter(related.scope, wanted, at=step(at, quantifier), depth=depth + 1)
    if quantifier == "$every":
        return TRUE if inner is None else negated(related.exists(complement(inner)))
    found = related.exists(inner)
    return found if quantifier == "$some" else negated(found)


# --- operators -------------------------------------------------------------------------------------------------------


def _conditions(
    scope: Scope, field: ModelField, path: tuple[str, ...], wanted: Any, at: str, depth: int
) -> SQL | None:
    """All operators given for one field or JSON path."""
    operators = (
        isinstance(wanted, Mapping)
        and bool(wanted)
        and all(str(name).startswith("$") for name in wanted)
    )
    if not operators:
        if isinstance(wanted, Mapping) and field.kind.name != "json":
            wrong = next((str(name) for name in wanted if name not in OPERATORS), None)
            if wrong is None:
                message = (
                    f'the condition "{at}" is empty: it must be a value, or an object of operators'
                )
                raise Invalid.field(at, "type", message)
            raise unknown("operator", wrong, OPERATORS, at=step(at, wrong))
        wanted = {"$eq": wanted}
    if depth > scope.compilation.configuration.max_filter_depth:
        raise LimitExceeded.depth(at, "the filter is nested too deep")
    found: list[SQL | None] = []
    for name, value in wanted.items():
        if name not in OPERATORS:
            raise unknown("operator", name, OPERATORS, at=step(at, name))
        scope.compilation.count_condition(at)
        where = at if not operators else step(at, name)
        if name == "$not":
            inner = _conditions(scope, field, path, value, where, depth + 1)
            found.append(FALSE if inner is None else complement(inner))
        elif field.kind.name == "json":
            found.append(compare_json(scope, field, path, name, value, where))
        else:
            found.append(compare_field(scope, field, name, value, where))
    return all_of(found)
