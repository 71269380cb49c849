"""django-mcp-server 0.5.7 on the current SDK, with our tools on its server object: ``install()``, called by hand.

Its modules import ``FastMCP`` from where version 2 of the SDK has it no more. The adapter here provides the name and
the three attributes that the package uses; nothing is put anywhere before ``install`` is called. Importing this module
needs no settings, because the call belongs into them.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import mcp.server
from django.apps import apps
from mcp.server.mcpserver import Context, Image, MCPServer

from dataflow_nexus.exceptions import ConfigurationError

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from dataflow_nexus.access.principal import Principal

PACKAGE = "mcp_server"
_OLD_HOME = "mcp.server.fastmcp"
_waiting: list[Callable[[], Principal] | None] = []


class FastMCP(MCPServer[Any]):
    """``MCPServer`` under its name of version 1, with what django-mcp-server calls and touches of it.

    There the instructions came second; here a title does. Other arguments are those of ``MCPServer``.
    """

    _event_store = None

    def __init__(
        self, name: str | None = None, instructions: str | None = None, **more: Any
    ) -> None:
        super().__init__(name, instructions=instructions, **more)

    @property
    def _mcp_server(self) -> Server[Any]:
        return self._lowlevel_server


def install(who: Callable[[], Principal] | None = None) -> None:
    """Make ``mcp_server`` importable, and put our tools on its global server once the apps are loaded.

    To be called in the settings module, or anywhere later where ``mcp_server`` is no installed app. ``who`` names the
    principal of every call that comes over the server object itself (its standard input, a client in this process);
    without it these are asked as over HTTP. Calling it twice changes nothing. Raises ``ConfigurationError`` where
    django-mcp-server is missing.
    """
    if importlib.util.find_spec(PACKAGE) is None:
        raise ConfigurationError(
            "the bridge needs django-mcp-server: pip install 'dataflow-nexus[mcp-server]'"
        )
    provide_names()
    _waiting[:] = [who]
    if apps.models_ready:
        publish()


def provide_names() -> None:
    """``FastMCP`` where version 1 of the SDK had it; names that are there stay as they are."""
    if not hasattr(mcp.server, "FastMCP"):
        mcp.server.FastMCP = FastMCP  # type: ignore[attr-defined]  # the name that was moved
    if _OLD_HOME not in sys.modules:
        module = ModuleType(_OLD_HOME, "Where version 1 of the SDK had its high-level server.")
        module.__dict__.update(FastMCP=FastMCP, Context=Context, Image=Image)
        sys.modules[_OLD_HOME] = module


def publish() -> None:
    """Do what ``install`` had to leave until the apps were loaded; nothing where it left nothing."""
    if not _waiting:
        return
    from dataflow_nexus.channels.mcp.bridged import put_on
    from dataflow_nexus.workflows.current import current_catalog

    put_on(importlib.import_module(PACKAGE), current_catalog, _waiting.pop())
