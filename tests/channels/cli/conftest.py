"""The `nexus` command in this process, on the test's database."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dataflow_nexus.channels.cli.output import Streams
from dataflow_nexus.launching.finding import Target
from dataflow_nexus.launching.main import run


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        assert (self.code, self.err) == (0, "")
        return json.loads(self.out)


Cli = Callable[..., Ran]


@pytest.fixture
def cli(database: str) -> Cli:
    """`cli("products", "list", terminal=True)`"""

    def command(
        *words: str, stdin: bytes = b"", terminal: bool = False, watched: bool = False
    ) -> Ran:
        out, err = io.BytesIO(), io.StringIO()
        streams = Streams(
            out=out, err=err, input=io.BytesIO(stdin), terminal=terminal, progress=watched
        )
        code = run(words, streams, lambda _: Target(folder=Path.cwd()))
        return Ran(code, out.getvalue(), err.getvalue())

    return command
