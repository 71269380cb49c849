"""Words of a command line, before any model is looked at."""

import pytest

from dataflow_nexus.channels.cli.arguments import Arguments, chosen_format, parse
from dataflow_nexus.exceptions import Invalid


def test_words_and_options_may_mix() -> None:
    found = parse(["products", "--limit", "3", "update", "--order-by=-price", "7"])
    assert found.words == ["products", "update", "7"]
    assert found.options == [("limit", "3"), ("order_by", "-price")]


def test_dashes_and_underscores_are_one() -> None:
    assert parse(["--order-by", "a"]).options == parse(["--order_by", "a"]).options


@pytest.mark.parametrize("value", ["", "-5", "a=b", "--x", '{"$inc": 1}', "ü"])
def test_a_value_after_an_equals_sign_is_anything(value: str) -> None:
    assert parse([f"--name={value}"]).options == [("name", value)]


@pytest.mark.parametrize("value", ["-5", "-", "--", "", "null"])
def test_a_value_in_the_next_word(value: str) -> None:
    assert parse(["--stock", value]).options == [("stock", value)]


def test_two_dashes_end_the_options() -> None:
    found = parse(["products", "read", "--", "--odd-key"])
    assert found.words == ["products", "read", "--odd-key"]


@pytest.mark.parametrize("name", ["dry_run", "replace", "confirmed"])
@pytest.mark.parametrize(
    ("rest", "text", "words"),
    [([], "true", []), (["true"], "true", []), (["false"], "false", []), (["7"], "true", ["7"])],
)
def test_switches_need_no_value(name: str, rest: list[str], text: str, words: list[str]) -> None:
    found = parse([f"--{name.replace('_', '-')}", *rest])
    assert (found.options, found.words) == ([(name, text)], words)


def test_options_of_the_command_line_itself() -> None:
    found = parse(
        ["--app", "a.py", "--as", "ann", "--file=rows.csv", "--format", "csv", "--set", "as=x=y"]
    )
    expected = Arguments(
        app="a.py", user="ann", file="rows.csv", format="csv", sets=[("as", "x=y")]
    )
    assert found == expected


def test_json_means_the_format_too() -> None:
    assert parse(["--json"]).format == "json"
    assert parse(["--json", "--format", "csv"]).format == "csv"


def test_everything_after_manage_is_djangos() -> None:
    found = parse(["--app", "a.py", "manage", "migrate", "--help", "--app", "x"])
    assert (found.app, found.words, found.help) == ("a.py", ["manage"], False)
    assert found.django == ["migrate", "--help", "--app", "x"]


def test_manage_elsewhere_is_a_word() -> None:
    assert parse(["products", "manage"]).words == ["products", "manage"]
    assert parse(["--name", "manage"]).options == [("name", "manage")]


def test_version_is_a_field_once_there_is_a_command() -> None:
    assert parse(["--version"]).version
    assert parse(["releases", "create", "--version", "2"]).options == [("version", "2")]


@pytest.mark.parametrize(
    ("words", "field", "code"),
    [
        (["--limit"], "limit", "required"),
        (["--limit", "--offset", "3"], "limit", "required"),
        (["--json=1"], "json", "type"),
        (["--help=1"], "help", "type"),
        (["--set", "name"], "set", "type"),
        (["--set", "=x"], "set", "type"),
        (["--format", "csv", "--format", "json"], "format", "duplicate"),
        (["--as", "a", "--as", "b"], "as", "duplicate"),
        (["--app="], "app", "required"),
        (["--as", ""], "as", "required"),
    ],
)
def test_what_is_wrong_is_named(words: list[str], field: str, code: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(words)
    assert [(item.field, item.code) for item in raised.value.errors] == [(field, code)]


def test_a_table_on_a_terminal_json_elsewhere() -> None:
    assert chosen_format(Arguments(), terminal=True) == "table"
    assert chosen_format(Arguments(), terminal=False) == "json"
    assert chosen_format(Arguments(format="ndjson"), terminal=True) == "ndjson"
    with pytest.raises(Invalid, match='"format" must be one of table, json, ndjson, csv'):
        chosen_format(Arguments(format="xml"), terminal=True)
