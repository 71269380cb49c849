"""The filter language once more, in plain Python over rows in memory: what the compiled SQL is measured against."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Row = Mapping[str, Any]
MISSING = object()
JSON_FIELDS = {"json", "json_null"}
TO_ONE = {"parent", "country"}
TO_MANY = {"children", "tags"}
TEXT: dict[str, Callable[[str, str], bool]] = {
    "$contains": lambda text, part: part in text,
    "$startswith": lambda text, part: text.startswith(part),
    "$endswith": lambda text, part: text.endswith(part),
    "$like": lambda text, pattern: bool(re.fullmatch(translate(pattern), text, re.DOTALL)),
}
ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda value, other: bool(value > other),
    "$gte": lambda value, other: bool(value >= other),
    "$lt": lambda value, other: bool(value < other),
    "$lte": lambda value, other: bool(value <= other),
}


def matches(tree: Any, row: Row) -> bool:
    """Whether a row matches a filter. What is unknown because of a null does not match, and its complement does."""
    return all(_one(name, wanted, row) for name, wanted in tree.items())


def _one(name: str, wanted: Any, row: Row) -> bool:
    if name == "$and":
        return all(matches(tree, row) for tree in wanted)
    if name == "$or":
        return any(matches(tree, row) for tree in wanted)
    if name == "$not":
        return not matches(wanted, row)
    head, dot, rest = name.partition(".")
    if name in TO_MANY:
        return _many(wanted, row[name])
    if head in JSON_FIELDS:
        return _conditions(wanted, at(row[head], rest.split(".") if dot else []), json_operator)
    if head in TO_ONE:
        return _to_one({rest: wanted} if rest else wanted, row, head)
    return _conditions(wanted, row[name], operator)


def _to_one(wanted: Any, row: Row, name: str) -> bool:
    related = row[name]
    if not isinstance(wanted, Mapping):
        return _conditions(wanted, row[f"{name}_id"], operator)
    if set(wanted) == {"$null"}:
        return (related is None) is wanted["$null"]
    return related is not None and matches(wanted, related)


def _many(wanted: Any, related: list[Row]) -> bool:
    quantifiers: dict[str, Callable[[Any], bool]] = {
        "$some": lambda tree: any(matches(tree, row) for row in related),
        "$none": lambda tree: not any(matches(tree, row) for row in related),
        "$every": lambda tree: all(matches(tree, row) for row in related),
    }
    return all(quantifiers[name](tree) for name, tree in wanted.items())


def _conditions(wanted: Any, value: Any, holds: Callable[[str, Any, Any], bool]) -> bool:
    operators = (
        isinstance(wanted, Mapping) and wanted and all(key.startswith("$") for key in wanted)
    )
    if not operators:
        return holds("$eq", value, wanted)
    for name, operand in wanted.items():
        if name == "$not":
            if _conditions(operand, value, holds):
                return False
        elif not holds(name, value, operand):
            return False
    return True


# --- columns ---------------------------------------------------------------------------------------------------------


def operator(name: str, value: Any, wanted: Any) -> bool:
    if name in ("$null", "$exists"):
        return (value is None) is (wanted is (name == "$null"))
    if name == "$ne":
        return not operator("$eq", value, wanted)
    if name == "$nin":
        return not operator("$in", value, wanted)
    if name == "$in":
        return any(operator("$eq", value, item) for item in wanted)
    if name == "$eq":
        return bool(value == wanted)  # a null equals null alone
    if value is None:
        return False
    if name == "$between":
        return bool(wanted[0] <= value <= wanted[1])
    if name in ORDER:
        return ORDER[name](value, wanted)
    return text(name, value, wanted)


def text(name: str, value: str, wanted: str) -> bool:
    if name.startswith("$i"):
        return TEXT["$" + name[2:]](lower(value), lower(wanted))
    return TEXT[name](value, wanted)


def lower(value: str) -> str:
    """Character by character, as ILIKE does."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in value)


def translate(pattern: str) -> str:
    """A LIKE pattern as a regular expression."""
    found, chars = "", iter(pattern)
    for char in chars:
        if char == "\\":
            found += re.escape(next(chars))
        else:
            found += {"%": ".*", "_": "."}.get(char, re.escape(char))
    return found


# --- JSON ------------------------------------------------------------------------------------------------------------


def at(document: Any, path: list[str]) -> Any:
    """The value at a path; a column that is null holds none."""
    if document is None:
        return MISSING
    for step in path:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and re.fullmatch("-?[0-9]+", step):
            if not -len(document) <= int(step) < len(document):
                return MISSING
            document = document[int(step)]
        else:
            return MISSING
    return document


def json_operator(name: str, value: Any, wanted: Any) -> bool:
    if name == "$exists":
        return (value is not MISSING) is wanted
    if name == "$null":
        return (value is MISSING or value is None) is wanted
    if name == "$ne":
        return not json_operator("$eq", value, wanted)
    if name == "$nin":
        return not json_operator("$in", value, wanted)
    if name == "$in":
        return any(json_operator("$eq", value, item) for item in wanted)
    if name == "$eq":
        return value is MISSING or value is None if wanted is None else json_equal(value, wanted)
    if name == "$between":
        low, high = wanted
        return json_operator("$gte", value, low) and json_operator("$lte", value, high)
    if name in ORDER:
        return family(value) == family(wanted) and ORDER[name](value, wanted)
    return isinstance(value, str) and text(name, value, wanted)


def family(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def json_equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(json_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return family(one) == family(other) and bool(one == other)
