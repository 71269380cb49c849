"""Text → parameters: the table of what is understood, and of what is refused in which words."""

from decimal import Decimal

import pytest

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.conf import Configuration
from dataflow_nexus.exceptions import Invalid, LimitExceeded
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.operations.texts import ABSENT, cell, from_text
from dataflow_nexus.operations.verbs import VERBS
from dataflow_nexus.registry import Registry


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    registry = Registry()
    registry.register_pattern("shop.*")
    return Catalog(registry, Configuration(authentication_required=False), VERBS)


def pairs(query: str) -> list[tuple[str, str]]:
    return [(name, text) for name, _, text in (item.partition("=") for item in query.split("&"))]


@pytest.mark.parametrize(
    ("node", "query", "expected"),
    [
        (
            "ProductList",
            "fields=id, price&expand=category",
            {"fields": ["id", "price"], "expand": ["category"]},
        ),
        ("ProductList", 'fields=["id"]', {"fields": ["id"]}),
        ("ProductList", "fields=", {"fields": []}),
        ("ProductList", "sort=-price,name", {"order_by": ["-price", "name"]}),
        ("ProductList", "order_by=name:nullslast", {"order_by": ["name:nullslast"]}),
        (
            "ProductList",
            "limit=5&offset=0&count=exact",
            {"limit": 5, "offset": 0, "count": "exact"},
        ),
        ("ProductList", "search=a b&cursor=xyz", {"search": "a b", "cursor": "xyz"}),
        (
            "ProductList",
            'filter={"price":{"$gt":1.5}}',
            {"filter": {"price": {"$gt": Decimal("1.5")}}},
        ),
        ("ProductRead", "id=5&fields=name", {"id": 5, "fields": ["name"]}),
        ("CountryRead", "id=DE", {"id": "DE"}),
        (
            "PriceListEntryRead",
            "id=A,2026-01-01",
            {"id": {"code": "A", "valid_from": "2026-01-01"}},
        ),
        (
            "PriceListEntryRead",
            'id={"code":"A","valid_from":"2026-01-01"}',
            {"id": {"code": "A", "valid_from": "2026-01-01"}},
        ),
        ("ProductDelete", "id=5&dry_run=1", {"id": 5, "dry_run": True}),
        ("ProductBulkDelete", "ids=1,2&confirmed=true", {"ids": [1, 2], "confirmed": True}),
        ("ProductBulkDelete", "max_affected=3&return=ids", {"max_affected": 3, "return": "ids"}),
        (
            "ProductBulkCreate",
            'data=[{"a":1}]&conflict_on=sku&conflict_resolution=skip&batch_size=10&on_error=continue',
            {
                "data": [{"a": 1}],
                "conflict_on": ["sku"],
                "conflict_resolution": "skip",
                "batch_size": 10,
                "on_error": "continue",
            },
        ),
        (
            "ProductUpsert",
            'where={"sku":"a"}&create={}&update={}',
            {"where": {"sku": "a"}, "create": {}, "update": {}},
        ),
    ],
)
def test_parameters(catalog: Catalog, node: str, query: str, expected: object) -> None:
    assert from_text(catalog.operations[f"{node}Node"], pairs(query)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=Test&price=12.50&stock=5", {"name": "Test", "price": "12.50", "stock": 5}),
        ("active=false&category_id=null", {"active": False, "category_id": None}),
        ("description=null", {"description": "null"}),
        ("tags=1,2", {"tags": [1, 2]}),
        ("tags=", {"tags": []}),
        ('attrs={"a":[1]}', {"attrs": {"a": [1]}}),
        ('stock={"$inc": 1}', {"stock": {"$inc": 1}}),
        ('name={"$set": "x"}', {"name": {"$set": "x"}}),
        ('name={"a": 1}', {"name": '{"a": 1}'}),
        ("replace=1&id=7", {"replace": True, "id": 7}),
        ('fields={"name":"x"}', {"fields": {"name": "x"}}),
        # the operation refuses these in its own words
        ("stock=many", {"stock": "many"}),
        ("id=abc", {"id": "abc"}),
        ("replace=perhaps", {"replace": "perhaps"}),
        ("nmae=x", {"nmae": "x"}),
    ],
)
def test_values_of_a_write(catalog: Catalog, query: str, expected: object) -> None:
    assert from_text(catalog.operations["ProductUpdateNode"], pairs(query)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("price__gte=100", {"price": {"$gte": 100}}),
        ("price=12.50", {"price": Decimal("12.50")}),
        ("price__gt=1&price__lte=5.5", {"price": {"$gt": 1, "$lte": Decimal("5.5")}}),
        ("price=3&price__lt=5", {"price": {"$eq": 3, "$lt": 5}}),
        ("price__lt=5&price=3", {"price": {"$lt": 5, "$eq": 3}}),
        ("price=3&price__exact=4", {"$and": [{"price": 3}, {"price": 4}]}),
        ("price__range=1,5", {"price": {"$between": [1, 5]}}),
        ("category__name=x", {"category": {"name": "x"}}),
        ("category__parent__name=x", {"category": {"parent": {"name": "x"}}}),
        ("category=3", {"category_id": 3}),
        ("category__in=1,2", {"category_id": {"$in": [1, 2]}}),
        ("category__isnull=true", {"category_id": {"$null": True}}),
        ("category_id=null", {"category_id": {"$null": True}}),
        ("name__icontains=a", {"name": {"$icontains": "a"}}),
        ("name__iexact=50%_\\", {"name": {"$ilike": "50\\%\\_\\\\"}}),
        ("name__regex=^a", {"name": {"$regex": "^a"}}),
        ("name=null", {"name": "null"}),
        ("stock__iexact=5", {"stock": 5}),
        ("id__in=1,2", {"id": {"$in": [1, 2]}}),
        ("id__in=[1,2]", {"id": {"$in": [1, 2]}}),
        ("id__in=", {"id": {"$in": []}}),
        ("sku__isnull=true", {"sku": {"$null": True}}),
        ("active=true", {"active": True}),
        ("active=0", {"active": False}),
        ('attrs={"a":1}', {"attrs": {"$eq": {"a": 1}}}),
        (
            'attrs={"a":1}&attrs__exact={"b":2}',
            {"$and": [{"attrs": {"$eq": {"a": 1}}}, {"attrs": {"$eq": {"b": 2}}}]},
        ),
        ("tags=1", {"tags": {"$some": {"id": 1}}}),
        ("tags__in=1,2", {"tags": {"$some": {"id": {"$in": [1, 2]}}}}),
        ("tags__isnull=true", {"tags": {"$none": {}}}),
        ("tags__name=x&tags__id__gt=4", {"tags": {"$some": {"name": "x", "id": {"$gt": 4}}}}),
        (
            "order_items__quantity__gte=2&order_items__order__number=A",
            {"order_items": {"$some": {"quantity": {"$gte": 2}, "order": {"number": "A"}}}},
        ),
        ('filter={"stock":1}&name=x', {"$and": [{"stock": 1}, {"name": "x"}]}),
    ],
)
@pytest.mark.parametrize("verb", ["List", "Count"])
def test_lookups(catalog: Catalog, verb: str, query: str, expected: object) -> None:
    assert from_text(catalog.operations[f"Product{verb}Node"], pairs(query)) == {"filter": expected}


@pytest.mark.parametrize(
    ("query", "field", "code", "message"),
    [
        ("pricee=1", "pricee", "unknown", 'unknown field "pricee" — did you mean "price"?'),
        ("limt=1", "limt", "unknown", 'unknown field "limt" — did you mean "limit"?'),
        ("price__gtee=1", "price__gtee", "unknown", 'unknown lookup "gtee" — did you mean "gte"?'),
        ("price__=1", "price__", "unknown", 'unknown lookup ""'),
        ("attrs__color=red", "attrs__color", "unknown", 'unknown lookup "color"'),
        ("created_at__year=2026", "created_at__year", "unknown", 'unknown lookup "year"'),
        (
            "category__nmae=x",
            "category__nmae",
            "unknown",
            'unknown field "nmae" — did you mean "name"?',
        ),
        ("pk__in=1", "pk__in", "unknown", 'unknown field "pk"'),
        ("_connector=OR", "_connector", "unknown", 'unknown field "_connector"'),
        ("__class__=x", "__class__", "unknown", 'unknown field "__class__"'),
        ("category____class__=x", "category____class__", "unknown", None),
        ("__".join(["category"] + ["parent"] * 20) + "=1", None, "unknown", None),
        ("price__gte=abc", "price__gte", "type", '"price__gte" must be a decimal number'),
        ("active=perhaps", "active", "type", '"active" must be true or false'),
        ("id__in=1,x", "id__in", "type", '"id__in" must be an integer'),
        ("id=99999999999999999999", "id", "range", '"id" must be an integer of at most 64 bits'),
        ("name=a\x00", "name", "null_character", None),
        ("sku__isnull=maybe", "sku__isnull", "type", '"sku__isnull" must be true or false'),
        (
            "price__range=1",
            "price__range",
            "type",
            '"price__range" must be two values with a comma between',
        ),
        ("stock__contains=1", "stock__contains", "operator", None),
        ("attrs=red", "attrs", "type", '"attrs" must be JSON'),
        ("limit=1&limit=2", "limit", "duplicate", '"limit" is given twice'),
        ("sort=name&order_by=name", "order_by", "duplicate", '"order_by" is given twice'),
        ("filter={bad", "filter", "type", None),
        ('filter={"a":1,"a":2}', "a", "duplicate", 'the name "a" comes twice in one object'),
        ('filter={"a":NaN}', "filter", "type", '"filter" must be JSON: NaN is not JSON'),
    ],
)
def test_refused(
    catalog: Catalog, query: str, field: str | None, code: str, message: str | None
) -> None:
    with pytest.raises(Invalid) as caught:
        from_text(catalog.operations["ProductListNode"], pairs(query))
    (error,) = caught.value.errors
    assert error.code == code
    assert field is None or error.field == field
    assert message is None or error.message == message


def test_deep_json_is_bounded(catalog: Catalog) -> None:
    with pytest.raises(LimitExceeded):
        from_text(catalog.operations["ProductListNode"], [("filter", "[" * 100_000)])


def test_short_form_of_aggregates(catalog: Catalog) -> None:
    query = "group_by=category_id&sum=price,stock&avg=stock&count=*&count_distinct=sku&active=1"
    assert from_text(catalog.operations["ProductAggregateNode"], pairs(query)) == {
        "group_by": ["category_id"],
        "aggregate": {
            "sum_price": {"$sum": "price"},
            "sum_stock": {"$sum": "stock"},
            "avg_stock": {"$avg": "stock"},
            "count": {"$count": "*"},
            "count_distinct_sku": {"$count_distinct": "sku"},
        },
        "filter": {"active": True},
    }


def test_short_form_beside_json(catalog: Catalog) -> None:
    operation = catalog.operations["ProductAggregateNode"]
    params = from_text(operation, pairs('sum=price&aggregate={"n":{"$count":"*"}}'))
    assert params["aggregate"] == {"n": {"$count": "*"}, "sum_price": {"$sum": "price"}}
    with pytest.raises(Invalid, match="sum_price"):
        from_text(operation, pairs('sum=price&aggregate={"sum_price":{"$sum":"stock"}}'))


def test_dates_are_grouped_in_json(catalog: Catalog) -> None:
    query = 'group_by=["category_id",{"$date_trunc":["month","created_at"]}]'
    params = from_text(catalog.operations["ProductAggregateNode"], pairs(query))
    assert params["group_by"] == ["category_id", {"$date_trunc": ["month", "created_at"]}]
    query = 'group_by={"$date_trunc":["month","created_at"]}'
    params = from_text(catalog.operations["ProductAggregateNode"], pairs(query))
    assert params["group_by"] == {"$date_trunc": ["month", "created_at"]}


def restricted() -> Principal:
    view = {"shop.product": {"id", "name", "category_id"}, "shop.category": {"id", "name"}}
    held = {(label, "view"): (Source(read=frozenset(read)),) for label, read in view.items()}
    return Principal(kind="user", name="sam", held=held)


@pytest.mark.parametrize(
    ("hidden", "unknown"),
    [
        ("price", "prise"),
        ("price__gte", "prise__gte"),
        ("price__nolookup", "prise__nolookup"),
        ("category__slug", "category__slog"),
        ("category__slug__in", "category__slog__in"),
        ("order_items__quantity", "order_itemz__quantity"),
        ("tags", "tagz"),
        ("tags__name", "tagz__name"),
    ],
)
def test_hidden_names_are_unknown_names(catalog: Catalog, hidden: str, unknown: str) -> None:
    """The same error but for the name itself, and no hint that leads to a hidden field."""

    def refused(name: str) -> tuple[str, str, str]:
        operation = catalog.operations["ProductListNode"]
        with pytest.raises(Invalid) as caught:
            from_text(operation, [(name, "not a value")], principal=restricted())
        (error,) = caught.value.errors
        return error.field, error.code, error.message

    field, code, message = refused(hidden)
    other_field, other_code, other_message = refused(unknown)
    told = [part for part in hidden.split("__") if f'"{part}"' in message]
    replaced = dict(zip(hidden.split("__"), unknown.split("__"), strict=True))
    assert (field, code) == (hidden, other_code)
    assert other_field == unknown
    assert len(told) == 1
    assert message.replace(f'"{told[0]}"', f'"{replaced[told[0]]}"', 1) == other_message


def test_shown_names_are_known(catalog: Catalog) -> None:
    operation = catalog.operations["ProductListNode"]
    params = from_text(operation, [("category__name", "x"), ("name", "y")], principal=restricted())
    assert params == {"filter": {"category": {"name": "x"}, "name": "y"}}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("stock", "5", 5),
        ("stock", "x", "x"),
        ("stock", "", ABSENT),
        ("name", "", ""),
        ("name", '{"$inc": 1}', '{"$inc": 1}'),
        ("name", "null", "null"),
        ("category_id", "", None),
        ("category_id", "3", 3),
        ("active", "TRUE", True),
        ("price", "1.50", "1.50"),
        ("attrs", '{"a":1}', {"a": 1}),
        ("attrs", "", ABSENT),
        ("tags", "1,2", [1, 2]),
        ("tags", "", []),
    ],
)
def test_cells(catalog: Catalog, name: str, text: str, expected: object) -> None:
    field = catalog.operations["ProductCreateNode"].exposed.fields[name]
    assert cell(field, text) == expected


def test_cell_with_broken_json(catalog: Catalog) -> None:
    field = catalog.operations["ProductCreateNode"].exposed.fields["attrs"]
    with pytest.raises(Invalid, match="attrs"):
        cell(field, "{")
