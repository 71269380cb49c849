"""Pages by cursor: every row that stays is seen once, whatever the sort, while others come and go."""

import base64
import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from dataflow_nexus import Invalid
from dataflow_nexus.nexus import Nexus
from testproject.shop.models import Category, Everything, PriceListEntry, Product
from tests import routing
from tests.queries.compiling import undone
from tests.routing import POSTGRESQL, SQLITE

Run = Callable[..., Any]

# Few values per column, so that most sorts have ties.
VALUES: dict[str, list[Any]] = {
    "char_null": [None, "", "a", "A", "ä", "é", "e\u0301", "\U0001f600", "a b", "a\\_%'\""],
    "boolean_null": [None, True, False],
    "small": [-32768, 0, 7],
    "integer_null": [None, -1, 0, 2**31 - 1],
    "big": [-(2**63), 2**53 + 1, 2**63 - 1],
    "float_null": [None, -0.0, 0.0, 0.1, 1e23, -1e-300, float("inf")],
    "decimal_null": [None, Decimal("-0.01"), Decimal("0.00"), Decimal("99999999.99")],
    "decimal_fine": [Decimal("0.000000001"), Decimal("0.1"), Decimal("123456.000000001")],
    "date": [None, dt.date(1, 1, 1), dt.date(2026, 1, 31), dt.date(9999, 12, 31)],
    "time": [None, dt.time(), dt.time(12, 0, 0, 1), dt.time(23, 59, 59, 999_999)],
    "datetime_null": [
        None,
        dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=dt.UTC),
    ],
    "duration": [None, dt.timedelta(), dt.timedelta(days=-1), dt.timedelta(hours=36)],
    "uuid_null": [None, UUID(int=0), UUID(int=2**127 + 5)],
    "binary_null": [None, b"", b"\x00", b"\xff\x00"],
    "ip": [None, "10.0.0.1", "10.0.0.10", "::1"],
}
ROW = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})
NAMES = st.sampled_from([*VALUES, "id", "parent.small", "parent.char_null", "parent_id"])


@st.composite
def orders(draw: st.DrawFn) -> list[str]:
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    signs = [draw(st.sampled_from(["", "-"])) for _ in names]
    places = [draw(st.sampled_from(["", ":nullsfirst", ":nullslast"])) for _ in names]
    return ["".join(parts) for parts in zip(signs, names, places, strict=True)]


def pages(run: Callable[..., Any], node: str, **params: Any) -> Iterator[list[Any]]:
    """The pages, by their cursors, to the last one."""
    cursor = {}
    while True:
        page = run(node, **params, **cursor)
        assert len(page["records"]) <= params["limit"]
        yield page["records"]
        if page["next"] is None:
            return
        assert len(page["records"]) == params["limit"]
        cursor = {"cursor": page["next"]}


def ids(records: list[Any]) -> list[int]:
    return [record["id"] for record in records]


def make(alias: str, rows: list[dict[str, Any]], parents: list[int] | None = None) -> list[int]:
    made = [
        Everything(**row, parent_id=parent)
        for row, parent in zip(rows, parents or itertools.repeat(None))  # noqa: B905  # endless
    ]
    Everything.objects.using(alias).bulk_create(made)
    return [row.pk for row in made]


@given(
    rows=st.lists(ROW, min_size=1, max_size=12),
    order_by=orders(),
    limit=st.integers(1, 5),
    data=st.data(),
)
def test_every_row_that_stays_is_seen_once(
    database: str,
    nexus: Nexus,
    rows: list[Any],
    order_by: list[str],
    limit: int,
    data: st.DataObject,
) -> None:
    def run(node: str, **params: Any) -> Any:
        return nexus.execute(f"{node}Node", params)

    wanted = {"order_by": order_by, "fields": ["id"]}
    with undone(database):
        roots = make(database, data.draw(st.lists(ROW, min_size=1, max_size=3)))
        stayed = set(roots) | set(
            make(database, rows, [data.draw(st.sampled_from([None, *roots])) for _ in rows])
        )
        seen: list[int] = []
        for page in pages(run, "EverythingList", limit=limit, **wanted):
            seen += ids(page)
            gone = data.draw(st.sets(st.sampled_from(sorted(stayed)), max_size=2)) - set(roots)
            Everything.objects.using(database).filter(pk__in=gone).delete()
            stayed -= gone
            if len(seen) < 40:  # a list that grows faster than it is read has no end
                make(database, data.draw(st.lists(ROW, max_size=2)))
        assert len(seen) == len(set(seen))
        whole = ids(run("EverythingList", limit=1000, **wanted)["records"])
        assert [key for key in seen if key in stayed] == [key for key in whole if key in stayed]
        assert stayed <= set(seen)


COMPOSITE = st.tuples(
    st.sampled_from(["", "A", "B,b", "é~/"]), st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 9))
)


@given(
    keys=st.sets(COMPOSITE, min_size=2, max_size=15),
    order_by=st.sampled_from(
        [
            [],
            ["-valid_from"],
            ["note", "-code"],
            ["price"],
            ["-price", "valid_from"],
            ["-note:nullslast"],
        ]
    ),
    limit=st.integers(1, 4),
    data=st.data(),
)
def test_composite_keys(
    database: str, nexus: Nexus, keys: Any, order_by: list[str], limit: int, data: st.DataObject
) -> None:
    def run(node: str, **params: Any) -> Any:
        return nexus.execute(f"{node}Node", params)

    def entry(key: tuple[str, dt.date]) -> PriceListEntry:
        price, note = (
            data.draw(st.sampled_from([1, 2])),
            data.draw(st.sampled_from([None, "", "n"])),
        )
        return PriceListEntry(code=key[0], valid_from=key[1], price=price, note=note)

    entries = PriceListEntry.objects.using(database)
    with undone(database):
        entries.all().delete()
        first, later = sorted(keys)[::2], sorted(keys)[1::2]
        entries.bulk_create([entry(key) for key in first])
        stayed, seen = set(first), []
        for page in pages(run, "PriceListEntryList", limit=limit, order_by=order_by):
            seen += [(item["code"], dt.date.fromisoformat(item["valid_from"])) for item in page]
            if later:
                entries.bulk_create([entry(later.pop())])
            gone = data.draw(st.sampled_from(sorted(stayed)))
            entries.filter(code=gone[0], valid_from=gone[1]).delete()
            stayed.discard(gone)
            if not stayed:
                break
        assert len(seen) == len(set(seen))
        assert stayed <= set(seen)


# --- cursors ---------------------------------------------------------------------------------------------------------


def first(run: Run, **params: Any) -> str:
    found = run("ProductList", **{"limit": 3, **params})["next"]
    assert isinstance(found, str)
    return found


def refused(run: Run, node: str = "ProductList", **params: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        run(node, **params)
    return [(item.field, item.code) for item in caught.value.errors]


def test_equal_requests_get_equal_cursors(run: Run) -> None:
    wanted = {"order_by": ["-price", "name"], "filter": {"active": True, "stock": {"$gt": 1}}}
    turned = {**wanted, "filter": {"stock": {"$gt": 1}, "active": True}}
    assert first(run, **wanted) == first(run, **wanted) == first(run, **turned)
    assert first(run, **wanted, fields=["id"], expand=["category"]) == first(run, **wanted)
    assert first(run) != first(run, order_by=["-id"])
    # Python gives floats where JSON gives decimals.
    assert first(run, filter={"price": {"$gt": 9.5, "$nin": [10.25]}}) == first(
        run, filter={"price": {"$gt": Decimal("9.5"), "$nin": [Decimal("10.25")]}}
    )


@pytest.mark.parametrize("order_by", [["-price"], ["price", "name"], ["-price", "-stock"]])
def test_decimals_give_equal_cursors_on_both_databases(
    nexus: Nexus, on_postgresql: str, monkeypatch: pytest.MonkeyPatch, order_by: list[str]
) -> None:
    found: dict[str, list[str]] = {}
    for alias in (SQLITE, POSTGRESQL):
        monkeypatch.setattr(routing, "current", alias)
        for number, price in enumerate(["7", "7.1", "7.10", "12.34", "-0.05", "99999999.99"]):
            manager = Product._default_manager.using(alias)
            manager.create(id=10**6 + number, sku=f"KEY{number}", name="key", price=Decimal(price))
        cursor, found[alias] = None, []
        while True:
            given = {} if cursor is None else {"cursor": cursor}
            params = {"filter": {"name": "key"}, "order_by": order_by, "limit": 1, **given}
            page = nexus.execute("ProductListNode", params)
            cursor = page["next"]
            if cursor is None:
                break
            found[alias].append(cursor)
        assert len(found[alias]) == 5
    assert found[SQLITE] == found[POSTGRESQL]


def test_pages_over_decimals_with_more_digits_than_their_column(run: Run, database: str) -> None:
    """Only SQLite keeps them: a cursor that rounded them would lose or repeat rows."""
    with connections[database].cursor() as cursor:
        cursor.execute(
            "INSERT INTO shop_pricelistentry (code, valid_from, price) VALUES"
            " ('K1', '2001-01-01', 1.001), ('K2', '2001-01-01', 1.004), ('K3', '2001-01-01', 1.0041),"
            " ('K4', '2001-01-01', 12345678.123456789)"
        )
    wanted: dict[str, Any] = {"filter": {"code": {"$startswith": "K"}}, "fields": ["code"]}
    for order in (["price"], ["-price", "-code"]):
        found = pages(run, "PriceListEntryList", limit=1, order_by=order, **wanted)
        codes = [record["code"] for page in found for record in page]
        assert sorted(codes) == ["K1", "K2", "K3", "K4"]


def test_a_cursor_belongs_to_its_node_filter_search_and_order(run: Run) -> None:
    cursor = first(run, order_by=["price"], filter={"active": True}, search="a")
    same = {"order_by": ["price"], "filter": {"active": True}, "search": "a"}
    assert run("ProductList", cursor=cursor, **same)["records"]
    assert run("ProductList", cursor=cursor, limit=1, fields=["id"], **same)["records"]
    others = [
        {**same, "order_by": ["-price"]},
        {**same, "order_by": ["price:nullsfirst"]},
        {**same, "order_by": ["price", "name"]},
        {**same, "filter": {"active": False}},
        {**same, "filter": {}},
        {**same, "search": "b"},
        {"order_by": ["price"]},
    ]
    for other in others:
        assert refused(run, cursor=cursor, **other) == [("cursor", "cursor")]
    assert refused(run, "CategoryList", cursor=first(run)) == [("cursor", "cursor")]


def test_a_cursor_tells_nothing(run: Run) -> None:
    cursor = first(run, order_by=["name"])
    sealed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    third = run("ProductList", order_by=["name"], limit=3)["records"][-1]
    assert third["name"].encode() not in sealed


def test_a_changed_cursor_is_refused(run: Run) -> None:
    cursor = first(run)
    for place in range(0, len(cursor), 3):
        other = "A" if cursor[place] != "A" else "B"
        changed = cursor[:place] + other + cursor[place + 1 :]
        assert refused(run, cursor=changed) == [("cursor", "cursor")]
    forged = ["", "A", "é", "====", cursor[:-1], cursor[:-4], cursor + "A", cursor + "AAAA"]
    forged += [
        cursor + "=",
        cursor + "!",
        " " + cursor,
        cursor[:5] + "\n" + cursor[5:],
        "0" * 10_000,
    ]
    for text in forged:
        assert refused(run, cursor=text) == [("cursor", "cursor")]
    for value in (1, True, [], {}, [cursor]):
        assert refused(run, cursor=value) == [("cursor", "cursor")]


def test_a_cursor_of_another_secret_is_refused(run: Run, settings: Any) -> None:
    cursor = first(run)
    settings.SECRET_KEY = "another"
    assert refused(run, cursor=cursor) == [("cursor", "cursor")]


def test_a_filter_with_values_of_any_size_has_pages(run: Run) -> None:
    wanted = {"filter": {"attrs": {"$ne": {"big": 2**70, "exact": [1.5, Decimal("0.1")]}}}}
    assert run("ProductList", cursor=first(run, **wanted), **wanted)["records"]


def test_offset_and_cursor_exclude_each_other(run: Run) -> None:
    assert refused(run, cursor=first(run), offset=0) == [("cursor", "exclusive")]


def test_the_last_page_has_no_next(run: Run) -> None:
    number = run("TagCount")["count"]
    for limit, more in ((number - 1, True), (number, False), (number + 1, False)):
        page = run("TagList", limit=limit)
        assert (page["next"] is not None) is more
        assert len(page["records"]) == min(limit, number)


# --- limit and offset ------------------------------------------------------------------------------------------------


def test_limits(run: Run) -> None:
    assert run("ProductList", limit=0) == {
        "records": [],
        "count": None,
        "limit": 0,
        "offset": 0,
        "next": None,
    }
    assert len(run("ProductList", limit=1)["records"]) == 1
    assert run("ProductList", limit=1000)["limit"] == 1000
    assert run("ProductList")["limit"] == 100
    assert run("ProductList", limit=0, count="exact")["count"] == Product.objects.count()


@pytest.mark.parametrize("limit", [-1, 1001, 2**31, 2**64])
def test_limits_that_are_refused(run: Run, limit: int) -> None:
    assert refused(run, limit=limit) == [("limit", "range")]


@pytest.mark.parametrize("value", [True, "1", 1.5, [], float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["limit", "offset"])
def test_limits_that_are_no_numbers(run: Run, name: str, value: Any) -> None:
    assert refused(run, **{name: value}) == [(name, "type")]


def test_pages_by_offset(run: Run) -> None:
    whole = run("ProductList", order_by=["name"], fields=["id"])["records"]
    found: list[Any] = []
    for offset in range(0, len(whole) + 7, 7):
        page = run("ProductList", order_by=["name"], fields=["id"], limit=7, offset=offset)
        assert page["offset"] == offset
        found += page["records"]
    assert found == whole
    assert run("ProductList", offset=2**62)["records"] == []
    assert refused(run, offset=2**63) == [("offset", "range")]
    assert refused(run, offset=-1) == [("offset", "range")]


def test_an_offset_goes_on_by_cursor(run: Run) -> None:
    page = run("ProductList", limit=5, offset=10)
    after = run("ProductList", limit=5, cursor=page["next"])
    assert after["records"] == run("ProductList", limit=5, offset=15)["records"]


# --- order -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order_by", "error"),
    [
        (["nothing"], ("order_by.0", "unknown")),
        (["name", "-nothing"], ("order_by.1", "unknown")),
        (["name", "-name"], ("order_by.1", "duplicate")),
        (["id", "pk"], ("order_by.1", "unknown")),
        (["name:first"], ("order_by.0", "unknown")),
        (["attrs"], ("order_by.0", "not_sortable")),
        (["tags"], ("order_by.0", "not_sortable")),
        (["tags.name"], ("order_by.0", "unknown")),
        (["category.nothing"], ("order_by.0", "unknown")),
        (["category"], ("order_by.0", "unknown")),
        (["category.parent.parent.parent.parent.name"], ("order_by.0", "unknown")),
        (["--name"], ("order_by.0", "unknown")),
        ([""], ("order_by.0", "unknown")),
        ([1], ("order_by", "type")),
        ({"name": 1}, ("order_by", "type")),
        (["name; drop table x"], ("order_by.0", "unknown")),
        (["name"] * 17, ("order_by", "too_large")),
    ],
)
def test_orders_that_are_refused(run: Run, order_by: Any, error: tuple[str, str]) -> None:
    assert refused(run, order_by=order_by) == [error]


def test_nulls_are_larger_than_any_value_unless_placed(run: Run) -> None:
    def names(order: str) -> list[Any]:
        found = run("CategoryList", order_by=[order], fields=["parent_id"])["records"]
        return [record["parent_id"] for record in found]

    roots = Category.objects.filter(parent=None).count()
    assert names("parent_id")[-roots:] == names("-parent_id")[:roots] == [None] * roots
    assert names("parent_id:nullsfirst")[:roots] == [None] * roots
    assert names("-parent_id:nullslast")[-roots:] == [None] * roots


def test_sorting_by_a_related_field(run: Run) -> None:
    found = run("ProductList", order_by=["-category.name", "sku"], expand=["category"])["records"]
    shown = [record["category"] and record["category"]["name"] for record in found]
    names = [name for name in shown if name is not None]
    assert shown == [None] * (len(shown) - len(names)) + sorted(names, reverse=True)
