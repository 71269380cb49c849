"""The shop's sample data: the same rows for the same scale, on every database and every day.

Rows are found again by their natural keys (sku, email, number, …), so loading twice changes
nothing. Never reads the clock or a random source that isn't seeded here.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import models, transaction

from testproject.shop.models import (
    Category,
    Country,
    Customer,
    Order,
    OrderItem,
    PriceListEntry,
    Product,
    Tag,
)

SEED = 20_260_101
EPOCH = datetime(2025, 1, 1, 9, 0, tzinfo=UTC)
BATCH = 500

COUNTRIES = {
    "AT": "Austria",
    "BR": "Brazil",
    "CA": "Canada",
    "DE": "Germany",
    "FR": "France",
    "JP": "Japan",
    "US": "United States",
}
# (slug, name, parent)
CATEGORIES = [
    ("home", "Home", None),
    ("kitchen", "Kitchen", "home"),
    ("cookware", "Cookware", "kitchen"),
    ("office", "Office", None),
    ("desks", "Desks", "office"),
    ("paper", "Paper", "office"),
    ("garden", "Garden", None),
]
TAGS = ["eco", "gift", "new", "sale", "heavy", "fragile"]
ADJECTIVES = ["Blue", "Oak", "Small", "Large", "Folding", "Steel", "Soft", "Round", "Café", "Zen"]
NOUNS = ["kettle", "desk", "lamp", "notebook", "pan", "chair", "rake", "bowl", "shelf", "mug"]
FIRST = ["Ada", "Björn", "Chloé", "Dai", "Elena", "Femi", "Grace", "Hiro", "Inês", "Jan"]
LAST = ["Moreau", "Novák", "Okafor", "Petit", "Quist", "Rossi", "Sato", "Turner", "Ueda", "Vogel"]
COLOURS = ["red", "green", "blue", None]


def load(alias: str = "default", scale: int = 1) -> dict[str, int]:
    """Load `scale` times 20 customers, 40 products and 60 orders; returns rows per model."""
    with transaction.atomic(using=alias):
        dice = random.Random(SEED)
        _reference_data(alias)
        products = _products(alias, dice, 40 * scale)
        customers = _customers(alias, dice, 20 * scale)
        _orders(alias, dice, 60 * scale, customers, products)
        _price_list(alias, products)
    return {
        model.__name__: model._default_manager.using(alias).count()
        for model in (Country, Category, Tag, Customer, Product, Order, OrderItem, PriceListEntry)
    }


def _save(
    model: type[models.Model], rows: Iterable[models.Model], unique: Sequence[str], alias: str
) -> None:
    """Insert, or bring an existing row with the same unique value back to the sample's values."""
    columns = [
        field.name
        for field in model._meta.concrete_fields
        if not field.primary_key and field.name not in unique
    ]
    on_conflict: dict[str, Any] = (
        {"update_conflicts": True, "unique_fields": list(unique), "update_fields": columns}
        if columns
        else {"ignore_conflicts": True}
    )
    model._default_manager.using(alias).bulk_create(list(rows), batch_size=BATCH, **on_conflict)


def _by(model: type[models.Model], name: str, alias: str) -> dict[Any, Any]:
    return {getattr(row, name): row for row in model._default_manager.using(alias).all()}


def _reference_data(alias: str) -> None:
    _save(Country, (Country(code=c, name=n) for c, n in COUNTRIES.items()), ["code"], alias)
    _save(Tag, (Tag(name=name) for name in TAGS), ["name"], alias)
    for slug, name, parent in CATEGORIES:
        Category.objects.using(alias).update_or_create(
            slug=slug,
            defaults={
                "name": name,
                "parent": Category.objects.using(alias).get(slug=parent) if parent else None,
            },
        )


def _products(alias: str, dice: random.Random, number: int) -> list[Product]:
    categories = list(_by(Category, "slug", alias).values())
    categories.sort(key=lambda category: category.slug)
    rows = []
    for n in range(1, number + 1):
        adjective, noun = dice.choice(ADJECTIVES), dice.choice(NOUNS)
        rows.append(
            Product(
                sku=f"SKU-{n:05d}",
                name=f"{adjective} {noun}",
                description=f"A {adjective.lower()} {noun} for every day.",
                price=Decimal(dice.randrange(199, 49_999)) / 100,
                stock=dice.randrange(0, 200),
                active=dice.random() < 0.85,
                category=dice.choice([*categories, None]),
                attrs={"color": dice.choice(COLOURS), "weight": dice.randrange(1, 90) / 10},
                created_at=EPOCH + timedelta(hours=7 * n),
            )
        )
    _save(Product, rows, ["sku"], alias)
    stored = _by(Product, "sku", alias)
    products = [stored[row.sku] for row in rows]
    _tag(alias, dice, products)
    return products


def _tag(alias: str, dice: random.Random, products: Sequence[Product]) -> None:
    tags = _by(Tag, "name", alias)
    through = Product.tags.through
    through._default_manager.using(alias).bulk_create(
        [
            through(product_id=product.pk, tag_id=tags[name].pk)
            for product in products
            for name in dice.sample(TAGS, dice.randrange(0, 4))
        ],
        ignore_conflicts=True,
        batch_size=BATCH,
    )


def _customers(alias: str, dice: random.Random, number: int) -> list[Customer]:
    countries = [*COUNTRIES, None]
    rows = []
    for n in range(1, number + 1):
        first, last = dice.choice(FIRST), dice.choice(LAST)
        rows.append(
            Customer(
                name=f"{first} {last}",
                email=f"customer{n}@shop.example",
                phone=f"+1 555 {n:04d}" if dice.random() < 0.7 else "",
                country_id=dice.choice(countries),
                newsletter=dice.random() < 0.5,
                created_at=EPOCH + timedelta(days=n, minutes=n),
            )
        )
    _save(Customer, rows, ["email"], alias)
    stored = _by(Customer, "email", alias)
    return [stored[row.email] for row in rows]


def _orders(
    alias: str,
    dice: random.Random,
    number: int,
    customers: Sequence[Customer],
    products: Sequence[Product],
) -> None:
    statuses = [value for value, _ in Order.Status.choices]
    baskets = []
    rows = []
    for n in range(1, number + 1):
        basket = [(p, dice.randrange(1, 6)) for p in dice.sample(products, dice.randrange(1, 5))]
        baskets.append(basket)
        rows.append(
            Order(
                number=f"O-{n:06d}",
                customer=dice.choice(customers),
                status=dice.choice(statuses),
                placed_at=EPOCH + timedelta(days=3 * n % 360, hours=n % 12, minutes=n % 60),
                total=sum((p.price * quantity for p, quantity in basket), Decimal(0)),
            )
        )
    _save(Order, rows, ["number"], alias)
    stored = _by(Order, "number", alias)
    items = [
        OrderItem(
            order_id=stored[row.number].pk,
            product_id=product.pk,
            quantity=quantity,
            unit_price=product.price,
        )
        for row, basket in zip(rows, baskets, strict=True)
        for product, quantity in basket
    ]
    _save(OrderItem, items, ["order", "product"], alias)


def _price_list(alias: str, products: Sequence[Product]) -> None:
    for product in products[:10]:
        for year, factor in ((2025, Decimal(1)), (2026, Decimal("1.05"))):
            PriceListEntry.objects.using(alias).update_or_create(
                code=product.sku,
                valid_from=date(year, 1, 1),
                defaults={"price": round(product.price * factor, 2)},
            )
