"""What `register` is told about a model: a name that is not there is an error, never ignored."""

from typing import Any

import pytest

from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.registry import Registry
from testproject.shop.models import Product


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exclude": ["pirce"]}, "no field 'pirce' to exclude — did you mean \"price\"?"),
        ({"fields": ["id", "nane"]}, "no field 'nane' to expose — did you mean \"name\"?"),
        ({"search_fields": ["nmae"]}, "no field 'nmae' to search — did you mean \"name\"?"),
        ({"search_fields": ["categry__name"]}, "no field 'categry' to search"),
    ],
)
def test_unknown_names_are_refused(options: dict[str, Any], message: str) -> None:
    exposed = Registry().register(Product, **options)
    with pytest.raises(ConfigurationError) as caught:
        _ = exposed.fields
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["category", "category_id", "price", "tags"])
def test_fields_are_excluded_under_either_name(name: str) -> None:
    fields = Registry().register(Product, exclude=[name]).fields
    hidden = {"category": "category_id"}.get(name, name)
    assert hidden not in fields
    assert "name" in fields


def test_searching_over_a_relation_is_known() -> None:
    assert "name" in Registry().register(Product, search_fields=["category__name", "name"]).fields


@pytest.mark.parametrize("resource", ["", "a/b", "a b", ".", "..", "a?", "50%", "~a", "a,b"])
def test_a_resource_is_one_step_of_a_path(resource: str) -> None:
    with pytest.raises(ConfigurationError, match="one step of a path"):
        Registry().register(Product, resource=resource)


@pytest.mark.parametrize("resource", ["wares", "sales.orders", "Wares-2", "\u5546\u54c1"])
def test_a_resource_may_be_spelled_otherwise(resource: str) -> None:
    assert Registry().register(Product, resource=resource).resource == resource
