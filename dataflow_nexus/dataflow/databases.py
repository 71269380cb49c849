"""Database URLs → entries of Django's ``DATABASES``. Opens nothing; never repeats a password."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from dataflow_nexus.conf import POSTGRESQL_SESSION
from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.registry import nearest

DEFAULT_POOL_SIZE = 10
DEFAULT_MAX_OVERFLOW = 0
DEFAULT_POOL_TIMEOUT = 5.0
"""Seconds that a request waits for a connection, and that the pool tries again before it lets go of one."""
_CONNECT_TIMEOUT = "5"
_SQLITE_TIMEOUT = 20
_POSTGRESQL = ("postgresql", "postgres")
_SCHEMES = ("postgresql", "postgres", "sqlite")
_LIBPQ = frozenset(
    {
        "sslmode",
        "sslcert",
        "sslkey",
        "sslrootcert",
        "sslcrl",
        "sslpassword",
        "sslnegotiation",
        "sslsni",
        "sslcompression",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "channel_binding",
        "gssencmode",
        "krbsrvname",
        "gsslib",
        "require_auth",
        "target_session_attrs",
        "load_balance_hosts",
        "connect_timeout",
        "application_name",
        "fallback_application_name",
        "client_encoding",
        "options",
        "keepalives",
        "keepalives_idle",
        "keepalives_interval",
        "keepalives_count",
        "tcp_user_timeout",
        "passfile",
        "service",
        "requirepeer",
        "hostaddr",
    }
)
"""Parameters of a PostgreSQL URL that libpq takes (PostgreSQL documentation, 34.1.2)."""


def entry(
    url: object,
    pool_size: int | None = None,
    pool_max_overflow: int | None = None,
    pool_timeout: float | None = None,
    *,
    must_exist: bool = False,
) -> dict[str, Any]:
    """The ``DATABASES`` entry of a URL.

    ``postgresql://user:password@host:port/name?sslmode=require`` (``postgres://`` too), ``sqlite:///relative.db`` or
    ``sqlite:////absolute.db``; parts are percent-decoded. A file that ``must_exist`` is never made. SQLite has no
    pool, so its numbers are checked and bound nothing: each thread keeps one connection. Raises
    ``ConfigurationError``, which never holds a password.
    """
    if not isinstance(url, str):
        raise ConfigurationError(f"database_url must be text, not {type(url).__name__}")
    scheme = url.partition(":")[0].lower()
    pool = _pool(pool_size, pool_max_overflow, pool_timeout)
    if scheme in _POSTGRESQL and url.partition(":")[2].startswith("//"):
        return _postgresql(url, pool)
    if scheme == "sqlite" and url.partition(":")[2].startswith("//"):
        return sqlite_entry(_sqlite_path(url), must_exist=must_exist)
    base, _, driver = scheme.partition("+")
    if driver and base in _SCHEMES:
        raise ConfigurationError(f'database_url names a driver ("{scheme}"); write "{base}://…"')
    known = (
        f'unknown scheme "{scheme}"{nearest(scheme, _SCHEMES)}'
        if re.fullmatch(r"[a-z0-9.+-]+", scheme)
        else "no URL"
    )
    raise ConfigurationError(f"database_url must be postgresql://… or sqlite:///…: {known}")


# --- SQLite ----------------------------------------------------------------------------------------------------------


def _sqlite_path(url: str) -> Path:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError("database_url is not a URL") from None
    if parts.netloc:
        raise ConfigurationError(
            "an SQLite URL has three slashes: sqlite:///relative.db or sqlite:////absolute.db"
        )
    if parts.query or parts.fragment:
        raise ConfigurationError("an SQLite URL takes no options")
    path = unquote(parts.path.removeprefix("/"))
    if path in ("", ":memory:") or path.startswith("file:"):
        raise ConfigurationError(
            "an SQLite database must be a file: each thread would have its own :memory: database"
        )
    return Path(path)


def sqlite_entry(path: Path, *, must_exist: bool = False) -> dict[str, Any]:
    """Writers queue instead of failing half-way. The journal mode is the file's own: changing it would be a write."""
    path = path.absolute()
    # https://www.sqlite.org/uri.html: the mode rw opens what is there and makes nothing
    uri = f"file://{quote(os.fsencode(path))}?mode=rw"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": uri if must_exist else str(path),
        # One connection per thread of the server, and those are bounded.
        "CONN_MAX_AGE": None,
        "OPTIONS": {"timeout": _SQLITE_TIMEOUT, "transaction_mode": "IMMEDIATE"},
    }


# --- PostgreSQL ------------------------------------------------------------------------------------------------------


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(
            "database_url is not a URL (a password with special characters is percent-encoded)"
        ) from None
    try:
        port = parts.port
    except ValueError:
        raise ConfigurationError(
            "the port in database_url must be a number from 1 to 65535"
            " (a password with special characters is percent-encoded)"
        ) from None
    if port == 0:
        raise ConfigurationError("the port in database_url must be a number from 1 to 65535")
    return parts, port


def _postgresql(url: str, pool: dict[str, Any]) -> dict[str, Any]:
    parts, port = _split(url)
    if parts.fragment:
        raise ConfigurationError(
            "database_url holds a '#': a password with special characters is percent-encoded"
        )
    options = dict(_options(parts.query))
    name = unquote(parts.path.removeprefix("/")) or options.pop("dbname", "")
    if not name:
        raise ConfigurationError(
            "database_url names no database: postgresql://user:password@host:5432/name"
        )
    options.setdefault("connect_timeout", _CONNECT_TIMEOUT)
    session = f"{options.pop('options', '')} {POSTGRESQL_SESSION}".strip()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": options.pop("user", "") or unquote(parts.username or ""),
        "PASSWORD": options.pop("password", "") or unquote(parts.password or ""),
        # A folder with a socket comes as ?host=/folder, since it cannot stand before the path.
        "HOST": options.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": options.pop("port", "") or (str(port) if port else ""),
        # Django's pool wants connections returned at the end of each request.
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"pool": pool, "options": session, **options},
    }


def _pool(size: int | None, overflow: int | None, timeout: float | None) -> dict[str, Any]:
    """The options of psycopg's pool.

    A connection that can't be made is given up after ``timeout`` as well: with the pool's own five minutes it would be
    tried at ever longer intervals, and a server that is back would stay unused for up to two minutes.
    """
    largest = _largest(size, overflow)
    timeout = DEFAULT_POOL_TIMEOUT if timeout is None else timeout
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise ConfigurationError(f"pool_timeout must be a number, not {type(timeout).__name__}")
    if not 0 < timeout < math.inf:
        raise ConfigurationError(f"pool_timeout must be positive, not {timeout}")
    return {
        "min_size": 0,
        "max_size": largest,
        "timeout": float(timeout),
        "reconnect_timeout": float(timeout),
    }


def _largest(pool_size: int | None, pool_max_overflow: int | None) -> int:
    size = DEFAULT_POOL_SIZE if pool_size is None else pool_size
    overflow = DEFAULT_MAX_OVERFLOW if pool_max_overflow is None else pool_max_overflow
    for name, value, least in (("pool_size", size, 1), ("pool_max_overflow", overflow, 0)):
        if isinstance(value, bool) or not isinstance(value, int):
            raise ConfigurationError(f"{name} must be a whole number, not {type(value).__name__}")
        if value < least:
            raise ConfigurationError(f"{name} must be at least {least}, not {value}")
    return size + overflow


def _options(query: str) -> Iterable[tuple[str, str]]:
    known = _LIBPQ | {"host", "port", "user", "password", "dbname"}
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key not in known:
            raise ConfigurationError(f'database_url: unknown option "{key}"{nearest(key, known)}')
        yield key, value
