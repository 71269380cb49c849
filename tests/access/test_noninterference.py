"""Two databases that differ in nothing but what a principal may not read give it the same bytes for every request.

The one bit that the contract leaves, whether a unique or foreign key is taken, is not asked for here.
"""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dataflow_nexus.access.grants import Source
from testproject.shop.models import Category, Order, OrderItem, Product, Tag
from tests.access.asking import answer, catalog_of, exported, rule, somebody
from tests.queries.compiling import undone

CATALOG = catalog_of(
    Product,
    Category,
    Tag,
    Order,
    OrderItem,
    search_fields=["name", "description", "sku", "category.name"],
)
ACTIVE, PLENTY = {"active": True}, {"stock": {"$gt": 100}}
PRINCIPAL = somebody(
    {
        (Product, "view"): (
            rule(ACTIVE, "id name stock category_id tags"),
            rule(PLENTY, "id sku name price", aggregate=False),
        ),
        (Product, "change"): rule(ACTIVE, write="name stock price category_id tags"),
        (Product, "add"): rule(ACTIVE, write="id sku name price stock category_id tags"),
        (Category, "view"): rule({"slug": {"$ne": "paper"}}, "id name parent_id"),
        (Tag, "view delete"): rule({"name": {"$in": ["eco", "gift"]}}, "id name"),
        (OrderItem, "view"): rule({"quantity": {"$gt": 1}}, "id product_id quantity"),
        (OrderItem, "change"): Source(),
    }
)


class World:
    """What differs between the two databases, from a seed."""

    def __init__(self, alias: str, seed: int) -> None:
        self.alias = alias
        self.dice = random.Random(seed)

    def word(self) -> str:
        return f"{self.dice.choice('aeiou')}{self.dice.randrange(10**9)}"

    def some(self, model: Any) -> Any:
        return self.dice.choice(list(model.objects.using(self.alias).order_by("pk")))

    def change(self) -> None:
        self.products()
        self.invisible_products()
        self.others()

    def products(self) -> None:
        """Fields that are hidden everywhere, and those that are hidden on some rows."""
        for item in Product.objects.using(self.alias).order_by("pk"):
            if item.active or item.stock > 100:
                item.description, item.attrs = self.word(), {"color": self.word()}
                item.created_at = f"2020-01-{self.dice.randrange(1, 29):02d}T00:00:00Z"
                if item.stock <= 100:
                    item.sku, item.price = self.word(), self.dice.randrange(1000)
                if not item.active:
                    item.category = self.dice.choice([None, self.some(Category)])
                    item.tags.set([self.some(Tag)])
                item.save(using=self.alias)

    def invisible_products(self) -> None:
        for item in Product.objects.using(self.alias).filter(active=False, stock__lte=100):
            item.name, item.sku, item.stock = self.word(), self.word(), self.dice.randrange(101)
            item.category = self.some(Category)
            item.save(using=self.alias)
            item.tags.set([self.some(Tag)])
        for _ in range(self.dice.randrange(3)):
            Product.objects.using(self.alias).create(
                sku=self.word(),
                name=self.word(),
                price=1,
                active=False,
                category=self.some(Category),
            )

    def others(self) -> None:
        for category in Category.objects.using(self.alias).all():
            if category.slug == "paper":
                category.name, category.parent = self.word(), self.some(Category)
            else:
                category.slug = self.word()
            category.save(using=self.alias)
        hidden = Tag.objects.using(self.alias).exclude(name__in=["eco", "gift"])
        self.dice.choice(list(hidden.order_by("pk"))).delete()
        for tag in hidden.order_by("pk"):
            tag.name = self.word()
            tag.save(using=self.alias)
            tag.products.add(self.some(Product))
        OrderItem.objects.using(self.alias).filter(quantity=1).delete()
        OrderItem.objects.using(self.alias).update(unit_price=self.dice.randrange(1000))


# --- requests --------------------------------------------------------------------------------------------------------

FIELDS = [
    *["id", "sku", "name", "price", "stock", "category_id", "tags"],
    *["description", "attrs", "active", "created_at", "nothing"],
]
CONDITIONS: list[Any] = [
    *[None, 0, 50, 150, "SKU-00003", "Home", True, "red", "1.00", 3, []],
    *[{"$gt": 50}, {"$lte": 100}, {"$ne": None}, {"$ne": 3}, {"$contains": "e"}, {"$null": True}],
    *[{"$in": [1, 2, 3]}, {"$nin": [1, None]}, {"$ilike": "%E%"}, {"$not": {"$gt": "5"}}],
]
TREES: list[Any] = [
    *[
        {"name": {"$ne": "Home"}},
        {"id": {"$gt": 3}},
        {"slug": "paper"},
        {"parent": {"$null": True}},
    ],
    *[{}, {"name": {"$icontains": "e"}}, {"products": {"$some": {"stock": {"$gt": 1}}}}],
    *[{"parent.name": {"$gt": "H"}}, {"quantity": 1}, {"product": {"sku": {"$gt": "SKU"}}}],
]


@st.composite
def filters(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    kind = draw(st.integers(0, 7 if depth else 3))
    if kind <= 2:
        return {draw(st.sampled_from(FIELDS)): draw(st.sampled_from(CONDITIONS))}
    tree = draw(st.sampled_from(TREES))
    if kind == 3:
        return {draw(st.sampled_from(["category", "category.parent"])): tree}
    if kind == 4:
        name = draw(st.sampled_from(["tags", "order_items", "category.products", "notes"]))
        return {name: {draw(st.sampled_from(["$some", "$none", "$every"])): tree}}
    if kind == 5:
        return {"$not": draw(filters(depth - 1))}
    return {draw(st.sampled_from(["$or", "$and"])): draw(st.lists(filters(depth - 1), max_size=3))}


PATHS = ["category", "category.parent", "category.products", "tags", "tags.products"]
ORDERS = [*FIELDS, "category.name", "category.slug", "category.parent.name"]
COMMON: dict[str, Any] = {
    "filter": filters(),
    "search": st.sampled_from(["e", "oak", "SKU-0000", "every day", "Home", "a i"]),
}
LISTS = st.fixed_dictionaries(
    {},
    optional={
        **COMMON,
        "order_by": st.lists(
            st.builds(str.__add__, st.sampled_from(["", "-"]), st.sampled_from(ORDERS)), max_size=2
        ),
        "fields": st.lists(st.sampled_from(FIELDS), max_size=4),
        "expand": st.lists(st.sampled_from([*PATHS, "order_items.product", "notes"]), max_size=2),
        "limit": st.sampled_from([0, 1, 7, 1000]),
        "offset": st.sampled_from([0, 5]),
        "count": st.sampled_from(["exact", "estimated"]),
    },
)
TARGETS = st.sampled_from([*FIELDS, "category.name", "category.slug", "category"])
AGGREGATES = st.fixed_dictionaries(
    {
        "aggregate": st.fixed_dictionaries(
            {"n": st.just({"$count": "*"})},
            optional={
                name: st.builds(lambda target, name=name: {f"${name}": target}, TARGETS)
                for name in ("sum", "max", "count_distinct")
            },
        )
    },
    optional={
        "filter": filters(),
        "group_by": st.lists(TARGETS, max_size=2),
        "having": st.sampled_from([{"n": {"$gt": 1}}, {"max": {"$null": False}}]),
        "order_by": st.sampled_from([["-n"], ["max"]]),
    },
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("new"),
        "stock": st.sampled_from([1, 200, {"$inc": 100}, {"$dec": 10**9}]),
        "price": st.sampled_from(["1.00", {"$multiply": 2}, {"$inc": "99999999.99"}]),
        "category_id": st.integers(1, 12),
        "tags": st.lists(st.integers(1, 8), max_size=2),
        "description": st.just("x"),
        "active": st.booleans(),
    },
)
KEYS = st.integers(1, 45)
NEW = {"id": 987_654, "sku": "N-1", "name": "new", "price": 1}


def node(name: str, params: Any) -> Any:
    return st.tuples(st.just(name), params)


REQUESTS = st.one_of(
    node("ProductList", LISTS),
    node("ProductList", LISTS),
    node("ProductCount", st.fixed_dictionaries({}, optional=COMMON)),
    node("ProductAggregate", AGGREGATES),
    node("export", LISTS),
    node("ProductRead", st.fixed_dictionaries({"id": KEYS})),
    node(
        "ProductRead",
        st.builds(lambda number: {"filter": {"sku": f"SKU-{number:05d}"}}, st.integers(1, 40)),
    ),
    node(
        "CategoryList",
        st.fixed_dictionaries({}, optional={"expand": st.just(["products", "children"])}),
    ),
    node("OrderItemList", st.just({"expand": ["product.category"], "limit": 1000})),
    node("TagDelete", st.builds(lambda key: {"id": key}, st.integers(1, 8))),
    node("ProductUpdate", st.builds(lambda key, values: {"id": key, **values}, KEYS, VALUES)),
    node("ProductCreate", VALUES.map(lambda values: {**NEW, **values})),
    node(
        "ProductUpsert",
        VALUES.map(lambda values: {**NEW, **values, "conflict_on": ["sku"]}),
    ),
    node(
        "ProductBulkUpdate",
        st.builds(
            lambda tree, values: {"filter": tree, "fields": values, "return": "records"},
            filters(),
            VALUES,
        ),
    ),
    node(
        "OrderItemBulkUpdate",
        st.builds(
            lambda tree: {"filter": {"product": tree}, "fields": {"quantity": 5}, "return": "ids"},
            st.sampled_from(TREES),
        ),
    ),
)


def asked(alias: str, request: tuple[str, Any]) -> Any:
    name, params = request
    with undone(alias):
        if name == "export":
            return exported(CATALOG, PRINCIPAL, "Product", "csv", **params)
        return answer(CATALOG, PRINCIPAL, name, **params)


@settings(max_examples=8)
@given(requests=st.lists(REQUESTS, min_size=8, max_size=8), seed=st.integers(0, 2**32))
def test_hidden_data_change_no_answer(database: str, requests: list[Any], seed: int) -> None:
    with undone(database):
        before = [asked(database, request) for request in requests]
        World(database, seed).change()
        after = [asked(database, request) for request in requests]
    for request, one, other in zip(requests, before, after, strict=True):
        assert one == other, request


def test_the_two_databases_do_differ(database: str) -> None:
    """Somebody who may read everything sees it."""
    everybody = somebody(
        {(model, "view"): Source() for model in (Product, Category, Tag, OrderItem)}
    )
    names = ["ProductList", "CategoryList", "TagList", "OrderItemList"]
    with undone(database):
        before = [answer(CATALOG, everybody, name, limit=1000) for name in names]
        World(database, 1).change()
        after = [answer(CATALOG, everybody, name, limit=1000) for name in names]
    assert all(one != other for one, other in zip(before, after, strict=True))
    with undone(database):
        seen = answer(CATALOG, PRINCIPAL, "ProductList", limit=1000)
    assert isinstance(seen, bytes)
    assert b'"id"' in seen
