"""The shop: one model for each way in which Django models differ.

`everything.py` holds the model with every field type.
"""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Length
from django.utils import timezone
from django.utils.text import slugify

from testproject.shop.everything import Everything

__all__ = [
    "Category",
    "Country",
    "Customer",
    "Document",
    "Everything",
    "Note",
    "Order",
    "OrderItem",
    "PriceListEntry",
    "Product",
    "Promotion",
    "Tag",
]


class Country(models.Model):
    """A key that is text."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=100)

    class Meta:
        verbose_name_plural = "countries"

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField(unique=True)
    phone = models.CharField(max_length=30, blank=True)
    country = models.ForeignKey(
        Country, models.SET_NULL, null=True, blank=True, related_name="customers"
    )
    newsletter = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """A tree."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(unique=True)
    parent = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="children"
    )

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    name = models.CharField(max_length=50, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    sku = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.IntegerField(default=0)
    active = models.BooleanField(default=True)
    category = models.ForeignKey(
        Category, models.SET_NULL, null=True, blank=True, related_name="products"
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="products")
    attrs = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"


class Order(models.Model):
    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        SHIPPED = "shipped"
        CANCELLED = "cancelled"

    number = models.CharField(max_length=20, unique=True)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    placed_at = models.DateTimeField(default=timezone.now)
    total = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    def __str__(self) -> str:
        return self.number


class OrderItem(models.Model):
    order = models.ForeignKey(Order, models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, models.PROTECT, related_name="order_items")
    quantity = models.PositiveIntegerField(default=1)
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "product"], name="one_line_per_product"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.product_id}"


class PriceListEntry(models.Model):
    """A composite key of text and date."""

    pk = models.CompositePrimaryKey("code", "valid_from")
    code = models.CharField(max_length=20)
    valid_from = models.DateField()
    price = models.DecimalField(max_digits=10, decimal_places=2)
    note = models.CharField(max_length=200, null=True, blank=True)

    class Meta:
        verbose_name_plural = "price list entries"

    def __str__(self) -> str:
        return f"{self.code} from {self.valid_from}"


class Note(models.Model):
    """save() is overridden: a direct INSERT would leave the slug empty."""

    title = models.CharField(max_length=100)
    slug = models.SlugField(max_length=120, blank=True, editable=False)
    body = models.TextField(blank=True)
    product = models.ForeignKey(
        Product, models.CASCADE, null=True, blank=True, related_name="notes"
    )

    def __str__(self) -> str:
        return self.title

    def save(self, *args: object, **kwargs: object) -> None:
        self.slug = slugify(self.title)
        fields = kwargs.get("update_fields")
        if fields is not None:
            kwargs["update_fields"] = {*fields, "slug"}
        super().save(*args, **kwargs)


class Promotion(models.Model):
    """clean() looks at two fields together."""

    name = models.CharField(max_length=100, unique=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    percent = models.PositiveSmallIntegerField(default=10)
    products = models.ManyToManyField(Product, blank=True, related_name="promotions")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValidationError({"ends_on": "A promotion can't end before it starts."})


class LivingManager(models.Manager["Document"]):
    def get_queryset(self) -> models.QuerySet["Document"]:
        return super().get_queryset().filter(deleted_at=None)


class Document(models.Model):
    """The default manager hides what was deleted softly."""

    title = models.CharField(max_length=100)
    owner = models.ForeignKey(
        Customer, models.CASCADE, null=True, blank=True, related_name="documents"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = LivingManager()
    all_objects = models.Manager["Document"]()

    class Meta:
        indexes = [models.Index(Length("title"), name="document_title_length")]

    def __str__(self) -> str:
        return self.title
