"""The token of a preview lets through that call and no other, and no more than was previewed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from django.test import override_settings

from dataflow_nexus.access.principal import SYSTEM, Principal
from testproject.shop.models import Tag
from tests.channels.mcp.agent import TOKEN, Agent, asking, mismatch, shop_agent

ANN = Principal(kind="user", name="ann", unrestricted=True)


# --- the token --------------------------------------------------------------------------------------------------------


@pytest.fixture
def token(database: str) -> str:
    """Of updating the stock of product 1 to 5."""
    return str(asking("write").call("update_product", id=1, stock=5)[TOKEN])


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token[1:],
        lambda token: token + "x",
        lambda token: token[::-1],
        lambda token: token.swapcase(),
        lambda token: f".{token}",
        lambda token: "",
        lambda token: "x",
        lambda token: "::",
        lambda token: "Ünïcode",
        lambda token: "\ud800",
        lambda token: 5,
        lambda token: [token],
        lambda token: {"token": token},
        lambda token: True,
        lambda token: signing.dumps(["x", 1]),
        lambda token: signing.dumps(["x", 1], salt="dataflow_nexus.mcp.confirmation"),
        lambda token: "a" * 100_000,
    ],
)
def test_a_forged_token_lets_nothing_through(change: Callable[[str], Any], token: str) -> None:
    mismatch(asking("write"), "update_product", id=1, stock=5, confirmation_token=change(token))


@pytest.mark.parametrize(
    "arguments",
    [
        {"id": 1, "stock": 6},
        {"id": 2, "stock": 5},
        {"id": 1, "stock": 5, "name": "x"},
        {"id": 1},
        {"id": 1, "stock": "5"},
        {"id": 1, "fields": {"stock": 5}},
        {"id": 1, "stock": 5, "replace": False},
        {"id": 1, "stock": True},
    ],
)
def test_a_token_is_of_its_parameters(arguments: dict[str, Any], token: str) -> None:
    mismatch(asking("write"), "update_product", **arguments, confirmation_token=token)


def test_the_order_of_parameters_is_none_of_them(token: str) -> None:
    agent = asking("write")
    assert agent.call("update_product", confirmation_token=token, stock=5, id=1)["stock"] == 5


def test_a_token_is_of_its_operation(token: str) -> None:
    mismatch(asking("write"), "upsert_product", id=1, stock=5, confirmation_token=token)
    mismatch(asking("write"), "update_order_item", id=1, stock=5, confirmation_token=token)


@pytest.mark.parametrize(
    "other",
    [
        ANN,
        Principal(kind="user", name="system", unrestricted=True),
        Principal(kind="system", name="other", unrestricted=True),
    ],
)
def test_a_token_is_of_its_principal(other: Principal, token: str) -> None:
    agent = shop_agent(other, require_confirmation=["write"])
    mismatch(agent, "update_product", id=1, stock=5, confirmation_token=token)


def test_a_token_ends(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    now = time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 299)
    agent = asking("write")
    again = agent.call("update_product", id=1, stock=5)[TOKEN]
    monkeypatch.setattr(signing.time, "time", lambda: now + 302)
    problem = agent.error("update_product", id=1, stock=5, confirmation_token=token)
    assert [(item["field"], item["code"]) for item in problem["errors"]] == [(TOKEN, "expired")]
    assert "300 seconds" in problem["detail"]
    assert agent.call("update_product", id=1, stock=5, confirmation_token=again)["stock"] == 5


def test_how_long_a_token_lasts_can_be_set(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    agent = asking("write", confirmation_seconds=10)
    answer = agent.call("update_product", id=1, stock=5)
    assert answer["expires_in"] == 10
    now = time.time()
    monkeypatch.setattr(signing.time, "time", lambda: now + 12)
    problem = agent.error("update_product", id=1, stock=5, confirmation_token=answer[TOKEN])
    assert problem["errors"][0]["code"] == "expired"


@override_settings(SECRET_KEY="another-key-of-another-site-that-is-long-enough-0123456789")
def test_a_token_of_another_site(database: str) -> None:
    with override_settings(SECRET_KEY="a-third-key-of-a-third-site-that-is-long-enough-0123456789"):
        token = asking("write").call("update_product", id=1, stock=5)[TOKEN]
    mismatch(asking("write"), "update_product", id=1, stock=5, confirmation_token=token)


@pytest.mark.parametrize(
    "attrs",
    [
        {"a": 2**70, "b": -(2**70)},
        {"a": 1.5, "b": [1e300]},
        {"deep": [[[{"x": None}]]]},
        {"text": "Ünïcode ☃"},
    ],
)
def test_any_value_can_be_confirmed(attrs: Any, database: str) -> None:
    agent = asking("write")
    token = agent.call("update_product", id=1, attrs=attrs)[TOKEN]
    done = agent.call("update_product", id=1, attrs=attrs, confirmation_token=token)
    assert set(done["attrs"]) == set(attrs)


def test_a_token_counts_for_its_parameters_and_not_their_spelling(database: str) -> None:
    """`1`, `1.0`, `"1"` and `true` are four values of a JSON field."""
    agent = asking("write")
    token = agent.call("update_product", id=1, attrs={"a": 1})[TOKEN]
    for other in ("1", True, 1.5, [1], None):
        mismatch(agent, "update_product", id=1, attrs={"a": other}, confirmation_token=token)


# --- more than previewed ----------------------------------------------------------------------------------------------


def test_more_records_than_previewed_are_rolled_back(database: str) -> None:
    agent = asking("bulk_update", "bulk_delete")
    Tag.objects.bulk_create(Tag(name=f"some {n}") for n in range(2))
    chosen = {"name": {"$startswith": "some "}}
    change = {"filter": chosen, "fields": {"name": {"$append": "!"}}}
    update = agent.call("bulk_update_tags", **change)[TOKEN]
    delete = agent.call("bulk_delete_tags", filter=chosen)[TOKEN]
    Tag.objects.create(name="some more")
    for tool, arguments, token in (
        ("bulk_update_tags", change, update),
        ("bulk_delete_tags", {"filter": chosen}, delete),
    ):
        problem = agent.error(tool, **arguments, confirmation_token=token)
        assert problem["code"] == "limit_exceeded"
        assert Tag.objects.filter(name__startswith="some ").exclude(name__endswith="!").count() == 3
    Tag.objects.filter(name="some more").delete()
    assert agent.call("bulk_delete_tags", filter=chosen, confirmation_token=delete)["deleted"] == 2


def test_a_preview_of_nothing_lets_nothing_be_changed(database: str) -> None:
    agent = asking("bulk_delete")
    token = agent.call("bulk_delete_tags", filter={"name": "later"})[TOKEN]
    Tag.objects.create(name="later")
    problem = agent.error("bulk_delete_tags", filter={"name": "later"}, confirmation_token=token)
    assert problem["code"] == "limit_exceeded"
    assert Tag.objects.filter(name="later").exists()


def test_the_callers_own_bound_holds_beside_it(database: str) -> None:
    agent = asking("bulk_create")
    rows = [{"name": "one"}, {"name": "two"}]
    assert agent.error("bulk_create_tags", data=rows, max_affected=1)["code"] == "limit_exceeded"
    token = agent.call("bulk_create_tags", data=rows, max_affected=5)[TOKEN]
    done = agent.call("bulk_create_tags", data=rows, max_affected=5, confirmation_token=token)
    assert done["inserted"] == 2


def test_the_principal_of_a_request_counts(database: str) -> None:
    agent = shop_agent(SYSTEM, require_confirmation=["write"])
    token = agent.call("create_tag", name="mine")[TOKEN]
    other = Agent(agent.catalog, ANN)
    mismatch(other, "create_tag", name="mine", confirmation_token=token)
    assert other.call("create_tag", name="mine")[TOKEN] != token
