"""Documents are shared by those who may see the same, and by nobody else."""

import pytest

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import ANONYMOUS, OPEN, SYSTEM, Principal
from dataflow_nexus.channels.remembering import Remembered
from dataflow_nexus.nexus import Nexus

VIEW, CHANGE = ("shop.product", "view"), ("shop.product", "change")
PLAIN = (Source(),)
SOME = (Source(rows={"id": 1}, presets={"stock": 1}),)
OTHER = (Source(rows={"id": 2}, presets={"stock": 1}),)


def user(**held: object) -> Principal:
    keys = {"view": VIEW, "change": CHANGE}
    given = {keys[name]: sources for name, sources in held.items()}
    return Principal(kind="user", name="somebody", held=given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "another", "shared"),
    [
        (SYSTEM, OPEN, True),
        (user(view=PLAIN), user(view=(Source(),)), True),
        (user(view=PLAIN, change=SOME), user(change=SOME, view=PLAIN), True),
        (user(view=PLAIN), SYSTEM, False),
        (user(view=PLAIN), ANONYMOUS, False),
        (user(view=PLAIN), user(change=PLAIN), False),
        (user(view=PLAIN), user(view=SOME), False),
        (user(view=SOME), user(view=OTHER), False),
        (user(view=PLAIN, change=SOME), user(view=SOME, change=PLAIN), False),
    ],
)
def test_who_shares_a_document(
    nexus: Nexus, one: Principal, another: Principal, shared: bool
) -> None:
    kept: Remembered[object] = Remembered(nexus.catalog)
    first = kept.get(one, "form", object)
    assert kept.get(one, "form", object) is first
    assert kept.get(one, "other form", object) is not first
    assert (kept.get(another, "form", object) is first) == shared
