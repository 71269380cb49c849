"""Many callers at once, each over one kept connection."""

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Caller:
    """One kept connection; opened anew when the server has closed it."""

    def __init__(self, port: int, timeout: float) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self.seen: Counter[int] = Counter()
        self.wrong: list[tuple[str, str, int, str]] = []

    def ask(self, method: str, path: str, body: Any = None, *, fine: Iterable[int] = (200,)) -> Any:
        """The parsed answer. A status that is not ``fine`` is noted as wrong."""
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, data, headers)
        response = self._connection.getresponse()
        raw = response.read()
        self.seen[response.status] += 1
        if response.status not in fine:
            self.wrong.append((method, path, response.status, raw.decode()[:300]))
        return json.loads(raw)

    def close(self) -> None:
        self._connection.close()


def together(
    port: int, number: int, work: Callable[[Caller, int], Any], timeout: float = 60
) -> list[Any]:
    """What ``work`` returns for each of so many callers at once. Fails on any answer that was not fine."""
    callers = [Caller(port, timeout) for _ in range(number)]
    with ThreadPoolExecutor(number) as pool:
        found = list(pool.map(work, callers, range(number)))
    for caller in callers:
        caller.close()
    wrong = [item for caller in callers for item in caller.wrong]
    assert wrong == [], f"{len(wrong)} wrong answers; first {wrong[:3]}"
    return found
