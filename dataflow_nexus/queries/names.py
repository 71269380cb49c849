"""How a wrong name is told: the same words for a name that does not exist and one that the grant hides."""

from __future__ import annotations

from collections.abc import Iterable

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.registry import nearest


def unknown(kind: str, name: str, known: Iterable[str], *, at: str | None = None) -> Invalid:
    """``kind`` is ``field``, ``operator``, ``parameter``, …; ``at`` the path of the parameter, by default the name."""
    return Invalid.field(at or name, "unknown", f'unknown {kind} "{name}"{nearest(name, known)}')


def at(path: str, name: object) -> str:
    """A dotted path one step further; ``at("filter", "price")`` is ``filter.price``."""
    return f"{path}.{name}" if path else str(name)
