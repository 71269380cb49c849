"""Results and errors → HTTP responses. Results are sent as the bytes that the operation made."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import msgspec
from django.http import HttpRequest, HttpResponse

from dataflow_nexus.channels.errors import problem_json, translate
from dataflow_nexus.channels.keys import write_key
from dataflow_nexus.exceptions import MethodNotAllowed, NexusError, Unauthenticated
from dataflow_nexus.registry import Exposed

JSON = "application/json"
PROBLEM = "application/problem+json"


def json_response(body: bytes, status: int = 200) -> HttpResponse:
    """A whole answer, with its length: a server that is not told it would send the body in chunks."""
    response = HttpResponse(body, status=status, content_type=JSON)
    response["Content-Length"] = str(len(body))
    return response


def problem_response(error: NexusError, request_id: str) -> HttpResponse:
    """RFC 9457."""
    body, status = problem_json(error, request_id), translate(error).status
    response = HttpResponse(body, status=status, content_type=PROBLEM)
    if isinstance(error, MethodNotAllowed):
        response["Allow"] = ", ".join(error.allowed)
    elif isinstance(error, Unauthenticated):
        response["WWW-Authenticate"] = "Bearer"
    return response


def created_response(request: HttpRequest, exposed: Exposed, body: bytes) -> HttpResponse:
    """201 for a record, with its ``Location`` where the record shows its key."""
    return _located(request, exposed, json_response(body, 201), msgspec.json.decode(body))


def upserted_response(request: HttpRequest, exposed: Exposed, body: bytes) -> HttpResponse:
    """201 where the record was created, else 200."""
    if not body.startswith(b'{"created":true'):
        return json_response(body)
    record = msgspec.json.decode(body)["record"]
    return _located(request, exposed, json_response(body, 201), record)


def _located(
    request: HttpRequest, exposed: Exposed, response: HttpResponse, record: object
) -> HttpResponse:
    key = write_key(exposed, record) if isinstance(record, dict) else None
    if key is not None:
        folder = request.path.rpartition("/")[0]
        response["Location"] = f"{quote(folder)}/{quote(exposed.resource)}/{quote(key, safe=',~:')}"
    return response


def page_response(request: HttpRequest, pairs: list[tuple[str, str]], body: bytes) -> HttpResponse:
    """A page of records, with ``Link: rel="next"`` (RFC 8288) where there is a next one.

    ``next`` is the last name of the result, and a cursor holds no quotation mark.
    """
    response = json_response(body)
    cursor = body[body.rfind(b'"next":') + 7 : -1]
    if cursor.startswith(b'"'):
        kept = [(name, text) for name, text in pairs if name not in ("cursor", "offset")]
        query = urlencode([*kept, ("cursor", cursor[1:-1].decode())])
        response["Link"] = f'<{quote(request.path)}?{query}>; rel="next"'
    return response
