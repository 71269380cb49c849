"""`"${id.path}"` in parameters."""

from typing import Any

import pytest

from dataflow_nexus.exceptions import Invalid
from dataflow_nexus.workflows.references import references, resolve

RESULTS = {
    "made": {
        "id": 7,
        "name": "Ann",
        "tags": ["x", "y"],
        "null": None,
        "at": {"deep": [1, {"k": 2}]},
    },
    "list": {"records": [{"id": 1}, {"id": 2}]},
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${made.id}", 7),
        ("${ made.id }", 7),
        ("${made.name}", "Ann"),
        ("${made.null}", None),
        ("${made.tags}", ["x", "y"]),
        ("${made.tags.0}", "x"),
        ("${made.tags.-1}", "y"),
        ("${made.at.deep.1.k}", 2),
        ("${list.records.1.id}", 2),
        ("${made}", RESULTS["made"]),
        ("Dear ${made.name} (${made.id})", "Dear Ann (7)"),
        ("${made.name}${made.name}", "AnnAnn"),
        ("<${made.null}>", "<>"),
        ("${made.tags}!", '["x","y"]!'),
        ("$${made.id}", "${made.id}"),
        ("$${", "${"),
        ("${", "${"),
        ("$made.id", "$made.id"),
        ({"a": ["${made.id}", {"b": "${list.records.0.id}"}]}, {"a": [7, {"b": 1}]}),
        (("${made.id}", 1.5, None, True), [7, 1.5, None, True]),
    ],
)
def test_what_a_reference_becomes(value: Any, expected: Any) -> None:
    assert resolve(value, RESULTS, "") == expected


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ({"a": "${none.id}"}, "a", '"${none.id}" refers to no operation before it'),
        ({"a": "${}"}, "a", '"${}" refers to no operation before it'),
        (
            {"a": ["x", "${made.nothing}"]},
            "a.1",
            '"${made.nothing}" has no "nothing" in its result',
        ),
        ({"a": "${made.tags.2}"}, "a", '"${made.tags.2}" has no item 2 in its result'),
        ({"a": "${made.tags.-3}"}, "a", "has no item -3"),
        ({"a": "${made.tags.x}"}, "a", 'has no "x"'),
        ({"a": "${made.id.x}"}, "a", 'has no "x"'),
        ({"a": {"b": "x${made..id}"}}, "a.b", 'has no ""'),
        ({"a": "${made.__class__}"}, "a", 'has no "__class__"'),
    ],
)
def test_what_refers_to_nothing(value: Any, field: str, message: str) -> None:
    with pytest.raises(Invalid) as raised:
        resolve(value, RESULTS, "")
    (error,) = raised.value.errors
    assert (error.field, error.code) == (field, "reference")
    assert message in error.message


def test_which_operations_a_value_refers_to() -> None:
    value = {"a": "${one.id}", "b": ["x ${two.id} ${ three }", ({"c": "$${four.id}"},)], "d": 1}
    assert list(references(value)) == ["one", "two", "three"]
