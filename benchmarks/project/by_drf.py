"""Django REST framework: a ModelViewSet and a ModelSerializer, paged without a count."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet

from benchmarks.project.catalogue.models import Product


class ProductSerializer(ModelSerializer[Product]):
    class Meta:
        model = Product
        fields = "__all__"


class Page(LimitOffsetPagination):
    """Nobody counts the table here, so DRF does not have to either."""

    default_limit = 100

    def paginate_queryset(
        self, queryset: QuerySet[Product], request: Request, view: Any = None
    ) -> list[Product]:
        self.request = request
        self.limit = self.get_limit(request) or self.default_limit
        self.offset = self.get_offset(request)
        found = list(queryset[self.offset : self.offset + self.limit])
        self.count = self.offset + len(found)
        return found


class Products(ModelViewSet[Product]):
    queryset = Product.objects.order_by("id")
    serializer_class = ProductSerializer
    pagination_class = Page


router = SimpleRouter(trailing_slash=False)
router.register("products", Products)
