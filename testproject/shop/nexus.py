"""What the shop says about its models beyond their names: where `search` looks."""

from dataflow_nexus import register
from testproject.shop.models import Customer, Document, Note, Product

register(Product, search_fields=["name", "description", "sku"])
register(Customer, search_fields=["name", "email"])
register(Note, search_fields=["title", "body"])
register(Document, search_fields=["title"])
