"""What must hold of every refusal, whatever was wrong."""

import re
from typing import Any

from django.apps import apps

from tests.parity.channels import Answer

LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|\bline \d+, in\b|psycopg|sqlite3|django\.|site-packages"
    r"|SELECT\b|INSERT\b|UPDATE \"|DELETE FROM|RETURNING|shop_|postgres|@127|\bobject at 0x",
)
"""What no answer may hold: code, SQL, tables, addresses."""
DOCUMENTED = {
    "invalid", "malformed", "not_found", "permission_denied", "conflict", "limit_exceeded",
    "method_not_allowed", "not_acceptable",
}  # fmt: skip


def check_refusal(answer: Answer) -> None:
    """A documented code, a reason, and nothing of the inside."""
    assert answer.error is not None, answer.body
    assert answer.code in DOCUMENTED
    assert 400 <= answer.error["status"] < 500
    assert answer.error["detail"]
    assert not LEAKS.search(answer.raw), answer.raw
    for item in answer.error["errors"]:
        assert item["code"]
        assert item["message"]


def contents(alias: str) -> dict[str, Any]:
    """All that the shop's tables hold, with the links between them."""
    models = apps.get_app_config("shop").get_models(include_auto_created=True)
    return {
        model._meta.label: sorted(
            model._base_manager.using(alias).order_by().values_list(), key=repr
        )
        for model in models
    }
