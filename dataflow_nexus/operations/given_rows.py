"""The rows that a bulk write is given: read one by one, checked one by one, and what is wrong with which.

With ``on_error: "stop"`` every wrong row is named in one error; with ``"continue"`` they are listed beside the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from dataflow_nexus.exceptions import FieldError, Invalid, LimitExceeded, NexusError
from dataflow_nexus.operations import parameters
from dataflow_nexus.operations.base import Call
from dataflow_nexus.operations.given_values import without_key
from dataflow_nexus.operations.reading import key_values
from dataflow_nexus.operations.values import Change, Faults, Values, Writer
from dataflow_nexus.queries.scope import Scope

MAX_ERRORS = 100
"""A refusal names at most as many wrong values."""


class Row(NamedTuple):
    """A checked row and its place among the given ones. ``key`` is the primary key of an update, else empty."""

    number: int
    values: Values
    key: Mapping[str, Any]


@dataclass(kw_only=True)
class Rejects:
    """The wrong rows so far."""

    going_on: bool
    found: list[tuple[int, NexusError]] = field(default_factory=list)

    def add(self, index: int, error: NexusError) -> None:
        self.found.append((index, error))

    def raise_any(self) -> None:
        """Raise what is wrong, each field under ``data.<index>.``; nothing where the good rows go on."""
        if not self.found or self.going_on:
            return
        first = next((item for item in self.found if isinstance(item[1], Invalid)), self.found[0])
        kind = type(first[1])
        errors = [
            FieldError(
                f"data.{index}.{item.field}" if item.field else f"data.{index}",
                item.code,
                item.message,
            )
            for index, error in self.found
            if type(error) is kind
            for item in self._errors(error)
        ]
        detail = f"row {first[0]}: {first[1].detail}"
        if len(errors) > 1:
            detail = f"{len(errors)} values are wrong; first, {detail}"
        error = kind(detail)
        error.errors = tuple(errors[:MAX_ERRORS])
        raise error from first[1]

    def listed(self) -> list[dict[str, Any]]:
        """``errors`` of the result: ``[{index, code, errors}]`` in the order of the rows."""
        return [
            {
                "index": index,
                "code": error.code,
                "errors": [
                    {"field": item.field, "code": item.code, "message": item.message}
                    for item in self._errors(error)
                ],
            }
            for index, error in sorted(self.found, key=lambda item: item[0])
        ]

    @staticmethod
    def _errors(error: NexusError) -> Sequence[FieldError]:
        return error.errors or (FieldError("", error.code, error.detail),)


def items(call: Call) -> list[Any]:
    """The rows of ``data`` as given: an array, or an iterator whose items may be the errors of unreadable ones.

    Raises ``LimitExceeded`` without reading more than ``max_bulk_rows``.
    """
    data = call.params.get("data")
    if data is None:
        raise Invalid.field("data", "required", '"data" is required')
    if isinstance(data, (str, bytes, Mapping)) or not isinstance(data, Iterable):
        raise Invalid.field("data", "type", '"data" must be an array of objects')
    limit = call.configuration.max_bulk_rows
    found = data if isinstance(data, list) else list(islice(data, limit + 1))
    if len(found) > limit:
        raise LimitExceeded(f'"data" has more than {limit} rows')
    return found


def read_rows(
    given: Sequence[Any], writer: Writer, rejects: Rejects, *, required: Iterable[str] = ()
) -> list[Row]:
    """The good rows of a bulk create or upsert. ``required`` names the fields that each of them needs."""
    wanted = tuple(required)
    rows: list[Row] = []
    for index, item in enumerate(given):
        if not _is_row(item, index, rejects):
            continue
        faults = Faults()
        values = writer.collect(item, faults=faults)
        for name in wanted:
            if name not in values and name not in item and name not in _told(faults):
                faults.add(name, "required", f'"{name}" is required')
        if _accepted(index, faults, rejects):
            rows.append(Row(index, values, {}))
    return rows


def _told(faults: Faults) -> set[str]:
    """Fields of a composite ``id`` that were told to be wrong, so that they are not told to be missing as well."""
    wrong = (item.field for item in faults.errors)
    return {*faults.unread, *(name.removeprefix("id.") for name in (*wrong, *faults.denied))}


def read_changes(call: Call, writer: Writer, scope: Scope, rejects: Rejects) -> list[Row]:
    """The good rows of a bulk update: each holds its key and new values."""
    names = [item.name for item in call.exposed.key]
    rows: list[Row] = []
    for index, item in enumerate(items(call)):
        if not _is_row(item, index, rejects):
            continue
        given = dict(item)
        try:
            key = key_values(scope, _taken_key(given, names))
        except NexusError as error:
            rejects.add(index, error)
            continue
        faults = Faults()
        values = writer.collect(given, changes=True, faults=faults)
        values = without_key(key, values, faults)
        if _accepted(index, faults, rejects):
            rows.append(Row(index, values, key))
    return rows


def _taken_key(given: dict[str, Any], names: Sequence[str]) -> Any:
    """``id``, or the key's columns, taken out of a row."""
    if "id" in given:
        return given.pop("id")
    if any(name in given for name in names):
        found = {name: given.pop(name) for name in names if name in given}
        return next(iter(found.values())) if len(names) == 1 else found
    raise Invalid.field("id", "required", '"id" is required')


def _is_row(item: Any, index: int, rejects: Rejects) -> bool:
    if isinstance(item, NexusError):
        rejects.add(index, item)
        return False
    if not isinstance(item, Mapping):
        message = "a row must be an object of values"
        rejects.add(index, Invalid(message, [FieldError("", "type", message)]))
        return False
    return True


def _accepted(index: int, faults: Faults, rejects: Rejects) -> bool:
    if not faults.errors and not faults.denied:
        return True
    try:
        faults.raise_any()
    except NexusError as error:
        rejects.add(index, error)
    return False


def without_duplicates(
    rows: Sequence[Row], rejects: Rejects, keys: Iterable[tuple[str, ...]]
) -> list[Row]:
    """The rows, less those that repeat an earlier row's unique key: these are rejected."""
    kept = list(rows)
    for names in keys:
        seen: dict[Any, int] = {}
        unique: list[Row] = []
        for row in kept:
            known = {**row.values, **row.key}
            values = tuple(known.get(name) for name in names)
            if any(value is None or isinstance(value, Change) for value in values):
                unique.append(row)
                continue
            marker = values if _hashable(values) else repr(values)
            first = seen.setdefault(marker, row.number)
            if first == row.number:
                unique.append(row)
            else:
                message = f"row {first} has the same {' and '.join(names)}"
                errors = [FieldError(name, "duplicate", message) for name in names]
                rejects.add(row.number, Invalid(message, errors))
        kept = unique
    return kept


def _hashable(values: tuple[Any, ...]) -> bool:
    try:
        hash(values)
    except TypeError:
        return False
    return True


def keys_of(call: Call, scope: Scope) -> list[Mapping[str, Any]]:
    """The keys of ``ids``, each once. Raises ``Invalid``, naming the wrong one."""
    given = call.params.get("ids")
    if not isinstance(given, (list, tuple)):
        raise Invalid.field("ids", "type", '"ids" must be an array of primary keys')
    limit = call.configuration.max_bulk_rows
    if len(given) > limit:
        raise LimitExceeded(f'"ids" has more than {limit} keys')
    found = [key_values(scope, key, at=f"ids.{index}") for index, key in enumerate(given)]
    return list({tuple(key.values()): key for key in found}.values())


def batch_size(call: Call, default: int) -> int:
    found = parameters.integer(
        call, "batch_size", default, low=1, high=call.configuration.max_bulk_rows
    )
    assert found is not None
    return found
