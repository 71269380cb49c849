"""Nodes by name, and batches: the paths that the seed document shows."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI

from dataflow_nexus import execution
from dataflow_nexus.channels.listing import listing
from dataflow_nexus.channels.remembering import Remembered
from dataflow_nexus.channels.rest import requests
from dataflow_nexus.channels.rest.asking import asking
from dataflow_nexus.channels.rest.resources import READING
from dataflow_nexus.channels.rest.responses import json_response
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.queries.names import unknown
from dataflow_nexus.workflows import runtime


def add(api: NinjaAPI, catalog: Catalog) -> None:
    listings: Remembered[bytes] = Remembered(catalog)

    @api.api_operation(READING, "/workflows")
    def list_workflows(request: HttpRequest) -> HttpResponse:
        principal = asking(request).principal
        _refuse_query(request)
        return json_response(listings.get(principal, "", lambda: listing(catalog, principal)))

    @api.post("/workflows/{node}/execute")
    def execute_workflow(request: HttpRequest, node: str) -> HttpResponse:
        principal = asking(request).principal
        operation = catalog.node(node, principal)
        execution.authorize(operation, principal)
        params = requests.from_query(operation, principal, requests.query_pairs(request))
        given = requests.json_object(request, catalog.configuration.max_body_bytes)
        params = requests.merged(params, unwrapped(given))
        return json_response(execution.execute(operation, principal, params))

    @api.post("/batch")
    def run_batch(request: HttpRequest) -> HttpResponse:
        _refuse_query(request)
        given = requests.json_object(request, catalog.configuration.max_body_bytes)
        for name in given:
            if name != "operations":
                raise unknown("parameter", name, ("operations",))
        principal = asking(request).principal
        return json_response(runtime.run_batch(catalog, principal, given.get("operations")))


def unwrapped(given: dict[str, Any]) -> dict[str, Any]:
    """``{"inputs": {…}}`` is how some clients send parameters."""
    inner = given.get("inputs")
    return inner if len(given) == 1 and isinstance(inner, dict) else given


def _refuse_query(request: HttpRequest) -> None:
    for name, _ in requests.query_pairs(request):
        raise unknown("parameter", name, ())
