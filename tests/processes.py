"""Programs, commands and servers in processes of their own: what a user types, and what comes back."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent
NEXUS = str(Path(sys.executable).with_name("nexus"))
_OURS = ("DJANGO_", "NEXUS_", "DATABASE_URL", "PYTEST_", "PYTHONPATH")
_PATIENCE = 30


@dataclass(frozen=True)
class Ran:
    """What a process answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(**more: str) -> dict[str, str]:
    """This process's, less everything that chooses an application or a database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**kept, **more}


def command(*words: str, folder: Path, stdin: str | bytes = b"", **env: str) -> Ran:
    """Run a program to its end."""
    given = stdin.encode() if isinstance(stdin, str) else stdin
    done = subprocess.run(
        words,
        check=False,
        cwd=folder,
        env=environment(**env),
        input=given,
        capture_output=True,
        timeout=60,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def nexus(*words: str, folder: Path, stdin: str | bytes = b"", **env: str) -> Ran:
    """The `nexus` command."""
    return command(NEXUS, *words, folder=folder, stdin=stdin, **env)


def python(code: str, *, folder: Path, **env: str) -> Ran:
    """A program of this text."""
    return command(sys.executable, "-c", textwrap.dedent(code), folder=folder, **env)


def free_port() -> int:
    """A port that nothing listens on, below those that the system gives out by itself."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


@dataclass
class Server:
    """A server that runs."""

    process: "subprocess.Popen[str]"
    base: str
    started: float
    """When, by the monotonic clock."""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The status and the parsed body."""
        data = None if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if data else {}
        for name, value in headers.items():
            given[name.replace("_", "-")] = value
        request = urllib.request.Request(self.base + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as response:
                status, raw = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, raw = error.code, error.read()
        try:
            return status, json.loads(raw)
        except ValueError:
            return status, raw.decode()

    def ask_patiently(self, method: str, path: str) -> tuple[int, Any]:
        """The same, again while nobody answers."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return self.ask(method, path)
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def stop(self) -> str:
        """What it printed, once it has ended as asked."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.communicate(timeout=_PATIENCE)[0]


@contextmanager
def serving(*words: str, folder: Path, port: int, **env: str) -> Iterator[Server]:
    """A program that serves on a port, from its first answer to the end of the block."""
    started = time.monotonic()
    with subprocess.Popen(
        words,
        cwd=folder,
        env=environment(**env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(process, base)
            yield Server(process, base, started)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(_PATIENCE)


def _wait(process: "subprocess.Popen[str]", base: str) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise AssertionError(f"the server ended: {process.communicate()[0]}")
        try:
            urllib.request.urlopen(f"{base}/health/live", timeout=_PATIENCE).close()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"the server answered {error.code}") from error
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError(f"no server on {base}")
