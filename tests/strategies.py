"""What columns may hold, from the ordinary to the extreme, as hypothesis strategies by field."""

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
SPECIAL_TEXT = st.sampled_from(
    [
        "",
        " ",
        "null",
        '"quoted" and \\back\\slashed\\',
        "tab\there, line\nthere, return\r",
        "\x01\x08\x0b\x0c\x1f\x7f\x80",
        "</script>&<>'",
        "\u2028\u2029\ufeff\ufffd",
        "👩‍👩‍👧 \U0001d518\U0001f600 \U0010ffff",
        "e\u0301 ﷽ עברית",
        "{1,2}",
        "%s %% %(name)s",
    ]
)
TEXTS = TEXT | SPECIAL_TEXT

_JSON_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63, -(2**64) - 1, 10**40])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.1, 1e-7, 1e20, 1e300, -0.0, 100.0, 5e-324])
    | TEXTS
)
JSON = st.recursive(
    _JSON_LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def integers(bits: int, *, low: int | None = None) -> st.SearchStrategy[int]:
    """What an integer column of this size holds, mostly its ends."""
    least, most = (-(2 ** (bits - 1)) if low is None else low), 2 ** (bits - 1) - 1
    return st.integers(least, most) | st.sampled_from([least, 0, 1, most])


def decimals(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    most = 10**digits - 1
    units = st.integers(-most, most) | st.sampled_from([-most, -1, 0, 1, 10**places, most])
    return units.map(lambda number: Decimal(number).scaleb(-places))


FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    [0.0, -0.0, 0.1, 1e-5, 1e-4, 1e14, 1e15, 1e16, 123456789012345.0, 2.0**53 + 2, 5e-324, 1.7e308]
)
MICROSECONDS = st.sampled_from([0, 1, 10, 500_000, 999_999]) | st.integers(0, 999_999)
TIMES = st.builds(dt.time, st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), MICROSECONDS)
DATES = st.dates() | st.sampled_from([dt.date.min, dt.date(999, 12, 31), dt.date.max])
DATETIMES = st.builds(dt.datetime.combine, DATES, TIMES).map(lambda at: at.replace(tzinfo=dt.UTC))
DURATIONS = st.timedeltas(
    dt.timedelta(days=-100_000), dt.timedelta(days=100_000)
) | st.sampled_from(
    [
        dt.timedelta(),
        dt.timedelta(microseconds=-1),
        dt.timedelta(days=-1, hours=1),
        dt.timedelta(hours=36, seconds=5),
        dt.timedelta(seconds=59, microseconds=100_000),
    ]
)
IPS = st.ip_addresses().map(str) | st.sampled_from(["0.0.0.0", "255.255.255.255", "::", "::1"])


def _nullable(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


EVERYTHING: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "char": TEXTS,
    "char_null": _nullable(TEXTS),
    "code": st.sampled_from(["A1", "", "É9"]),
    "slug": st.sampled_from(["", "a-b_c"]),
    "email": _nullable(st.just("ada@example.com")),
    "url": _nullable(st.just("https://example.com/?a=b&c=d")),
    "colour": st.sampled_from(["red", "green", ""]),
    "level": _nullable(st.sampled_from([1, 2])),
    "boolean": st.booleans(),
    "boolean_null": _nullable(st.booleans()),
    "small": integers(16),
    "integer": integers(31),
    "integer_null": _nullable(integers(32)),
    "big": integers(64),
    "positive_small": integers(16, low=0),
    "positive": integers(31, low=0),
    "positive_big": integers(64, low=0),
    "float": FLOATS,
    "float_null": _nullable(FLOATS),
    "decimal": decimals(10, 2),
    "decimal_null": _nullable(decimals(10, 2)),
    "decimal_whole": decimals(12, 0),
    "decimal_fine": decimals(15, 9),
    "date": _nullable(DATES),
    "time": _nullable(TIMES),
    "datetime": DATETIMES,
    "datetime_null": _nullable(DATETIMES),
    "duration": _nullable(DURATIONS),
    "uuid": st.uuids(),
    "uuid_null": _nullable(st.uuids()),
    "binary": st.binary(max_size=80),
    "binary_null": _nullable(st.binary(max_size=5)),
    "json": JSON.filter(lambda value: value is not None),
    "json_null": _nullable(JSON),
    "ip": _nullable(IPS),
}
"""By column of the model with every field type, without those that the database or Django fills."""

EVERYTHING_ROWS = st.lists(st.fixed_dictionaries(EVERYTHING), min_size=1, max_size=4)
