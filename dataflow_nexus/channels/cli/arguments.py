"""Command-line words → what was asked for. Knows neither models nor Django."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dataflow_nexus.exceptions import Invalid

FORMATS = ("table", "json", "ndjson", "csv")
SWITCHES = frozenset({"dry_run", "replace", "confirmed", "read_only"})
"""Parameters and options that may stand without a value, which then is true."""
DJANGO = "manage"
"""The command after which every word is Django's."""
_FLAGS = frozenset({"json", "help", "version"})
_VALUES = frozenset({"app", "format", "file", "as", "set"})
_TRUTHS = frozenset({"true", "false"})


@dataclass(kw_only=True)
class Arguments:
    """``words`` are the command and its positional arguments, ``options`` the parameters in order.

    The options of the command line itself have attributes of their own; a field of such a name is
    written with ``--set``.
    """

    words: list[str] = field(default_factory=list)
    options: list[tuple[str, str]] = field(default_factory=list)
    sets: list[tuple[str, str]] = field(default_factory=list)
    django: list[str] = field(default_factory=list)
    """What follows ``manage``."""
    app: str | None = None
    format: str | None = None
    file: str | None = None
    user: str | None = None
    """``--as``."""
    json: bool = False
    help: bool = False
    version: bool = False


def parse(argv: Sequence[str]) -> Arguments:
    """Options may stand anywhere; ``--`` ends them. Raises ``Invalid``."""
    found = Arguments()
    rest = list(argv)
    while rest:
        token = rest.pop(0)
        if token == "--":  # noqa: S105  # no password: the end of the options
            found.words += rest
            break
        if token == "-h":  # noqa: S105  # no password either
            found.help = True
        elif token.startswith("--"):
            _option(found, token, rest)
        else:
            found.words.append(token)
            if found.words == [DJANGO]:
                found.django = rest
                break
    if found.json and found.format is None:
        found.format = "json"
    return found


def _option(found: Arguments, token: str, rest: list[str]) -> None:
    """``--order-by`` and ``--order_by`` are one."""
    spelled, equals, text = token.partition("=")
    name = spelled[2:].replace("-", "_")
    if name in _FLAGS and not (name == "version" and found.words):  # many models have versions
        if equals:
            raise Invalid.field(name, "type", f'"{spelled}" takes no value')
        setattr(found, name, True)
        return
    if not equals:
        text = _next(name, spelled, rest)
    if name not in _VALUES:
        found.options.append((name, text))
    elif name == "set":
        field_name, equals, value = text.partition("=")
        if not (field_name and equals):
            raise Invalid.field("set", "type", '"--set" takes name=value')
        found.sets.append((field_name, value))
    else:
        _keep(found, "user" if name == "as" else name, spelled, text)


def _keep(found: Arguments, attribute: str, spelled: str, text: str) -> None:
    name = spelled[2:]
    if getattr(found, attribute) is not None:
        raise Invalid.field(name, "duplicate", f'"{spelled}" is given twice')
    if not text:
        raise Invalid.field(name, "required", f'"{spelled}" needs a value')
    setattr(found, attribute, text)


def _next(name: str, spelled: str, rest: list[str]) -> str:
    """The value in the next word. A switch takes none but ``true`` and ``false``."""
    follows = bool(rest) and not (rest[0].startswith("--") and len(rest[0]) > 2)
    if name in SWITCHES and not (follows and rest[0].lower() in _TRUTHS):
        return "true"
    if not follows:
        raise Invalid.field(name, "required", f'"{spelled}" needs a value')
    return rest.pop(0)


def chosen_format(arguments: Arguments, *, terminal: bool) -> str:
    """A table on a terminal, JSON elsewhere, unless another format is asked for."""
    if arguments.format is None:
        return "table" if terminal else "json"
    if arguments.format not in FORMATS:
        message = f'"format" must be one of {", ".join(FORMATS)}, not "{arguments.format}"'
        raise Invalid.field("format", "choice", message)
    return arguments.format
