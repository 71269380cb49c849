"""Runs a document's commands as a reader would type them, in a fresh clone: `python .ci/readme.py README.md …`.

Each fenced block says what becomes of it in a comment above it, which readers do not see:

`<!-- ci: run -->`           a shell block that must succeed; folder and environment carry over to the next one
`<!-- ci: serve -->`         a shell block that serves until the next `serve` or the end of the document
`<!-- ci: write FILE -->`    the block is a file
`<!-- ci: append FILE -->`   the block is the end of a file
`<!-- ci: output -->`        what the block before printed
`<!-- ci: skip REASON -->`   shown, and not run

A shell script in a comment of its own, `<!-- ci: hidden` … `-->`, makes what a reader has already. A block without a
comment is an error. README_PORT chooses another port than 8000.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROJECT = Path(__file__).resolve().parent.parent
PRINTED_PORT = "8000"
PORT = os.environ.get("README_PORT", PRINTED_PORT)
PATIENCE = 180
"""Seconds that a server has until it answers: the first one also makes its environment."""
LIMIT = 600
"""Seconds that one block may take."""
HIDDEN_VARIABLES = (
    "DATABASE_URL",
    "DJANGO_",
    "MAKE",
    "MFLAGS",
    "NEXUS_",
    "PYTEST_",
    "PYTHONPATH",
    "VIRTUAL_ENV",
)
"""What would choose an application, a database or an environment for the reader."""
BLOCK = re.compile(
    r"(?:<!-- ci: (?P<told>(?!hidden)[^\n]*?) -->\n+)?"
    r"^(?P<fence>```+)(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=fence)[ ]*$"
    r"|<!-- ci: hidden\n(?P<hidden>.*?)-->",
    re.MULTILINE | re.DOTALL,
)


class DocumentError(Exception):
    """A document whose commands do not work, or do not say what becomes of them."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block: what becomes of it, the rest of the comment, its text and its line."""

    action: str
    argument: str
    text: str
    line: int


def blocks(document: str) -> Iterator[Block]:
    for match in BLOCK.finditer(document):
        line = document.count("\n", 0, match.start()) + 1
        if match["hidden"] is not None:
            yield Block(action="run", argument="", text=match["hidden"], line=line)
            continue
        if match["told"] is None:
            raise DocumentError(f"line {line}: no comment says what becomes of this block")
        action, _, argument = match["told"].partition(" ")
        if action not in ("run", "serve", "write", "append", "output", "skip"):
            raise DocumentError(f"line {line}: there is no {action!r} for a block")
        yield Block(action=action, argument=argument.strip(), text=match["text"], line=line)


class Session:
    """One reader: a clone, the folder they stand in, their environment, and the server in their other terminal."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        subprocess.run(
            ["git", "clone", "--quiet", "--no-hardlinks", str(PROJECT), str(self.clone)], check=True
        )
        self._exports = folder / "exports"
        self._place = folder / "place"
        self._printed = ""
        self._server: subprocess.Popen[str] | None = None
        self._log = folder / "server.log"
        self._place.write_text(str(self.clone))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN_VARIABLES)}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in kept.items()]
        self._exports.write_text("\n".join([*lines, f"export PORT={PORT}"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def do(self, block: Block) -> None:
        text = block.text.replace(PRINTED_PORT, PORT)
        if block.action == "run":
            self._run(text)
        elif block.action == "serve":
            self._serve(text)
        elif block.action == "output":
            self._compare(text)
        elif block.action in ("write", "append"):
            path = Path(self._place.read_text().strip()) / block.argument
            with path.open("w" if block.action == "write" else "a") as file:
                file.write(text)

    def _script(self, text: str, *, remember: bool) -> list[str]:
        parts = ["set -euo pipefail", f"source {self._exports}", f'cd "$(cat {self._place})"', text]
        if remember:
            parts += [f"export -p > {self._exports}", f"pwd > {self._place}"]
        return ["bash", "-c", "\n".join(parts)]

    def _run(self, text: str) -> None:
        done = subprocess.run(
            self._script(text, remember=True),
            check=False,
            env={},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
        )
        self._printed = done.stdout
        sys.stdout.write(done.stdout)
        if done.returncode:
            raise DocumentError(f"exit code {done.returncode}{self._server_log()}")

    def _compare(self, text: str) -> None:
        """Spaces and line feeds aside: an answer over HTTP does not end its line."""
        wanted, printed = ("".join(item.split()) for item in (text, self._printed))
        if wanted not in printed:
            raise DocumentError(
                f"the document prints\n{text}\nand the command printed\n{self._printed}"
            )

    def _serve(self, text: str) -> None:
        self._stop()
        with self._log.open("w") as log:
            self._server = subprocess.Popen(
                self._script(text, remember=False),
                env={},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        until = time.monotonic() + PATIENCE
        while not _answers():
            if self._server.poll() is not None or time.monotonic() > until:
                raise DocumentError(f"nothing is served{self._server_log()}")
            time.sleep(0.2)
        self._printed = self._log.read_text()

    def _server_log(self) -> str:
        return f"; the server said:\n{self._log.read_text()}" if self._log.exists() else ""

    def _stop(self) -> None:
        if self._server is not None and self._server.poll() is None:
            os.killpg(self._server.pid, signal.SIGINT)
            try:
                self._server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(self._server.pid, signal.SIGKILL)
                self._server.wait()
        self._server = None


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health/live", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def run(document: Path) -> None:
    found = list(blocks(document.read_text()))
    if _answers():
        raise DocumentError(f"port {PORT} is in use; README_PORT chooses another")
    with (
        tempfile.TemporaryDirectory(prefix="dataflow-nexus-readme-") as folder,
        Session(Path(folder)) as session,
    ):
        for block in found:
            place = f"{document}:{block.line}"
            print(f"--- {place}: {block.action} {block.argument}".rstrip(), flush=True)
            try:
                session.do(block)
            except (DocumentError, subprocess.TimeoutExpired) as error:
                raise DocumentError(f"{place}: {error}") from None
    print(f"{document}: {len(found)} blocks work as printed", flush=True)


if __name__ == "__main__":
    try:
        for name in sys.argv[1:]:
            run(Path(name))
    except DocumentError as error:
        sys.exit(f"readme: {error}")
