"""What a principal may do with one model: the union of its sources, in the form that the compiler needs.

A *source* is one thing that gives access (a permission, a group with its rules). Reads are a union per row and field:
a field is shown on a row when some source that shows the field selects the row. A write needs *one* source that allows
all its fields and the row before and after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from dataflow_nexus.access.principal import Principal

ALL = None
"""As a set of fields: every field. As a row condition: every row."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What one permission or rule gives.

    ``rows`` is a filter in the language of the contract's section 3, or ``None`` for all rows; ``read`` and ``write``
    are field names, or ``None`` for all; ``presets`` are values that a write gets whatever the caller says;
    ``max_rows`` bounds the page; ``aggregate`` says whether Aggregate is allowed. The lowest ``order`` wins a write.
    """

    rows: Mapping[str, Any] | None = None
    read: frozenset[str] | None = ALL
    write: frozenset[str] | None = ALL
    presets: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    max_rows: int | None = None
    aggregate: bool = True
    order: int = 0

    @property
    def unrestricted(self) -> bool:
        return self == Source(order=self.order)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The sources of one principal for one action on one model, lowest ``order`` first."""

    sources: tuple[Source, ...]

    @cached_property
    def all_rows(self) -> bool:
        """Whether some source selects every row."""
        return any(source.rows is None for source in self.sources)

    @cached_property
    def unrestricted(self) -> bool:
        return any(source.unrestricted for source in self.sources)

    @cached_property
    def shows_all(self) -> bool:
        """Whether some source shows every field on every row."""
        return any(source.read is ALL and source.rows is None for source in self.sources)

    def reads(self, name: str) -> bool:
        """Whether the field is shown on some row: a field that is not is an unknown field."""
        return self.shows_all or any(
            source.read is ALL or name in source.read for source in self.sources
        )

    def reads_everywhere(self, name: str) -> bool:
        """Whether the field is shown on every row that the grant shows at all."""
        if self.shows_all:
            return True
        showing = [source for source in self.sources if source.read is ALL or name in source.read]
        return len(showing) == len(self.sources) or any(source.rows is None for source in showing)

    def rows_showing(self, name: str) -> tuple[Mapping[str, Any], ...]:
        """The row conditions under which the field is shown; their union, where none is ``None``."""
        return tuple(
            source.rows
            for source in self.sources
            if source.rows is not None and (source.read is ALL or name in source.read)
        )

    def writes(self, name: str) -> bool:
        """Whether some source lets the field be written."""
        return any(source.write is ALL or name in source.write for source in self.sources)

    @cached_property
    def presets(self) -> frozenset[str]:
        """The fields that some source sets by itself."""
        return frozenset(name for source in self.sources for name in source.presets)

    @cached_property
    def max_rows(self) -> int | None:
        """The largest page that a source allows; ``None`` where one has no bound."""
        bounds = [source.max_rows for source in self.sources]
        return (
            None if any(bound is None for bound in bounds) else max(bound or 0 for bound in bounds)
        )

    @cached_property
    def aggregates(self) -> bool:
        return any(source.aggregate for source in self.sources)


UNRESTRICTED = Grant(sources=(Source(),))
NOTHING = Grant(sources=())
"""Shows no row and no field."""


def grant_for(principal: Principal, label: str, action: str) -> Grant | None:
    """The principal's grant for an action (``view add change delete``) on a model, or ``None`` where it has none."""
    if principal.unrestricted:
        return UNRESTRICTED
    sources = principal.held.get((label, action), ())
    if not sources:
        return None
    return Grant(sources=tuple(sorted(sources, key=lambda source: source.order)))
