"""What is asked of each answer, and what was counted."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from schemathesis.checks import CHECKS as REGISTERED
from schemathesis.checks import load_all_checks

load_all_checks()

CHECKS: dict[str, Any] = {
    # An answer is one of these, with a status that the document names.
    "not_a_server_error": {"enabled": True},
    "status_code_conformance": {"enabled": True},
    "content_type_conformance": {"enabled": True},
    "response_headers_conformance": {"enabled": True},
    "response_schema_conformance": {"enabled": True},
    # Wrong requests are refused. 413 is beyond what schemathesis expects: a limit is one of the document's bounds.
    "negative_data_rejection": {
        "enabled": True,
        "expected-statuses": [400, 404, 405, 406, 409, 413, 415, 422],
    },
    "unsupported_method": {"enabled": True},
    "allow_header_conformance": {"enabled": True},
    # These look back at what was asked before, and find something only where links are followed.
    "use_after_free": {"enabled": True},
    "ensure_resource_availability": {"enabled": True},
    # Off: a schema does not know which parameters exclude one another, which text a filter can be, or which rows
    # there are. tests/channels/rest/test_openapi.py holds good requests against the document.
    "positive_data_acceptance": {"enabled": False},
    # Off: the document demands no header, and access is off in the sample shop. tests/access has both.
    "missing_required_header": {"enabled": False},
    "ignored_auth": {"enabled": False},
    "object_level_authorization": {"enabled": False},
    # max_response_time is off by default and stays so: no test asserts time.
}
_TEXTS = ("text/csv", "application/x-ndjson")


def checks_left_out(case: Any) -> list[Callable[..., Any]]:
    """Rows as text are wrong in no way that a schema could say: any JSON value written down is a text again."""
    return [REGISTERED.get_one("negative_data_rejection")] if case.media_type in _TEXTS else []


@contextmanager
def rolled_back(alias: str) -> Iterator[None]:
    with transaction.atomic(alias):
        try:
            yield
        finally:
            transaction.set_rollback(True, alias)


class Tally:
    """Of one test: how many requests were answered, and how."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.linked = 0

    def add(self, status: int) -> None:
        self.statuses[status] += 1

    def told(self) -> dict[str, int]:
        by_hundred = Counter({f"{n}xx": 0 for n in (2, 4, 5)})
        for status, number in self.statuses.items():
            by_hundred[f"{status // 100}xx"] += number
        return {"requests": sum(self.statuses.values()), "along links": self.linked, **by_hundred}
