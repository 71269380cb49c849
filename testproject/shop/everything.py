"""One model with every field type that both databases know."""

import uuid
from decimal import Decimal

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class Everything(models.Model):
    class Colour(models.TextChoices):
        RED = "red"
        GREEN = "green"
        BLUE = "blue"

    class Level(models.IntegerChoices):
        LOW = 1
        HIGH = 2

    # Text. `text` alone is required: all other fields have defaults or may be null.
    text = models.TextField()
    char = models.CharField(max_length=50, default="")
    char_null = models.CharField(max_length=50, null=True, blank=True)
    char_unique = models.CharField(max_length=50, null=True, blank=True, unique=True)
    code = models.CharField(
        max_length=8, default="A1", validators=[RegexValidator(r"^[A-Z][0-9]+$")]
    )
    slug = models.SlugField(default="", blank=True)
    email = models.EmailField(null=True, blank=True)
    url = models.URLField(null=True, blank=True)
    colour = models.CharField(max_length=5, choices=Colour.choices, default=Colour.RED)
    level = models.SmallIntegerField(choices=Level.choices, null=True, blank=True)

    # Numbers.
    boolean = models.BooleanField(default=False)
    boolean_null = models.BooleanField(null=True, blank=True)
    small = models.SmallIntegerField(default=0)
    integer = models.IntegerField(default=0, validators=[MaxValueValidator(2_000_000_000)])
    integer_null = models.IntegerField(null=True, blank=True)
    big = models.BigIntegerField(default=0)
    positive_small = models.PositiveSmallIntegerField(default=0)
    positive = models.PositiveIntegerField(default=0)
    positive_big = models.PositiveBigIntegerField(default=0)
    float = models.FloatField(default=0.0)
    float_null = models.FloatField(null=True, blank=True)
    decimal = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal(0))
    decimal_null = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    decimal_whole = models.DecimalField(max_digits=12, decimal_places=0, default=Decimal(0))
    decimal_fine = models.DecimalField(max_digits=15, decimal_places=9, default=Decimal(0))

    # Times.
    date = models.DateField(null=True, blank=True)
    time = models.TimeField(null=True, blank=True)
    datetime = models.DateTimeField(default=timezone.now)
    datetime_null = models.DateTimeField(null=True, blank=True)
    duration = models.DurationField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    # The rest.
    uuid = models.UUIDField(default=uuid.uuid4)
    uuid_null = models.UUIDField(null=True, blank=True)
    binary = models.BinaryField(default=b"", editable=True, blank=True)
    binary_null = models.BinaryField(null=True, blank=True, editable=True)
    json = models.JSONField(default=dict, blank=True)
    json_null = models.JSONField(null=True, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    file = models.FileField(upload_to="everything/", null=True, blank=True)

    # Values from the database.
    db_default_integer = models.IntegerField(db_default=7)
    db_default_char = models.CharField(max_length=20, db_default="from the database")
    db_default_datetime = models.DateTimeField(db_default=Now())
    generated = models.GeneratedField(
        expression=models.F("integer") + models.F("positive"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    # Relations.
    parent = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="children"
    )
    twin = models.OneToOneField(
        "self", models.SET_NULL, null=True, blank=True, related_name="twin_of"
    )
    country = models.ForeignKey("shop.Country", models.PROTECT, null=True, blank=True)
    tags = models.ManyToManyField("shop.Tag", blank=True, related_name="everythings")

    class Meta:
        verbose_name_plural = "everything"

    def __str__(self) -> str:
        return f"everything {self.pk}"
