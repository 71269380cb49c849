"""Every wrong filter is named by its path, in the same words on both databases, and never ignored."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dataflow_nexus import Invalid, LimitExceeded
from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import Principal
from testproject.shop.models import Product

Run = Callable[..., Any]


def refused(run: Run, wanted: Any, node: str = "ProductList") -> tuple[str, str]:
    with pytest.raises(Invalid) as caught:
        run(node, filter=wanted)
    [error] = caught.value.errors
    return error.field, error.code


def nested(depth: int, inner: Any, name: str = "$not") -> Any:
    for _ in range(depth):
        inner = {name: inner}
    return inner


WRONG: list[tuple[Any, tuple[str, str]]] = [
    ([], ("filter", "type")),
    ("price", ("filter", "type")),
    ({"prize": 1}, ("filter.prize", "unknown")),
    ({"": 1}, ("filter.", "unknown")),
    ({1: 1}, ("filter", "type")),
    ({"price": {"$foo": 1}}, ("filter.price.$foo", "unknown")),
    ({"price": {"$gt": 1, "lt": 2}}, ("filter.price.lt", "unknown")),
    ({"price": {"gt": 1}}, ("filter.price.gt", "unknown")),
    ({"price": {}}, ("filter.price", "type")),
    ({"$nor": []}, ("filter.$nor", "unknown")),
    ({"$and": {}}, ("filter.$and", "type")),
    ({"$or": [{"price": 1}, 2]}, ("filter.$or.1", "type")),
    ({"$not": [1]}, ("filter.$not", "type")),
    ({"$or": [{}, {"prize": 1}]}, ("filter.$or.1.prize", "unknown")),
    # values
    ({"price": "abc"}, ("filter.price", "type")),
    ({"price": True}, ("filter.price", "type")),
    ({"price": "NaN"}, ("filter.price", "type")),
    ({"price": "1" + "0" * 1001}, ("filter.price", "range")),
    ({"stock": 1.5}, ("filter.stock", "type")),
    ({"stock": "1"}, ("filter.stock", "type")),
    ({"stock": 2**63}, ("filter.stock", "range")),
    ({"active": 1}, ("filter.active", "type")),
    ({"name": 1}, ("filter.name", "type")),
    ({"name": "a\x00b"}, ("filter.name", "null_character")),
    ({"name": "\ud800"}, ("filter.name", "surrogate")),
    ({"name": {"$contains": "\x00"}}, ("filter.name.$contains", "null_character")),
    ({"name": {"$contains": 1}}, ("filter.name.$contains", "type")),
    ({"name": {"$like": "a\\"}}, ("filter.name.$like", "pattern")),
    ({"name": {"$contains": "x" * 100_000}}, ("filter.name.$contains", "too_large")),
    ({"attrs.a": {"$like": "x" * 100_000}}, ("filter.attrs.a.$like", "too_large")),
    ({"name": {"$null": 1}}, ("filter.name.$null", "type")),
    ({"name": {"$exists": "yes"}}, ("filter.name.$exists", "type")),
    ({"created_at": "yesterday"}, ("filter.created_at", "type")),
    ({"created_at": "2026-02-30"}, ("filter.created_at", "type")),
    ({"stock": {"$in": 1}}, ("filter.stock.$in", "type")),
    ({"stock": {"$in": "12"}}, ("filter.stock.$in", "type")),
    ({"stock": {"$nin": [1, "x"]}}, ("filter.stock.$nin.1", "type")),
    ({"stock": {"$between": [1]}}, ("filter.stock.$between", "type")),
    ({"stock": {"$between": "12"}}, ("filter.stock.$between", "type")),
    ({"stock": {"$between": [1, None]}}, ("filter.stock.$between.1", "null")),
    ({"stock": {"$gt": None}}, ("filter.stock.$gt", "null")),
    # operators that a kind does not know
    ({"stock": {"$contains": "1"}}, ("filter.stock.$contains", "operator")),
    ({"active": {"$gt": False}}, ("filter.active.$gt", "operator")),
    ({"attrs": {"$gt": {}}}, ("filter.attrs.$gt", "type")),
    ({"attrs": {"$gt": True}}, ("filter.attrs.$gt", "type")),
    ({"attrs.a": {"$foo": 1}}, ("filter.attrs.a.$foo", "unknown")),
    ({"attrs": float("nan")}, ("filter.attrs", "range")),
    ({"attrs": {"a": "\ud800"}}, ("filter.attrs", "surrogate")),
    # relations
    ({"tags": 1}, ("filter.tags", "type")),
    ({"tags": [1, 2]}, ("filter.tags", "type")),
    ({"tags": {}}, ("filter.tags", "type")),
    ({"tags": {"name": "eco"}}, ("filter.tags", "type")),
    ({"tags": {"$any": {}}}, ("filter.tags.$any", "unknown")),
    ({"tags": {"$some": {"nam": 1}}}, ("filter.tags.$some.nam", "unknown")),
    ({"tags.name": "eco"}, ("filter.tags.name", "unknown")),
    ({"category": {"nam": 1}}, ("filter.category.nam", "unknown")),
    ({"category.nam": 1}, ("filter.category.nam", "unknown")),
    ({"category": {"$null": 1}}, ("filter.category.$null", "type")),
    ({"category": "x"}, ("filter.category", "type")),
    ({"name.first": "x"}, ("filter.name.first", "unknown")),
    # what belongs to Django and not to the language
    *[
        ({name: 1}, (f"filter.{name}", "unknown"))
        for name in (
            "pk",
            "pk__in",
            "_connector",
            "__class__",
            "price__gt",
            "category__name",
            "password",
        )
    ],
]


@pytest.mark.parametrize(("wanted", "error"), WRONG, ids=lambda value: repr(value)[:40])
def test_wrong_filters_are_named(run: Run, wanted: Any, error: tuple[str, str]) -> None:
    assert refused(run, wanted) == error
    assert refused(run, wanted, "ProductCount") == error


def listed(number: int, values: int = 100) -> list[Any]:
    return [{"stock": {"$in": list(range(values))}} for _ in range(number)]


CONDITIONS, VALUES = "at most 200 conditions (max_filter_conditions)", "5000 values together"
TOO_LARGE: list[tuple[dict[str, Any], str, str]] = [
    ({"filter": {"$or": [{"stock": n} for n in range(201)]}}, "filter", CONDITIONS),
    ({"filter": {"$or": [{} for _ in range(5000)]}}, "filter", CONDITIONS),
    ({"filter": {"$and": [{"$or": []} for _ in range(5000)]}}, "filter", CONDITIONS),
    ({"filter": {"stock": {"$in": list(range(5001))}}}, "filter.stock.$in", VALUES),
    ({"filter": {"attrs.a": {"$nin": ["x"] * 5001}}}, "filter.attrs.a.$nin", VALUES),
    ({"filter": {"$or": listed(199, 5000)}}, "filter.$or.1.stock.$in", VALUES),
    ({"filter": {"$or": listed(51)}}, "filter.$or.50.stock.$in", VALUES),
    (
        {"filter": {"$or": listed(50), "tags": {"$some": {"id": {"$in": [1]}}}}},
        "filter.tags.$some.id.$in",
        VALUES,
    ),
    (
        {"filter": {"$or": listed(50), "category.id": {"$nin": [1]}}},
        "filter.category.id.$nin",
        VALUES,
    ),
]
TOGETHER: list[tuple[Any, Any, str, str]] = [
    ([{"stock": n} for n in range(150)], [{"n": n} for n in range(51)], "having", CONDITIONS),
    (listed(50), [{"n": {"$in": [1]}}], "having.$or.0.n.$in", VALUES),
]


@pytest.mark.parametrize(("params", "at", "limit"), TOO_LARGE, ids=range(len(TOO_LARGE)))
def test_the_whole_of_a_filter_is_bounded(
    run: Run, params: dict[str, Any], at: str, limit: str
) -> None:
    for node in ("ProductCount", "ProductList"):
        with pytest.raises(LimitExceeded) as caught:
            run(node, **params)
        [error] = caught.value.errors
        assert (error.field, error.code) == (at, "too_large")
        assert limit in caught.value.detail


@pytest.mark.parametrize(("chosen", "having", "at", "limit"), TOGETHER, ids=range(len(TOGETHER)))
def test_filter_and_having_are_bounded_together(
    run: Run, chosen: Any, having: Any, at: str, limit: str
) -> None:
    params = {"group_by": "category_id", "aggregate": {"n": {"$count": "*"}}}
    assert run("ProductAggregate", filter={"$or": chosen}, having={"$or": []}, **params)
    with pytest.raises(LimitExceeded) as caught:
        run("ProductAggregate", filter={"$or": chosen}, having={"$or": having}, **params)
    assert [error.field for error in caught.value.errors] == [at]
    assert limit in caught.value.detail


TOO_DEEP = [
    ("Product", nested(11, {"stock": 1}), ["$not"] * 11),
    ("Product", {"stock": nested(11, {"$gt": 1})}, ["stock", *["$not"] * 11]),
    ("Product", {"attrs": nested(70, 1, "a")}, ["attrs"]),
    ("Category", nested(11, {"name": "x"}, "parent"), ["parent"] * 11),
    ("Category", {".".join(["parent"] * 11 + ["name"]): "x"}, ["parent"] * 11),
    ("Product", nested(5000, {"stock": 1}), ["$not"] * 11),
]


@pytest.mark.parametrize(("model", "wanted", "path"), TOO_DEEP, ids=range(len(TOO_DEEP)))
def test_filters_that_are_too_deep(run: Run, model: str, wanted: Any, path: list[str]) -> None:
    with pytest.raises(LimitExceeded) as caught:
        run(f"{model}Count", filter=wanted)
    [error] = caught.value.errors
    assert error.field == ".".join(["filter", *path])


def test_relations_are_followed_to_the_depth_of_a_filter(run: Run) -> None:
    assert run("CategoryCount", filter=nested(10, {"name": "x"}, "parent")) == {"count": 0}
    some: Any = {"name": "x"}
    every: Any = {"name": "x"}
    for _ in range(10):
        some = {"children": {"$some": some}}
        every = {"children": {"$every": every}}
    assert run("CategoryCount", filter=some) == {"count": 0}
    assert run("CategoryCount", filter=every)["count"] > 0


def test_the_nearest_name_is_suggested(run: Run) -> None:
    with pytest.raises(Invalid, match='unknown field "prize" — did you mean "price"'):
        run("ProductCount", filter={"prize": 1})
    with pytest.raises(Invalid, match=r'unknown operator "\$gtr" — did you mean "\$gte?"'):
        run("ProductCount", filter={"price": {"$gtr": 1}})


def test_a_name_is_never_suggested_for_itself(run: Run) -> None:
    """A relation is known where a filter asks for it, and is still no field to project or to sort by."""
    for params in ({"fields": ["category"]}, {"order_by": ["category"]}):
        with pytest.raises(Invalid, match='unknown field "category" — did you mean "category_id"'):
            run("ProductList", **params)


def test_filters_at_their_limits(run: Run) -> None:
    assert (
        run("ProductCount", filter={"stock": {"$in": list(range(5000))}})["count"]
        == Product.objects.count()
    )
    assert run("ProductCount", filter={"attrs.weight": {"$in": list(range(5000))}})["count"] >= 0
    everything = {"attrs.color": {"$nin": [f"c{n}" for n in range(5000)]}}
    assert run("ProductCount", filter=everything)["count"] == Product.objects.count()
    conditions = {"$or": [{"stock": n} for n in range(199)]}
    assert run("ProductCount", filter=conditions)["count"] <= Product.objects.count()
    assert run("ProductCount", filter={"name": {"$contains": "x" * 1000}}) == {"count": 0}
    assert run("ProductCount", filter={"name": "x" * 100_000}) == {"count": 0}


def test_large_numbers(run: Run) -> None:
    total = {"count": Product.objects.count()}
    assert run("ProductCount", filter={"price": {"$lt": 10**500}}) == total
    assert run("ProductCount", filter={"price": {"$lt": Decimal("1e-900")}}) == {"count": 0}
    assert run("ProductCount", filter={"stock": {"$lt": 2**63 - 1}}) == total
    assert run("ProductCount", filter={"attrs.weight": {"$lt": 10**500}}) == total
    assert run("ProductCount", filter={"attrs.weight": {"$gt": -(10**500)}}) == total


def test_numbers_next_to_zero(run: Run) -> None:
    """No number of the database's own lies between zero and what its numbers can't tell from it."""
    run("ProductUpdate", id=1, price=0, attrs={"weight": 0})
    for name in ("price", "attrs.weight"):
        for condition, there in (
            ({"$gte": Decimal("1e-400")}, False),
            ({"$gt": Decimal("1e-400")}, False),
            ({"$lt": Decimal("1e-400")}, True),
            ({"$lte": Decimal("-1e-400")}, False),
            ({"$gt": Decimal("-1e-400")}, True),
            ({"$between": [Decimal("-1e-400"), Decimal("1e-400")]}, True),
        ):
            found = run("ProductCount", filter={"id": 1, name: condition})
            assert found == {"count": int(there)}, (name, condition)
    for condition in ({"$eq": Decimal("1e-400")}, {"$in": [Decimal("1e-400")]}):
        assert run("ProductCount", filter={"id": 1, "price": condition}) == {"count": 0}
    assert refused(run, {"float": Decimal("1e-400")}, "EverythingCount") == (
        "filter.float",
        "range",
    )


def test_an_empty_condition_is_told_as_such(run: Run) -> None:
    for wanted in ({"name": {}}, {"name": {"$not": {}}}, {"category_id": {}}):
        with pytest.raises(Invalid, match="is empty"):
            run("ProductCount", filter=wanted)


def test_no_related_record(run: Run) -> None:
    first = run("EverythingCreate", text="x", fields={"char": "first"})["id"]
    second = run("EverythingCreate", text="x", fields={"char": "second", "twin_id": first})["id"]
    for wanted, found in (
        ({"twin_of": None}, second),
        ({"twin_of": {"$null": True}}, second),
        ({"$not": {"twin_of": None}}, first),
        ({"twin": None}, first),
        ({"twin": {"$null": True}}, first),
        ({"twin": {"twin_of": None}}, None),
        ({"$not": {"twin": None}}, second),
    ):
        records = run("EverythingList", filter={"id": {"$in": [first, second]}, **wanted})[
            "records"
        ]
        assert [record["id"] for record in records] == ([] if found is None else [found])


def test_empty_filters(run: Run) -> None:
    total = {"count": Product.objects.count()}
    for everything in ({}, {"$and": []}, {"$not": {"$or": []}}, {"stock": {"$nin": []}}):
        assert run("ProductCount", filter=everything) == total
    for nothing in ({"$or": []}, {"$not": {}}, {"stock": {"$in": []}}):
        assert run("ProductCount", filter=nothing) == {"count": 0}
    assert run("ProductCount", filter=None) == total


def test_a_rule_is_not_told_from_an_unknown_name(run: Run) -> None:
    """Two principals, one without the field and one with it hidden, are told the same."""
    hidden = Source(read=frozenset({"id", "name"}))
    principal = Principal(kind="user", name="u", held={("shop.product", "view"): (hidden,)})
    told = set()
    for name in ("price", "prixe"):
        with pytest.raises(Invalid) as caught:
            run("ProductCount", filter={name: 1}, principal=principal)
        told.add(str(caught.value).replace(name, "NAME"))
    assert told == {'unknown field "NAME"'}
