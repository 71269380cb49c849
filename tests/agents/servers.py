"""The sample shop behind other people's servers, and what the operating system says of their processes."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import NEXUS, PROJECT, Server, free_port, serving

SETTINGS = "testproject.settings"
SERVERS = ("granian", "gunicorn", "uvicorn")


def words(server: str, port: int) -> list[str]:
    """The command: granian as `nexus run` starts it, gunicorn with one sync worker, uvicorn with Django's own ASGI."""
    if server == "granian":
        return [NEXUS, "run", "--port", str(port)]
    if server == "gunicorn":
        options = ["--workers", "1", "--worker-class", "sync", "--bind", f"127.0.0.1:{port}"]
        return [sys.executable, "-m", "gunicorn", *options, "testproject.wsgi:application"]
    assert server == "uvicorn"
    options = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", *options, "testproject.asgi:application"]


@contextmanager
def served(server: str, url: str, settings: str = SETTINGS) -> Iterator[Server]:
    """The shop on the database of the address, from the server's first answer to the end of the block."""
    port = free_port()
    chosen = {"DJANGO_SETTINGS_MODULE": settings, "NEXUS_TEST_DATABASE_URL": url}
    with serving(*words(server, port), folder=PROJECT, port=port, **chosen) as running:
        yield running


def endpoint(server: Server, query: str = "") -> str:
    return f"{server.base}/mcp{query}"


def children(pid: int) -> list[int]:
    """The processes that a process has started and that still run."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def resident(pid: int) -> float:
    """The memory that a process holds, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
