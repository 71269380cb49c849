"""Requests from another process over kept connections, as fast as the answers come; every answer is checked."""

import json
import multiprocessing
import selectors
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection

CONNECTIONS = 8
HOST = "127.0.0.1"
_numbers = count(1)

Request = Callable[[], bytes]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One implementation of one case: how to ask it, and what a right answer begins with and holds."""

    name: str
    method: str
    path: str
    status: int
    holds: bytes
    body: Callable[[], object] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def request(self) -> bytes:
        content = b"" if self.body is None else json.dumps(self.body()).encode()
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(content)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        return (head + "Content-Type: application/json\r\n\r\n").encode() + content


def product() -> dict[str, object]:
    """A new product; its sku is new in this process and, by its time, in every other."""
    return {
        "sku": f"N{time.time_ns() % 10**12}-{next(_numbers) % 10**6}",
        "name": "A new product",
        "description": "Thing of the day, for every day and every season of the year.",
        "price": "12.50",
        "stock": 3,
        "active": True,
        "weight": 1.5,
        "category_id": 7,
    }


class Client:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, peer: Peer, request: bytes) -> None:
        self.send(request)
        self.receive(peer)

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def receive(self, peer: Peer) -> None:
        """Read the whole answer. Raises ``RuntimeError`` for a wrong one."""
        received = self.socket.recv(65_536)
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        head = received[:end].lower()
        whole = self._chunked(received) if b"chunked" in head else self._rest(received, head)
        if not head.startswith(b"http/1.1 %d" % peer.status) or peer.holds not in whole:
            raise RuntimeError(f"{peer.name}: {whole[:300]!r}")

    def _rest(self, received: bytes, head: bytes) -> bytes:
        at = head.index(b"content-length:") + 15
        missing = int(head[at:].split(b"\r\n", 1)[0]) - (len(received) - len(head) - 4)
        parts = [received]
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        return b"".join(parts)

    def _chunked(self, received: bytes) -> bytes:
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received += self._more()
        return received

    def _more(self) -> bytes:
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise RuntimeError("the server closed the connection")
        return chunk

    def close(self) -> None:
        self.socket.close()


def rate(port: int, peer: Peer, seconds: float) -> float:
    """Requests per second over ``CONNECTIONS`` connections."""
    return _elsewhere(_rate, port, peer, seconds)


def duration(port: int, peer: Peer) -> float:
    """Seconds that one request takes, its body made before."""
    return _elsewhere(_duration, port, peer, 0)


def _elsewhere(
    work: Callable[[int, Peer, float], float], port: int, peer: Peer, seconds: float
) -> float:
    """Work in a process of its own, so that asking and answering share no interpreter."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=_report, args=(sender, work, port, peer, seconds))
    process.start()
    found = receiver.recv()
    process.join()
    if isinstance(found, str):
        raise RuntimeError(found)
    return float(found)


def _report(
    sender: Connection,
    work: Callable[[int, Peer, float], float],
    port: int,
    peer: Peer,
    seconds: float,
) -> None:
    try:
        sender.send(work(port, peer, seconds))
    except (RuntimeError, OSError, ValueError) as error:
        sender.send(str(error))


def _rate(port: int, peer: Peer, seconds: float) -> float:
    """One thread that waits for all connections: threads would take turns at what the servers need."""
    clients = [Client(port) for _ in range(CONNECTIONS)]
    fixed = peer.request() if peer.body is None else None
    done = 0
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
        start = time.perf_counter()
        stop = start + seconds
        for client in clients:
            client.send(fixed or peer.request())
        waiting = len(clients)
        while waiting:
            for key, _ in selector.select():
                key.data.receive(peer)
                done += 1
                if time.perf_counter() < stop:
                    key.data.send(fixed or peer.request())
                else:
                    waiting -= 1
        taken = time.perf_counter() - start
    for client in clients:
        client.close()
    return done / taken


def _duration(port: int, peer: Peer, seconds: float) -> float:  # the shape of work
    client, request = Client(port), peer.request()
    start = time.perf_counter()
    client.ask(peer, request)
    taken = time.perf_counter() - start
    client.close()
    return taken
