"""What the tests of bulk writes share: rows, numbers, refusals."""

from collections.abc import Callable
from typing import Any

import pytest

from dataflow_nexus import NexusError

Run = Callable[..., Any]


def product(number: int, **more: Any) -> dict[str, Any]:
    return {"sku": f"B-{number}", "name": f"Bulk {number}", "price": "2.50", **more}


def products(number: int) -> list[dict[str, Any]]:
    return [product(n) for n in range(number)]


def numbers(result: dict[str, Any]) -> tuple[int, ...]:
    names = ("processed", "inserted", "updated", "deleted", "skipped")
    return tuple(result[name] for name in names)


def refused(run: Run, node: str, kind: type[NexusError], **params: Any) -> NexusError:
    with pytest.raises(kind) as caught:
        run(node, **params)
    return caught.value


def fields(error: NexusError) -> list[tuple[str, str]]:
    return [(item.field, item.code) for item in error.errors]
