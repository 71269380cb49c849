"""Filters over types that PostgreSQL alone has."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from dataflow_nexus import Invalid
from dataflow_nexus.nexus import Nexus
from testproject.pgtypes.models import Address, Arrays, Ranges

Count = Callable[..., int]


@pytest.fixture
def count(nexus: Nexus, on_postgresql: str) -> Count:
    """How many records match, which List has to show."""

    def number(model: str, **wanted: Any) -> int:
        found = nexus.execute(f"{model}CountNode", filter=wanted)["count"]
        assert len(nexus.execute(f"{model}ListNode", filter=wanted)["records"]) == found
        return int(found)

    return number


@pytest.fixture(autouse=True)
def rows(on_postgresql: str) -> None:
    Arrays.objects.create(
        integers=[1, 2],
        texts=["a", "é"],
        decimals=["1.10", None],
        dates=["2026-01-31"],
        uuids=["00000000-0000-0000-0000-000000000001"],
        nested=[[1], [2]],
    )
    Arrays.objects.create()
    Ranges.objects.create(integers=(1, 5), decimals=("0.5", None), dates=("2026-01-01", None))
    Ranges.objects.create()
    with connections[on_postgresql].cursor() as cursor:
        cursor.execute(
            "INSERT INTO pgtypes_address (host, label) VALUES"
            " ('10.0.0.1', 'one'), ('10.0.0.0/8', 'net'), ('2001:db8::1', 'six')"
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("integers", [1, 2]),
        ("texts", ["a", "é"]),
        ("decimals", ["1.1", None]),
        ("dates", ["2026-01-31"]),
        ("uuids", ["00000000000000000000000000000001"]),
        ("nested", [[1], [2]]),
    ],
)
def test_arrays(count: Count, name: str, value: list[Any]) -> None:
    assert count("Arrays", **{name: value}) == 1
    assert count("Arrays", **{name: {"$ne": value}}) == 1
    assert count("Arrays", **{name: {"$in": [value]}}) == 1
    assert count("Arrays", **{name: {"$nin": [value, value[:0]]}}) <= 1
    assert count("Arrays", **{name: {"$null": False}}) >= 1
    assert count("Arrays", **{name: []}) + count("Arrays", **{name: None}) == 1


def test_arrays_have_no_order(count: Count) -> None:
    with pytest.raises(Invalid) as caught:
        count("Arrays", integers={"$gt": [1]})
    assert [(item.field, item.code) for item in caught.value.errors] == [
        ("filter.integers.$gt", "operator")
    ]


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ({"integers": "[1,5)"}, 1),
        ({"integers": {"$ne": "[1,4]"}}, 1),
        ({"integers": {"$in": ["[1,4]", None]}}, 2),
        ({"integers": {"$gt": "[1,3)"}}, 1),
        ({"integers": {"$contains": "1,"}}, 1),
        ({"decimals": {"$like": "[0.5,%"}}, 1),
        ({"dates": {"$startswith": "[2026-01-01"}}, 1),
        ({"dates": {"$null": True}}, 1),
    ],
)
def test_ranges(count: Count, wanted: dict[str, Any], number: int) -> None:
    assert count("Ranges", **wanted) == number


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [
        ("10.0.0.1", ["one"]),
        ({"$in": ["10.0.0.1", "2001:DB8:0::1"]}, ["one", "six"]),
        ({"$endswith": ".1"}, ["one"]),
        ({"$endswith": "1"}, ["one", "six"]),
        ({"$endswith": "/8"}, ["net"]),
        ({"$like": "10.%"}, ["net", "one"]),
        ({"$contains": "/32"}, []),
        ({"$icontains": "DB8"}, ["six"]),
    ],
)
def test_addresses_compare_by_what_is_shown(nexus: Nexus, wanted: Any, labels: list[str]) -> None:
    found = nexus.execute("AddressListNode", filter={"host": wanted}, order_by=["label"])
    assert [record["label"] for record in found["records"]] == labels
    assert Address.objects.count() == 3


@pytest.mark.parametrize(
    ("model", "wanted"),
    [
        ("Arrays", {"integers": 1}),
        ("Arrays", {"integers": ["x"]}),
        ("Arrays", {"nested": [1]}),
        ("Arrays", {"dates": ["yesterday"]}),
        ("Arrays", {"integers": {"$in": [1]}}),
        ("Ranges", {"integers": "soon"}),
        ("Ranges", {"integers": "[5,1]"}),
        ("Ranges", {"dates": {"$gt": "[x,y]"}}),
        ("Address", {"host": "nowhere"}),
        ("Address", {"host": {"$in": ["10.0.0.1", "10.0.0.256"]}}),
    ],
)
def test_wrong_values_are_invalid(count: Count, model: str, wanted: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        count(model, **wanted)
