"""Tools and a prompt of the suite that ask the client back (2026-07-28), built on what the channel hands to a method:
`inputs` and `state` of the asker, and the client's capabilities in `_meta`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core import signing
from mcp_types import CLIENT_CAPABILITIES_META_KEY, MISSING_REQUIRED_CLIENT_CAPABILITY

from dataflow_nexus.channels.mcp.asking import Asker, ProtocolError
from dataflow_nexus.channels.mcp.service import INVALID_PARAMS
from tests.channels.mcp.conformance.answers import text

_SALT = "conformance"
Result = dict[str, Any]
Round = Callable[["Asked"], Result]


@dataclass(frozen=True)
class Asked:
    """A call, as a tool that asks back sees it."""

    asker: Asker
    capabilities: Mapping[str, Any]

    @classmethod
    def of(cls, asker: Asker, params: Mapping[str, Any]) -> "Asked":
        meta = params.get("_meta") or {}
        return cls(asker, meta.get(CLIENT_CAPABILITIES_META_KEY) or {})

    def answer(self, name: str, field: str) -> str | None:
        """What the person filled in, if the form of that name was answered well."""
        given = self.asker.inputs.get(name)
        content = given.get("content") if isinstance(given, Mapping) else None
        return None if not isinstance(content, Mapping) else str(content.get(field))

    def round(self) -> dict[str, Any]:
        """The state of the round before. Raises `ProtocolError` where somebody changed it."""
        if self.asker.state is None:
            return {}
        try:
            state: dict[str, Any] = signing.loads(self.asker.state, salt=_SALT)
        except signing.BadSignature:
            raise ProtocolError(INVALID_PARAMS, "requestState is not ours") from None
        return state


def required(requests: Mapping[str, Any], state: object = None) -> Result:
    result: Result = {"resultType": "input_required", "inputRequests": requests}
    return result if state is None else {**result, "requestState": signing.dumps(state, salt=_SALT)}


def form(message: str, field: str, kind: str = "string") -> dict[str, Any]:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    params = {"mode": "form", "message": message, "requestedSchema": schema}
    return {"method": "elicitation/create", "params": params}


def sampling(question: str) -> dict[str, Any]:
    asked = [{"role": "user", "content": text(question)}]
    return {"method": "sampling/createMessage", "params": {"messages": asked, "maxTokens": 100}}


ROOTS = {"method": "roots/list", "params": {}}


def done(words: str) -> Result:
    return {"content": [text(words)]}


def elicitation(asked: Asked) -> Result:
    name = asked.answer("user_name", "name")
    if name is None:
        return required({"user_name": form("What is your name?", "name")})
    return done(f"Hello, {name}!")


def sampled(asked: Asked) -> Result:
    if "capital_question" not in asked.asker.inputs:
        return required({"capital_question": sampling("What is the capital of France?")})
    return done(str(asked.asker.inputs["capital_question"]))


def roots(asked: Asked) -> Result:
    if "client_roots" not in asked.asker.inputs:
        return required({"client_roots": ROOTS})
    return done(str(asked.asker.inputs["client_roots"]))


def request_state(asked: Asked) -> Result:
    if asked.round() != {"round": 1} or asked.answer("confirm", "ok") is None:
        return required({"confirm": form("Please confirm", "ok", "boolean")}, {"round": 1})
    return done("state-ok")


def multiple(asked: Asked) -> Result:
    requests = {
        "user_name": form("What is your name?", "name"),
        "greeting": sampling("Generate a greeting"),
        "client_roots": ROOTS,
    }
    if asked.round() and asked.asker.inputs.keys() >= requests.keys():
        return done("all answers arrived")
    return required(requests, {"round": 1})


def multi_round(asked: Asked) -> Result:
    state = asked.round()
    color = asked.answer("step2", "color")
    if state.get("round") == 2 and color is not None:
        return done(f"{state['name']} likes {color}")
    name = asked.answer("step1", "name")
    if state.get("round") == 1 and name is not None:
        step2 = form("Step 2: What is your favorite color?", "color")
        return required({"step2": step2}, {"round": 2, "name": name})
    return required({"step1": form("Step 1: What is your name?", "name")}, {"round": 1})


def capabilities(asked: Asked) -> Result:
    """Asks only what the client said it can answer."""
    able = {
        "elicitation": form("Elicitation input", "value"),
        "sampling": sampling("Sample request"),
    }
    requests = {name: able[name] for name in able if name in asked.capabilities}
    if not requests or asked.asker.inputs:
        return done("asked for nothing more")
    return required(requests)


def missing_capability(asked: Asked) -> Result:
    if "sampling" not in asked.capabilities:
        data = {"requiredCapabilities": {"sampling": {}}}
        message = "this tool needs the client's sampling"
        raise ProtocolError(MISSING_REQUIRED_CLIENT_CAPABILITY, message, data)
    return done("sampling is there")


TOOLS: Mapping[str, Round] = {
    "test_missing_capability": missing_capability,
    "test_input_required_result_elicitation": elicitation,
    "test_input_required_result_sampling": sampled,
    "test_input_required_result_list_roots": roots,
    "test_input_required_result_request_state": request_state,
    "test_input_required_result_multiple_inputs": multiple,
    "test_input_required_result_multi_round": multi_round,
    "test_input_required_result_tampered_state": request_state,
    "test_input_required_result_capabilities": capabilities,
}


def prompt(asked: Asked) -> Result:
    context = asked.answer("user_context", "context")
    if context is None:
        question = form("What context should the prompt use?", "context")
        return required({"user_context": question})
    return {"messages": [{"role": "user", "content": text(f"Use {context}.")}]}
