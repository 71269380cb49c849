"""Help texts, from the catalog: every word in them is a name that works. Needs no database."""

from __future__ import annotations

from collections.abc import Iterable

import inflection

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.operations import schemas
from dataflow_nexus.operations.base import Catalog, Operation
from dataflow_nexus.registry import Exposed

COMMANDS = {
    "run": "serve the application: run [FILE.py] [--host HOST] [--port PORT] [--workers N]",
    "execute": "run a node by its name: execute ProductCreateNode --name Test",
    "workflows": "list every node",
    "mcp": "serve AI agents over standard input and output: mcp [--as USER] [--read-only]",
    "manage": "run a Django command on the application: manage COMMAND …",
    "help": "help on a command, a resource or an operation, like --help",
    "version": "the version of dataflow-nexus",
}
TEXTS = {
    "run": """\
usage: nexus run [FILE.py] [--host HOST] [--port PORT] [--workers N]

Serves the application on http://127.0.0.1:8000 with one worker, unless its own run(…) or
these options say otherwise.""",
    "execute": """\
usage: nexus execute NODE [--name value …]

Runs a node by its name; `nexus workflows` lists them, and `nexus execute NODE --help` shows
the parameters of one.""",
    "workflows": """\
usage: nexus workflows [--format table|json]

Lists every node; as JSON with the schemas of its parameters and its result.""",
    "mcp": """\
usage: nexus mcp [--as USER] [--read-only] [--tools auto|models|compact] [--models a,b]

Speaks the Model Context Protocol over standard input and output, for clients that start their
servers themselves: as system or as USER, all tools or those that read, of all models or some.""",
    "manage": """\
usage: nexus manage COMMAND …

Runs a Django command on the application; `nexus manage help` lists them.""",
    "help": """\
usage: nexus help [COMMAND | RESOURCE [OPERATION] | execute NODE]""",
    "version": """\
usage: nexus version""",
}
"""Help on commands that are no operation."""
_OPTIONS = (
    ("--app FILE.py[:name]", "the application; else NEXUS_APP, pyproject.toml, the Django project"),
    ("--app module:name", "likewise"),
    ("--as USER", "ask as this user of the Django project, not as system"),
    ("--format FORMAT", "table, json, ndjson or csv; a table on a terminal, else json"),
    ("--json", "json, and errors as an object on the error stream"),
    ("--set name=value", "write a field whose name the command takes itself"),
    ("--help", "help on a command, a resource or an operation"),
)
_FILE = ("--file F", "rows from a .json, .ndjson or .csv file, or - for the standard input")


def general(catalog: Catalog | None, principal: Principal, problem: str = "") -> str:
    """``nexus --help``; ``problem`` says why there are no resources to show."""
    lines = ["usage: nexus COMMAND | RESOURCE OPERATION [ID] [--name value …]", "", "commands:"]
    lines += _aligned(COMMANDS.items())
    lines += ["", "options:", *_aligned(_OPTIONS), ""]
    if catalog is None:
        return "\n".join([*lines, problem])
    shown = {item.exposed.resource: item.exposed for item in catalog.visible(principal)}
    if not shown:
        return "\n".join([*lines, "no model is exposed"])
    lines += ["resources:"]
    lines += _aligned(
        (name, str(item.model._meta.verbose_name_plural)) for name, item in shown.items()
    )
    return "\n".join(lines)


def resource(catalog: Catalog, exposed: Exposed, principal: Principal) -> str:
    """The operations of one resource."""
    found = [item for item in catalog.visible(principal) if item.exposed is exposed]
    lines = [f"usage: nexus {exposed.resource} OPERATION [ID] [--name value …]", "", "operations:"]
    rows = [(_dashed(item.verb.name), schemas.description(item)) for item in found]
    if any(item.verb.name == "list" for item in found):
        rows.append(("export", "Write every record that matches, as CSV, JSON or NDJSON."))
    return "\n".join([*lines, *_aligned(rows)])


def operation(item: Operation, command: str) -> str:
    """One operation: its parameters and, where it writes, its fields."""
    verb = item.verb
    key = " [ID]" if "id" in verb.parameters and not command.startswith("execute ") else ""
    lines = [f"usage: nexus {command}{key} [--name value …]", "", schemas.description(item), ""]
    rows = [(f"--{_dashed(name)}", text) for name, text in verb.parameters.items()]
    lines += ["parameters:", *_aligned([*rows, _FILE] if "data" in verb.parameters else rows)]
    if verb.takes_fields:
        fields = [
            (f"--{_dashed(field.name)}", field.kind.name + (", required" if field.required else ""))
            for field in item.exposed.fields.values()
            if field.writable and field.name not in verb.parameters
        ]
        lines += ["", "fields:", *_aligned(fields)]
    return "\n".join(lines)


def export(item: Operation) -> str:
    """The parameters are those of List, without a page."""
    lines = [
        f"usage: nexus {item.exposed.resource} export [--file F] [--format csv|ndjson|json] [--name value …]",
        "",
        "Writes every record that matches; takes the parameters of list, without a page.",
    ]
    return "\n".join(lines)


def _dashed(name: str) -> str:
    return inflection.dasherize(name)


def _aligned(rows: Iterable[tuple[str, str]]) -> list[str]:
    found = list(rows)
    width = max((len(name) for name, _ in found), default=0)
    return [f"  {name:<{width}}  {text}" for name, text in found]
