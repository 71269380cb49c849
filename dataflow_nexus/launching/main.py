"""``nexus …``: options of the whole command, then serving, a Django command, or the CLI channel."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

from dataflow_nexus import __version__
from dataflow_nexus.channels.cli.arguments import Arguments, parse
from dataflow_nexus.channels.cli.output import Streams, standard, write_error
from dataflow_nexus.channels.errors import translate
from dataflow_nexus.exceptions import ConfigurationError, Invalid, NexusError
from dataflow_nexus.launching.finding import SETTINGS, Target, find
from dataflow_nexus.registry import nearest

if TYPE_CHECKING:
    from dataflow_nexus.nexus import Nexus

CONFIGURATION_EXIT = 2
_INTERRUPTED = 130
_RUN_OPTIONS = ("host", "port", "workers")
_loaded: Nexus | None = None


def main() -> NoReturn:
    """The console script."""
    sys.exit(run(sys.argv[1:], standard()))


def run(argv: Sequence[str], streams: Streams) -> int:
    """Run a command line and return its exit code (CONTRACT, section 5)."""
    as_json = "--json" in argv
    try:
        code = _run(list(argv), streams)
        streams.out.flush()
    except NexusError as error:
        write_error(streams, error, uuid4().hex, as_json=as_json)
        return translate(error).exit_code
    except ConfigurationError as error:
        streams.err.write(f"nexus: {error}\n")
        return CONFIGURATION_EXIT
    except BrokenPipeError:
        # The reader has gone: nothing more is written, not even when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _run(argv: list[str], streams: Streams) -> int:
    managed = _managed(argv)
    if managed is not None:
        before, after = managed
        return _manage(before, after)
    arguments = parse(argv)
    _use_settings(arguments)
    if arguments.version:
        streams.say(f"dataflow-nexus {__version__}")
        return 0
    if not arguments.words:
        return _help(arguments, streams)
    if arguments.words[0] == "run":
        return _serve(arguments, streams)
    return _channel(arguments, streams)


def _use_settings(arguments: Arguments) -> None:
    if arguments.settings:
        os.environ[SETTINGS] = arguments.settings


def _channel(arguments: Arguments, streams: Streams) -> int:
    from dataflow_nexus.launching.loading import load

    catalog = load(find(arguments.app)).catalog
    from dataflow_nexus.channels.cli import main as channel

    return channel.run(arguments, catalog, streams)


def _help(arguments: Arguments, streams: Streams) -> int:
    from dataflow_nexus.launching.loading import load

    try:
        catalog, problem = load(find(arguments.app)).catalog, ""
    except ConfigurationError as error:
        catalog, problem = None, str(error)
    from dataflow_nexus.channels.cli import help as texts

    streams.say(texts.general(catalog, problem))
    return 0


# --- Django's commands ----------------------------------------------------------------------------


def _managed(argv: list[str]) -> tuple[Arguments, list[str]] | None:
    """What stands before ``manage`` and after it, where that is the command: the rest is Django's."""
    if "manage" not in argv:
        return None
    place = argv.index("manage")
    before = argv[:place]
    if before and before[-1].startswith("--") and "=" not in before[-1]:
        return None
    arguments = parse(before)
    return None if arguments.words else (arguments, argv[place + 1 :])


def _manage(arguments: Arguments, rest: list[str]) -> int:
    from django.core.management import execute_from_command_line

    from dataflow_nexus.launching.loading import load

    _use_settings(arguments)
    load(find(arguments.app))
    execute_from_command_line(["nexus manage", *rest])
    return 0


# --- serving --------------------------------------------------------------------------------------


def _serve(arguments: Arguments, streams: Streams) -> int:
    """``nexus run [FILE.py] [--host] [--port] [--workers]``."""
    global _loaded  # noqa: PLW0603  # forked workers find it there
    if arguments.help:
        from dataflow_nexus.channels.cli.help import RUN

        streams.say(RUN)
        return 0
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
    nexus.check_host(chosen["host"])
    nexus.prepare()
    _share(target)
    serving.serve(application, serving.Address(**chosen), nexus.banner)
    return 0


def _run_options(arguments: Arguments) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in (*arguments.options, *arguments.sets):
        if name not in _RUN_OPTIONS:
            raise Invalid.field(
                name, "unknown", f'run has no option "{name}"{nearest(name, _RUN_OPTIONS)}'
            )
        if name == "host":
            found[name] = text
        elif text.isascii() and text.isdecimal():
            found[name] = int(text)
        else:
            raise Invalid.field(name, "type", f'"{name}" must be a number')
    return found


def _share(target: Target) -> None:
    """Tell workers that load the application again which one it is."""
    if target.spec:
        os.environ["NEXUS_APP"] = target.spec


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

    found: Any = get_internal_wsgi_application()
    if settings.DEBUG and "django.contrib.staticfiles" in settings.INSTALLED_APPS:
        return StaticFilesHandler(found)  # type: ignore[no-any-return]  # untyped in the stubs
    return found  # type: ignore[no-any-return]  # untyped in the stubs
