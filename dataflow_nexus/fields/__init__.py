"""The one table: Django field ↔ JSON Schema ↔ JSON value ↔ SQL rendering.

A *kind* says, for one type of value: which JSON it is, how a caller's value becomes a Python value, how a Python value
becomes JSON, and how PostgreSQL renders it by itself. Both renderings must give equal bytes (docs/values.md).
Nothing here knows a model, a grant or a request.
"""

from __future__ import annotations

from dataflow_nexus.fields.kinds import (
    BOOLEAN,
    STRING,
    Kind,
    Rejected,
    TooDeep,
    check_text,
    parse_boolean,
)
from dataflow_nexus.fields.numbers import (
    FLOAT,
    INT64,
    INTEGER,
    decimal_kind,
    float8out,
    plain,
    to_decimal,
)
from dataflow_nexus.fields.others import (
    BINARY,
    JSON,
    TEXT,
    UUID,
    array_kind,
    coerce_json,
    file_kind,
)
from dataflow_nexus.fields.table import (
    INTEGER_RANGES,
    is_made,
    kind_of,
    nullable,
    schema_of,
    storage_field,
)
from dataflow_nexus.fields.times import DATE, DURATION, NAIVE, TIME, ZONED, iso_duration

__all__ = [
    "BINARY",
    "BOOLEAN",
    "DATE",
    "DURATION",
    "FLOAT",
    "INT64",
    "INTEGER",
    "INTEGER_RANGES",
    "JSON",
    "NAIVE",
    "STRING",
    "TEXT",
    "TIME",
    "UUID",
    "ZONED",
    "Kind",
    "Rejected",
    "TooDeep",
    "array_kind",
    "check_text",
    "coerce_json",
    "decimal_kind",
    "file_kind",
    "float8out",
    "is_made",
    "iso_duration",
    "kind_of",
    "nullable",
    "parse_boolean",
    "plain",
    "schema_of",
    "storage_field",
    "to_decimal",
]
