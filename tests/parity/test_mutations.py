"""Good parameters with something put in, taken out or exchanged: whatever comes, all agree, and nothing breaks."""

import copy
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parity.cases import CASES
from tests.parity.channels import ask
from tests.parity.test_parity import agreed
from tests.routing import POSTGRESQL, SQLITE

pytestmark = pytest.mark.django_db(databases=[SQLITE, POSTGRESQL])
CODES = {None, "invalid", "not_found", "conflict", "permission_denied", "limit_exceeded"}
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 1.5, -0.0, 1e300, "", "x", " ", "null", "a\x00", "\ud800",
    "\u00e9" * 300,
    "1", "1e3", "2026-01-01", "$inc", "*", "id", "-id", "category.name", [], [None], [[]], {}, {"$inc": 1},
    {"$eq": None}, {"$in": [None]}, {"$null": True}, {"$not": {}}, {"$or": []}, {"": 1}, {"id": 1}, {"$append": []},
    ["id", "id"], ["-id", "price"], Decimal("1e400"), Decimal("0.0000000001"), "%", "\\", "a.b.c", "P1D", "AA==",
]  # fmt: skip
NAMES = [
    "id", "filter", "fields", "limit", "offset", "order_by", "expand", "search", "count", "data", "where", "create",
    "update", "conflict_on", "aggregate", "group_by", "having", "ids", "return", "on_error", "dry_run", "max_affected",
    "confirmed", "replace", "cursor", "$and", "$not", "$some", "$eq", "$in", "category", "tags", "name", "attrs",
    "attrs.color", "price", "json", "twin_of", "children", "customer.country", "generated", "file",
]  # fmt: skip
Path = tuple[str | int, ...]


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, item in items:
        yield from paths(item, (*path, name))


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def mutated(params: dict[str, Any], dice: Random) -> dict[str, Any]:
    """The parameters with one to three changes."""
    found = copy.deepcopy(params)
    for _ in range(dice.choice([1, 1, 2, 3])):
        inside = [path for path in paths(found) if path]
        if not inside or dice.random() < 0.2:
            _put_in(at(found, dice.choice(list(paths(found)))), dice)
            continue
        *way, last = dice.choice(inside)
        place = at(found, tuple(way))
        what = dice.choice(["exchange", "exchange", "exchange", "take", "wrap", "rename"])
        if what == "exchange":
            place[last] = copy.deepcopy(dice.choice(VALUES))
        elif what == "wrap":
            place[last] = dice.choice([[place[last]], {dice.choice(NAMES): place[last]}])
        else:
            value = place.pop(last)
            if what == "rename" and isinstance(place, dict):
                place[dice.choice(NAMES)] = value
    return found


def _put_in(place: Any, dice: Random) -> None:
    value = copy.deepcopy(dice.choice(VALUES))
    if isinstance(place, dict):
        place[dice.choice(NAMES)] = value
    elif isinstance(place, list):
        place.append(value)


@given(seed=st.integers(min_value=0, max_value=2**32))
def test_whatever_comes_all_agree(scene: None, seed: int) -> None:
    dice = Random(seed)
    for _ in range(5):
        case = dice.choice(CASES)
        params = mutated(case.params, dice)
        for alias in (SQLITE, POSTGRESQL):
            # results hold defaults that are made anew each time: a UUID, the time of day
            found = dict(ask(alias, case.node, params, ("Python", "REST node", "MCP tool")))
            answer = found["Python"]
            assert answer.code in CODES, (case.node, params, answer.error)
            if answer.error is None:
                refused = {name for name, answer in found.items() if answer.error is not None}
                assert not refused, (case.node, params)
            else:
                agreed(found)
