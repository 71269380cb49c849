"""One command on one catalog: words → operation and parameters → bytes → the chosen format."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import inflection

from dataflow_nexus import execution
from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.channels.cli import files, help  # noqa: A004  # a module of ours
from dataflow_nexus.channels.cli.arguments import Arguments, chosen_format
from dataflow_nexus.channels.cli.output import Streams, show_table, write_error, write_result
from dataflow_nexus.channels.errors import translate
from dataflow_nexus.channels.keys import read_key
from dataflow_nexus.channels.listing import listing
from dataflow_nexus.exceptions import Internal, Invalid, NexusError, NotFound
from dataflow_nexus.operations import texts
from dataflow_nexus.operations.base import Catalog, Operation
from dataflow_nexus.registry import nearest

logger = logging.getLogger("dataflow_nexus.cli")
_ALIASES = {"get": "read"}
_EXPORT_FORMATS = ("csv", "ndjson", "json")
_ROWS = frozenset({"bulk_create", "bulk_upsert", "bulk_update"})


def run(arguments: Arguments, catalog: Catalog, streams: Streams) -> int:
    """Run a command and return its exit code. Nothing but ``SystemExit`` and interrupts is raised."""
    request_id = uuid4().hex
    try:
        _dispatch(arguments, catalog, streams)
    except NexusError as error:
        write_error(streams, error, request_id, as_json=arguments.json)
        return translate(error).exit_code
    except BrokenPipeError:
        raise
    except Exception:  # noqa: BLE001  # the one place where this channel turns a defect into an answer
        logger.exception("command %s failed", request_id)
        error = Internal(f"an internal error, logged as {request_id}")
        write_error(streams, error, request_id, as_json=arguments.json)
        return translate(error).exit_code
    return 0


def _dispatch(arguments: Arguments, catalog: Catalog, streams: Streams) -> None:
    configuration = catalog.configuration
    if not (configuration.enable_cli and configuration.auto_generate_cli_commands):
        raise NotFound("the command line is switched off in this application")
    command, *words = arguments.words
    if command == "workflows":
        _workflows(arguments, words, catalog, streams)
    elif command == "execute":
        _execute(arguments, words, catalog, streams)
    else:
        _resource(arguments, catalog, streams)


# --- commands -------------------------------------------------------------------------------------


def _workflows(arguments: Arguments, words: list[str], catalog: Catalog, streams: Streams) -> None:
    if arguments.help:
        return streams.say(help.WORKFLOWS)
    _nothing_more(words)
    for name, _ in (*arguments.options, *arguments.sets):
        raise Invalid.field(name, "unknown", f'workflows has no parameter "{name}"')
    fmt = chosen_format(arguments, terminal=streams.terminal)
    if fmt == "json":
        write_result(streams, listing(catalog, SYSTEM), "workflows", "json")
        return None
    operations = list(catalog.visible(SYSTEM))
    rows = [
        [item.node, item.exposed.resource, item.verb.name, item.verb.effect] for item in operations
    ]
    if fmt == "table":
        show_table(streams, ("node", "resource", "operation", "effect"), rows)
    else:
        raise Invalid.field("format", "choice", 'workflows are listed as "table" or "json"')
    return None


def _execute(arguments: Arguments, words: list[str], catalog: Catalog, streams: Streams) -> None:
    if not words:
        if arguments.help:
            return streams.say(help.EXECUTE)
        raise Invalid.field("node", "required", "execute needs the name of a node")
    operation = catalog.node(words[0], SYSTEM)
    if arguments.help:
        return streams.say(help.operation(operation, f"execute {operation.node}"))
    _nothing_more(words[1:])
    return _run(operation, arguments, None, streams)


def _resource(arguments: Arguments, catalog: Catalog, streams: Streams) -> None:
    resource, *rest = arguments.words
    exposed = catalog.registry.named(resource)
    if exposed is None:
        names = {item.exposed.resource for item in catalog.visible(SYSTEM)} | set(help.COMMANDS)
        raise NotFound(f'there is no resource or command "{resource}"{nearest(resource, names)}')
    if not rest:
        return streams.say(help.resource(catalog, exposed))
    verb = rest[0].replace("-", "_")
    verb = _ALIASES.get(verb, verb)
    if verb == "export":
        return _export(arguments, rest[1:], catalog.on_resource(resource, "list", SYSTEM), streams)
    operation = _of_verb(catalog, resource, verb)
    if arguments.help:
        return streams.say(help.operation(operation, f"{exposed.resource} {rest[0]}"))
    words = rest[1:]
    key = words.pop(0) if words and "id" in operation.verb.parameters else None
    _nothing_more(words)
    return _run(operation, arguments, key, streams)


def _of_verb(catalog: Catalog, resource: str, verb: str) -> Operation:
    try:
        return catalog.on_resource(resource, verb, SYSTEM)
    except NotFound as error:
        exposed = catalog.registry.named(resource)
        shown = [item.verb.name for item in catalog.operations.values() if item.exposed is exposed]
        known = [name.replace("_", "-") for name in (*shown, "export")]
        raise NotFound(f"{error.detail}{nearest(verb.replace('_', '-'), known)}") from None


def _nothing_more(words: list[str]) -> None:
    if words:
        message = f'"{words[0]}" is one word too many; parameters are given as --name value'
        raise Invalid.field(words[0], "unexpected", message)


# --- operations -----------------------------------------------------------------------------------


def _run(operation: Operation, arguments: Arguments, key: str | None, streams: Streams) -> None:
    execution.authorize(operation, SYSTEM)
    fmt = chosen_format(arguments, terminal=streams.terminal)
    params = _parameters(operation, arguments, key)
    with _rows(operation, arguments, params, streams):
        answer = execution.execute(operation, SYSTEM, params)
    write_result(streams, answer, operation.verb.name, fmt)


def _parameters(operation: Operation, arguments: Arguments, key: str | None) -> dict[str, Any]:
    params = texts.from_text(operation, arguments.options)
    if key is not None:
        if "id" in params:
            raise Invalid.field("id", "duplicate", '"id" is given twice')
        params["id"] = read_key(operation.exposed, key)
    if arguments.sets:
        params["fields"] = _set(operation, arguments.sets, params.get("fields", {}))
    return params


def _set(operation: Operation, sets: list[tuple[str, str]], given: Any) -> Any:
    """``--set name=value`` beside what ``--fields`` holds."""
    if operation.verb.effect == "read" or "fields" not in operation.verb.parameters:
        name = inflection.dasherize(operation.verb.name)
        raise Invalid.field("set", "unsupported", f'"--set" writes a field, and {name} writes none')
    if not isinstance(given, dict):
        return given
    values = dict(given)
    for name, text in sets:
        if name in values:
            raise Invalid.field(name, "duplicate", f'"{name}" is given twice')
        field = texts.named(operation.exposed, name)
        values[name] = text if field is None else texts.value(field, text)
    return values


@contextlib.contextmanager
def _rows(
    operation: Operation, arguments: Arguments, params: dict[str, Any], streams: Streams
) -> Iterator[None]:
    """The rows of ``--file`` as the parameter ``data``, while the operation runs."""
    if arguments.file is None:
        yield
        return
    if operation.verb.name not in _ROWS:
        name = inflection.dasherize(operation.verb.name)
        raise Invalid.field("file", "unsupported", f'"--file" gives rows, and {name} takes none')
    if "data" in params:
        raise Invalid.field("data", "duplicate", '"data" is given beside "--file"')
    with files.rows(operation.exposed, arguments.file, streams) as data:
        params["data"] = data
        yield


def _export(arguments: Arguments, words: list[str], operation: Operation, streams: Streams) -> None:
    if arguments.help:
        return streams.say(help.export(operation))
    _nothing_more(words)
    if arguments.sets:
        raise Invalid.field("set", "unsupported", '"--set" writes a field, and export writes none')
    fmt = arguments.format or (files.kind_of(arguments.file) if arguments.file else None) or "csv"
    if fmt not in _EXPORT_FORMATS:
        message = f'"format" of an export must be one of {", ".join(_EXPORT_FORMATS)}, not "{fmt}"'
        raise Invalid.field("format", "choice", message)
    params = texts.from_text(operation, arguments.options)
    chunks = execution.stream(operation, SYSTEM, params, fmt)
    if arguments.file and arguments.file != "-":
        files.save(arguments.file, chunks, streams)
        return None
    for chunk in chunks:
        streams.out.write(chunk)
    streams.out.flush()
    return None
