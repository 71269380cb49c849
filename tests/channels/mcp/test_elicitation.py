"""A client that can ask the person does, in the way of its revision; the agent never sees the token."""

import asyncio
import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django import test
from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import ElicitResult

from dataflow_nexus.channels.mcp.asking import ProtocolError
from dataflow_nexus.channels.mcp.confirming import ANSWER, Confirmation
from testproject.shop.models import Tag
from tests.channels.mcp.agent import TOKEN, Agent, asking, mismatch
from tests.processes import NEXUS, environment

# --- asking the person ------------------------------------------------------------------------------------------------


def accepted(confirm: Any = True) -> dict[str, Any]:
    return {ANSWER: {"action": "accept", "content": {"confirm": confirm}}}


def denied(result: Any) -> bool:
    code = json.loads(result["content"][0]["text"])["code"]
    return result["isError"] is True and code == "permission_denied"


def refused(agent: Agent, name: str, **more: Any) -> None:
    """The state is a fault of the protocol, and nothing is written."""
    with pytest.raises(ProtocolError) as raised:
        agent.result("create_tag", {"name": name}, **more)
    assert raised.value.code == -32602
    assert raised.value.message == "requestState is not of this request"
    assert not Tag.objects.filter(name=name).exists()


def test_a_client_that_asks_is_given_the_question_and_no_preview(database: str) -> None:
    agent = asking("write", elicitation="answer")
    answer = agent.result("create_tag", {"name": "asked"})
    assert answer["resultType"] == "input_required"
    question = answer["inputRequests"][ANSWER]
    assert question["method"] == "elicitation/create"
    assert question["params"]["message"] == "create on tags would change 1 record."
    assert question["params"]["requestedSchema"]["required"] == ["confirm"]
    assert not Tag.objects.filter(name="asked").exists()
    again = {"state": answer["requestState"], "inputs": accepted()}
    done = agent.result("create_tag", {"name": "asked"}, **again)
    assert done["structuredContent"]["name"] == "asked"
    assert Tag.objects.filter(name="asked").count() == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"action": "decline"},
        {"action": "cancel"},
        {"action": "accept", "content": {"confirm": False}},
        {"action": "decline", "content": {"confirm": True}},
        {"content": {"confirm": True}},
        {},
    ],
)
def test_a_no_changes_nothing(answer: Any, database: str) -> None:
    agent = asking("write", elicitation="answer")
    state = agent.result("create_tag", {"name": "asked"})["requestState"]
    result = agent.result("create_tag", {"name": "asked"}, state=state, inputs={ANSWER: answer})
    assert denied(result)
    assert not Tag.objects.filter(name="asked").exists()


OTHERWISE: list[Any] = [
    {"action": "accept"},
    {"action": "accept", "content": None},
    {"action": "accept", "content": {}},
    {"action": "accept", "content": {"confirm": "true"}},
    {"action": "accept", "content": {"confirm": 1}},
    None,
    "accept",
]
"""Answers that are not of the form that was asked for."""


@pytest.mark.parametrize(
    "inputs",
    [{}, {"other": accepted()[ANSWER]}, *({ANSWER: answer} for answer in OTHERWISE)],
)
def test_an_answer_that_is_missing_or_none_is_asked_for_again(inputs: Any, database: str) -> None:
    agent = asking("write", elicitation="answer")
    state = agent.result("create_tag", {"name": "asked"})["requestState"]
    again = agent.result("create_tag", {"name": "asked"}, state=state, inputs=inputs)
    assert again["resultType"] == "input_required"
    assert again["inputRequests"][ANSWER]["method"] == "elicitation/create"
    assert not Tag.objects.filter(name="asked").exists()


@pytest.mark.parametrize("answer", [{"action": "decline"}, {}, *OTHERWISE])
def test_anything_but_a_yes_is_a_no_where_a_request_asks(answer: Any, database: str) -> None:
    """The transport has asked already and does not ask twice."""
    agent = asking("write", elicitation="request")
    found = agent.result("create_tag", {"name": "asked"})
    assert isinstance(found, Confirmation)
    given = {"state": found.token, "inputs": {ANSWER: answer}}
    assert denied(agent.result("create_tag", {"name": "asked"}, **given))
    assert not Tag.objects.filter(name="asked").exists()


def test_an_answer_without_our_question_runs_nothing(database: str) -> None:
    agent = asking("write", elicitation="answer")
    answer = agent.result("create_tag", {"name": "asked"}, inputs=accepted())
    assert answer["resultType"] == "input_required"


@pytest.mark.parametrize(
    "change", [lambda s: s[:-1], lambda s: "", lambda s: "x", lambda s: s + "x"]
)
def test_a_forged_state_is_refused(change: Callable[[str], str], database: str) -> None:
    agent = asking("write", elicitation="answer")
    state = change(agent.result("create_tag", {"name": "asked"})["requestState"])
    refused(agent, "asked", state=state, inputs=accepted())


def test_a_state_of_other_parameters_is_refused(database: str) -> None:
    agent = asking("write", elicitation="answer")
    state = agent.result("create_tag", {"name": "asked"})["requestState"]
    refused(agent, "other", state=state, inputs=accepted())


def test_a_state_is_no_token_and_a_token_no_state(database: str) -> None:
    """What waits for a person's answer lets nothing through by itself."""
    agent = asking("write", elicitation="answer")
    state = agent.result("create_tag", {"name": "asked"})["requestState"]
    mismatch(agent, "create_tag", name="asked", confirmation_token=state)
    mismatch(asking("write"), "create_tag", name="asked", confirmation_token=state)
    token = asking("write").call("create_tag", name="asked")[TOKEN]
    refused(agent, "asked", state=token, inputs=accepted())


def test_a_client_that_is_asked_by_request_waits(database: str) -> None:
    """The transport asks, and comes back with the answer."""
    agent = asking("write", elicitation="request")
    found = agent.result("create_tag", {"name": "asked"})
    assert isinstance(found, Confirmation)
    done = agent.result("create_tag", {"name": "asked"}, state=found.token, inputs=accepted())
    assert done["structuredContent"]["name"] == "asked"


def test_more_than_the_person_saw_is_rolled_back(database: str) -> None:
    agent = asking("destructive", elicitation="answer")
    arguments = {"filter": {"name": {"$startswith": "seen "}}}
    Tag.objects.create(name="seen 1")
    state = agent.result("bulk_delete_tags", arguments)["requestState"]
    Tag.objects.create(name="seen 2")
    result = agent.result("bulk_delete_tags", arguments, state=state, inputs=accepted())
    assert json.loads(result["content"][0]["text"])["code"] == "limit_exceeded"
    assert Tag.objects.filter(name__startswith="seen ").count() == 2


# --- over HTTP --------------------------------------------------------------------------------------------------------


def posted(client: test.Client, capabilities: dict[str, Any] | None, **params: Any) -> Any:
    """A call of `delete_tag`; with capabilities in the way of 2026-07-28."""
    given: dict[str, Any] = {
        "name": "bulk_delete_tags",
        "arguments": {"filter": {"name": "x"}},
        **params,
    }
    headers: dict[str, str] = {}
    if capabilities is not None:
        version = "2026-07-28"
        prefix = "io.modelcontextprotocol"
        given["_meta"] = {
            f"{prefix}/protocolVersion": version,
            f"{prefix}/clientInfo": {"name": "t", "version": "1"},
            f"{prefix}/clientCapabilities": capabilities,
        }
        headers = {
            "MCP-Protocol-Version": version,
            "Mcp-Method": "tools/call",
            "Mcp-Name": "bulk_delete_tags",
        }
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": given}
    response = client.post("/mcp", message, content_type="application/json", headers=headers)
    return response.json()["result"]


@pytest.fixture
def asking_site(settings: Any) -> None:
    settings.DATAFLOW_NEXUS = {**settings.DATAFLOW_NEXUS, "REQUIRE_CONFIRMATION": ["destructive"]}


@pytest.mark.parametrize(
    ("capabilities", "asked"),
    [
        (None, False),
        ({}, False),
        ({"elicitation": {}}, True),
        ({"elicitation": {"form": {}}}, True),
        ({"elicitation": {"form": {}, "url": {}}}, True),
        ({"elicitation": {"url": {}}}, False),
    ],
)
def test_who_can_show_a_form_is_asked(
    capabilities: Any, asked: bool, asking_site: None, database: str, client: test.Client
) -> None:
    result = posted(client, capabilities)
    assert (result.get("resultType") == "input_required") is asked
    assert ("structuredContent" in result) is not asked
    if asked:
        again = {"requestState": result["requestState"], "inputResponses": accepted()}
        done = posted(client, capabilities, **again)
        assert done["resultType"] == "complete"
        assert done["structuredContent"]["deleted"] == 0


# --- over standard input and output -----------------------------------------------------------------------------------

APPLICATION = """
from dataflow_nexus import DataFlow, Nexus

db = DataFlow({url!r})


@db.model
class Tag:
    name: str


app = Nexus(dataflow_config={{"integration": db, "require_confirmation": ["write", "destructive"]}})
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def words(
    request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[[], str]
) -> list[str]:
    """The command that serves tags, of which there are two."""
    table = "CREATE TABLE tags (id {key} PRIMARY KEY, name varchar NOT NULL)"
    rows = "INSERT INTO tags (name) VALUES ('one'), ('two')"
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/tags.db"
        with sqlite3.connect(tmp_path / "tags.db") as connection:
            connection.executescript(f"{table.format(key='integer')}; {rows}")
        connection.close()
    else:
        url = new_database()
        with psycopg.connect(url) as server:
            server.execute(f"{table.format(key='bigserial')}; {rows}")
    path = tmp_path / "tags.py"
    path.write_text(APPLICATION.format(url=url))
    return [NEXUS, "--app", str(path), "mcp"]


Answer = Callable[[Any], ElicitResult]


async def asked(words: list[str], mode: Any, answer: Answer | None) -> tuple[list[str], Any, int]:
    """Deleting all tags: the questions that the person saw, the result, and how many tags are left."""
    questions: list[str] = []

    async def callback(_: Any, params: Any) -> ElicitResult:
        questions.append(params.message)
        assert answer is not None
        return answer(params)

    server = stdio_client(
        StdioServerParameters(command=words[0], args=words[1:], env=environment())
    )
    given = {} if answer is None else {"elicitation_callback": callback}
    async with Client(server, mode=mode, **given) as client:
        arguments = {"filter": {}, "confirmed": True}
        result = await client.call_tool("bulk_delete_tags", arguments)
        left = await client.call_tool("count_tags", {})
        assert left.structured_content is not None
        return questions, result, left.structured_content["count"]


MODES = ("legacy", "auto")
"""By a request of the server's, and by an answer that the call is repeated with."""


@pytest.mark.parametrize("mode", MODES)
def test_the_official_client_asks_and_the_call_runs(mode: str, words: list[str]) -> None:
    def yes(params: Any) -> ElicitResult:
        assert set(params.requested_schema["properties"]) == {"confirm"}
        return ElicitResult(action="accept", content={"confirm": True})

    questions, result, left = asyncio.run(asked(words, mode, yes))
    assert questions == ["bulk_delete on tags would change 2 records."]
    assert not result.is_error
    assert result.structured_content["deleted"] == 2
    assert left == 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "given",
    [
        ElicitResult(action="decline"),
        ElicitResult(action="accept", content={"confirm": False}),
    ],
    ids=["decline", "false"],
)
@pytest.mark.parametrize("words", ["sqlite"], indirect=True)
def test_the_person_says_no(mode: str, given: ElicitResult, words: list[str]) -> None:
    questions, result, left = asyncio.run(asked(words, mode, lambda _: given))
    assert len(questions) == 1
    assert result.is_error
    assert json.loads(result.content[0].text)["code"] == "permission_denied"
    assert left == 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("words", ["sqlite"], indirect=True)
def test_a_client_that_can_not_ask_gets_a_token(mode: str, words: list[str]) -> None:
    _, result, left = asyncio.run(asked(words, mode, None))
    assert result.structured_content["confirmation_required"] is True
    assert left == 2


@pytest.mark.parametrize(
    ("capability", "by_form"), [({"url": {}}, False), ({}, True), ({"form": {}, "url": {}}, True)]
)
@pytest.mark.parametrize("words", ["sqlite"], indirect=True)
def test_a_client_that_opens_addresses_alone_gets_a_token(
    capability: dict[str, Any], by_form: bool, words: list[str]
) -> None:
    """URL elicitation shows no form of ours."""
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def say(method: str, params: Any, number: int | None = None) -> Any:
            message = {"jsonrpc": "2.0", "method": method, "params": params}
            named = message if number is None else {**message, "id": number}
            server.stdin.write(f"{json.dumps(named)}\n")  # type: ignore[union-attr]
            server.stdin.flush()  # type: ignore[union-attr]
            return None if number is None else json.loads(server.stdout.readline())  # type: ignore[union-attr]

        client = {
            "protocolVersion": "2025-11-25",
            "capabilities": {"elicitation": capability},
            "clientInfo": {"name": "raw", "version": "1"},
        }
        say("initialize", client, 1)
        say("notifications/initialized", {})
        call = {"name": "bulk_delete_tags", "arguments": {"filter": {}, "confirmed": True}}
        answer = say("tools/call", call, 2)
        server.stdin.close()
        server.wait(30)
    if by_form:
        assert answer["method"] == "elicitation/create"
        assert answer["params"]["requestedSchema"]["required"] == ["confirm"]
    else:
        assert answer["result"]["structuredContent"]["confirmation_required"] is True
