"""Field types that only PostgreSQL has. Installed when the shop runs on PostgreSQL."""

from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    IntegerRangeField,
)
from django.db import models


class Arrays(models.Model):
    integers = ArrayField(models.IntegerField(), default=list, blank=True)
    texts = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    decimals = ArrayField(
        models.DecimalField(max_digits=10, decimal_places=2), null=True, blank=True
    )
    dates = ArrayField(models.DateField(), null=True, blank=True)
    uuids = ArrayField(models.UUIDField(), null=True, blank=True)
    nested = ArrayField(ArrayField(models.IntegerField()), default=list, blank=True)

    class Meta:
        verbose_name_plural = "arrays"

    def __str__(self) -> str:
        return f"arrays {self.pk}"


class Ranges(models.Model):
    integers = IntegerRangeField(null=True, blank=True)
    big_integers = BigIntegerRangeField(null=True, blank=True)
    decimals = DecimalRangeField(null=True, blank=True)
    dates = DateRangeField(null=True, blank=True)
    datetimes = DateTimeRangeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "ranges"

    def __str__(self) -> str:
        return f"ranges {self.pk}"


class Address(models.Model):
    """inet, which Django's own field speaks."""

    host = models.GenericIPAddressField()
    label = models.CharField(max_length=50, blank=True)

    class Meta:
        verbose_name_plural = "addresses"

    def __str__(self) -> str:
        return str(self.host)
