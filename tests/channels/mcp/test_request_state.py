"""A confirmation by a form, in revision 2026-07-28: state that comes back changed, answers that do not."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from testproject.shop.models import Tag

VERSION = "2026-07-28"
META = "io.modelcontextprotocol"
YES = {"confirmation": {"action": "accept", "content": {"confirm": True}}}
Call = Callable[..., Any]


@pytest.fixture
def call(client: Client, settings: Any, database: str) -> Call:
    """`call("delete_tag", {"id": 1}, requestState=…)`, by a client that can show forms; returns the response."""
    settings.DATAFLOW_NEXUS = {**settings.DATAFLOW_NEXUS, "REQUIRE_CONFIRMATION": ["delete"]}

    def called(name: str, arguments: dict[str, Any], **more: Any) -> Any:
        meta = {
            f"{META}/protocolVersion": VERSION,
            f"{META}/clientCapabilities": {"elicitation": {}},
        }
        params = {"name": name, "arguments": arguments, "_meta": meta, **more}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = {"MCP-Protocol-Version": VERSION, "Mcp-Method": "tools/call", "Mcp-Name": name}
        return client.post("/mcp", message, content_type="application/json", headers=headers)

    return called


@pytest.fixture
def tag(database: str) -> Tag:
    return Tag.objects.using(database).create(name="to go")


@pytest.fixture
def left(database: str, tag: Tag) -> Callable[[], bool]:
    return lambda: Tag.objects.using(database).filter(pk=tag.pk).exists()


def asked(call: Call, tag: Tag) -> str:
    result = call("delete_tag", {"id": tag.pk}).json()["result"]
    assert result["resultType"] == "input_required"
    return str(result["requestState"])


def test_a_yes_runs_it(call: Call, tag: Tag, left: Callable[[], bool]) -> None:
    state = asked(call, tag)
    result = call("delete_tag", {"id": tag.pk}, requestState=state, inputResponses=YES).json()
    assert result["result"]["structuredContent"] == {"id": tag.pk, "deleted": True}
    assert not left()


@pytest.mark.parametrize(
    "changed",
    [
        lambda state: f"{state}x",
        lambda state: "",
        lambda state: state.partition(":")[0],
        lambda state: "a:b:c",
        lambda state: "\N{SNOWMAN}",
    ],
)
def test_a_changed_state_is_a_fault(
    call: Call, tag: Tag, left: Callable[[], bool], changed: Callable[[str], str]
) -> None:
    state = changed(asked(call, tag))
    response = call("delete_tag", {"id": tag.pk}, requestState=state, inputResponses=YES)
    assert response.status_code == 400
    error = {"code": -32602, "message": "requestState is not of this request"}
    assert response.json() == {"jsonrpc": "2.0", "id": 1, "error": error}
    assert left()


def test_the_state_of_another_call_is_a_fault(
    call: Call, tag: Tag, left: Callable[[], bool], database: str
) -> None:
    other = Tag.objects.using(database).create(name="another")
    state = asked(call, other)
    response = call("delete_tag", {"id": tag.pk}, requestState=state, inputResponses=YES)
    assert (response.status_code, response.json()["error"]["code"]) == (400, -32602)
    assert left()


@pytest.mark.parametrize(
    "answers",
    [
        None,
        {},
        {"another": YES["confirmation"]},
        {"confirmation": {"action": "accept"}},
        {"confirmation": {"action": "accept", "content": {}}},
        {"confirmation": {"action": "accept", "content": {"confirm": "yes"}}},
    ],
)
def test_an_answer_that_is_missing_is_asked_for_again(
    call: Call, tag: Tag, left: Callable[[], bool], answers: object
) -> None:
    more = {} if answers is None else {"inputResponses": answers}
    result = call("delete_tag", {"id": tag.pk}, requestState=asked(call, tag), **more).json()
    assert result["result"]["resultType"] == "input_required"
    assert left()


@pytest.mark.parametrize("answers", [{"confirmation": 12345}, {"confirmation": "yes"}, [], "yes"])
def test_answers_that_are_none_are_a_fault(
    call: Call, tag: Tag, left: Callable[[], bool], answers: object
) -> None:
    state = asked(call, tag)
    response = call("delete_tag", {"id": tag.pk}, requestState=state, inputResponses=answers)
    assert (response.status_code, response.json()["error"]["code"]) == (400, -32602)
    assert left()


@pytest.mark.parametrize(
    "answer",
    [
        {"action": "decline"},
        {"action": "cancel"},
        {"action": "accept", "content": {"confirm": False}},
    ],
)
def test_a_no_changes_nothing(
    call: Call, tag: Tag, left: Callable[[], bool], answer: object
) -> None:
    more = {"requestState": asked(call, tag), "inputResponses": {"confirmation": answer}}
    result = call("delete_tag", {"id": tag.pk}, **more).json()["result"]
    assert result["isError"]
    assert "did not confirm" in result["content"][0]["text"]
    assert left()
