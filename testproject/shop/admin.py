"""The admin. PriceListEntry is absent: the admin can't hold composite keys."""

from django.contrib import admin

from testproject.shop import models


class OrderItemInline(admin.TabularInline):
    model = models.OrderItem
    extra = 0
    autocomplete_fields = ["product"]


@admin.register(models.Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["sku", "name", "category", "price", "stock", "active"]
    list_filter = ["active", "category"]
    list_select_related = ["category"]
    search_fields = ["sku", "name"]
    filter_horizontal = ["tags"]


@admin.register(models.Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["number", "customer", "status", "placed_at", "total"]
    list_filter = ["status"]
    list_select_related = ["customer"]
    search_fields = ["number", "customer__name"]
    autocomplete_fields = ["customer"]
    inlines = [OrderItemInline]


@admin.register(models.Customer)
class CustomerAdmin(admin.ModelAdmin):
    list_display = ["name", "email", "country", "newsletter"]
    list_select_related = ["country"]
    search_fields = ["name", "email"]


@admin.register(models.Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "parent"]
    list_select_related = ["parent"]
    prepopulated_fields = {"slug": ["name"]}


admin.site.register(
    [
        models.Country,
        models.Document,
        models.Everything,
        models.Note,
        models.Promotion,
        models.Tag,
    ]
)
