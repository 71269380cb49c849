"""Whether RETURNING shows what a table holds in the end: AFTER triggers may change the row once more."""

from __future__ import annotations

import time

from dataflow_nexus.queries.connections import fetch, quote
from dataflow_nexus.queries.sql import SQL

_SECONDS = 60.0
"""How long an answer is believed: triggers are rarely made while a server runs."""
_known: dict[tuple[str, str], tuple[float, bool]] = {}

# pg_trigger.tgtype: bit 1 is BEFORE, bit 6 is INSTEAD OF; neither set is AFTER
_AFTER = """
SELECT EXISTS (
  SELECT 1 FROM pg_trigger
  WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND (tgtype & 2) = 0 AND tgenabled <> 'D'
)
"""


def returns_final_row(alias: str, table: str) -> bool:
    """True where the table has no AFTER trigger: then one statement writes a row and returns it as it stays."""
    now = time.monotonic()
    cached = _known.get((alias, table))
    if cached is None or cached[0] < now:
        found = bool(fetch(alias, SQL(_AFTER, (quote(alias, table),)))[0][0])
        cached = (now + _SECONDS, not found)
        _known[alias, table] = cached
    return cached[1]
