"""granian, embedded: WSGI on worker processes. Knows no application, only a callable that loads it."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dataflow_nexus.exceptions import ConfigurationError

THREADS = 16
"""Requests that one worker runs at a time; others wait. Connections are bounded by the pool."""
STOP_AFTER = 10
"""Seconds that running requests have to end when the server stops."""
_SERVER = "NEXUS_SERVER_PID"
"""Where workers read which process started them."""


class AddressUnusable(ConfigurationError):
    """Nothing can be served there: another program has the port, or the host is not this machine."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to serve, and with how many processes."""

    host: str
    port: int
    workers: int

    def __post_init__(self) -> None:
        for name, least, most in (("port", 0, 65535), ("workers", 1, 1024)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                message = f"{name} must be a whole number from {least} to {most}, not {value!r}"
                raise ConfigurationError(message)
        host: object = self.host
        if not isinstance(host, str) or not host:
            raise ConfigurationError(f"host must be a name or an address, not {host!r}")

    @property
    def base(self) -> str:
        """``http://127.0.0.1:8000``."""
        return (
            f"http://[{self.host}]:{self.port}"
            if ":" in self.host
            else f"http://{self.host}:{self.port}"
        )


def in_worker() -> bool:
    """Whether this process is a worker that loads the app file again (the spawn start method)."""
    return os.environ.get(_SERVER) == str(os.getppid())


def free(address: Address) -> Address:
    """The address with its numbers filled in. Raises ``AddressUnusable`` where it is in use.

    Asked without SO_REUSEPORT, with which a second server would quietly share the port.
    """
    host = address.host.strip("[]")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise AddressUnusable(f"host {address.host!r} is no address of this machine") from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
            probe.listen(1)
        except OSError as error:
            reason = (error.strerror or "it can't be used").lower()
            raise AddressUnusable(
                f"can't serve on {address.base}: {reason}; --port (or run(port=…)) chooses another"
            ) from None
        return replace(address, host=str(place[0]), port=int(probe.getsockname()[1]))


def serve(
    load: Callable[[], Callable[..., Any]], address: Address, banner: Callable[[str], list[str]]
) -> None:
    """Serve until SIGINT or SIGTERM; running requests end first.

    ``load`` gives the WSGI application in each worker. Forked workers inherit what this process has
    loaded, which holds no connection; spawned ones load it again, so ``load`` is a module's function.
    """
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    bound = free(address)
    os.environ[_SERVER] = str(os.getpid())
    shown = replace(bound, host=address.host)
    server = Granian(
        target="dataflow_nexus",
        address=bound.host,
        port=bound.port,
        interface=Interfaces.WSGI,
        workers=address.workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_AFTER,
        log_level=LogLevels.error,
        websockets=False,
    )
    server.on_startup(
        lambda: _say([*banner(shown.base), f"serving on {shown.base} (Ctrl-C stops)"])
    )
    server.serve(target_loader=partial(_loaded, load), wrap_loader=False)


def _loaded(load: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """The application in a worker, which leaves Ctrl-C to the process that started it.

    A terminal sends SIGINT to both, and a worker that is told twice to stop does not end by itself.
    """
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    return load()


def _say(lines: list[str]) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
