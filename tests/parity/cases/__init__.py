"""The tables of cases, by verb."""

from tests.parity.cases import aggregating, bulk, reading, writing

TABLES = {**reading.TABLES, **writing.TABLES, **aggregating.TABLES, **bulk.TABLES}
CASES = [case for table in TABLES.values() for case in table.cases]
