"""Names: the verbs, the words that a resource may not take, singular and plural, and the nearest known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import inflection

VERBS = (
    "create",
    "read",
    "update",
    "delete",
    "list",
    "count",
    "upsert",
    "aggregate",
    "bulk_create",
    "bulk_update",
    "bulk_delete",
    "bulk_upsert",
)
PATH_WORDS = frozenset(
    {"workflows", "batch", "docs", "openapi.json", "events", "health", "metrics"}
)
COMMAND_WORDS = frozenset(
    {
        "apikey", "audit", "cache", "completion", "doctor", "execute", "explain-access", "help", "inspect", "manage",
        "mcp", "migrate", "rules", "run", "startup", "version", "workflows",
    }
)  # fmt: skip
KEY_WORDS = frozenset({"bulk", "count", "aggregate", "export"})
"""A key equal to one of these is written ``~`` + base64url in a URL."""
NEVER_EXPOSED_APPS = frozenset(
    {"auth", "admin", "sessions", "contenttypes", "authtoken", "dataflow_nexus"}
)
READ_ONLY_UNLESS_NAMED = frozenset({"is_staff", "is_superuser", "groups", "user_permissions"})


def snake(name: str) -> str:
    """``OrderItem`` → ``order_item``."""
    return inflection.underscore(name)


def default_resource(name: str) -> str:
    """``OrderItem`` → ``order_items``: only the last word becomes plural."""
    head, _, last = snake(name).rpartition("_")
    return f"{head}_{inflection.pluralize(last)}" if head else inflection.pluralize(last)


def nearest(name: str, among: Iterable[str]) -> str:
    """`` — did you mean "price"?``, or nothing."""
    others = [str(item) for item in among if item != name]  # known, but not in this place
    found = difflib.get_close_matches(name, others, n=1, cutoff=0.6)
    return f' — did you mean "{found[0]}"?' if found else ""
