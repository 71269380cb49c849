"""Django Ninja as its documentation writes it: ModelSchema in, ModelSchema out, no count."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import ModelSchema, NinjaAPI

from benchmarks.project.catalogue.models import Product

api = NinjaAPI(urls_namespace="by_ninja", docs_url=None, openapi_url=None)


class ProductOut(ModelSchema):
    category_id: int

    class Meta:
        model = Product
        fields = [
            "id",
            "sku",
            "name",
            "description",
            "price",
            "stock",
            "active",
            "weight",
            "created_at",
        ]


class ProductIn(ModelSchema):
    category_id: int

    class Meta:
        model = Product
        fields = ["sku", "name", "description", "price", "stock", "active", "weight"]


@api.get("/products", response=list[ProductOut])
def list_products(request: HttpRequest, limit: int = 100, offset: int = 0) -> object:
    return Product.objects.order_by("id")[offset : offset + limit]


@api.get("/products/{int:product_id}", response=ProductOut)
def read_product(request: HttpRequest, product_id: int) -> Product:
    return get_object_or_404(Product, id=product_id)


@api.post("/products", response={201: ProductOut})
def create_product(request: HttpRequest, payload: ProductIn) -> tuple[int, Product]:
    return 201, Product.objects.create(**payload.dict())


@api.post("/products/bulk")
def create_products(request: HttpRequest, payload: list[ProductIn]) -> dict[str, int]:
    made = Product.objects.bulk_create([Product(**item.dict()) for item in payload])
    return {"inserted": len(made)}
