"""A deadline on our side: one watchdog thread cancels operations that a database does not finish in time.

The database's own statement timeout does not help when the server is frozen or the network is gone. At the deadline the
running statement is cancelled; if that does not help within a grace period, the socket is shut down.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import connections

GRACE = 2.0
"""Seconds between the cancellation and the end of the connection."""
_TICK = 0.25
"""How late a deadline may be noticed, in seconds."""


class _Watched:
    __slots__ = ("cancelled", "connection", "deadline", "thread")

    def __init__(self, connection: Any, deadline: float) -> None:
        self.connection = connection
        self.deadline = deadline
        self.thread = threading.get_ident()
        self.cancelled = False


class _Watchdog:
    """Looks at the running operations of this process a few times a second; started by the first one."""

    def __init__(self) -> None:
        self._running: dict[int, _Watched] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, watched: _Watched) -> None:
        self._running[id(watched)] = watched
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(
                        target=self._run, name="dataflow-nexus-deadlines", daemon=True
                    )
                    self._thread.start()

    def remove(self, watched: _Watched) -> None:
        self._running.pop(id(watched), None)

    def hasten(self, thread: int) -> None:
        for watched in list(self._running.values()):
            if watched.thread == thread and not watched.cancelled:
                watched.deadline = 0.0  # for the watchdog, where there is no connection yet
                self._expire(watched)

    def _run(self) -> None:
        while True:
            time.sleep(_TICK)
            now = time.monotonic()
            for watched in list(self._running.values()):
                if watched.deadline <= now:
                    self._expire(watched)

    def _expire(self, watched: _Watched) -> None:
        raw = watched.connection.connection
        if raw is None:
            return
        with self._lock:
            now = time.monotonic()
            if watched.deadline > now:  # somebody else has just cancelled it
                return
            cut, watched.cancelled = watched.cancelled, True
            watched.deadline = now + GRACE
        if cut:
            self.remove(watched)
            _cut(raw)
            return
        thread = threading.Thread(
            target=_cancel, args=(raw,), name="dataflow-nexus-cancel", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # the interpreter ends: no thread can be started any more
            _cancel(raw)


def _cancel(raw: Any) -> None:
    """Ask the database to stop; on a frozen server this may hang, so it has a thread of its own."""
    if hasattr(raw, "interrupt"):
        raw.interrupt()
        return
    from psycopg import Error  # only where PostgreSQL is in use

    with suppress(
        Error, OSError
    ):  # the operation may just have ended: then there is nothing to cancel
        raw.cancel_safe(timeout=GRACE)


def _cut(raw: Any) -> None:
    fileno = getattr(raw, "fileno", None)
    if fileno is None:
        return
    with suppress(OSError), socket.socket(fileno=os.dup(fileno())) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)


_watchdog = _Watchdog()


@contextmanager
def within(alias: str, seconds: float) -> Iterator[None]:
    """Cancel whatever the current thread's connection runs when ``seconds`` have passed."""
    watched = _Watched(connections[alias], time.monotonic() + seconds)
    _watchdog.add(watched)
    try:
        yield
    finally:
        _watchdog.remove(watched)


def cancel(thread: int) -> None:
    """Cancel what the thread with this identifier runs now: nobody waits for it any more."""
    _watchdog.hasten(thread)
