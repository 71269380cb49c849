"""Parameters as a caller of each channel spells them: text for query strings and command lines, segments for keys.

Text has fewer types than JSON. What it can't say (the number 5 for a text) is `UNSAYABLE`, and then the channel has
another way, or none.
"""

import base64
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from dataflow_nexus.channels.cli.arguments import SWITCHES
from dataflow_nexus.operations.base import Operation
from dataflow_nexus.registry import KEY_WORDS

UNSAYABLE: Final = object()
_NAMES = ("expand", "order_by", "group_by", "conflict_on")
_NUMBERS = ("limit", "offset", "batch_size", "max_affected")
_JSON = ("filter", "having", "where", "create", "update", "aggregate", "data", "ids")
_TEXT_KINDS = ("string", "text", "file")
_OPTIONS = ("app", "as", "file", "format", "help", "json", "set")
_SAFE = re.compile(r"[A-Za-z0-9_.:-]+")


def as_json(value: Any) -> str:
    """JSON text; exact numbers keep their digits, lone surrogates stay escapes."""
    numbers: list[str] = []

    def exact(number: Any) -> str:
        assert isinstance(number, Decimal)
        numbers.append(str(number))
        return f"<number {len(numbers) - 1}>"

    text = json.dumps(value, default=exact)
    return re.sub(r'"<number (\d+)>"', lambda match: numbers[int(match.group(1))], text)


def key_segment(operation: Operation, key: Any) -> str:
    """A key in a path, or as the word after a command."""
    names = [field.name for field in operation.exposed.key]
    composite = isinstance(key, Mapping) and len(names) > 1 and list(key) == names
    parts = list(key.values()) if composite else [key]
    plain = ",".join(str(part) for part in parts)
    simple = all(isinstance(part, (str, int)) and not isinstance(part, bool) for part in parts)
    if (
        simple
        and all(_SAFE.fullmatch(str(part)) for part in parts)
        and plain.strip(".")
        and plain not in KEY_WORDS
        and not (isinstance(key, str) and len(names) > 1)
    ):
        return plain
    return "~" + base64.urlsafe_b64encode(as_json(key).encode()).rstrip(b"=").decode()


def own_text(operation: Operation, name: str, value: Any) -> Any:
    """A parameter of the verb itself as text, or `UNSAYABLE`."""
    if name == "ids" and not isinstance(value, list):
        return UNSAYABLE  # one key is a list of one in text
    if name in _JSON or (name == "fields" and operation.verb.effect != "read"):
        return as_json(value)
    if name == "group_by" and isinstance(value, dict):
        return as_json(value)
    if name in _NAMES or name == "fields":
        return _names_text(value)
    if name in SWITCHES:
        return _switch_text(value)
    if name in _NUMBERS:
        numeral = isinstance(value, str) and value.lstrip("+-").isdecimal()
        return UNSAYABLE if numeral else _plain_text(value)
    if name == "id":
        return _plain_text(value)
    return value if isinstance(value, str) else UNSAYABLE


def _names_text(value: Any) -> Any:
    if isinstance(value, list) and all(
        isinstance(item, str) and item.strip() == item and item and "," not in item
        for item in value
    ):
        return ",".join(value)
    if isinstance(value, list):
        return as_json(value)
    return value if isinstance(value, str) and value else UNSAYABLE


def _switch_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = _plain_text(value)
    return UNSAYABLE if text is UNSAYABLE or text.lower() in ("true", "false", "1", "0") else text


def field_text(operation: Operation, name: str, value: Any) -> Any:
    """The value of a field as text, or `UNSAYABLE`."""
    field = operation.exposed.fields.get(name)
    if field is None and name == "id" and len(operation.exposed.key) == 1:
        field = operation.exposed.key[0]
    if field is None:
        return _plain_text(value)
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("$"):
        return as_json(value)
    if field.many or (field.kind.name == "array" and value is not None):
        return as_json(value) if isinstance(value, (list, dict)) else UNSAYABLE
    if field.kind.name == "json":
        return as_json(value)
    if field.kind.name in _TEXT_KINDS:
        # text that begins like an operator would be taken for one
        sayable = isinstance(value, str) and not value.lstrip().startswith("{")
        return value if sayable else UNSAYABLE
    if isinstance(value, str):
        meant_otherwise = field.kind.name in ("integer", "float", "boolean") or value == "null"
        return UNSAYABLE if meant_otherwise and _reads(field.kind, value) else value
    if field.kind.name == "boolean" and not isinstance(value, (bool, type(None))):
        return UNSAYABLE
    return _plain_text(value)


def _reads(kind: Any, text: str) -> bool:
    """Whether text would be read as a value of another type than text."""
    try:
        return not isinstance(kind.parse(text), str)
    except ValueError:
        return text == "null"


def _plain_text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return str(value)
    return as_json(value)


def pairs(operation: Operation, params: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    """All parameters as names and texts, or `None` where text can't say one of them.

    What can't be said flat goes into `fields`, which is JSON, where the verb writes fields.
    """
    own = operation.verb.parameters
    found: list[tuple[str, str]] = []
    inner: dict[str, Any] = {}
    for name, value in params.items():
        if name in own:
            if value is None:
                continue
            text = own_text(operation, name, value)
        elif operation.verb.takes_fields:
            text = field_text(operation, name, value)
            if text is UNSAYABLE and "fields" not in params:
                inner[name] = value
                continue
        else:
            text = _plain_text(value)
        if text is UNSAYABLE:
            return None
        found.append((name, text))
    if inner:
        found.append(("fields", as_json(inner)))
    return found


def words(operation: Operation, given: list[tuple[str, str]]) -> list[str]:
    """Options of the command line; a field that has the name of one of its own is written with `--set`."""
    found: list[str] = []
    for name, text in given:
        if name in _OPTIONS and name not in operation.verb.parameters:
            found.append(f"--set={name}={text}")
        else:
            found.append(f"--{name.replace('_', '-')}={text}")
    return found
