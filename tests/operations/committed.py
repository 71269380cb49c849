"""Work on PostgreSQL connections of their own, outside of the test's transaction: what it writes is committed."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

from django.db import connections

from tests.routing import POSTGRESQL

Result = TypeVar("Result")


def together(works: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of functions that start at the same moment, each on a thread and a connection of its own."""
    start = Barrier(len(works), timeout=30)

    def alone(work: Callable[[], Result]) -> Result:
        try:
            connections[POSTGRESQL].ensure_connection()
            start.wait()
            return work()
        finally:
            connections[POSTGRESQL].close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(alone, works))


def apart(work: Callable[[], Any]) -> Any:
    """The result of one function, run likewise."""
    return together([work])[0]
