"""A table for which the database can make no more keys: a conflict that says so, and nothing is written."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from dataflow_nexus import Conflict
from dataflow_nexus.exceptions import KeysUsedUp
from dataflow_nexus.nexus import Nexus
from testproject.shop.models import Tag
from tests import routing
from tests.conftest import DATABASES

LAST = 2**63 - 1
SEQUENCE = "pg_get_serial_sequence('shop_tag', 'id')"
FREE = 10**9


@pytest.fixture(params=list(DATABASES))
def committed(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """A database whose last key of tags is used. Outside of a transaction, because SQLite gives that up."""
    alias = DATABASES[request.param]
    with django_db_blocker.unblock():
        before, routing.current = routing.current, alias
        with connections[alias].cursor() as cursor:
            if request.param == "sqlite":
                cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'shop_tag'")
                reset = "UPDATE sqlite_sequence SET seq = %s WHERE name = 'shop_tag'"
            else:
                cursor.execute("SELECT max(id) FROM shop_tag")
                reset = f"SELECT setval({SEQUENCE}, %s)"
            [last] = cursor.fetchone()
            cursor.execute(reset, [LAST])
            try:
                yield alias
            finally:
                Tag.objects.using(alias).filter(id__gte=FREE).delete()
                cursor.execute(reset, [last])
                routing.current = before


WRITES: list[tuple[str, dict[str, Any]]] = [
    ("TagCreate", {"name": "one more"}),
    ("TagUpsert", {"name": "one more", "conflict_on": ["name"]}),
    ("TagBulkCreate", {"data": [{"name": "one more"}]}),
    ("TagBulkCreate", {"data": [{"id": FREE, "name": "a"}, {"name": "b"}], "on_error": "continue"}),
    ("TagBulkUpsert", {"data": [{"name": "one more"}], "conflict_on": ["name"]}),
]


@pytest.mark.parametrize(("node", "params"), WRITES, ids=lambda value: str(value)[:40])
def test_the_database_can_make_no_more_keys(
    committed: str, nexus: Nexus, node: str, params: dict[str, Any]
) -> None:
    number = Tag.objects.using(committed).count()
    with pytest.raises(Conflict) as caught:
        nexus.execute(f"{node}Node", params)
    assert isinstance(caught.value, KeysUsedUp)
    assert 'no more keys for "tags"' in caught.value.detail
    assert Tag.objects.using(committed).count() == number
    made = nexus.execute("TagCreateNode", {"id": FREE, "name": "one with a key"})
    assert made["id"] == FREE


def test_the_last_key_can_be_given(run: Any) -> None:
    assert run("TagCreate", id=LAST, name="the last one")["id"] == LAST
