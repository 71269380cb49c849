"""The resource paths: methods, status codes, `Location`, `Link`."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from testproject.shop.models import Category, Country, PriceListEntry, Product
from tests.channels.rest.conftest import Ask, Reply

NEW = {"sku": "REST-1", "name": "Lamp", "price": "18.50"}


# --- one record -----------------------------------------------------------------------------------


def test_create(ask: Ask) -> None:
    reply = ask("POST", "/api/products", NEW)
    record = reply.json
    assert (reply.status, reply["Content-Type"]) == (201, "application/json")
    assert reply["Location"] == f"/api/products/{record['id']}"
    assert ask("GET", reply["Location"]).body == reply.body


def test_create_through_the_class_name(ask: Ask) -> None:
    reply = ask("POST", "/api/Product", NEW)
    assert reply["Location"] == f"/api/products/{reply.json['id']}"


@pytest.mark.parametrize(
    "code",
    [
        "plain",
        "a/b",
        "a,b",
        "~x",
        ".",
        "..",
        "bulk",
        "count",
        "aggregate",
        "export",
        "é",
        "a b",
        "%2F",
        "?",
        "#",
    ],
)
def test_a_location_leads_to_its_record(ask: Ask, code: str) -> None:
    entry = {"code": code, "valid_from": "2030-01-01", "price": 1}
    reply = ask("POST", "/api/price_list_entries", entry)
    assert reply.status == 201
    assert ask("GET", reply["Location"]).body == reply.body
    assert ask("PATCH", reply["Location"], {"price": 2}).json["price"] == "2.00"
    assert ask("DELETE", reply["Location"]).json["id"] == {"code": code, "valid_from": "2030-01-01"}
    assert not PriceListEntry.objects.filter(code=code).exists()


@pytest.mark.parametrize("code", [".", "..", ",", "/", "~", "é"])
def test_a_single_key_that_no_path_holds_is_encoded(ask: Ask, code: str) -> None:
    reply = ask("PUT", "/api/countries", {"code": code, "name": "x"})
    assert (reply.status, reply["Location"][:16]) == (201, "/api/countries/~")
    assert ask("GET", reply["Location"]).json == {"code": code, "name": "x"}


def test_an_empty_key(ask: Ask, database: str) -> None:
    Country.objects.using(database).create(code="", name="x")
    assert ask("GET", "/api/countries/~IiI").json == {"code": "", "name": "x"}
    assert ask("DELETE", "/api/countries/~IiI").status == 200


def test_a_safe_key_stays_readable(ask: Ask) -> None:
    entry = {"code": "A-1_b.c:d", "valid_from": "2030-01-01", "price": 1}
    assert ask("POST", "/api/price_list_entries", entry)["Location"] == (
        "/api/price_list_entries/A-1_b.c:d,2030-01-01"
    )


def test_dry_run_creates_nothing(ask: Ask) -> None:
    for spelled in ("?dry_run=true", "?dry_run=1"):
        reply = ask("POST", f"/api/products{spelled}", NEW)
        assert (reply.status, reply.has("Location"), reply.json["name"]) == (200, False, "Lamp")
    assert ask("PUT", "/api/products?dry_run=1&conflict_on=sku", NEW).json["created"] is True
    assert ask("DELETE", "/api/products/18?dry_run=1").json == {"id": 18, "deleted": True}
    assert ask("PATCH", "/api/products/18?dry_run=1", {"stock": 1}).json["stock"] == 1
    assert not Product.objects.filter(sku="REST-1").exists()
    assert Product.objects.filter(pk=18).exclude(stock=1).exists()


def test_read(ask: Ask) -> None:
    reply = ask("GET", "/api/products/1?fields=id,sku&expand=category")
    assert (reply.status, list(reply.json)) == (200, ["id", "sku", "category"])
    assert ask("GET", "/api/products/999").status == 404


def test_patch_changes_what_is_given(ask: Ask) -> None:
    before = ask("GET", "/api/products/1").json
    reply = ask("PATCH", "/api/products/1", {"stock": {"$inc": 5}})
    assert (reply.status, reply.json) == (200, {**before, "stock": before["stock"] + 5})


def test_put_replaces(ask: Ask) -> None:
    before = ask("GET", "/api/products/3").json
    reply = ask("PUT", "/api/products/3", {"sku": before["sku"], "name": "Only", "price": 1})
    record = reply.json
    assert reply.status == 200
    assert (record["name"], record["stock"], record["active"], record["category_id"]) == (
        "Only",
        0,
        True,
        None,
    )
    assert (record["description"], record["attrs"], record["tags"]) == ("", {}, [])
    missing = ask("PUT", "/api/products/3", {"sku": "x"})
    assert (missing.status, [item["field"] for item in missing.json["errors"]]) == (
        422,
        ["name", "price"],
    )


def test_put_never_creates(ask: Ask) -> None:
    assert ask("PUT", "/api/products/999", NEW).status == 404
    assert not Product.objects.filter(sku="REST-1").exists()


def test_put_replaces_whatever_is_said(ask: Ask) -> None:
    reply = ask("PUT", "/api/products/3", {**NEW, "replace": False})
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "replace")


def test_delete(ask: Ask) -> None:
    reply = ask("DELETE", "/api/products/18")
    assert (reply.status, reply.body) == (200, b'{"id":18,"deleted":true}')
    assert ask("DELETE", "/api/products/18").status == 404


def test_upsert_creates_or_changes(ask: Ask) -> None:
    values = {**NEW, "conflict_on": ["sku"]}
    first = ask("PUT", "/api/products", values)
    assert (first.status, first.json["created"]) == (201, True)
    assert first["Location"] == f"/api/products/{first.json['record']['id']}"
    second = ask("PUT", "/api/products", {**values, "stock": 4})
    assert (second.status, second.json["created"], second.has("Location")) == (200, False, False)
    assert second.json["record"] == {**first.json["record"], "stock": 4}


# --- many records ---------------------------------------------------------------------------------


def test_a_page_links_to_the_next(ask: Ask) -> None:
    seen: list[int] = []
    path = "/api/products?sort=-price,id&limit=7&active=true&fields=id,price"
    while True:
        reply = ask("GET", path)
        page = reply.json
        assert list(page) == ["records", "count", "limit", "offset", "next"]
        seen += [record["id"] for record in page["records"]]
        if page["next"] is None:
            assert not reply.has("Link")
            break
        path, _, parameters = reply["Link"].removeprefix("<").partition(">; ")
        assert parameters == 'rel="next"'
        query = parse_qs(urlsplit(path).query)
        assert query["cursor"] == [page["next"]]
        assert query["fields"] == ["id,price"]
    expected = Product.objects.filter(active=True).order_by("-price", "id")
    assert seen == list(expected.values_list("pk", flat=True))


def test_a_link_leaves_the_offset_behind(ask: Ask) -> None:
    reply = ask("GET", "/api/products?limit=2&offset=3&fields=id")
    assert "offset" not in parse_qs(urlsplit(reply["Link"].partition(">")[0][1:]).query)
    following = ask("GET", reply["Link"].partition(">")[0][1:])
    assert [record["id"] for record in following.json["records"]] == [6, 7]


def test_a_link_keeps_what_a_query_holds(ask: Ask) -> None:
    reply = ask("GET", "/api/products?limit=1&name__icontains=%C3%A9&search=a%26b+%3E")
    assert reply.status == 200
    reply = ask("GET", "/api/products?limit=1&name__icontains=caf%C3%A9")
    link = reply["Link"].partition(">")[0][1:]
    assert parse_qs(urlsplit(link).query)["name__icontains"] == ["café"]
    assert link.isascii()
    assert ask("GET", link).status == 200


def test_count(ask: Ask) -> None:
    number = Product.objects.filter(active=True, category__isnull=True).count()
    reply = ask("GET", "/api/products/count?active=true&category__isnull=true")
    assert (reply.status, reply.json) == (200, {"count": number})


def test_aggregate_by_query_and_by_body(ask: Ask) -> None:
    by_query = ask("GET", "/api/products/aggregate?group_by=active&sum=price&count=*")
    wanted = {"sum_price": {"$sum": "price"}, "count": {"$count": "*"}}
    by_body = ask("POST", "/api/products/aggregate", {"group_by": ["active"], "aggregate": wanted})
    assert (by_query.status, by_query.body) == (200, by_body.body)


# --- bulk -----------------------------------------------------------------------------------------

ROWS = [{"name": "Wood", "slug": "wood"}, {"name": "Iron", "slug": "iron"}]


def numbers(reply: Reply) -> tuple[int, ...]:
    assert (reply.status, reply["Content-Type"]) == (200, "application/json")
    return tuple(
        reply.json[name] for name in ("processed", "inserted", "updated", "deleted", "skipped")
    )


def test_bulk(ask: Ask) -> None:
    made = ask("POST", "/api/categories/bulk", {"data": ROWS, "return": "ids"})
    assert numbers(made) == (2, 2, 0, 0, 0)
    first, second = made.json["ids"]
    merged = ask(
        "PUT", "/api/categories/bulk?conflict_on=slug", {"data": [{**ROWS[0], "name": "W"}]}
    )
    assert numbers(merged) == (1, 0, 1, 0, 0)
    changed = ask(
        "PATCH", "/api/categories/bulk", {"filter": {"id": second}, "fields": {"name": "I"}}
    )
    assert numbers(changed) == (1, 0, 1, 0, 0)
    assert list(Category.objects.filter(pk__in=[first, second]).values_list("name", flat=True)) == [
        "W",
        "I",
    ]
    assert numbers(ask("DELETE", "/api/categories/bulk", {"ids": [first]})) == (1, 0, 0, 1, 0)
    assert numbers(ask("DELETE", f"/api/categories/bulk?ids={second}")) == (1, 0, 0, 1, 0)


def test_bulk_delete_by_query(ask: Ask) -> None:
    reply = ask("DELETE", '/api/order_items/bulk?filter={"order_id":1}&return=ids')
    assert reply.status == 200
    assert reply.json["deleted"] == len(reply.json["ids"]) > 0


def test_bulk_needs_a_body(ask: Ask) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        reply = ask(method, "/api/products/bulk")
        assert (reply.status, reply.json["code"]) == (400, "malformed")


# --- nodes by name --------------------------------------------------------------------------------


def test_a_node_answers_200_with_its_result(ask: Ask) -> None:
    made = ask("POST", "/api/workflows/ProductCreateNode/execute", NEW)
    assert (made.status, made.has("Location")) == (200, False)
    assert ask("GET", f"/api/products/{made.json['id']}").body == made.body
    listed = ask("POST", "/api/workflows/ProductListNode/execute", {"limit": 1})
    assert (listed.status, listed.has("Link"), len(listed.json["records"])) == (200, False, 1)


def test_a_node_takes_text_as_well(ask: Ask) -> None:
    reply = ask("POST", "/api/workflows/ProductListNode/execute?limit=2", {"fields": ["id"]})
    assert reply.json["records"] == [{"id": 1}, {"id": 2}]


@pytest.mark.parametrize("body", [{"inputs": NEW}, NEW])
def test_inputs_are_unwrapped(ask: Ask, body: dict[str, Any]) -> None:
    assert ask("POST", "/api/workflows/ProductCreateNode/execute", body).json["sku"] == "REST-1"


def test_every_reply_is_read_the_same_by_head(ask: Ask) -> None:
    whole = ask("GET", "/api/products?limit=3")
    head = ask("HEAD", "/api/products?limit=3")
    assert (head.status, head.body, head["Link"]) == (200, b"", whole["Link"])
    assert int(head["Content-Length"]) == len(whole.body)
    assert unquote(head["Link"]) == unquote(whole["Link"])
