"""Tools that want a confirmation first answer what they would do, and a token with which the call is repeated.

A token is signed and holds no state of ours: it belongs to one principal, one operation and its parameters, for some
minutes. The call that it lets through changes no more records than the preview said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from django.core import signing

from dataflow_nexus.access.principal import Principal
from dataflow_nexus.channels.mcp.compact import BY_VERB
from dataflow_nexus.channels.mcp.names import ToolNames
from dataflow_nexus.channels.mcp.schemas import TOKEN
from dataflow_nexus.exceptions import ConfigurationError, Invalid
from dataflow_nexus.operations.base import Catalog, Operation
from dataflow_nexus.registry import nearest

_SALTS = {False: "dataflow_nexus.mcp.confirmation", True: "dataflow_nexus.mcp.question"}
"""A token that waits for a person's answer is none that lets a call through by itself."""
_EFFECTS = ("write", "destructive")
ANSWER = "confirmation"
"""The name of our question among ``inputRequests``."""


class Confirmations:
    """The operations of one application that want a confirmation; renewed when the registry has grown."""

    def __init__(self, catalog: Catalog, names: ToolNames) -> None:
        self._catalog = catalog
        self._names = names
        self._made: tuple[int, frozenset[str]] = (-1, frozenset())

    def wanted(self, operation: Operation) -> bool:
        return operation.node in self.nodes

    @property
    def nodes(self) -> frozenset[str]:
        """Raises ``ConfigurationError`` for a name that means nothing, or something that only reads."""
        version = self._catalog.registry.version
        if self._made[0] != version:
            names = self._catalog.configuration.require_confirmation
            found = {node for name in names for node in self._meant(name)}
            self._made = (version, frozenset(found))
        return self._made[1]

    def _meant(self, name: str) -> list[str]:
        """A tool, a tool of the compact set, a node, a verb, or an effect."""
        names = self._names
        found = [
            operation
            for node, operation in self._catalog.operations.items()
            if name
            in (
                node,
                names.of(operation),
                operation.verb.name,
                BY_VERB.get(operation.verb.name),
                operation.verb.effect,
            )
        ]  # a model "Records" has a tool "delete_records", which is also one of the compact set: both are meant
        known = self._known()
        if not found and name not in known:
            raise ConfigurationError(
                f"require_confirmation: there is no tool {name!r}{nearest(name, known)}"
            )
        if any(not operation.writes for operation in found) or name in self._reading():
            raise ConfigurationError(f"require_confirmation: {name!r} changes nothing")
        return [operation.node for operation in found]

    def _known(self) -> list[str]:
        verbs = self._catalog.verbs
        own = [*self._names.operations, *self._catalog.operations]
        return [*own, *verbs, *BY_VERB.values(), *_EFFECTS, "read"]

    def _reading(self) -> set[str]:
        verbs = [verb.name for verb in self._catalog.verbs.values() if verb.effect == "read"]
        return {"read", *verbs, *(BY_VERB[name] for name in verbs if name in BY_VERB)}


def check(catalog: Catalog) -> None:
    """Raise ``ConfigurationError`` where ``require_confirmation`` names something that can't be confirmed."""
    _ = Confirmations(catalog, ToolNames(catalog)).nodes


@dataclass(frozen=True, kw_only=True)
class Confirmation:
    """A call that waits: what it would do, and the token that lets it through."""

    message: str
    preview: bytes
    token: str
    seconds: int

    def as_result(self) -> bytes:
        """For clients that ask nobody: the agent repeats the call with the token."""
        return msgspec.json.encode(
            {
                "confirmation_required": True,
                "message": f"{self.message} Nothing was changed. To run it, repeat the call with {TOKEN}.",
                "preview": msgspec.Raw(self.preview),
                TOKEN: self.token,
                "expires_in": self.seconds,
            }
        )

    def as_input_required(self) -> dict[str, Any]:
        """For clients that ask the person (``InputRequiredResult`` of 2026-07-28)."""
        return {
            "resultType": "input_required",
            "inputRequests": {
                ANSWER: {
                    "method": "elicitation/create",
                    "params": {"mode": "form", "message": self.message, "requestedSchema": FORM},
                }
            },
            "requestState": self.token,
        }


FORM: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "confirm": {"type": "boolean", "title": "Run it", "description": "Whether to go on."}
    },
    "required": ["confirm"],
}


def confirmed(inputs: Mapping[str, Any]) -> bool | None:
    """Whether the person said yes to our question; ``None`` where it is not answered, or not as it was asked."""
    answer = inputs.get(ANSWER)
    if not isinstance(answer, Mapping):
        return None
    if answer.get("action") != "accept":
        return False
    content = answer.get("content")
    said = content.get("confirm") if isinstance(content, Mapping) else None
    return said if isinstance(said, bool) else None


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """The call that a token belongs to. ``asked``: a person is asked, and the token alone lets nothing through."""

    principal: Principal
    operation: Operation
    params: Mapping[str, Any]
    asked: bool

    @property
    def digest(self) -> str:
        who = (self.principal.kind, self.principal.name)
        spelled = repr((who, self.operation.node, _ordered(self.params)))
        return hashlib.sha256(spelled.encode(errors="surrogatepass")).hexdigest()


def _ordered(value: Any) -> Any:
    """The same value whatever the order of names. As Python spells it, ``1``, ``1.0``, ``"1"`` and ``true`` differ."""
    if isinstance(value, Mapping):
        return "{}", sorted((str(name), _ordered(item)) for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return [_ordered(item) for item in value]
    return value


def write_token(call: Waiting, affected: int) -> str:
    return signing.dumps([call.digest, affected], salt=_SALTS[call.asked])


def read_token(token: object, call: Waiting) -> int:
    """How many records the preview said. Raises ``ForeignToken``, or ``Invalid`` for an old one."""
    seconds = call.operation.catalog.configuration.confirmation_seconds
    try:
        if not isinstance(token, str) or not token.isascii():
            raise signing.BadSignature
        age = timedelta(seconds=seconds)
        digest, affected = signing.loads(token, salt=_SALTS[call.asked], max_age=age)
    except signing.SignatureExpired:
        message = f'"{TOKEN}" is older than {seconds:g} seconds: call without it for a new preview'
        raise Invalid.field(TOKEN, "expired", message) from None
    except signing.BadSignature:
        raise _foreign() from None
    if digest != call.digest:
        raise _foreign()
    return int(affected)


class ForeignToken(Invalid):
    """A token of another call, or one that somebody changed."""


def _foreign() -> Invalid:
    message = (
        f'"{TOKEN}" is not of this call: repeat the call with the very parameters of its preview,'
        " or without it for a new preview"
    )
    return ForeignToken.field(TOKEN, "mismatch", message)


def affected(result: Mapping[str, Any]) -> int:
    """How many records a result says were changed; a single write changes one."""
    counted: Iterable[str] = ("inserted", "updated", "deleted")
    return sum(int(result[name]) for name in counted) if "processed" in result else 1
