"""A way to a database server that can be closed and opened again: to those behind it, the server is down meanwhile."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit, urlunsplit

from tests.processes import free_port


class Gate:
    """Passes TCP connections on to the server of a URL; ``url`` is the same database through the gate."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket_folder = parse_qs(parts.query).get("host", [""])[0]
        self._there = (parts.hostname or "localhost", parts.port or 5432)
        self._port = free_port()
        user = parts.netloc.rpartition("@")[0]
        netloc = f"{user}@127.0.0.1:{self._port}"
        self.url = urlunsplit(parts._replace(netloc=netloc, query=""))
        self._listening: socket.socket | None = None
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self._port), backlog=64)
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def close(self) -> None:
        """Refuse new connections and end the others."""
        if self._listening is not None:
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for end in list(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near = listening.accept()[0]
                far = self._connect()
                for source, target in ((near, far), (far, near)):
                    self._open.add(source)
                    threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    def _connect(self) -> socket.socket:
        if not self._socket_folder:
            return socket.create_connection(self._there)
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{self._socket_folder}/.s.PGSQL.{self._there[1]}")
        return far

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()
