"""Database URLs become entries of DATABASES, and mistakes never repeat a password."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from dataflow_nexus.dataflow.databases import entry
from dataflow_nexus.exceptions import ConfigurationError

PLACE = ("USER", "PASSWORD", "HOST", "PORT", "NAME")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@h:6/n", ("u", "p", "h", "6", "n")),
        ("postgres://u@h/n", ("u", "", "h", "", "n")),
        ("POSTGRESQL://h/n", ("", "", "h", "", "n")),
        ("postgresql:///n?host=/run/pg&port=7&user=u&password=p", ("u", "p", "/run/pg", "7", "n")),
        ("postgresql://h?dbname=n", ("", "", "h", "", "n")),
        ("postgresql://a%40b:p%2F%23%3A@h/n%20m", ("a@b", "p/#:", "h", "", "n m")),
        ("postgresql://u@[::1]:6/n", ("u", "", "::1", "6", "n")),
    ],
)
def test_postgresql(url: str, expected: tuple[str, ...]) -> None:
    found = entry(url)
    assert found["ENGINE"] == "django.db.backends.postgresql"
    assert tuple(found[name] for name in PLACE) == expected


def test_the_session_prints_values_in_one_way() -> None:
    options = entry("postgresql://h/n?options=-c%20search_path%3Dx&sslmode=require")["OPTIONS"]
    assert options["sslmode"] == "require"
    for setting in (
        "DateStyle=ISO,YMD",
        "IntervalStyle=postgres",
        "extra_float_digits=1",
        "TimeZone=UTC",
    ):
        assert f"-c {setting}" in options["options"]
    assert options["options"].startswith("-c search_path=x ")  # the last setting of a name holds


@pytest.mark.parametrize(
    ("size", "overflow", "largest"), [(None, None, 10), (20, 30, 50), (1, None, 1), (5, 0, 5)]
)
def test_the_pool_is_bounded(size: int | None, overflow: int | None, largest: int) -> None:
    pool = entry("postgresql://h/n", size, overflow)["OPTIONS"]["pool"]
    assert (pool["min_size"], pool["max_size"]) == (0, largest)


@pytest.mark.parametrize(("given", "seconds"), [(None, 5.0), (2, 2.0), (0.5, 0.5)])
def test_nobody_waits_long_for_a_connection(given: float | None, seconds: float) -> None:
    options = entry("postgresql://h/n", pool_timeout=given)["OPTIONS"]
    assert (options["pool"]["timeout"], options["pool"]["reconnect_timeout"]) == (seconds, seconds)
    assert options["connect_timeout"] == "5"
    assert entry("postgresql://h/n?connect_timeout=9")["OPTIONS"]["connect_timeout"] == "9"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0, None), "pool_size must be at least 1, not 0"),
        ((True, None), "pool_size must be a whole number, not bool"),
        (("5", None), "pool_size must be a whole number, not str"),
        ((5, -1), "pool_max_overflow must be at least 0, not -1"),
        ((5, 1.5), "pool_max_overflow must be a whole number, not float"),
        ((5, 1, 0), "pool_timeout must be positive, not 0"),
        ((5, 1, float("inf")), "pool_timeout must be positive, not inf"),
        ((5, 1, True), "pool_timeout must be a number, not bool"),
        ((5, 1, "5"), "pool_timeout must be a number, not str"),
    ],
)
def test_pools_that_are_wrong(given: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        entry("postgresql://h/n", *given)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////tmp/a.db", "/tmp/a.db"),
        ("sqlite:///a.db", str(Path.cwd() / "a.db")),
        ("sqlite:///dir/a%20b.db", str(Path.cwd() / "dir" / "a b.db")),
    ],
)
def test_sqlite(url: str, path: str) -> None:
    found = entry(url)
    assert (found["ENGINE"], found["NAME"]) == ("django.db.backends.sqlite3", path)
    assert found["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "no URL"),
        (None, "database_url must be text, not NoneType"),
        (5, "database_url must be text, not int"),
        ("shop.db", "no URL|unknown scheme"),
        ("mysql://h/n", 'unknown scheme "mysql"'),
        ("postgresq://h/n", 'did you mean "postgresql"'),
        ("postgresql+psycopg2://h/n", 'names a driver .*write "postgresql://…"'),
        ("postgresql:h/n", "must be postgresql://"),
        ("postgresql://h", "database_url names no database"),
        ("postgresql://u:secret@h:x/n", "the port in database_url must be a number"),
        ("postgresql://u:secret@h:0/n", "the port in database_url must be a number"),
        ("postgresql://u:secret@h:99999/n", "the port in database_url must be a number"),
        ("postgresql://u:sec#ret@h/n", "special characters is percent-encoded"),
        ("postgresql://u:secret@[h/n", "special characters is percent-encoded"),
        ("postgresql://u:secret@h/n?sslmod=x", 'unknown option "sslmod" — did you mean "sslmode"?'),
        ("sqlite://a.db", "has three slashes"),
        ("sqlite:///", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("sqlite:///file:a?mode=ro", "takes no options|must be a file"),
        ("sqlite:///a.db?mode=ro", "takes no options"),
    ],
)
def test_urls_that_are_wrong(url: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        entry(url)
    assert "secret" not in str(raised.value)
    assert "sec#ret" not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["a.db", "a b.db", "what?.db", "a#b.db", "50%.db", "%41.db", "mode=memory.db", "ü;'.db"]
)
def test_a_file_that_must_exist_is_never_made(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    found = entry(f"sqlite:///{quote(str(path))}", must_exist=True)["NAME"]
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        sqlite3.connect(found, uri=True)
    assert not list(tmp_path.iterdir())
    sqlite3.connect(path).close()
    opened = sqlite3.connect(found, uri=True)
    assert opened.execute("PRAGMA database_list").fetchone()[2] == str(path)
    opened.close()
