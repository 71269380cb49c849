"""What django-mcp-server's global server answers under the bridge: our tools, and after them the project's own.

Ours are the tools of ``/mcp``: the same lists, permissions and bytes. The project's own come from its toolsets, run as
they were written and know no permissions of ours. Its query tool is left out: it shows fields that were excluded.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import ModuleType
from typing import Any
from uuid import uuid4

import msgspec
from asgiref.sync import async_to_sync, sync_to_async
from django.http import HttpResponse
from django.utils.functional import SimpleLazyObject
from mcp.server.mcpserver.exceptions import ResourceError, ToolError, UnexpectedToolError
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, InputRequiredResult, Tool
from pydantic import BaseModel

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.authentication.requests import principal_of
from dataflow_nexus.channels.mcp import http, stdio
from dataflow_nexus.channels.mcp.asking import EVERYTHING, Asker, ProtocolError
from dataflow_nexus.channels.mcp.confirming import Confirmation
from dataflow_nexus.channels.mcp.prompts import PROMPTS
from dataflow_nexus.channels.mcp.resources import PREFIX
from dataflow_nexus.channels.mcp.service import INSTRUCTIONS, INVALID_PARAMS, Service
from dataflow_nexus.channels.mcp.stdio import WhoAsks
from dataflow_nexus.channels.mcp.toolset import Toolset
from dataflow_nexus.channels.mcp.urls import is_on
from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.operations.base import Catalog

logger = logging.getLogger("dataflow_nexus.mcp")
QUERY_TOOL = "query_data_collections"
Params = Mapping[str, Any]


def put_on(package: ModuleType, catalog: Callable[[], Catalog], who: WhoAsks | None) -> None:
    """Let the package's global server, and with it the view of its URLs, answer with our service.

    The catalog is asked for by the first call: the application may be made long after the apps are loaded.
    """
    server: Any = package.mcp_server
    if hasattr(server, "nexus_service"):
        return
    own = Own(server)
    service: Any = SimpleLazyObject(lambda: _made(catalog(), own))

    def asks() -> Principal:
        configuration = service.catalog.configuration
        return principal_of(configuration, public=False) if who is None else who()

    server.append_instructions(INSTRUCTIONS)
    stdio.add_methods(server._mcp_server, service, asks, EVERYTHING, stdio.on_threads())
    _answer_the_view(server, service, package.djangomcp.django_request_ctx)
    _answer_in_process(server, service, asks)
    server.nexus_service = service


def _made(catalog: Catalog, own: Own) -> Bridged:
    if not is_on(catalog):
        raise ConfigurationError("the bridge has nothing to offer: MCP is switched off")
    return Bridged(catalog, own)


def _answer_the_view(server: Any, service: Service, current_request: ContextVar[Any]) -> None:
    """In place of the package's own way, which opens a session per request and waits for ever on a GET."""

    def answered(request: Any) -> HttpResponse:
        token = current_request.set(request)
        try:
            return http.respond(service, getattr(request, "_request", request))
        finally:
            current_request.reset(token)

    server.handle_django_request = answered
    # The package ends any Django session whose key a DELETE names; here are none to end.
    server.destroy_session = lambda _request: None


def _answer_in_process(server: Any, service: Service, who: WhoAsks) -> None:
    """``await mcp_server.list_tools()`` and ``call_tool()`` in Python code."""

    def toolset() -> Toolset:
        return Toolset(service.tools, Asker(principal=who(), request_id=uuid4().hex))

    def listed() -> list[Tool]:
        return [Tool.model_validate_json(item) for item in service.definitions(toolset())]

    def called(name: str, arguments: Params | None, context: object = None) -> CallToolResult:  # noqa: ARG001  # the SDK's signature
        result = service.call_tool(toolset(), {"name": name, "arguments": arguments})
        return CallToolResult.model_validate_json(msgspec.json.encode(result))

    server.list_tools = sync_to_async(listed)
    server.call_tool = sync_to_async(called)


class Own:
    """What the project itself registered on the server: the methods of the server, before ours took their place."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.list_tools = async_to_sync(server.list_tools)
        self.call_tool = async_to_sync(server.call_tool)
        self.list_resources = async_to_sync(server.list_resources)
        self.list_templates = async_to_sync(server.list_resource_templates)
        self.read_resource = async_to_sync(server.read_resource)
        self.list_prompts = async_to_sync(server.list_prompts)
        self.get_prompt = async_to_sync(server.get_prompt)


class Bridged(Service):
    """Our service, and behind it the tools, resources and prompts that others registered on a server of the SDK."""

    def __init__(self, catalog: Catalog, own: Own) -> None:
        super().__init__(catalog)
        self._own = own

    @property
    def instructions(self) -> str:
        return str(self._own.server.instructions)

    def handle(
        self, method: str, params: Params, asker: Asker
    ) -> dict[str, Any] | Confirmation | None:
        merged = _MERGED.get(method)
        if merged is None:
            return super().handle(method, params, asker)
        return merged(self, Toolset(self.tools, asker), params)

    # --- lists --------------------------------------------------------------------------------------------------------

    def definitions(self, toolset: Toolset) -> tuple[bytes, ...]:
        ours = super().definitions(toolset)
        names, others = _names(toolset), self._others(toolset)
        return (*ours, *(found for name, found in others.items() if name not in names))

    def _others(self, toolset: Toolset) -> dict[str, bytes]:
        """The project's own tools. Who wants to read only is shown those that say that they only read."""
        return {
            tool.name: msgspec.json.encode(_plain(tool))
            for tool in self._own.list_tools()
            if tool.name != QUERY_TOOL
            and (
                not toolset.asker.selection.read_only
                or (tool.annotations is not None and tool.annotations.read_only_hint)
            )
        }

    def _more(self, key: str, listed: dict[str, Any], lister: Callable[[], Any]) -> dict[str, Any]:
        """The project's own after the last page of ours."""
        if "nextCursor" in listed:
            return listed
        return {**listed, key: [*listed[key], *(_plain(item) for item in lister())]}

    def list_resources(self, toolset: Toolset, params: Params) -> dict[str, Any]:
        ours = super().list_resources(toolset, params)
        return self._more("resources", ours, self._own.list_resources)

    def list_templates(self, toolset: Toolset, params: Params) -> dict[str, Any]:
        ours = super().list_templates(toolset, params)
        return self._more("resourceTemplates", ours, self._own.list_templates)

    def list_prompts(self, toolset: Toolset, params: Params) -> dict[str, Any]:
        ours = super().list_prompts(toolset, params)
        return self._more("prompts", ours, self._own.list_prompts)

    # --- one of them --------------------------------------------------------------------------------------------------

    def call_tool(self, toolset: Toolset, params: Params) -> dict[str, Any] | Confirmation:
        """A name that both have is the one that is listed: ours, unless the list is the compact set."""
        name = params["name"]
        if name not in _names(toolset) and name in self._others(toolset):
            return self._call_other(name, params.get("arguments") or {})
        return super().call_tool(toolset, params)

    def _call_other(self, name: str, arguments: Params) -> dict[str, Any]:
        try:
            result = self._own.call_tool(name, dict(arguments))
        except MCPError as error:
            raise ProtocolError(error.code, error.message, error.data) from None
        except ToolError as error:  # its text is the SDK's: that of a defect stays in the log
            if isinstance(error, UnexpectedToolError):
                logger.exception("tool %s failed", name)
            return {"content": [{"type": "text", "text": str(error)}], "isError": True}
        if isinstance(result, InputRequiredResult):  # a second round would have to reach the tool
            message = f"{name} wants to ask the client back, which the bridge does not carry"
            return {"content": [{"type": "text", "text": message}], "isError": True}
        return _plain(result)

    def read_resource(self, toolset: Toolset, params: Params) -> dict[str, Any]:
        uri = str(params["uri"])
        if uri.startswith(PREFIX):
            return super().read_resource(toolset, params)
        try:
            found = self._own.read_resource(uri)
        except ResourceError:
            return super().read_resource(toolset, params)
        return {"contents": [_contents(uri, item) for item in found]}

    def get_prompt(self, toolset: Toolset, params: Params) -> dict[str, Any]:
        name = params["name"]
        others = [prompt.name for prompt in self._own.list_prompts()]
        if name in PROMPTS or name not in others:
            return super().get_prompt(toolset, params)
        try:
            found = self._own.get_prompt(name, dict(params.get("arguments") or {}))
        except MCPError as error:
            raise ProtocolError(error.code, error.message, error.data) from None
        except ValueError as error:
            raise ProtocolError(INVALID_PARAMS, str(error)) from None
        return _plain(found)


_MERGED: Mapping[str, Callable[[Bridged, Toolset, Params], dict[str, Any] | Confirmation]] = {
    "tools/call": Bridged.call_tool,
    "resources/list": Bridged.list_resources,
    "resources/templates/list": Bridged.list_templates,
    "resources/read": Bridged.read_resource,
    "prompts/list": Bridged.list_prompts,
    "prompts/get": Bridged.get_prompt,
}


def _names(toolset: Toolset) -> frozenset[str]:
    return frozenset(name for name, _ in toolset.listed())


def _plain(item: BaseModel) -> dict[str, Any]:
    """A value of the SDK as it goes over the wire; transports add what only some revisions have."""
    found = item.model_dump(mode="json", by_alias=True, exclude_none=True)
    found.pop("resultType", None)
    return found


def _contents(uri: str, item: Any) -> dict[str, Any]:
    if isinstance(item.content, bytes):
        kind, value = "blob", base64.b64encode(item.content).decode()
    else:
        kind, value = "text", item.content
    usual = "text/plain" if kind == "text" else "application/octet-stream"
    return {"uri": uri, kind: value, "mimeType": item.mime_type or usual}
