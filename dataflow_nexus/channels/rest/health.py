"""Probes, and a page of links at the root until the explorer is built."""

from __future__ import annotations

import threading
import time
from contextlib import closing, suppress
from html import escape

from django.db import Error, connections, router
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from ninja import NinjaAPI

from dataflow_nexus.channels.rest.resources import READING
from dataflow_nexus.channels.rest.responses import json_response
from dataflow_nexus.exceptions import Unavailable
from dataflow_nexus.operations.base import Catalog

READY_SECONDS = 2.0
_OK = b'{"status":"ok"}'


def add(api: NinjaAPI, catalog: Catalog) -> None:
    probe = Probe()

    @api.api_operation(READING, "/")
    def root_page(request: HttpRequest) -> HttpResponse:
        return HttpResponse(_page(catalog, request))

    @api.api_operation(READING, "/health/live")
    def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Ninja passes it
        return json_response(_OK)

    @api.api_operation(READING, "/health/ready")
    def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Ninja passes it
        probe.check(aliases(catalog))
        return json_response(_OK)


def aliases(catalog: Catalog) -> list[str]:
    """The databases that the exposed models are read from and written to."""
    found: dict[str, None] = {}
    for exposed in catalog.registry:
        if exposed.alias is not None:
            found[exposed.alias] = None
        else:
            found[router.db_for_read(exposed.model)] = None
            found[router.db_for_write(exposed.model)] = None
    return list(found)


class Probe:
    """Asks databases whether they answer, each in a thread of its own: a database that hangs holds
    up no probe, and never more than one thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, _Question] = {}

    def check(self, names: list[str], seconds: float = READY_SECONDS) -> None:
        """Raises ``Unavailable`` naming the databases that did not answer within ``seconds``."""
        questions = [self._ask(name) for name in names]
        until = time.monotonic() + seconds
        failed = [asked.alias for asked in questions if not asked.answered(until)]
        if failed:
            raise Unavailable(f"no answer from the database {', '.join(failed)}")

    def _ask(self, name: str) -> _Question:
        with self._lock:
            running = self._running.get(name)
            if running is None or running.done.is_set():
                running = self._running[name] = _Question(name)
                threading.Thread(target=running.run, daemon=True).start()
            return running


class _Question:
    """One ``SELECT 1``. Several probes at a time wait for the same one."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.done = threading.Event()
        self._succeeded = False

    def run(self) -> None:
        connection = connections[self.alias]
        try:
            with closing(connection), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            self._succeeded = True
        except (Error, OSError):
            self._succeeded = False
        finally:
            self.done.set()

    def answered(self, until: float) -> bool:
        return self.done.wait(max(0.0, until - time.monotonic())) and self._succeeded


def _page(catalog: Catalog, request: HttpRequest) -> str:
    configuration = catalog.configuration
    root = request.path.rstrip("/") + configuration.api_prefix
    links: dict[str, str] = {}
    if configuration.enable_api and configuration.auto_generate_endpoints:
        links[f"{root}/docs"] = "API documentation"
        links[f"{root}/openapi.json"] = "OpenAPI document"
        links[f"{root}/workflows"] = "Workflows"
    with suppress(NoReverseMatch):  # the admin is not installed
        links[reverse("admin:index")] = "Admin"
    items = "".join(
        f'<li><a href="{escape(url)}">{escape(text)}</a></li>' for url, text in links.items()
    )
    title = escape(configuration.title)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body><h1>{title}</h1><ul>{items}</ul></body></html>"
    )
