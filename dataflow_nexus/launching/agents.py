"""``nexus mcp [--as USER] [--read-only] [--tools SET] [--models a,b]``: MCP over standard input and output."""

from __future__ import annotations

from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.channels.cli.arguments import Arguments
from dataflow_nexus.channels.mcp.asking import TOOLS, Asker, Selection
from dataflow_nexus.channels.mcp.searching import resources_named
from dataflow_nexus.channels.mcp.service import Service
from dataflow_nexus.channels.mcp.toolset import Toolset
from dataflow_nexus.channels.mcp.urls import is_on
from dataflow_nexus.exceptions import Invalid, NotFound, Unauthenticated
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.queries.names import unknown

OPTIONS = ("read_only", "tools", "models")


def serve(arguments: Arguments, catalog: Catalog) -> None:
    """Serve until the client closes its end.

    Raises ``Unauthenticated`` where access is on and no user is named, ``Invalid`` for a wrong option, ``NotFound``
    where MCP is off or a model is not there.
    """
    if not is_on(catalog):
        raise NotFound("MCP is switched off in this application")
    if arguments.words[1:]:
        raise Invalid(f'mcp takes no "{arguments.words[1]}"')
    user = arguments.user
    if user is None and catalog.configuration.authentication_required:
        raise Unauthenticated("access control is on: name a user with --as")
    from dataflow_nexus.authentication.users import user_principal
    from dataflow_nexus.channels.mcp import stdio

    def who() -> Principal:
        return SYSTEM if user is None else user_principal(user)

    service = Service(catalog)
    selection = selected(arguments, service, who())
    stdio.serve(service, who, selection)


def selected(arguments: Arguments, service: Service, principal: Principal) -> Selection:
    """The options of the command as a selection of tools."""
    found: dict[str, str] = {}
    for name, text in (*arguments.options, *arguments.sets):
        if name not in OPTIONS:
            raise unknown("option", name, OPTIONS)
        if name in found:
            raise Invalid.field(name, "duplicate", f'"{name}" is given twice')
        found[name] = text
    tools = found.get("tools", TOOLS[0])
    if tools not in TOOLS:
        raise Invalid.field("tools", "choice", f'"tools" must be one of {", ".join(TOOLS)}')
    models = found.get("models")
    toolset = Toolset(service.tools, Asker(principal=principal, request_id=""))
    return Selection(
        tools=tools,
        read_only=found.get("read_only") == "true",
        models=None if models is None else resources_named(toolset, models),
    )
