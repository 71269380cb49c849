"""Arrays, ranges and addresses, which PostgreSQL alone has: the same on every channel."""

from typing import Any

import pytest

from testproject.pgtypes.models import Address, Arrays, Ranges
from tests.parity.channels import ask
from tests.parity.test_parity import agreed
from tests.routing import POSTGRESQL

ARRAYS = {
    "integers": [1, None, -(2**31)], "texts": ["a", "b,c", "{}", "\u2603", ""], "decimals": ["1.50", None],
    "dates": ["2024-02-29"], "uuids": ["00000000-0000-4000-8000-000000000001"], "nested": [[1, 2], [3, 4]],
}  # fmt: skip
RANGES = {
    "integers": "[1,10)", "big_integers": "(,5]", "decimals": "[1.5,2.5]", "dates": "[2026-01-01,2026-02-01)",
    "datetimes": "[2026-01-01 00:00:00+00,)",
}  # fmt: skip
CASES: list[tuple[str, dict[str, Any], str | None, list[str]]] = [
    ("ArraysCreate", ARRAYS, None, []),
    ("ArraysCreate", {}, None, []),
    ("ArraysRead", {"id": 901}, None, []),
    ("ArraysUpdate", {"id": 901, "integers": {"$append": 5}, "texts": []}, None, []),
    ("ArraysList", {"filter": {"integers": [1, 2]}}, None, []),
    ("ArraysBulkCreate", {"data": [ARRAYS, {"texts": ["x"]}], "return": "records"}, None, []),
    ("ArraysBulkUpdate", {"data": [{"id": 901, "texts": ["y"]}], "return": "records"}, None, []),
    ("RangesCreate", RANGES, None, []),
    ("RangesCreate", {"integers": "empty"}, None, []),
    ("RangesRead", {"id": 901}, None, []),
    ("RangesUpdate", {"id": 901, "integers": None, "dates": "[,]"}, None, []),
    ("AddressCreate", {"host": "192.0.2.7", "label": "x"}, None, []),
    ("AddressList", {"filter": {"host": "2001:db8::1"}}, None, []),
    ("AddressUpdate", {"id": 901, "host": "::1"}, None, []),
    ("AddressAggregate", {"group_by": ["host"], "aggregate": {"n": {"$count": "*"}}}, None, []),
    ("ArraysCreate", {"integers": 5}, "invalid", ["integers"]),
    ("ArraysCreate", {"integers": ["x"]}, "invalid", ["integers"]),
    ("ArraysCreate", {"integers": [2**31]}, "invalid", ["integers"]),
    ("ArraysCreate", {"texts": ["x" * 51]}, "invalid", ["texts"]),
    ("ArraysCreate", {"texts": ["a\x00"]}, "invalid", ["texts"]),
    ("ArraysCreate", {"texts": None}, "invalid", ["texts"]),
    ("ArraysCreate", {"decimals": ["1.555"]}, "invalid", ["decimals"]),
    ("ArraysCreate", {"dates": ["2026-02-30"]}, "invalid", ["dates"]),
    ("ArraysCreate", {"uuids": ["x"]}, "invalid", ["uuids"]),
    ("ArraysCreate", {"nested": [1]}, "invalid", ["nested"]),
    ("ArraysUpdate", {"id": 901, "integers": {"$append": "x"}}, "invalid", ["integers"]),
    ("ArraysUpdate", {"id": 901, "integers": {"$append": 2**31}}, "invalid", ["integers"]),
    ("ArraysUpdate", {"id": 901, "texts": {"$append": "x" * 51}}, "invalid", ["texts"]),
    ("ArraysBulkCreate", {"data": [{}, {"decimals": ["1.555"]}]}, "invalid", ["data.1.decimals"]),
    ("ArraysList", {"filter": {"integers": ["x"]}}, "invalid", ["filter.integers"]),
    ("ArraysList", {"order_by": ["integers"]}, "invalid", ["order_by.0"]),
    ("RangesCreate", {"integers": 5}, "invalid", ["integers"]),
    ("AddressCreate", {"host": "nowhere"}, "invalid", ["host"]),
    ("AddressCreate", {}, "invalid", ["host"]),
    ("AddressList", {"filter": {"host": {"$in": ["1.2.3"]}}}, "invalid", ["filter.host.$in.0"]),
]  # fmt: skip


@pytest.mark.parametrize(("node", "params", "code", "fields"), CASES)
def test_every_channel_answers_the_same(
    node: str,
    params: dict[str, Any],
    code: str | None,
    fields: list[str],
    on_postgresql: str,
    record_property: Any,
) -> None:
    Arrays.objects.create(id=901, integers=[1, 2], texts=["a"])
    Ranges.objects.create(id=901, integers=(1, 5))
    Address.objects.create(id=901, host="2001:db8::1")
    found = dict(ask(POSTGRESQL, node, params))
    answer = agreed(found)
    assert (answer.code, answer.fields) == (code, fields), answer.error or answer.body
    record_property("parity", len(found))


@pytest.mark.parametrize("text", ["[5,1]", "x", "[a,b]", "[1,2", "[2026-13-01,]"])
def test_ranges_that_are_none(text: str, on_postgresql: str) -> None:
    """PostgreSQL alone reads ranges: it says that one is wrong, and not always of which column."""
    for params in ({"integers": text}, {"dates": text}):
        assert agreed(dict(ask(POSTGRESQL, "RangesCreate", params))).code == "invalid"
        assert agreed(dict(ask(POSTGRESQL, "RangesList", {"filter": params}))).code == "invalid"
