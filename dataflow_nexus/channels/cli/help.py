"""Help texts, from the catalog: every word in them is a name that works."""

from __future__ import annotations

from collections.abc import Iterable

import inflection

from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Catalog, Operation
from dataflow_nexus.registry import Exposed

COMMANDS = {
    "run": "serve the application: run [FILE.py] [--host HOST] [--port PORT] [--workers N]",
    "execute": "run a node by its name: execute ProductCreateNode --name Test",
    "workflows": "list every node",
    "manage": "run a Django command on the application: manage COMMAND …",
}
RUN = """\
nexus run [FILE.py] [--host HOST] [--port PORT] [--workers N]

Serves the application on http://127.0.0.1:8000 with one worker, unless its own run(…) or
these options say otherwise."""
EXECUTE = """\
nexus execute NODE --name value …

Runs a node by its name; `nexus workflows` lists them, and `nexus execute NODE --help` shows
the parameters of one."""
WORKFLOWS = """\
nexus workflows [--format table|json]

Lists every node; as JSON with the schemas of its parameters and its result."""
_OPTIONS = (
    ("--app FILE.py[:name]", "the application; else NEXUS_APP, pyproject.toml, the Django project"),
    ("--format FORMAT", "table, json, ndjson or csv; a table on a terminal, else json"),
    ("--json", "json, and errors as an object on the error stream"),
    ("--set name=value", "write a field whose name the command takes itself"),
    ("--help", "help on a command, a resource or an operation"),
)


def general(catalog: Catalog | None, problem: str = "") -> str:
    """``nexus --help``; ``problem`` says why there is no application."""
    lines = ["usage: nexus COMMAND | RESOURCE OPERATION [ID] [--name value …]", "", "commands:"]
    lines += _aligned(COMMANDS.items())
    lines += ["", "options:", *_aligned(_OPTIONS), ""]
    if catalog is None:
        return "\n".join([*lines, f"no application: {problem}"])
    shown = {item.exposed.resource: item.exposed for item in catalog.operations.values()}
    if not shown:
        return "\n".join([*lines, "no model is exposed"])
    lines += ["resources:"]
    lines += _aligned(
        (name, str(item.model._meta.verbose_name_plural)) for name, item in shown.items()
    )
    return "\n".join(lines)


def resource(catalog: Catalog, exposed: Exposed) -> str:
    """The operations of one resource."""
    found = [item for item in catalog.operations.values() if item.exposed is exposed]
    lines = [f"usage: nexus {exposed.resource} OPERATION [ID] [--name value …]", "", "operations:"]
    rows = [(_dashed(item), schemas.description(item)) for item in found]
    if any(item.verb.name == "list" for item in found):
        rows.append(("export", "Write every record that matches, as CSV, JSON or NDJSON."))
    return "\n".join([*lines, *_aligned(rows)])


def operation(item: Operation, command: str) -> str:
    """One operation: its parameters and, where it writes, its fields."""
    verb = item.verb
    key = " [ID]" if "id" in verb.parameters and not command.startswith("execute ") else ""
    lines = [f"usage: nexus {command}{key} [--name value …]", "", schemas.description(item), ""]
    lines += ["parameters:", *_aligned((f"--{_option(n)}", t) for n, t in verb.parameters.items())]
    if "data" in verb.parameters:
        lines += _aligned(
            [("--file F", "rows from a file: .json, .ndjson, .csv, or - for the input")]
        )
    if verb.takes_fields:
        fields = [
            f for f in item.exposed.fields.values() if f.writable and f.name not in verb.parameters
        ]
        lines += ["", "fields:"]
        lines += _aligned(
            (f"--{_option(f.name)}", f.kind.name + (", required" if f.required else ""))
            for f in fields
        )
    return "\n".join(lines)


def export(item: Operation) -> str:
    """The parameters are those of List, without a page."""
    lines = [
        f"usage: nexus {item.exposed.resource} export [--file F] [--format csv|ndjson|json] [--name value …]",
        "",
        "Writes every record that matches; takes the parameters of list, without a page.",
    ]
    return "\n".join(lines)


def _dashed(item: Operation) -> str:
    return inflection.dasherize(item.verb.name)


def _option(name: str) -> str:
    return inflection.dasherize(name)


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    found = list(rows)
    width = max((len(name) for name, _ in found), default=0)
    return [f"  {name:<{width}}  {text}" for name, text in found]
