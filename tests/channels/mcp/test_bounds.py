"""Bounds on results and on what a call may touch: lists end early and go on exactly, anything else is refused whole."""

import json
from typing import Any

import pytest
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from dataflow_nexus.channels.mcp.asking import Selection
from testproject.shop.models import Category, Note, Product, Tag
from tests.access.asking import rule, somebody
from tests.channels.mcp.agent import Agent, catalog_of, registry_of, shop_agent
from tests.parity.channels import rolled_back

CAP = 8000
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=500)
SORTS = ["title", "body", "product_id", "slug", "id", "product.name", "product.price"]


def capped(most: int = CAP, **configuration: Any) -> Agent:
    catalog = catalog_of(
        registry_of(Note, Product, Tag, Category), mcp_max_bytes=most, **configuration
    )
    return Agent(catalog, selection=Selection(tools="models"))


def pages(agent: Agent, tool: str, **params: Any) -> list[dict[str, Any]]:
    """Every page; none is longer than the cap, and none but an only one is empty."""
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        result = agent.result(tool, {**params, **more})
        text = result["content"][0]["text"]
        assert "isError" not in result, text
        assert len(text.encode()) <= agent.catalog.configuration.mcp_max_bytes
        found.append(json.loads(text))
        assert found[-1]["records"] or len(found) == 1
        if found[-1]["next"] is None:
            return found
        more = {"cursor": found[-1]["next"]}
        params.pop("offset", None)


def records(found: list[dict[str, Any]]) -> list[Any]:
    return [record for page in found for record in page["records"]]


# --- lists ------------------------------------------------------------------------------------------------------------


@given(
    rows=st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from([None, 1, 2, 3])), max_size=12),
    order=st.lists(st.sampled_from(SORTS), max_size=3, unique=True),
    descending=st.booleans(),
    limit=st.sampled_from([1, 3, 100]),
    offset=st.sampled_from([None, 0, 2]),
)
def test_pages_that_end_early_are_the_whole_list(
    database: str,
    rows: list[tuple[str, str, int | None]],
    order: list[str],
    descending: bool,
    limit: int,
    offset: int | None,
) -> None:
    with rolled_back(database):
        Note.objects.all().delete()
        products = list(Product.objects.order_by("pk").values_list("pk", flat=True)[:3])
        Note.objects.bulk_create(
            Note(title=title[:100], body=body, product_id=number and products[number - 1])
            for title, body, number in rows
        )
        params: dict[str, Any] = {"count": "exact", "limit": limit}
        if order:
            params["order_by"] = [f"-{name}" if descending else name for name in order]
        if offset is not None:
            params["offset"] = offset
        found = pages(capped(), "list_notes", **params)
        whole = capped(10**9).call("list_notes", **{**params, "limit": 1000})
        assert records(found) == whole["records"]
        assert {page["count"] for page in found} == {len(rows)}
        assert {page["limit"] for page in found} == {limit}


def test_a_list_ends_early_only_where_it_has_to(database: str) -> None:
    Note.objects.all().delete()
    Note.objects.bulk_create(Note(title=f"n{n}", body="x" * 1000) for n in range(20))
    first, *rest = pages(capped(), "list_notes")
    assert 5 <= len(first["records"]) <= 8
    assert len(records([first, *rest])) == 20
    assert len(pages(capped(10**6), "list_notes")) == 1


def test_a_cursor_that_is_long_is_counted(database: str) -> None:
    """The sort values of the last record are in it."""
    Note.objects.all().delete()
    Note.objects.bulk_create(Note(title=f"n{n}", body="é" * 1500) for n in range(5))
    found = pages(capped(), "list_notes", order_by=["body"], fields=["id"])
    assert len(records(found)) == 5
    problem = capped(3000).error("list_notes", order_by=["body"], fields=["id"], limit=1)
    assert problem["code"] == "limit_exceeded"


def test_the_cap_is_no_matter_of_what_is_expanded(database: str) -> None:
    found = pages(capped(4000), "list_products", expand=["category", "tags"], limit=30)
    whole = capped(10**9).call("list_products", expand=["category", "tags"], limit=1000)
    assert records(found) == whole["records"]


def test_one_record_over_the_cap_is_refused_with_a_way_out(database: str) -> None:
    note = Note.objects.create(title="long", body="x" * 10_000)
    for tool, params in (
        ("list_notes", {"filter": {"id": note.pk}}),
        ("read_note", {"id": note.pk}),
    ):
        problem = capped().error(tool, **params)
        assert problem["code"] == "limit_exceeded"
        assert "ask for fewer fields" in problem["detail"]
        assert capped().call(tool, **params, fields=["id"])


def test_a_long_record_in_the_middle_is_met_when_it_comes(database: str) -> None:
    Note.objects.all().delete()
    Note.objects.bulk_create(
        Note(title=f"n{n}", body="x" * (10_000 if n == 2 else 1)) for n in range(4)
    )
    first = capped().call("list_notes", order_by=["id"])
    assert len(first["records"]) == 2
    again = {"order_by": ["id"], "cursor": first["next"]}
    assert capped().error("list_notes", **again)["code"] == "limit_exceeded"
    assert len(capped().call("list_notes", **again, fields=["title"])["records"]) == 2


@pytest.mark.parametrize("most", [1, 100, 300])
def test_even_a_tiny_cap_says_what_is_wrong(most: int, database: str) -> None:
    assert capped(most).error("list_products")["code"] == "limit_exceeded"
    Note.objects.all().delete()
    assert capped(most).call("list_notes")["records"] == []


class Ledger(models.Model):
    """The notes' table as a relation that says of no key."""

    title = models.CharField(max_length=100)
    body = models.TextField()
    _dataflow_keyless = True

    class Meta:
        app_label = "bounds"
        db_table = "shop_note"
        managed = False

    def __str__(self) -> str:
        return self.title


def test_a_relation_without_a_key_can_not_end_early(database: str) -> None:
    """Its pages have no cursor, and a short one would look like the last."""
    Note.objects.all().delete()
    Note.objects.bulk_create(Note(title=f"n{n}", body="x" * 1000) for n in range(20))
    agent = Agent(catalog_of(registry_of(Ledger), mcp_max_bytes=CAP))
    problem = agent.error("list_ledgers")
    assert problem["code"] == "limit_exceeded"
    assert "fewer records" in problem["detail"]
    found = [
        record["title"]
        for offset in range(0, 20, 5)
        for record in agent.call("list_ledgers", limit=5, offset=offset)["records"]
    ]
    assert sorted(found) == sorted(f"n{n}" for n in range(20))


def test_a_key_that_is_hidden_is_none_to_go_on_by(database: str) -> None:
    Note.objects.all().delete()
    Note.objects.bulk_create(Note(title=f"n{n}", body="x" * 1000) for n in range(20))
    asker = somebody({(Note, "view"): rule(read="title body")})
    agent = Agent(catalog_of(registry_of(Note), mcp_max_bytes=CAP), asker)
    assert agent.error("list_notes")["code"] == "limit_exceeded"
    assert len(agent.call("list_notes", limit=5)["records"]) == 5


# --- other results ----------------------------------------------------------------------------------------------------


def test_a_bulk_write_whose_answer_is_too_long_is_rolled_back(database: str) -> None:
    rows = [{"name": f"tag {n}" + "x" * 40} for n in range(200)]
    before = Tag.objects.count()
    agent = capped()
    for return_ in ("records", "ids"):
        most = agent if return_ == "records" else capped(200)
        problem = most.error("bulk_create_tags", data=rows, return_=return_)
        assert problem["code"] == "limit_exceeded"
        assert '"return": "none"' in problem["detail"]
        assert Tag.objects.count() == before
    assert agent.call("bulk_create_tags", data=rows)["inserted"] == 200


def test_bulk_changes_and_deletions_likewise(database: str) -> None:
    Tag.objects.bulk_create(Tag(name=f"long {n}" + "x" * 40) for n in range(200))
    agent, chosen = capped(), {"name": {"$startswith": "long "}}
    names = Tag.objects.filter(name__startswith="long ").values_list("name", flat=True)
    rows = [{"name": name} for name in names]
    for tool, params in (
        ("bulk_update_tags", {"filter": chosen, "fields": {"name": {"$append": "y"}}, "return": "records"}),
        ("bulk_delete_tags", {"filter": chosen, "return": "records"}),
        ("bulk_upsert_tags", {"data": rows, "conflict_on": ["name"], "return": "records"}),
    ):  # fmt: skip
        problem = agent.error(tool, **params)
        assert problem["code"] == "limit_exceeded", tool
        assert (
            Tag.objects.filter(name__startswith="long ").exclude(name__endswith="y").count() == 200
        )


def test_too_many_groups_are_refused_with_a_way_out(database: str) -> None:
    params = {"group_by": ["name"], "aggregate": {"n": {"$count": "*"}}}
    Tag.objects.bulk_create(Tag(name=f"group {n}" + "x" * 40) for n in range(200))
    problem = capped().error("aggregate_tags", **params)
    assert problem["code"] == "limit_exceeded"
    assert "fewer groups" in problem["detail"]
    assert len(capped().call("aggregate_tags", **params, limit=10)["groups"]) == 10


def test_a_single_write_is_not_bounded(database: str) -> None:
    """It answers what its caller sent, more or less; refused, a long record could not be changed at all."""
    note = Note.objects.create(title="long", body="x" * 10_000)
    assert capped().call("update_note", id=note.pk, title="still long")["title"] == "still long"


# --- max_records_per_operation ----------------------------------------------------------------------------------------


def few(most: int = 3, **configuration: Any) -> Agent:
    return shop_agent(max_records_per_operation=most, **configuration)


def test_a_list_has_as_many_records_as_the_bound(database: str) -> None:
    assert len(few().call("list_products")["records"]) == 3
    assert len(few().call("list_products", limit=None)["records"]) == 3
    assert len(few().call("list_products", limit=2)["records"]) == 2
    assert few(500).call("list_products")["limit"] == 100
    page = few().call("list_products", limit=3, order_by=["id"])
    following = few().call("list_products", limit=3, order_by=["id"], cursor=page["next"])
    assert len({record["id"] for record in page["records"] + following["records"]}) == 6


@pytest.mark.parametrize("limit", [4, 4.0, 1000, 2**62])
def test_more_is_refused(limit: Any) -> None:
    problem = few().error("list_products", limit=limit)
    assert problem["errors"] == [
        {"field": "limit", "code": "range", "message": '"limit" must be between 0 and 3'}
    ]


@pytest.mark.parametrize("limit", ["4", True, -1, 1.5, [4], {}, 2**70, "x"])
def test_a_wrong_limit_is_refused_as_without_the_bound(limit: Any) -> None:
    assert few().error("list_products", limit=limit) == shop_agent().error(
        "list_products", limit=limit
    )


def test_a_bulk_call_may_hold_as_many_rows(database: str) -> None:
    rows = [{"name": f"few {n}"} for n in range(4)]
    agent = few()
    assert agent.call("bulk_create_tags", data=rows[:3])["inserted"] == 3
    ids = list(Tag.objects.filter(name__startswith="few ").values_list("pk", flat=True))
    for tool, params in (
        ("bulk_create_tags", {"data": rows}),
        ("bulk_upsert_tags", {"data": rows, "conflict_on": ["name"]}),
        ("bulk_update_tags", {"data": [{"id": n} for n in range(4)]}),
        ("bulk_delete_tags", {"ids": [*ids, 0]}),
        ("bulk_delete_tags", {"ids": [*ids, 0], "data": None}),
    ):
        problem = agent.error(tool, **params)
        assert problem["code"] == "limit_exceeded", tool
        assert problem["detail"] == "one call may change at most 3 records, not 4"
    assert Tag.objects.filter(name__startswith="few ").count() == 3


def test_what_a_filter_selects_counts_too(database: str) -> None:
    Tag.objects.bulk_create(Tag(name=f"many {n}") for n in range(4))
    agent, chosen = few(), {"name": {"$startswith": "many "}}
    for tool, params in (
        ("bulk_update_tags", {"filter": chosen, "fields": {"name": {"$append": "!"}}}),
        ("bulk_delete_tags", {"filter": chosen}),
        ("bulk_delete_tags", {"filter": chosen, "max_affected": 100}),
        ("bulk_delete_tags", {"filter": chosen, "max_affected": 4.0}),
        ("bulk_delete_tags", {"filter": chosen, "max_affected": 2}),
        ("bulk_delete_tags", {"filter": chosen, "max_affected": 0}),
    ):
        assert agent.error(tool, **params)["code"] == "limit_exceeded"
    assert sorted(Tag.objects.filter(name__startswith="many ").values_list("name", flat=True)) == [
        f"many {n}" for n in range(4)
    ]
    Tag.objects.filter(name="many 3").delete()
    assert agent.call("bulk_delete_tags", filter=chosen)["deleted"] == 3


@pytest.mark.parametrize(
    "params",
    [
        {"data": "rows"},
        {"data": {"name": "x"}},
        {"data": None},
        {},
        {"data": [{"name": "x"}], "max_affected": "1"},
        {"data": [{"name": "x"}], "max_affected": True},
        {"data": [{"name": "x"}], "max_affected": -1},
        {"data": [{"name": "x"}], "max_affected": 2**70},
    ],
)
def test_wrong_rows_are_refused_as_without_the_bound(params: dict[str, Any], database: str) -> None:
    problem = few().error("bulk_create_tags", **params)
    assert problem == shop_agent().error("bulk_create_tags", **params)
    assert problem["code"] == "invalid"


def test_the_bound_holds_for_every_way_to_an_operation(database: str) -> None:
    agent = few(tools="compact")
    assert agent.error("list_records", model="tags", limit=4)["code"] == "invalid"
    params = {"node": "TagListNode", "params": {"limit": 4}}
    assert agent.error("run_workflow", **params)["code"] == "invalid"
    rows = [{"name": f"few {n}"} for n in range(4)]
    assert agent.error("create_records", model="tags", data=rows)["code"] == "limit_exceeded"
