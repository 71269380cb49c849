"""The resource paths: one generic route per form of request, for every model alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from ninja import NinjaAPI

from dataflow_nexus import execution
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.channels.keys import read_key
from dataflow_nexus.channels.rest import requests
from dataflow_nexus.channels.rest.asking import accepts, asking
from dataflow_nexus.channels.rest.responses import (
    JSON,
    created_response,
    json_response,
    page_response,
    upserted_response,
)
from dataflow_nexus.exceptions import Invalid, NotAcceptable
from dataflow_nexus.operations.base import Catalog, Operation
from dataflow_nexus.queries.names import unknown

READING = ["GET", "HEAD"]
EXPORT_TYPES = {"json": JSON, "ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


def add(api: NinjaAPI, catalog: Catalog) -> None:
    """Fixed words come before keys, as Django takes the first pattern that matches."""
    _add_collection(api, catalog)
    _add_analytics(api, catalog)
    _add_bulk(api, catalog)
    _add_record(api, catalog)


def permitted(
    catalog: Catalog, request: HttpRequest, resource: str, verb: str
) -> tuple[Operation, Principal]:
    """The operation, once the principal may run it: permission comes before any parameter."""
    principal = asking(request).principal
    operation = catalog.on_resource(resource, verb, principal)
    execution.authorize(operation, principal)
    return operation, principal


# --- /{resource} ----------------------------------------------------------------------------------


def _add_collection(api: NinjaAPI, catalog: Catalog) -> None:
    @api.api_operation(READING, "/{resource}")
    def list_records(request: HttpRequest, resource: str) -> HttpResponse:
        operation, principal = permitted(catalog, request, resource, "list")
        pairs = requests.query_pairs(request)
        params = requests.from_query(operation, principal, pairs)
        return page_response(request, pairs, execution.execute(operation, principal, params))

    @api.post("/{resource}")
    def create_record(request: HttpRequest, resource: str) -> HttpResponse:
        operation, principal = permitted(catalog, request, resource, "create")
        params = _values(request, operation, principal)
        body = execution.execute(operation, principal, params)
        if params.get("dry_run") is True:
            return json_response(body)
        return created_response(request, operation.exposed, body)

    @api.put("/{resource}")
    def upsert_record(request: HttpRequest, resource: str) -> HttpResponse:
        operation, principal = permitted(catalog, request, resource, "upsert")
        params = _values(request, operation, principal)
        body = execution.execute(operation, principal, params)
        if params.get("dry_run") is True:
            return json_response(body)
        return upserted_response(request, operation.exposed, body)


def _values(request: HttpRequest, operation: Operation, principal: Principal) -> dict[str, Any]:
    """The parameters of a write of one record: query string, then JSON or a form."""
    params = requests.from_query(operation, principal, requests.query_pairs(request))
    if operation.verb.name != "upsert" and requests.is_form(request, operation):
        return requests.form(request, operation, principal, params)
    return requests.with_body(request, operation, params)


# --- /{resource}/count, /aggregate, /export -------------------------------------------------------


def _add_analytics(api: NinjaAPI, catalog: Catalog) -> None:
    @api.api_operation(READING, "/{resource}/count")
    def count_records(request: HttpRequest, resource: str) -> HttpResponse:
        operation, principal = permitted(catalog, request, resource, "count")
        params = requests.from_query(operation, principal, requests.query_pairs(request))
        return json_response(execution.execute(operation, principal, params))

    @api.api_operation(READING, "/{resource}/aggregate")
    def aggregate_records(request: HttpRequest, resource: str) -> HttpResponse:
        operation, principal = permitted(catalog, request, resource, "aggregate")
        params = requests.from_query(operation, principal, requests.query_pairs(request))
        return json_response(execution.execute(operation, principal, params))

    @api.post("/{resource}/aggregate")
    def aggregate_by_body(request: HttpRequest, resource: str) -> HttpResponse:
        operation, principal = permitted(catalog, request, resource, "aggregate")
        params = requests.from_query(operation, principal, requests.query_pairs(request))
        params = requests.with_body(request, operation, params)
        return json_response(execution.execute(operation, principal, params))

    @api.api_operation(READING, "/{resource}/export")
    def export_records(request: HttpRequest, resource: str) -> HttpResponseBase:
        operation, principal = permitted(catalog, request, resource, "list")
        pairs = requests.query_pairs(request)
        fmt = _export_format(request, [text for name, text in pairs if name == "format"])
        params = requests.from_query(
            operation, principal, [pair for pair in pairs if pair[0] != "format"]
        )
        return _export(request, operation, fmt, execution.stream(operation, principal, params, fmt))


def _export_format(request: HttpRequest, given: list[str]) -> str:
    """The format asked for by name, else the first that the Accept header takes."""
    accept = request.META.get("HTTP_ACCEPT")
    if len(given) > 1:
        raise Invalid.field("format", "duplicate", '"format" is given twice')
    if given and given[0] not in EXPORT_TYPES:
        raise unknown("format", given[0], EXPORT_TYPES, at="format")
    for fmt in given or EXPORT_TYPES:
        if accepts(accept, EXPORT_TYPES[fmt].partition(";")[0]):
            return fmt
    raise NotAcceptable("an export is JSON, newline-delimited JSON or CSV")


def _export(
    request: HttpRequest, operation: Operation, fmt: str, chunks: Iterator[bytes]
) -> HttpResponseBase:
    """The first chunk is made before the answer begins, so that an error is still an answer."""
    first = next(chunks, b"")
    name = f"{operation.exposed.resource}.{fmt}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if request.method == "HEAD":
        _close(chunks)
        return HttpResponse(content_type=EXPORT_TYPES[fmt], headers=headers)
    return StreamingHttpResponse(
        _Chunks(first, chunks), content_type=EXPORT_TYPES[fmt], headers=headers
    )


def _close(chunks: Iterator[bytes]) -> None:
    close = getattr(chunks, "close", None)
    if close is not None:
        close()


class _Chunks:
    """Chunks whose first was taken already; closing them closes what makes them."""

    def __init__(self, first: bytes, rest: Iterator[bytes]) -> None:
        self._first: bytes | None = first
        self._rest = rest

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        first, self._first = self._first, None
        return next(self._rest) if first is None else first

    def close(self) -> None:
        _close(self._rest)


# --- /{resource}/bulk -----------------------------------------------------------------------------


def _add_bulk(api: NinjaAPI, catalog: Catalog) -> None:
    def run(request: HttpRequest, resource: str, verb: str, *, bare: bool = False) -> HttpResponse:
        """``bare`` requests may do without a body where the query string says enough."""
        operation, principal = permitted(catalog, request, resource, verb)
        pairs = requests.query_pairs(request)
        params = requests.from_query(operation, principal, pairs)
        if verb in ("bulk_create", "bulk_upsert") and requests.is_rows(request):
            params = requests.merged(params, {"data": requests.rows(request, operation)})
        else:
            optional = bare and bool(pairs)
            params = requests.with_body(request, operation, params, optional=optional)
        return json_response(execution.execute(operation, principal, params))

    @api.post("/{resource}/bulk")
    def bulk_create(request: HttpRequest, resource: str) -> HttpResponse:
        return run(request, resource, "bulk_create")

    @api.put("/{resource}/bulk")
    def bulk_upsert(request: HttpRequest, resource: str) -> HttpResponse:
        return run(request, resource, "bulk_upsert")

    @api.patch("/{resource}/bulk")
    def bulk_update(request: HttpRequest, resource: str) -> HttpResponse:
        return run(request, resource, "bulk_update", bare=True)

    @api.delete("/{resource}/bulk")
    def bulk_delete(request: HttpRequest, resource: str) -> HttpResponse:
        return run(request, resource, "bulk_delete", bare=True)


# --- /{resource}/{key} ----------------------------------------------------------------------------


def _add_record(api: NinjaAPI, catalog: Catalog) -> None:
    @api.api_operation(READING, "/{resource}/{key}")
    def read_record(request: HttpRequest, resource: str, key: str) -> HttpResponse:
        operation, principal = permitted(catalog, request, resource, "read")
        params = requests.from_query(operation, principal, requests.query_pairs(request))
        params = _with_key(operation, key, params)
        return json_response(execution.execute(operation, principal, params))

    def update(request: HttpRequest, resource: str, key: str, *, replace: bool) -> HttpResponse:
        operation, principal = permitted(catalog, request, resource, "update")
        params = _with_key(operation, key, _values(request, operation, principal))
        if replace and params.setdefault("replace", True) is not True:
            raise Invalid.field("replace", "conflict", "PUT replaces; PATCH changes given fields")
        return json_response(execution.execute(operation, principal, params))

    @api.patch("/{resource}/{key}")
    def update_record(request: HttpRequest, resource: str, key: str) -> HttpResponse:
        return update(request, resource, key, replace=False)

    @api.put("/{resource}/{key}")
    def replace_record(request: HttpRequest, resource: str, key: str) -> HttpResponse:
        return update(request, resource, key, replace=True)

    @api.delete("/{resource}/{key}")
    def delete_record(request: HttpRequest, resource: str, key: str) -> HttpResponse:
        operation, principal = permitted(catalog, request, resource, "delete")
        params = requests.from_query(operation, principal, requests.query_pairs(request))
        params = requests.with_body(request, operation, params, optional=True)
        params = _with_key(operation, key, params)
        return json_response(execution.execute(operation, principal, params))


def _with_key(operation: Operation, key: str, params: dict[str, Any]) -> dict[str, Any]:
    """The parameters with the key of the path; the same key may stand in the body as well."""
    found = read_key(operation.exposed, key)
    if "id" in params and str(params["id"]) != str(found):
        raise Invalid.field("id", "conflict", '"id" is another key than the path names')
    return {**params, "id": found}
