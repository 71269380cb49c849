"""HTTP requests to the project, on the test's database."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import Client


@dataclass(frozen=True)
class Reply:
    """A response, read to its end."""

    response: HttpResponseBase
    body: bytes

    @property
    def status(self) -> int:
        return int(self.response.status_code)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def __getitem__(self, header: str) -> str:
        return str(self.response[header])

    def has(self, header: str) -> bool:
        return self.response.has_header(header)


Ask = Callable[..., Reply]


@pytest.fixture
def ask(database: str) -> Ask:
    """`ask("POST", "/api/products", {…}, Accept="…")`; a body that is no bytes is sent as JSON."""

    def request(method: str, path: str, body: Any = None, **headers: str) -> Reply:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        more: dict[str, Any] = {"headers": sent}
        if body is not None:
            more["content_type"] = sent.pop("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        response = Client(raise_request_exception=False).generic(method, path, body or b"", **more)
        streamed = getattr(response, "streaming_content", None)
        return Reply(response, response.content if streamed is None else b"".join(streamed))

    return request
