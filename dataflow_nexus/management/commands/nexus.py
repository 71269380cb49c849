"""``manage.py nexus …``: the ``nexus`` command on this project."""

from __future__ import annotations

import sys
from argparse import REMAINDER
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandParser

from dataflow_nexus.channels.cli.output import Streams, TextOut
from dataflow_nexus.launching.finding import Target, find
from dataflow_nexus.launching.main import finish, run


class Command(BaseCommand):
    """Words go to the ``nexus`` command as they are; Django's parser would take some for its own."""

    help = "Runs operations on the models of this project: nexus RESOURCE OPERATION [ID] [--name value …]"
    requires_system_checks = ()
    prefix: ClassVar[tuple[str, ...]] = ()

    def run_from_argv(self, argv: list[str]) -> None:
        finish([*self.prefix, *_without_django_options(argv[2:])], _this_project)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("words", nargs=REMAINDER)

    def handle(self, *args: Any, **options: Any) -> None:
        """``call_command("nexus", "products", "list")``; another exit code than 0 is a ``SystemExit``."""
        streams = Streams(
            out=TextOut(self.stdout),  # type: ignore[arg-type]  # enough of a binary stream
            err=self.stderr,  # type: ignore[arg-type]  # enough of a text stream
            input=sys.stdin.buffer,
            terminal=False,
            progress=False,
        )
        code = run([*self.prefix, *options["words"]], streams, _this_project)
        if code:
            sys.exit(code)


def _this_project(app: str | None) -> Target:
    """The project that is set up already, whatever the environment names for the ``nexus`` command."""
    return Target(folder=Path.cwd()) if app is None else find(app)


def _without_django_options(words: list[str]) -> list[str]:
    """``--settings`` and ``--pythonpath`` have done their work before a command runs."""
    found: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        if name not in ("--settings", "--pythonpath"):
            found.append(word)
        elif not equals and rest:
            rest.pop(0)
    return found
