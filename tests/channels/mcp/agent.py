"""An agent without a transport: what one asker is shown by the service, and what its calls answer."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
from django.db import models

from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.channels.mcp.asking import EVERYTHING, Asker, Elicitation, Selection, Tools
from dataflow_nexus.channels.mcp.confirming import Confirmation
from dataflow_nexus.channels.mcp.service import Service
from dataflow_nexus.conf import Configuration, Source, configure
from dataflow_nexus.nexus import default_nexus
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.operations.verbs import VERBS
from dataflow_nexus.registry import Registry
from testproject.shop.models import Category, Note, Order, Product, Tag

TOKEN = "confirmation_token"


def registry_of(*models_: type[models.Model], **options: Any) -> Registry:
    """The models in this order; `options` are those of the first."""
    registry = Registry()
    for model in models_:
        registry.register(model, **(options if model is models_[0] else {}))
    return registry


def shop() -> Registry:
    """Every model of the shop."""
    return default_nexus().registry


def catalog_of(registry: Registry, **configuration: Any) -> Catalog:
    base = Configuration(authentication_required=False)
    return Catalog(registry, configure(base, configuration, Source(name="test")), VERBS)


class Agent:
    """Somebody who asks one application for tools."""

    def __init__(
        self,
        catalog: Catalog,
        principal: Principal = SYSTEM,
        selection: Selection = EVERYTHING,
        *,
        elicitation: Elicitation = "none",
    ) -> None:
        self.catalog = catalog
        self.service = Service(catalog)
        self.asker = Asker(
            principal=principal, request_id="r", selection=selection, elicitation=elicitation
        )

    def ask(self, method: str, params: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """The result of a method as JSON has it; `more` is what the asker brings along."""
        found = self.service.handle(method, params or {}, replace(self.asker, **more))
        if isinstance(found, Confirmation):
            return found
        return json.loads(msgspec.json.encode(found))

    def tools(self) -> dict[str, dict[str, Any]]:
        """Every definition by name, of all pages."""
        found: list[dict[str, Any]] = []
        params: dict[str, Any] = {}
        while True:
            page = self.ask("tools/list", params)
            found += page["tools"]
            if "nextCursor" not in page:
                return {tool["name"]: tool for tool in found}
            params = {"cursor": page["nextCursor"]}

    def result(self, name: str, arguments: Mapping[str, Any], **more: Any) -> Any:
        """The whole result of a call."""
        return self.ask("tools/call", {"name": name, "arguments": dict(arguments)}, **more)

    def call(self, name: str, /, **arguments: Any) -> Any:
        """The structured content of a good result, which its text says as well. `return_` is `return`."""
        result = self.result(name, _named(arguments))
        assert "isError" not in result, result["content"][0]["text"]
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"]

    def error(self, name: str, /, **arguments: Any) -> Any:
        """The error object of a bad one."""
        result = self.result(name, _named(arguments))
        assert result.get("isError") is True, result
        assert "structuredContent" not in result
        problem = json.loads(result["content"][0]["text"])
        assert problem["code"] != "internal", problem
        return problem


def _named(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name.rstrip("_"): value for name, value in arguments.items()}


def shop_agent(
    principal: Principal = SYSTEM,
    *,
    tools: Tools = "models",
    elicitation: Elicitation = "none",
    **configuration: Any,
) -> Agent:
    """Over the whole shop."""
    return Agent(
        catalog_of(shop(), **configuration),
        principal,
        Selection(tools=tools),
        elicitation=elicitation,
    )


# --- confirmations ----------------------------------------------------------------------------------------------------


def asking(*names: str, **more: Any) -> Agent:
    """Over the shop, where these names ask first."""
    return shop_agent(require_confirmation=names, **more)


def asks(agent: Agent) -> set[str]:
    """The tools that take a token."""
    return {
        name for name, tool in agent.tools().items() if TOKEN in tool["inputSchema"]["properties"]
    }


def snapshot() -> Any:
    """All that a confirmed call could have changed."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Product, Tag, Category, Note, Order)
    ]


def mismatch(agent: Agent, tool: str, **arguments: Any) -> None:
    """The call is refused for its token, and nothing is changed."""
    before = snapshot()
    problem = agent.error(tool, **arguments)
    assert problem["code"] == "invalid"
    assert [(item["field"], item["code"]) for item in problem["errors"]] == [(TOKEN, "mismatch")]
    assert snapshot() == before
