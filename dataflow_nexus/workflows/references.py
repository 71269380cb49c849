"""``"${id.path}"``: how one operation of a workflow uses the result of another.

A text that is nothing but one reference becomes the value with its type; inside a longer text the
value becomes text. ``$${`` stands for a literal ``${``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from dataflow_nexus.exceptions import Invalid

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}")
_INDEX = re.compile(r"-?\d{1,9}")


def references(value: Any) -> Iterator[str]:
    """The ids that a value refers to, anywhere inside it."""
    if isinstance(value, str):
        for match in _REFERENCE.finditer(value):
            if match.group(1) is not None:
                yield match.group(1).strip().partition(".")[0]
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from references(item)


def resolve(value: Any, results: Mapping[str, Any], where: str) -> Any:
    """The value with every reference replaced. Raises ``Invalid`` naming ``where``."""
    if isinstance(value, str) and "${" in value:
        whole = _REFERENCE.fullmatch(value)
        if whole is not None and whole.group(1) is not None:
            return _found(whole.group(1), results, where)
        return _REFERENCE.sub(lambda match: _inside(match, results, where), value)
    if isinstance(value, Mapping):
        return {key: resolve(item, results, _below(where, key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve(item, results, _below(where, index)) for index, item in enumerate(value)]
    return value


def _below(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _inside(match: re.Match[str], results: Mapping[str, Any], where: str) -> str:
    if match.group(1) is None:
        return "${"
    value = _found(match.group(1), results, where)
    if isinstance(value, str):
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def _found(path: str, results: Mapping[str, Any], where: str) -> Any:
    name, _, rest = path.strip().partition(".")
    if name not in results:
        message = f'"${{{path}}}" refers to no operation before it'
        raise Invalid.field(where, "reference", message)
    return at(results[name], rest, f"${{{path}}}", where)


def at(value: Any, path: str, spelled: str, where: str) -> Any:
    """The value at a dotted path of names and indexes. Raises ``Invalid`` where there is none."""
    for step in path.split(".") if path else ():
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and _INDEX.fullmatch(step):
            index = int(step)
            if not -len(value) <= index < len(value):
                message = f'"{spelled}" has no item {step} in its result'
                raise Invalid.field(where, "reference", message)
            value = value[index]
        else:
            message = f'"{spelled}" has no "{step}" in its result'
            raise Invalid.field(where, "reference", message)
    return value
