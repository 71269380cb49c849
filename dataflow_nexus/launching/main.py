"""``nexus …``: options of the whole command, then serving, a Django command, or the CLI channel."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

from django.core.exceptions import ImproperlyConfigured

from dataflow_nexus import __version__
from dataflow_nexus.channels.cli.arguments import DJANGO, Arguments, parse
from dataflow_nexus.channels.cli.output import Streams, standard, write_error
from dataflow_nexus.channels.errors import translate
from dataflow_nexus.exceptions import Invalid, NexusError
from dataflow_nexus.launching.finding import Target, find
from dataflow_nexus.registry import nearest

if TYPE_CHECKING:
    from dataflow_nexus.nexus import Nexus

Find = Callable[[str | None], Target]
_INTERRUPTED = 130
_RUN_OPTIONS = ("host", "port", "workers")
_loaded: Nexus | None = None


def main() -> NoReturn:
    """The console script."""
    finish(sys.argv[1:])


def finish(argv: Sequence[str], find: Find = find) -> NoReturn:
    """Run a command line as all that the process does, and end it."""
    try:
        sys.exit(run(argv, standard(), find))
    finally:
        with _without_warnings():
            _close_connections()


def run(argv: Sequence[str], streams: Streams, find: Find = find) -> int:
    """Run a command line and return its exit code (docs/errors.md).

    ``find`` says which application ``--app`` (or its absence) means.
    """
    as_json = "--json" in argv
    try:
        code = _run(list(argv), streams, find)
        streams.out.flush()
    except (NexusError, ImproperlyConfigured) as error:
        return _refused(streams, error, as_json=as_json)
    except BrokenPipeError:
        # The reader has gone: nothing more is written, not even when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _refused(streams: Streams, error: NexusError | ImproperlyConfigured, *, as_json: bool) -> int:
    """Settings and app files that can't work are told in the same shape as wrong parameters."""
    if isinstance(error, NexusError):
        write_error(streams, error, uuid4().hex, as_json=as_json)
        return translate(error).exit_code
    told = Invalid(str(error))
    if as_json:
        write_error(streams, told, uuid4().hex, as_json=True)
    else:
        streams.err.write(f"nexus: {error}\n")
    return translate(told).exit_code


def _run(argv: list[str], streams: Streams, find: Find) -> int:
    arguments = parse(argv)
    if arguments.words[:1] == ["help"]:
        arguments.words, arguments.help = arguments.words[1:], True
    command = arguments.words[0] if arguments.words else ""
    if arguments.version or command == "version":
        streams.say(f"dataflow-nexus {__version__}")
        return 0
    if not command:
        return _general_help(arguments, streams, find)
    if arguments.help and _has_text(arguments):
        from dataflow_nexus.channels.cli.help import TEXTS

        streams.say(TEXTS[command])
        return 0
    if command == DJANGO:
        return _manage(arguments, find)
    if command == "run":
        return _serve(arguments, find)
    from dataflow_nexus.launching.loading import load

    catalog = load(find(arguments.app)).catalog
    if command == "mcp":
        from dataflow_nexus.launching import agents

        agents.serve(arguments, catalog)
        return 0
    from dataflow_nexus.channels.cli import main as channel

    with _without_warnings():
        return channel.run(arguments, catalog, streams)


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep warnings off the error stream, which a caller parses with ``--json``.

    Python writes them there where no log is configured, and the command's own message says what they would. Servers
    have nothing else to say it with.
    """
    last = logging.lastResort
    level = last.level if last else logging.WARNING
    if last:
        last.setLevel(logging.ERROR)
    try:
        yield
    finally:
        if last:
            last.setLevel(level)


# --- help -----------------------------------------------------------------------------------------


def _has_text(arguments: Arguments) -> bool:
    """Whether the help is on a command rather than on an operation."""
    from dataflow_nexus.channels.cli.help import TEXTS

    on_node = arguments.words[0] == "execute" and len(arguments.words) > 1
    return arguments.words[0] in TEXTS and not on_node


def _general_help(arguments: Arguments, streams: Streams, find: Find) -> int:
    """Help is given even where there is no application, and then says why there is none."""
    from dataflow_nexus.access.principal import SYSTEM
    from dataflow_nexus.channels.cli import help as texts
    from dataflow_nexus.channels.cli import main as channel
    from dataflow_nexus.launching.loading import load

    try:
        catalog = load(find(arguments.app)).catalog
    except ImproperlyConfigured as error:
        problem = f"no application: {error}"
    else:
        if channel.is_on(catalog):
            return channel.run(arguments, catalog, streams)
        problem = channel.OFF
    streams.say(texts.general(None, SYSTEM, problem))
    return 0


# --- Django's commands ----------------------------------------------------------------------------


def _manage(arguments: Arguments, find: Find) -> int:
    from django.core.management import execute_from_command_line

    from dataflow_nexus.launching.loading import load

    load(find(arguments.app))
    execute_from_command_line(["nexus manage", *arguments.django])
    return 0


# --- serving --------------------------------------------------------------------------------------


def _serve(arguments: Arguments, find: Find) -> int:
    """``nexus run [FILE.py] [--host] [--port] [--workers]``."""
    global _loaded  # noqa: PLW0603  # forked workers find it there
    files = arguments.words[1:]
    if len(files) > 1 or (files and arguments.app):
        raise Invalid.field("app", "duplicate", "run serves one application")
    options = _run_options(arguments)
    target = find(files[0] if files else arguments.app)

    from dataflow_nexus import serving
    from dataflow_nexus.launching.loading import load
    from dataflow_nexus.nexus import DEFAULT_HOST, DEFAULT_PORT

    nexus = _loaded = load(target)
    chosen = {"host": DEFAULT_HOST, "port": DEFAULT_PORT, "workers": 1, **nexus.served, **options}
    address = serving.Address(**chosen)
    nexus.check_host(address.host)
    nexus.compose()
    if target.spec:  # workers that load the application again are told which one it is
        os.environ["NEXUS_APP"] = target.spec
    serving.serve(application, address, nexus.banner)
    return 0


def _run_options(arguments: Arguments) -> dict[str, Any]:
    for name in ("format", "file", "user"):
        if getattr(arguments, name) is not None and not (name == "format" and arguments.json):
            spelled = "as" if name == "user" else name
            raise Invalid.field(spelled, "unsupported", f'run takes no "--{spelled}"')
    found: dict[str, Any] = {}
    for name, text in (*arguments.options, *arguments.sets):
        if name not in _RUN_OPTIONS:
            near = nearest(name, _RUN_OPTIONS)
            raise Invalid.field(name, "unknown", f'run has no option "{name}"{near}')
        if name in found:
            raise Invalid.field(name, "duplicate", f'"{name}" is given twice')
        if name == "host":
            found[name] = text
        elif text.isascii() and text.isdecimal():
            found[name] = int(text)
        else:
            raise Invalid.field(name, "type", f'"{name}" must be a number')
    return found


def application() -> Callable[..., Any]:
    """What a worker serves: the application that it inherited, else loaded again."""
    from dataflow_nexus.dataflow.standalone import is_standalone

    nexus = _loaded
    if nexus is None:
        from dataflow_nexus.launching.loading import load

        nexus = load(find(None))
    return nexus.wsgi if is_standalone() else _project_application()


def _project_application() -> Callable[..., Any]:
    """The project's own WSGI application; while it is developed, with its static files as runserver has them."""
    from django.conf import settings
    from django.contrib.staticfiles.handlers import StaticFilesHandler
    from django.core.servers.basehttp import get_internal_wsgi_application

    from dataflow_nexus.channels.handlers import ProjectWSGI

    found: Any = get_internal_wsgi_application()
    if settings.DEBUG and "django.contrib.staticfiles" in settings.INSTALLED_APPS:
        found = StaticFilesHandler(found)
    return ProjectWSGI(found)


def _close_connections() -> None:
    """Give back what the command opened, while Python can still end a pool's threads."""
    from django.conf import settings
    from django.db import connections

    if not settings.configured:
        return
    for connection in connections.all(initialized_only=True):
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
