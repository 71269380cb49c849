"""What every channel over HTTP does with a request: its id, and the rest of a body that was refused."""

from __future__ import annotations

import random
import re
from contextlib import suppress

from django.http import HttpRequest

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_DRAINED = 65_536
"""Bytes of a refused body that are read all the same."""


def request_id(request: HttpRequest) -> str:
    """The id that the caller wished, else a new one: unique, not secret.

    No entropy of the system is spent on it (``random`` is seeded anew in a forked process).
    """
    wished = request.META.get("HTTP_X_REQUEST_ID", "")
    return wished if wished and _REQUEST_ID.fullmatch(wished) else f"{random.getrandbits(128):032x}"


def drain(request: HttpRequest) -> None:
    """Read what a refused request still has to say, if it is short: else its connection can't be kept."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and len(length) <= len(str(_DRAINED)) and int(length) <= _DRAINED:
        with suppress(OSError):
            request.read()
