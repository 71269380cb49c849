"""One command on one catalog: words → operation and parameters → bytes → the chosen format."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import inflection
from django.core.exceptions import ImproperlyConfigured

from dataflow_nexus import execution
from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.authentication.users import user_principal
from dataflow_nexus.channels.cli import files, help  # noqa: A004  # a module of ours
from dataflow_nexus.channels.cli.arguments import Arguments, chosen_format
from dataflow_nexus.channels.cli.output import Streams, show_table, write_error, write_result
from dataflow_nexus.channels.errors import translate
from dataflow_nexus.channels.keys import read_key
from dataflow_nexus.channels.listing import listing
from dataflow_nexus.exceptions import Internal, Invalid, NexusError, NotFound
from dataflow_nexus.operations import texts
from dataflow_nexus.operations.base import Catalog, Operation
from dataflow_nexus.registry import COMMAND_WORDS, nearest

logger = logging.getLogger("dataflow_nexus.cli")
OFF = "the command line is switched off in this application"
_ALIASES = {"get": "read"}
_EXPORT_FORMATS = ("csv", "ndjson", "json")
_ROWS = frozenset({"bulk_create", "bulk_upsert", "bulk_update"})


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command: what was asked for, of what, by whom, and where the answer goes."""

    arguments: Arguments
    catalog: Catalog
    principal: Principal
    streams: Streams


def is_on(catalog: Catalog) -> bool:
    """Whether the application has a command line."""
    configuration = catalog.configuration
    return configuration.enable_cli and configuration.auto_generate_cli_commands


def run(arguments: Arguments, catalog: Catalog, streams: Streams) -> int:
    """Run a command and return its exit code. Interrupts, broken pipes and wrong settings are raised."""
    request_id = uuid4().hex
    try:
        _dispatch(arguments, catalog, streams)
    except NexusError as error:
        write_error(streams, error, request_id, as_json=arguments.json)
        return translate(error).exit_code
    except (BrokenPipeError, ImproperlyConfigured):
        raise
    except Exception:  # the one place where this channel turns a defect into an answer
        logger.exception("command %s failed", request_id)
        defect = Internal(f"an internal error, logged as {request_id}")
        write_error(streams, defect, request_id, as_json=arguments.json)
        return translate(defect).exit_code
    return 0


def _dispatch(arguments: Arguments, catalog: Catalog, streams: Streams) -> None:
    if not is_on(catalog):
        raise NotFound(OFF)
    principal = SYSTEM if arguments.user is None else user_principal(arguments.user)
    command = Command(arguments=arguments, catalog=catalog, principal=principal, streams=streams)
    words = arguments.words
    if not words:
        streams.say(help.general(catalog, principal))
    elif words[0] == "workflows":
        _workflows(command, words[1:])
    elif words[0] == "execute":
        _execute(command, words[1:])
    else:
        _resource(command, words[0], words[1:])


# --- commands -------------------------------------------------------------------------------------


def _workflows(command: Command, words: list[str]) -> None:
    arguments, streams = command.arguments, command.streams
    _nothing_more(words)
    for name, _ in (*arguments.options, *arguments.sets):
        raise Invalid.field(name, "unknown", f'workflows has no parameter "{name}"')
    fmt = chosen_format(arguments, terminal=streams.terminal)
    if fmt == "json":
        answer = listing(command.catalog, command.principal)
        write_result(streams, answer, "workflows", "json")
    elif fmt == "table":
        rows = [
            [item.node, item.exposed.resource, item.verb.name, item.verb.effect]
            for item in command.catalog.visible(command.principal)
        ]
        show_table(streams, ("node", "resource", "operation", "effect"), rows)
    else:
        raise Invalid.field("format", "choice", 'workflows are listed as "table" or "json"')


def _execute(command: Command, words: list[str]) -> None:
    if not words:
        raise Invalid.field("node", "required", "execute needs the name of a node")
    operation = command.catalog.node(words[0], command.principal)
    if command.arguments.help:
        command.streams.say(help.operation(operation, f"execute {operation.node}"))
        return
    _nothing_more(words[1:])
    _run(command, operation, None)


def _resource(command: Command, resource: str, words: list[str]) -> None:
    catalog, principal = command.catalog, command.principal
    exposed = catalog.registry.named(resource)
    shown = {item.exposed.resource for item in catalog.visible(principal)}
    if exposed is None or exposed.resource not in shown:
        raise _no_command(resource, shown)
    if not words:
        command.streams.say(help.resource(catalog, exposed, principal))
        return
    verb, key = words[0].replace("-", "_"), None
    verb = _ALIASES.get(verb, verb)
    if verb == "export":
        _export(command, catalog.on_resource(resource, "list", principal), words[1:])
        return
    operation = _of_verb(command, resource, verb)
    if command.arguments.help:
        command.streams.say(help.operation(operation, f"{exposed.resource} {words[0]}"))
        return
    rest = words[1:]
    if rest and "id" in operation.verb.parameters:
        key = rest.pop(0)
    _nothing_more(rest)
    _run(command, operation, key)


def _no_command(word: str, resources: set[str]) -> NotFound:
    if word in COMMAND_WORDS:
        return NotFound(f'the command "{word}" arrives in a later release')
    near = nearest(word, resources | set(help.COMMANDS))
    return NotFound(f'there is no resource or command "{word}"{near}')


def _of_verb(command: Command, resource: str, verb: str) -> Operation:
    try:
        return command.catalog.on_resource(resource, verb, command.principal)
    except NotFound as error:
        exposed = command.catalog.registry.named(resource)
        visible = command.catalog.visible(command.principal)
        names = [item.verb.name for item in visible if item.exposed is exposed]
        known = [inflection.dasherize(name) for name in (*names, "export")]
        raise NotFound(f"{error.detail}{nearest(inflection.dasherize(verb), known)}") from None


def _nothing_more(words: list[str]) -> None:
    if words:
        message = f'"{words[0]}" is one word too many; parameters are given as --name value'
        raise Invalid.field(words[0], "unexpected", message)


# --- operations -----------------------------------------------------------------------------------


def _run(command: Command, operation: Operation, key: str | None) -> None:
    execution.authorize(operation, command.principal)
    fmt = chosen_format(command.arguments, terminal=command.streams.terminal)
    params = _parameters(command, operation, key)
    with _rows(command, operation, params):
        answer = execution.execute(operation, command.principal, params)
    neutralize = command.catalog.configuration.csv_neutralize
    write_result(command.streams, answer, operation.verb.name, fmt, neutralize=neutralize)


def _parameters(command: Command, operation: Operation, key: str | None) -> dict[str, Any]:
    options = command.arguments.options
    params = texts.from_text(operation, options, principal=command.principal)
    if key is not None:
        if "id" in params:
            raise Invalid.field("id", "duplicate", '"id" is given twice')
        params["id"] = read_key(operation.exposed, key)
    if command.arguments.sets:
        params["fields"] = _set(operation, command.arguments.sets, params.get("fields", {}))
    return params


def _set(operation: Operation, sets: list[tuple[str, str]], given: Any) -> Any:
    """``--set name=value`` beside what ``--fields`` holds."""
    if operation.verb.effect == "read" or "fields" not in operation.verb.parameters:
        name = inflection.dasherize(operation.verb.name)
        hint = "; --filter says which records" if "filter" in operation.verb.parameters else ""
        message = f'"--set" writes a field, and {name} writes none{hint}'
        raise Invalid.field("set", "unsupported", message)
    if not isinstance(given, dict):
        return given
    values = dict(given)
    for name, text in sets:
        if name in values:
            raise Invalid.field(name, "duplicate", f'"{name}" is given twice')
        values[name] = texts.given(operation.exposed, name, text)
    return values


@contextlib.contextmanager
def _rows(command: Command, operation: Operation, params: dict[str, Any]) -> Iterator[None]:
    """The rows of ``--file`` as the parameter ``data``, while the operation runs."""
    path = command.arguments.file
    if path is None:
        yield
        return
    if operation.verb.name not in _ROWS:
        name = inflection.dasherize(operation.verb.name)
        raise Invalid.field("file", "unsupported", f'"--file" gives rows, and {name} takes none')
    if "data" in params:
        raise Invalid.field("data", "duplicate", '"data" is given beside "--file"')
    with files.rows(operation.exposed, path, command.streams) as data:
        params["data"] = data
        yield


def _export(command: Command, operation: Operation, words: list[str]) -> None:
    arguments, streams = command.arguments, command.streams
    if arguments.help:
        streams.say(help.export(operation))
        return
    _nothing_more(words)
    execution.authorize(operation, command.principal)
    if arguments.sets:
        raise Invalid.field("set", "unsupported", '"--set" writes a field, and export writes none')
    fmt = _export_format(arguments)
    params = texts.from_text(operation, arguments.options, principal=command.principal)
    chunks = execution.stream(operation, command.principal, params, fmt)
    if arguments.file and arguments.file != "-":
        files.save(arguments.file, chunks, streams)
        return
    for chunk in chunks:
        streams.out.write(chunk)
    streams.out.flush()


def _export_format(arguments: Arguments) -> str:
    """The format asked for, else the one that the file's name says, else CSV."""
    if arguments.format is not None:
        if arguments.format not in _EXPORT_FORMATS:
            known = ", ".join(_EXPORT_FORMATS)
            message = f'"format" of an export must be one of {known}, not "{arguments.format}"'
            raise Invalid.field("format", "choice", message)
        return arguments.format
    if arguments.file is None or arguments.file == "-":
        return "csv"
    fmt = files.kind_of(arguments.file)
    if fmt is None:
        raise files.unknown_kind(arguments.file)
    return fmt
