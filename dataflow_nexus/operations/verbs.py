"""The twelve verbs, declared once: names, effect, permissions, parameters."""

from __future__ import annotations

from dataflow_nexus.operations import aggregating, bulk, reading, upserting, writing
from dataflow_nexus.operations.base import Verb

_FILTER = "Which records: an object of fields, operators ($gt, $in, $contains, …), $and, $or, $not and relations."
_SEARCH = "Text that must occur in one of the model's search fields."
_PROJECTION = "Names of the fields to return; all readable ones by default."
_EXPAND = "Relations to embed, as dotted paths."
_DRY_RUN = "Run everything, answer as usual, then roll back."
_VALUES = "Values by field name; the way to write a field whose name is a parameter."
_ID = "The primary key; an object of its columns where it is composite."
_UNIQUE_FILTER = "Instead of id: a filter that names exactly one unique key."
_RETURN = 'What to return of the rows: "none" (default), "ids" or "records".'
_MAX_AFFECTED = "Roll back and answer limit_exceeded when more rows would change."
_CONFIRMED = "Must be true where the filter is empty."
_BATCH_SIZE = "Rows per statement."
_ON_ERROR = '"stop" (default: all or nothing) or "continue" (keep the good rows, list the bad).'
_CONFLICT_ON = "Names of the fields of a unique key; the primary key by default."

CREATE = Verb(
    name="create",
    effect="write",
    idempotent=False,
    actions=("add",),
    summary="Create one {one}.",
    run=writing.create,
    takes_fields=True,
    parameters={"fields": _VALUES, "dry_run": _DRY_RUN},
)
READ = Verb(
    name="read",
    effect="read",
    idempotent=True,
    actions=("view",),
    summary="Read one {one} by its key.",
    run=reading.read,
    parameters={"id": _ID, "filter": _UNIQUE_FILTER, "fields": _PROJECTION, "expand": _EXPAND},
)
UPDATE = Verb(
    name="update",
    effect="write",
    idempotent=False,
    actions=("change",),
    summary="Change given fields of one {one}; $inc, $dec, $multiply and $append are computed in the database.",
    run=writing.update,
    takes_fields=True,
    parameters={
        "id": _ID,
        "filter": _UNIQUE_FILTER,
        "fields": _VALUES,
        "replace": "Absent writable fields take their default or null.",
        "dry_run": _DRY_RUN,
    },
)
DELETE = Verb(
    name="delete",
    effect="destructive",
    idempotent=True,
    actions=("delete",),
    summary="Delete one {one}.",
    run=writing.delete,
    parameters={"id": _ID, "filter": _UNIQUE_FILTER, "dry_run": _DRY_RUN},
)
LIST = Verb(
    name="list",
    effect="read",
    idempotent=True,
    actions=("view",),
    summary="List {many}: filter, sort, page.",
    run=reading.list_records,
    parameters={
        "filter": _FILTER,
        "search": _SEARCH,
        "order_by": 'Fields to sort by, "-" before a name for descending, ":nullslast" or ":nullsfirst" after it.',
        "limit": "Records in the page.",
        "offset": "Records to skip; not together with cursor.",
        "cursor": "The next value of the page before.",
        "fields": _PROJECTION,
        "expand": _EXPAND,
        "count": '"none" (default), "exact" or "estimated": the number of records that match, whatever the page.',
    },
)
COUNT = Verb(
    name="count",
    effect="read",
    idempotent=True,
    actions=("view",),
    summary="Count {many} that match.",
    run=reading.count,
    parameters={"filter": _FILTER, "search": _SEARCH},
)
UPSERT = Verb(
    name="upsert",
    effect="write",
    idempotent=True,
    actions=("add", "change"),
    summary="Create one {one}, or update the one that has the same unique key.",
    run=upserting.upsert,
    takes_fields=True,
    parameters={
        "where": "Values of exactly one unique key, with create and update beside it.",
        "create": "Values for a new record, besides where.",
        "update": "New values for an existing record.",
        "conflict_on": _CONFLICT_ON,
        "fields": _VALUES,
        "dry_run": _DRY_RUN,
    },
)
AGGREGATE = Verb(
    name="aggregate",
    effect="read",
    idempotent=True,
    actions=("view",),
    summary="Group {many} and compute sums, averages, minima, maxima and counts.",
    run=aggregating.aggregate,
    analytics=True,
    parameters={
        "group_by": 'Fields, or {"$date_trunc": [unit, field]} with a unit from second to year.',
        "aggregate": 'Results by name: {"revenue": {"$sum": "price"}, "n": {"$count": "*"}};'
        " $sum $avg $min $max $count $count_distinct.",
        "filter": _FILTER,
        "having": "A filter over the results.",
        "order_by": "Groups or results to sort by.",
        "limit": "Groups to return.",
    },
)
BULK_CREATE = Verb(
    name="bulk_create",
    effect="write",
    idempotent=False,
    actions=("add",),
    summary="Create many {many} in one transaction.",
    run=bulk.bulk_create,
    bulk=True,
    parameters={
        "data": "Rows: objects of values.",
        "conflict_on": _CONFLICT_ON,
        "conflict_resolution": '"error" (default) or "skip" where the key exists.',
        "batch_size": _BATCH_SIZE,
        "return": _RETURN,
        "on_error": _ON_ERROR,
        "dry_run": _DRY_RUN,
        "max_affected": _MAX_AFFECTED,
    },
)
BULK_UPDATE = Verb(
    name="bulk_update",
    effect="write",
    idempotent=False,
    actions=("change",),
    summary="Change many {many}: the same fields of all that match a filter, or other values per row.",
    run=bulk.bulk_update,
    bulk=True,
    parameters={
        "filter": _FILTER,
        "fields": _VALUES,
        "data": "Rows: objects of id and new values.",
        "confirmed": _CONFIRMED,
        "batch_size": _BATCH_SIZE,
        "return": _RETURN,
        "on_error": _ON_ERROR,
        "dry_run": _DRY_RUN,
        "max_affected": _MAX_AFFECTED,
    },
)
BULK_DELETE = Verb(
    name="bulk_delete",
    effect="destructive",
    idempotent=True,
    actions=("delete",),
    summary="Delete many {many} by filter or by keys.",
    run=bulk.bulk_delete,
    bulk=True,
    parameters={
        "filter": _FILTER,
        "ids": "Primary keys.",
        "confirmed": _CONFIRMED,
        "return": _RETURN,
        "dry_run": _DRY_RUN,
        "max_affected": _MAX_AFFECTED,
    },
)
BULK_UPSERT = Verb(
    name="bulk_upsert",
    effect="write",
    idempotent=True,
    actions=("add", "change"),
    summary="Create many {many}, or update those that have the same unique key.",
    run=bulk.bulk_upsert,
    bulk=True,
    parameters={
        **{
            name: text
            for name, text in BULK_CREATE.parameters.items()
            if name != "conflict_resolution"
        },
        "conflict_resolution": '"update" (default), "skip" or "error" where the key exists.',
    },
)

VERBS = (
    CREATE,
    READ,
    UPDATE,
    DELETE,
    LIST,
    COUNT,
    UPSERT,
    AGGREGATE,
    BULK_CREATE,
    BULK_UPDATE,
    BULK_DELETE,
    BULK_UPSERT,
)
