"""`nexus mcp` as a client starts it, and small projects for it to serve."""

import json
import subprocess
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import processes, projects
from tests.channels.mcp.client import request

SOON = 60.0
"""Seconds in which a process ends that has nothing to wait for, on a machine that has other things to do."""
PATIENCE = 120.0
BEGIN = request(
    "initialize",
    {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "tests", "version": "1"},
    },
    number=0,
)
STARTED = {"jsonrpc": "2.0", "method": "notifications/initialized"}
OPEN = {"MODELS": ["library.*"], "AUTO_DISCOVERY": True, "AUTHENTICATION_REQUIRED": False}


class Program:
    """A `nexus mcp` that runs."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def send(self, *messages: object) -> None:
        assert self.process.stdin is not None
        for message in messages:
            raw = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.process.stdin.write(raw + b"\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        return json.loads(self.receive_line())

    def receive_line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def ask(self, method: str, params: Any = None, number: object = 1) -> Any:
        self.send(request(method, params, number))
        found = self.receive()
        assert found["id"] == number, found
        return found

    def begin(self) -> Any:
        self.send(BEGIN)
        found = self.receive()
        self.send(STARTED)
        return found["result"]

    def end(self) -> tuple[int, bytes, bytes]:
        """Close its input: the exit code, and what it still wrote."""
        out, err = self.process.communicate(timeout=SOON)
        return self.process.returncode, out, err


@contextmanager
def program(folder: Path, *words: str, **env: str) -> Iterator[Program]:
    with subprocess.Popen(
        [processes.NEXUS, "mcp", *words],
        cwd=folder,
        env=processes.environment(
            **{
                "DJANGO_SETTINGS_MODULE": "site_settings",
                "PYTHONUNBUFFERED": "",  # what is printed may wait until the end
                **env,
            }
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        patience = threading.Timer(PATIENCE, process.kill)  # an answer that never comes
        patience.start()
        try:
            yield Program(process)
        finally:
            patience.cancel()
            if process.poll() is None:
                process.kill()


def project(
    folder: Path, nexus: dict[str, Any] = OPEN, hooks: str = "", **more: str
) -> dict[str, str]:
    env = projects.make(folder, nexus, **more)
    if hooks:
        (folder / "library" / "nexus.py").write_text(textwrap.dedent(hooks))
    return env


def value(answer: Any) -> Any:
    return json.loads(answer["result"]["content"][0]["text"])
