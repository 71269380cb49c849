"""A bare Django view that runs our own statement with a raw cursor: the floor under everything that we add to it.

The statements are captured from our channel when the server starts, so they are always the same SQL.
"""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from benchmarks.project.catalogue.models import Product

Statement = tuple[str, tuple[Any, ...]]

PAGE = 100
_MARK = 54_321
"""The key that the captured read asks for: where it stands among the parameters, the key goes."""
_statements: dict[str, Statement] = {}


def capture() -> None:
    """Run our list and our read once and keep their statements; each must be one."""
    assert Product.objects.filter(pk=_MARK).exists()
    _statements["list"] = _captured(f"/api/products?limit={PAGE}")
    _statements["read"] = _captured(f"/api/products/{_MARK}")
    assert _MARK in _statements["read"][1]
    connection.close()


def _captured(address: str) -> Statement:
    seen: list[Statement] = []

    def note(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        seen.append((sql, tuple(params or ())))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        response = Client().get(address)
    if response.status_code != 200 or len(seen) != 1:
        raise RuntimeError(f"{address}: {response.status_code} in {len(seen)} statements")
    return seen[0]


def list_products(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(*_statements["list"])
        records = [row[0] for row in cursor.fetchall()[:PAGE]]
    body = '{"records":[' + ",".join(records) + "]}"
    return HttpResponse(body.encode(), content_type="application/json")


def read_product(request: HttpRequest, key: int) -> HttpResponse:
    sql, params = _statements["read"]
    with connection.cursor() as cursor:
        cursor.execute(sql, [key if value == _MARK else value for value in params])
        [row] = cursor.fetchall()
    return HttpResponse(row[0].encode(), content_type="application/json")


urlpatterns = [
    path("products", list_products),
    path("products/<int:key>", read_product),
]
