"""No setting of a server, a role or a session changes an answer."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from dataflow_nexus.dataflow.databases import entry
from testproject.pgtypes.models import Ranges
from testproject.shop.models import Everything
from tests.queries.compiling import FIELDS, Row, by_database, by_python, save, undone
from tests.strategies import EVERYTHING

SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "TimeZone": st.sampled_from(["America/New_York", "Asia/Kathmandu", "Pacific/Apia"]),
        "DateStyle": st.sampled_from(["German,DMY", "SQL,DMY", "Postgres,MDY", "ISO,DMY"]),
        "IntervalStyle": st.sampled_from(["sql_standard", "postgres_verbose", "iso_8601"]),
        "extra_float_digits": st.sampled_from(["-15", "0", "3"]),
        "bytea_output": st.just("escape"),
        "client_encoding": st.sampled_from(["LATIN1", "SQL_ASCII"]),
        "standard_conforming_strings": st.just("off"),
        "xmlbinary": st.just("hex"),
        "lc_numeric": st.just("C"),
    },
)


@contextmanager
def session(alias: str, settings: Mapping[str, str]) -> Iterator[None]:
    """A new connection in place of the thread's own, whose session starts with these settings."""
    before = connections[alias]
    connection = before.copy()
    given_options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    connection.settings_dict = copy.deepcopy(before.settings_dict)
    connection.settings_dict["OPTIONS"] = {"options": given_options}
    connections[alias] = connection
    try:
        with undone(alias):
            yield
    finally:
        connection.close()
        connections[alias] = before


CONSTANT = [name for name in FIELDS if name not in {"updated_at", "db_default_datetime"}]


@given(row=st.fixed_dictionaries(EVERYTHING), settings=SETTINGS)
def test_no_setting_of_a_session_changes_an_answer(
    on_postgresql: str, row: Row, settings: dict[str, str]
) -> None:
    def answers() -> list[Any]:
        save(Everything, on_postgresql, [row])
        with connections[on_postgresql].cursor() as cursor:
            cursor.execute(
                "INSERT INTO pgtypes_ranges (id, datetimes, dates, decimals)"
                " VALUES (1, '[2026-01-01 00:00:00+00,infinity)', '[2026-01-31,)', '[0.1,)')"
            )
        order = ["duration", "float", "datetime", "date", "binary", "time"]
        return [
            by_database(Everything, on_postgresql, fields=CONSTANT, order_by=order),
            by_python(Everything, on_postgresql, fields=CONSTANT, order_by=order),
            by_database(Ranges, on_postgresql),
            by_python(Ranges, on_postgresql),
        ]

    with session(on_postgresql, {}):
        expected = answers()
    with session(on_postgresql, settings):
        assert answers() == expected
    assert expected[0] == expected[1]


@pytest.mark.parametrize("level", ["DATABASE", "ROLE"])
def test_settings_of_a_database_or_a_role_change_no_answer(
    new_database: Callable[[], str], on_postgresql: str, level: str
) -> None:
    url = new_database()
    connection = connections[on_postgresql].copy()
    made = entry(url)
    role = "own_settings"
    connection.settings_dict = {**connection.settings_dict, **made, "OPTIONS": {}}
    changed = {
        "DateStyle": "'German, DMY'",
        "IntervalStyle": "'sql_standard'",
        "extra_float_digits": "-5",
        "TimeZone": "'Asia/Kathmandu'",
        "bytea_output": "'escape'",
        "work_mem": "'123MB'",
    }
    name = made["NAME"] if level == "DATABASE" else role
    with closing(connection.copy()) as administrator, administrator.cursor() as cursor:
        cursor.execute(f"DROP ROLE IF EXISTS {role}")
        cursor.execute(f"CREATE ROLE {role} LOGIN")
        for setting, value in changed.items():
            cursor.execute(f'ALTER {level} "{name}" SET {setting} = {value}')
    connection.settings_dict["USER"] = role
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SHOW work_mem")
        assert cursor.fetchone() == ("123MB",)  # they do apply
        cursor.execute(
            "SELECT 0.1::float8::text, '2026-01-31 00:00+00'::timestamptz::text,"
            " interval '1 month -1 day 2 hours'::text"
        )
        assert cursor.fetchone() == ("0.1", "2026-01-31 00:00:00+00", "1 mon -1 days +02:00:00")
