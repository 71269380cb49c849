"""Who asks. Every call of an operation has a principal; there is no ``None`` and no way around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from dataflow_nexus.access.grants import Source

Kind = Literal["system", "user", "api_key", "token", "anonymous"]


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Somebody who asks for an operation.

    ``held`` maps ``(model label, action)`` to the sources that let the principal do it, where a label is
    ``app_label.modelname`` in lower case and an action is ``view``, ``add``, ``change`` or ``delete``. It is read only
    when ``unrestricted`` is false: an action without a source is forbidden.
    """

    kind: Kind
    name: str
    unrestricted: bool = False
    held: Mapping[tuple[str, str], tuple[Source, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )


SYSTEM = Principal(kind="system", name="system", unrestricted=True)
"""The local command line and Python code."""

OPEN = Principal(kind="anonymous", name="anonymous", unrestricted=True)
"""Anybody, where access is off (``authentication_required=False``)."""

ANONYMOUS = Principal(kind="anonymous", name="anonymous")
"""Nobody in particular, where access is on: holds no grant."""
