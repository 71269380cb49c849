"""One table: what an error is called on every channel (docs/errors.md; problem details: RFC 9457)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dataflow_nexus import exceptions
from dataflow_nexus.exceptions import NexusError


@dataclass(frozen=True, slots=True)
class Translation:
    """``status`` is REST's, ``exit_code`` the command line's."""

    status: int
    exit_code: int


TABLE: dict[type[NexusError], Translation] = {
    exceptions.Invalid: Translation(422, 2),
    exceptions.Malformed: Translation(400, 2),
    exceptions.UnsupportedMediaType: Translation(415, 2),
    exceptions.Unauthenticated: Translation(401, 3),
    exceptions.PermissionDenied: Translation(403, 4),
    exceptions.NotFound: Translation(404, 5),
    exceptions.MethodNotAllowed: Translation(405, 2),
    exceptions.NotAcceptable: Translation(406, 2),
    exceptions.Conflict: Translation(409, 6),
    exceptions.LimitExceeded: Translation(413, 7),
    exceptions.TableNotFound: Translation(503, 9),
    exceptions.Unavailable: Translation(503, 9),
    exceptions.DeadlineExceeded: Translation(504, 9),
    exceptions.Internal: Translation(500, 1),
}


def translate(error: NexusError) -> Translation:
    """The nearest entry along the error's class hierarchy."""
    for cls in type(error).__mro__:
        if cls in TABLE:
            return TABLE[cls]
    return TABLE[exceptions.Internal]


def problem(error: NexusError, request_id: str) -> dict[str, Any]:
    """The one error object, the same on every channel."""
    return {
        "type": f"urn:dataflow-nexus:error:{error.code}",
        "title": error.title,
        "status": translate(error).status,
        "detail": error.detail,
        "code": error.code,
        "errors": [
            {"field": item.field, "code": item.code, "message": item.message}
            for item in error.errors
        ],
        "request_id": request_id,
    }


def problem_json(error: NexusError, request_id: str) -> bytes:
    """The error object as JSON. A message may quote what nobody can encode; a lone surrogate stays an escape."""
    text = json.dumps(problem(error, request_id), ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")
