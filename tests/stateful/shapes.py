"""The two models that the machine runs on, and what their columns are given."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.stateful.table import Shape

CATEGORIES = frozenset({1, 2, 3})
NOWHERE = 987_654
"""A category that is not there."""

PRODUCT = Shape(
    node="Product",
    key=("id",),
    numbered=True,
    unique=("sku",),
    defaults={"description": "", "stock": 0, "active": True, "category_id": None},
    nullable=frozenset({"category_id"}),
    columns=("id", "sku", "name", "description", "price", "stock", "active", "category_id"),
    references={"category_id": CATEGORIES},
)
ENTRY = Shape(
    node="PriceListEntry",
    key=("code", "valid_from"),
    numbered=False,
    unique=("code", "valid_from"),
    defaults={"note": None},
    nullable=frozenset({"note"}),
    columns=("code", "valid_from", "price", "note"),
    references={},
)
_PRICES = st.integers(-50, 5000).map(lambda cents: Decimal(cents).scaleb(-2)) | st.sampled_from(
    [Decimal("99999999.99"), Decimal("0.00")]
)
_WORDS = st.sampled_from(["ash", "birch", "cedar", "it's", "a%_b", "\u2603 \u00e9", '"q"\\'])
VALUES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "Product": {
        "sku": st.sampled_from(["A", "B", "C", "D", "E", "F"]),
        "name": _WORDS,
        "description": _WORDS | st.just(""),
        "price": _PRICES,
        "stock": st.integers(-3, 9),
        "active": st.booleans(),
        "category_id": st.none() | st.sampled_from(sorted(CATEGORIES)),
    },
    "PriceListEntry": {
        "code": st.sampled_from(["A", "B", "a,b", "\u2603"]),
        "valid_from": st.sampled_from(["2024-02-29", "2026-01-01", "2026-12-31"]),
        "price": _PRICES,
        "note": st.none() | _WORDS | st.just(""),
    },
}
"""By model and column; few enough values that rows often meet."""
WRONG: dict[str, st.SearchStrategy[tuple[str, Any]]] = {
    "Product": st.sampled_from([("name", None), ("price", None), ("category_id", NOWHERE)]),
    "PriceListEntry": st.just(("price", None)),
}
"""Values that a row can't have."""
NUMBERS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "Product": {"stock": st.integers(-5, 5)},
    "PriceListEntry": {
        "price": st.integers(-300, 300).map(lambda cents: Decimal(cents).scaleb(-2))
    },
}
"""Columns that are counted up and down, and by how much."""


def rows(shape: Shape, *, whole: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """New values, now and then one of them wrong or one that is required missing."""
    values = VALUES[shape.node]
    needed = {name: values[name] for name in shape.required()} if whole else {}
    key = {name: values[name] for name in shape.unique}
    others = {name: item for name, item in values.items() if name not in needed}
    good = st.fixed_dictionaries({**key, **needed}, optional=others)
    wrong = st.builds(lambda row, item: {**row, item[0]: item[1]}, good, WRONG[shape.node])
    partial = st.builds(lambda row: {name: row[name] for name in shape.unique}, good)
    return st.one_of(good, good, good, good, wrong, partial)


def changes(shape: Shape, *, keys: bool) -> st.SearchStrategy[dict[str, Any]]:
    """New values of some columns, or what to add to one; ``keys``: also of the unique key, where it is not the key."""
    values = VALUES[shape.node]
    fixed = set(shape.key) if keys else {*shape.key, *shape.unique}
    free = {name: item for name, item in values.items() if name not in fixed}
    plain = st.fixed_dictionaries({}, optional=free).filter(bool)
    wrong = WRONG[shape.node].map(lambda item: dict([item]))
    ((name, by),) = NUMBERS[shape.node].items()
    counted = st.builds(
        lambda operator, n: {name: {operator: n}}, st.sampled_from(["$inc", "$dec"]), by
    )
    return st.one_of(plain, plain, counted, wrong)


def conditions(shape: Shape) -> st.SearchStrategy[dict[str, Any]]:
    """Filters over the columns, some of them nested."""
    values = {
        name: item.filter(lambda value: value is not None)
        for name, item in VALUES[shape.node].items()
    }
    # text is compared for equality alone: its order is the database's collation
    compared = [name for name in ("price", "stock", "valid_from") if name in values]
    leaves = st.one_of(
        st.sampled_from(sorted(values)).flatmap(
            lambda name: st.builds(
                lambda op, v: {name: {op: v}}, st.sampled_from(["$eq", "$ne"]), values[name]
            )
        ),
        st.sampled_from(sorted(values)).flatmap(
            lambda name: st.builds(
                lambda op, v: {name: {op: v}},
                st.sampled_from(["$in", "$nin"]),
                st.lists(values[name], max_size=3),
            )
        ),
        st.sampled_from(compared).flatmap(
            lambda name: st.builds(
                lambda op, v: {name: {op: v}},
                st.sampled_from(["$gt", "$gte", "$lt", "$lte"]),
                values[name],
            )
        ),
        st.builds(
            lambda name, v: {name: {"$null": v}},
            st.sampled_from(sorted(shape.nullable)),
            st.booleans(),
        ),
    )
    pairs = st.lists(leaves, max_size=2)
    return st.one_of(
        leaves,
        st.builds(lambda op, items: {op: items}, st.sampled_from(["$and", "$or"]), pairs),
        leaves.map(lambda item: {"$not": item}),
    )


def orders(shape: Shape) -> st.SearchStrategy[list[str]]:
    names = [
        name
        for name in ("price", "stock", "active", "category_id", "valid_from")
        if name in shape.columns
    ]
    item = st.builds(lambda name, minus: "-" * minus + name, st.sampled_from(names), st.booleans())
    return st.lists(item, max_size=2, unique_by=lambda text: text.lstrip("-"))
