"""One row of a table of cases: an operation, its parameters, and what must come of it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Case:
    """`code` is the expected error, `None` a result; `fields` are the parameters that the error names."""

    node: str
    params: dict[str, Any]
    code: str | None = None
    fields: tuple[str, ...] = ()
    judged: bool = True
    """Whether the table says what must come of it; else only that it is the same everywhere."""
    same: bool = True
    """Whether both databases answer the same; docs/values.md names where they may not."""

    @property
    def id(self) -> str:
        shown = ",".join(f"{name}={value!r}" for name, value in self.params.items())
        text = f"{self.node}({shown})".encode("ascii", "backslashreplace").decode()
        return text if len(text) < 120 else f"{text[:116]}…".replace("…", "...")


@dataclass(kw_only=True)
class Table:
    """Cases of one verb. A trailing underscore in a name is not part of it (`return_`)."""

    cases: list[Case] = field(default_factory=list)

    def good(self, node: str, /, **params: Any) -> None:
        self.cases.append(Case(node=node, params=_named(params)))

    def own(self, node: str, /, **params: Any) -> None:
        """A result that the two databases may order or spell in ways of their own."""
        self.cases.append(Case(node=node, params=_named(params), same=False))

    def either(self, node: str, /, **params: Any) -> None:
        """A result or an error."""
        self.cases.append(Case(node=node, params=_named(params), judged=False))

    def bad(self, node: str, code: str, /, *fields: str, **params: Any) -> None:
        named = tuple(sorted(fields))
        self.cases.append(Case(node=node, params=_named(params), code=code, fields=named))


def _named(params: dict[str, Any]) -> dict[str, Any]:
    return {name.rstrip("_") if name != "_" else name: params[name] for name in params}
