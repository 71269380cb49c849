"""`before` and `after` of a model: they see who asks for what, may change or refuse it, and share the transaction."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError

from dataflow_nexus import Conflict, Invalid, Nexus, NexusError, PermissionDenied
from dataflow_nexus.access.principal import Principal
from testproject.shop.models import Product, Tag
from tests.operations.bulks import fields, product

Hooked = Callable[..., Callable[..., Any]]
ALICE = Principal(kind="user", name="alice", unrestricted=True)


@pytest.fixture
def hooked(database: str) -> Hooked:
    """`hooked(before=…, after=…)` runs nodes of a shop whose products have these hooks."""

    def make(**hooks: Any) -> Callable[..., Any]:
        nexus = Nexus()
        nexus.register(Tag)
        nexus.register(Product, **hooks)
        return lambda node, **params: nexus.execute(f"{node}Node", params, principal=ALICE)

    return make


def refused(
    run: Callable[..., Any], node: str, kind: type[NexusError], **params: Any
) -> NexusError:
    with pytest.raises(kind) as caught:
        run(node, **params)
    return caught.value


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("create", product(1)),
    ("read", {"filter": {"sku": "B-1"}}),
    ("list", {"limit": 2}),
    ("count", {}),
    ("update", {"filter": {"sku": "B-1"}, "stock": 2}),
    ("upsert", {**product(1), "conflict_on": ["sku"]}),
    ("aggregate", {"aggregate": {"n": {"$count": "*"}}}),
    ("bulk_create", {"data": [product(2)], "return": "records"}),
    ("bulk_update", {"filter": {"sku": "B-2"}, "fields": {"stock": 1}}),
    ("bulk_upsert", {"data": [product(2)], "conflict_on": ["sku"]}),
    ("bulk_delete", {"filter": {"sku": "B-2"}}),
    ("delete", {"filter": {"sku": "B-1"}}),
]


def test_every_operation_is_seen_with_its_result(hooked: Hooked) -> None:
    seen: list[tuple[Any, ...]] = []
    run = hooked(
        before=lambda *told: seen.append(("before", *told)),
        after=lambda *told: seen.append(("after", *told)),
    )
    expected: list[tuple[Any, ...]] = []
    for verb, params in CALLS:
        result = run("Product" + verb.title().replace("_", ""), **params)
        expected += [("before", ALICE, verb, params), ("after", ALICE, verb, params, result)]
    assert seen == expected


def test_other_models_are_not_hooked(hooked: Hooked) -> None:
    seen: list[str] = []
    run = hooked(before=lambda _, verb, params: seen.append(verb))
    run("TagCreate", name="free")
    run("ProductCount")
    assert seen == ["count"]


def test_before_changes_the_parameters(hooked: Hooked) -> None:
    def before(principal: Principal, verb: str, params: dict[str, Any]) -> dict[str, Any] | None:
        return {**params, "description": principal.name} if verb == "create" else None

    run = hooked(before=before)
    assert run("ProductCreate", **product(1))["description"] == "alice"
    assert run("ProductUpdate", filter={"sku": "B-1"}, stock=1)["description"] == "alice"


def test_before_can_not_change_what_the_caller_holds(hooked: Hooked) -> None:
    given = product(1)
    run = hooked(before=lambda principal, verb, params: params.clear())
    assert run("ProductCreate", **given)["sku"] == given["sku"] == "B-1"


def test_changed_parameters_are_checked_like_others(hooked: Hooked) -> None:
    run = hooked(before=lambda principal, verb, params: {**params, "price": "x", "colour": 1})
    error = refused(run, "ProductCreate", Invalid, **product(1))
    assert sorted(fields(error)) == [("colour", "unknown"), ("price", "type")]


def test_before_returns_parameters_or_nothing(hooked: Hooked) -> None:
    run = hooked(before=lambda principal, verb, params: ["no", "parameters"])
    assert "returned no parameters" in refused(run, "ProductCount", Invalid).detail


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(
    "error",
    [
        Conflict("closed on Sundays"),
        Invalid.field("price", "low", "too cheap"),
        PermissionDenied("not for you"),
    ],
    ids=lambda error: str(error.code),
)
def test_a_hook_refuses_with_its_own_error_and_nothing_stays(
    hooked: Hooked, place: str, error: NexusError
) -> None:
    def refuse(*_: Any) -> None:
        raise error

    run = hooked(**{place: refuse})
    before = list(Product.objects.order_by("pk").values())
    calls = [item for item in CALLS if item[0] not in {"read", "delete", "bulk_delete", "update"}]
    calls += [
        ("update", {"id": 1, "stock": 77}),
        ("update", {"id": 1, "stock": {"$inc": 1}, "tags": []}),
        ("bulk_update", {"filter": {"id": 1}, "fields": {"stock": 77}}),
    ]
    for verb, params in calls:
        found = refused(run, "Product" + verb.title().replace("_", ""), type(error), **params)
        assert found is error
    assert list(Product.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_hook_may_refuse_as_django_does(hooked: Hooked, place: str) -> None:
    def refuse(*_: Any) -> None:
        raise ValidationError({"category": "Choose one."}, code="missing")

    error = refused(hooked(**{place: refuse}), "ProductCreate", Invalid, **product(1))
    assert (error.detail, [item.field for item in error.errors]) == ("Choose one.", ["category_id"])
    assert not Product.objects.filter(sku="B-1").exists()


@pytest.mark.parametrize("text", ["Not on Sundays.", ""])
def test_a_hook_may_deny_as_django_does(hooked: Hooked, text: str) -> None:
    def refuse(*_: Any) -> None:
        raise DjangoPermissionDenied(text)

    error = refused(hooked(before=refuse), "ProductCreate", PermissionDenied, **product(1))
    assert error.detail == (text or "ProductCreateNode was refused")
    assert not Product.objects.filter(sku="B-1").exists()


def test_what_a_hook_writes_goes_with_the_operation(hooked: Hooked) -> None:
    def before(principal: Principal, verb: str, params: dict[str, Any]) -> None:
        Tag.objects.create(name=f"{verb} by {principal.name}")

    def after(principal: Principal, verb: str, params: dict[str, Any], result: Any) -> None:
        if result["stock"] > 10:
            raise Conflict("too many")

    run = hooked(before=before, after=after)
    refused(run, "ProductCreate", Conflict, **product(1, stock=11))
    refused(run, "ProductCreate", Invalid, **product(1, stock="many"))
    assert not Tag.objects.filter(name__endswith="by alice").exists()
    run("ProductCreate", **product(1, stock=1))
    assert [tag.name for tag in Tag.objects.filter(name__endswith="by alice")] == [
        "create by alice"
    ]


def test_after_sees_the_row_inside_of_the_transaction(hooked: Hooked) -> None:
    found: list[int] = []

    def after(principal: Principal, verb: str, params: dict[str, Any], result: Any) -> None:
        found.append(Product.objects.get(pk=result["id"]).stock)

    hooked(after=after)("ProductUpdate", id=1, stock={"$set": 41})
    assert found == [41]


def test_a_dry_run_undoes_what_hooks_wrote(hooked: Hooked, database: str) -> None:
    def note(_: Principal, verb: str, *more: Any) -> None:
        if verb != "list":
            Tag.objects.using(database).create(name=f"{verb} {len(more)}")

    alone = Product.objects.using(database).create(sku="ALONE", name="Alone", price=1)
    run = hooked(before=note, after=note)
    for node, params in (
        ("ProductCreate", product(1)),
        ("ProductBulkCreate", {"data": [product(1)]}),
        ("ProductBulkUpdate", {"filter": {"id": 1}, "fields": {"stock": 1}}),
        ("ProductUpdate", {"id": 1, "stock": 1}),
        ("ProductUpsert", {"id": 1, **product(1)}),
        ("ProductDelete", {"id": alone.pk}),
    ):
        before = run("ProductList")
        run(node, **params, dry_run=True)
        assert not Tag.objects.using(database).filter(name__contains=" ").exists()
        assert run("ProductList") == before


def test_before_can_not_make_a_dry_run_a_real_one(hooked: Hooked, database: str) -> None:
    def forgetful(principal: Principal, verb: str, params: Any) -> Any:
        return {name: value for name, value in params.items() if name != "dry_run"}

    alone = Product.objects.using(database).create(sku="ALONE", name="Alone", price=1)
    run = hooked(before=forgetful)
    run("ProductCreate", **product(1), dry_run=True)
    run("ProductBulkUpdate", filter={"id": 1}, fields={"stock": 77}, dry_run=True)
    run("ProductDelete", id=alone.pk, dry_run=True)
    assert Product.objects.using(database).filter(sku="B-1").count() == 0
    assert Product.objects.using(database).filter(stock=77).count() == 0
    assert Product.objects.using(database).filter(pk=alone.pk).count() == 1
