"""Standard input and output as wires of the protocol, out of everybody else's reach."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

Wires = tuple[BinaryIO, BinaryIO]


@contextmanager
def standard_streams() -> Iterator[Wires]:
    """The wire. While it is in use, what others print goes to standard error, and what they read is empty."""
    sys.stdout.flush()
    incoming, outgoing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    # closefd=False: a thread may still wait for a line when everything else has ended
    try:
        yield (
            os.fdopen(incoming, "rb", buffering=0, closefd=False),
            os.fdopen(outgoing, "wb", buffering=0, closefd=False),
        )
    finally:
        sys.stdout.flush()
        os.dup2(incoming, 0)
        os.dup2(outgoing, 1)
