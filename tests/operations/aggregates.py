"""What the tests of Aggregate share: running it, numbers computed in Python, principals by hand."""

import datetime as dt
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import Principal
from testproject.shop.models import (
    Everything,
)

Run = Callable[..., Any]
Group = dict[str, Any]


def groups(run: Run, model: str, **params: Any) -> list[Group]:
    found: list[Group] = run(f"{model}Aggregate", **params)["groups"]
    return found


def result(run: Run, model: str, function: str, field: str, **params: Any) -> Any:
    [group] = groups(run, model, aggregate={"it": {function: field}}, **params)
    return group["it"]


def mean(values: Iterable[Decimal], digits: int) -> str:
    listed = list(values)
    unit = Decimal(1).scaleb(-digits)
    return str((sum(listed, Decimal(0)) / len(listed)).quantize(unit, ROUND_HALF_EVEN))


def moment(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"


def principal(**held: tuple[Source, ...]) -> Principal:
    """Somebody who may view the models of the shop that are named."""
    return Principal(
        kind="user",
        name="restricted",
        held={(f"shop.{name}", "view"): sources for name, sources in held.items()},
    )


def everything(number: int = 1, **values: Any) -> None:
    Everything.objects.bulk_create(Everything(text="it", **values) for _ in range(number))
