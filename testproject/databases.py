"""Django's DATABASES entries from a database URL, as the shop and the tests want them."""

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

POOL = {"min_size": 1, "max_size": 8, "timeout": 5, "reconnect_timeout": 5}


def sqlite(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Write-ahead log and immediate transactions: readers never wait, writers queue."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def postgresql(url: str) -> dict[str, Any]:
    """Pooled connections: CONN_MAX_AGE has to be 0 with Django's pool."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        # A socket folder is given as ?host=/path, since it can't stand before the slash.
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": query.pop("port", str(parts.port or "")),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"pool": dict(POOL), **query},
    }


def from_url(url: str) -> dict[str, Any]:
    """`sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host/name`.

    Raises ValueError for any other scheme.
    """
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        return sqlite(unquote(rest.removeprefix("/")))
    if scheme in ("postgresql", "postgres"):
        return postgresql(url)
    raise ValueError(f"unknown database scheme {scheme!r}: use sqlite:/// or postgresql://")
