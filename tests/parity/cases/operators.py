"""Every operator on every field of the model that has all of them; what must come of it, the product says."""

from typing import Any

from tests.parity.case import Table

OPERATORS = Table()

NOT_FIELDS = ("id", "updated_at")
OPERANDS: dict[str, list[Any]] = {
    "text": ["plain", "P"],
    "char": ["red car", ""],
    "char_null": ["x", ""],
    "char_unique": ["two", "on"],
    "code": ["A1", "B"],
    "slug": ["a-slug", "a"],
    "email": ["a@b.example", "A@"],
    "url": ["https://shop.example/?a=1&b=2", "https"],
    "colour": ["red", "pink"],
    "level": [2, 0],
    "boolean": [True, False],
    "boolean_null": [False, True],
    "small": [0, -7],
    "integer": [0, 40],
    "integer_null": [12, -1],
    "big": [2**62, -(2**63)],
    "positive_small": [3, 0],
    "positive": [2, 0],
    "positive_big": [2**63 - 1, 9],
    "float": [0.1, -0.0],
    "float_null": [1e20, 5e-324],
    "decimal": ["12.50", -99999999.99],
    "decimal_null": ["-0.01", "0.005"],
    "decimal_whole": [0, "123456789012"],
    "decimal_fine": ["123456.123456789", 0],
    "date": ["2024-02-29", "0001-01-01"],
    "time": ["23:59:59.999999", "00:00"],
    "datetime": ["2026-03-14T15:09:26.535Z", "2026-03-14T16:09:26.535+01:00"],
    "datetime_null": ["1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z"],
    "duration": ["P1DT2H3M4.5S", "PT0S"],
    "uuid": ["00000000-0000-4000-8000-000000000001", "00000000-0000-0000-0000-000000000002"],
    "uuid_null": ["ffffffff-ffff-4fff-bfff-ffffffffffff", "00000000-0000-0000-0000-000000000000"],
    "binary": ["AP8Q", ""],
    "binary_null": ["", "AA=="],
    "json": ["a text", {"color": None}],
    "json.color": ["red", None],
    "json.n": [3, 2.5],
    "json.a.b.0": [1, "1"],
    "json_null": [0, [1, {"k": "v"}]],
    "ip": ["192.0.2.1", "2001:db8::1"],
    "file": ["", "x"],
    "db_default_integer": [7, 1],
    "db_default_char": ["given", "from"],
    "db_default_datetime": ["2026-03-14T15:09:26.535Z", "2026-03-14"],
    "generated": [42, 0],
    "parent_id": [1, 2],
    "twin_id": [1, 9],
    "country_id": ["DE", "d"],
    "parent.char": ["red car", "x"],
    "country.name": ["Germany", "G"],
    "tags": [[1], []],
}
COMPARING = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")
MATCHING = (
    "$like",
    "$ilike",
    "$contains",
    "$icontains",
    "$startswith",
    "$istartswith",
    "$endswith",
    "$iendswith",
)
WRONG: list[Any] = [None, [], {}, 5, 1.5, "x", True, "\x00", 10**400]


def _conditions(one: Any, other: Any) -> list[Any]:
    found: list[Any] = [one, other]
    found += [{operator: value} for operator in COMPARING for value in (one, other)]
    found += [{operator: one} for operator in MATCHING]
    found += [{operator: [one, None, other]} for operator in ("$in", "$nin")]
    found += [{"$between": [one, other]}, {"$between": [other, one]}, {"$not": {"$eq": one}}]
    found += [{operator: truth} for operator in ("$null", "$exists") for truth in (True, False)]
    return [*found, {"$regex": one}, {"$eq": one, "$ne": other}, {"$unknown": one}]


for name, (one, other) in OPERANDS.items():
    for condition in [*_conditions(one, other), *WRONG]:
        OPERATORS.either("EverythingCount", filter={name: condition})
for condition in ({"$in": ["x"]}, {"$gt": "1.2.3"}, "fe80::1%eth0", "::ffff:1.2.3.4", "1.2.3.4/32"):
    OPERATORS.either("EverythingCount", filter={"ip": condition})
