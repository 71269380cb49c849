"""Commands on the sample shop: the same bytes and the same errors as in Python, and an exit code."""

import json
from typing import Any

import pytest

from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.channels.cli import help  # noqa: A004  # a module of ours
from dataflow_nexus.conf import Configuration
from dataflow_nexus.exceptions import NexusError
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.operations.verbs import VERBS
from dataflow_nexus.registry import Registry
from testproject.shop.models import Product
from tests.channels.cli.conftest import Cli

NEW = ("--sku", "NEW-1", "--name", "New kettle", "--price", "12.5")


def product(**wanted: Any) -> Product:
    return Product.objects.get(**(wanted or {"sku": "SKU-00001"}))


# --- the twelve verbs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "node", "params"),
    [
        (("list",), "List", {}),
        (("list", "--limit", "3", "--order-by=-price,name"), "List",
         {"limit": 3, "order_by": ["-price", "name"]}),
        (("list", "--sort=-price", "--fields", "id,price", "--expand", "category"), "List",
         {"order_by": ["-price"], "fields": ["id", "price"], "expand": ["category"]}),
        (("list", "--filter", '{"price": {"$gt": 100}}', "--count", "exact"), "List",
         {"filter": {"price": {"$gt": 100}}, "count": "exact"}),
        (("list", "--price__gte", "100", "--active", "true"), "List",
         {"filter": {"price": {"$gte": "100"}, "active": True}}),
        (("list", "--search", "kettle", "--offset", "1"), "List", {"search": "kettle", "offset": 1}),
        (("count",), "Count", {}),
        (("count", "--active", "false"), "Count", {"filter": {"active": False}}),
        (("aggregate", "--group-by", "active", "--sum", "stock", "--count", "*"), "Aggregate",
         {"group_by": ["active"],
          "aggregate": {"sum_stock": {"$sum": "stock"}, "count": {"$count": "*"}}}),
    ],
)  # fmt: skip
def test_reads(
    cli: Cli, nexus: Nexus, words: tuple[str, ...], node: str, params: dict[str, Any]
) -> None:
    expected = nexus.execute_json(f"Product{node}Node", params)
    for command in (("products", *words), ("execute", f"Product{node}Node", *words[1:])):
        ran = cli(*command)
        assert (ran.code, ran.err, ran.out) == (0, "", expected + b"\n")


@pytest.mark.parametrize("verb", ["read", "get"])
def test_read(cli: Cli, nexus: Nexus, verb: str) -> None:
    key = product().pk
    expected = nexus.execute_json("ProductReadNode", {"id": key}) + b"\n"
    assert cli("products", verb, str(key)).out == expected
    assert cli("products", verb, "--id", str(key)).out == expected
    assert cli("Product", verb, f"--filter={json.dumps({'sku': 'SKU-00001'})}").out == expected
    assert cli("execute", "ProductReadNode", "--id", str(key)).out == expected


def test_create(cli: Cli) -> None:
    ran = cli("products", "create", *NEW, "--tags", "", "--attrs", '{"color": "red"}')
    made = product(sku="NEW-1")
    assert ran.json["id"] == made.pk
    assert (ran.json["price"], made.attrs) == ("12.50", {"color": "red"})


def test_create_by_node(cli: Cli) -> None:
    assert cli("execute", "ProductCreateNode", *NEW).json["sku"] == "NEW-1"


def test_update(cli: Cli) -> None:
    before = product()
    assert cli("products", "update", str(before.pk), "--stock", "3").json["stock"] == 3
    changed = cli(
        "products", "update", str(before.pk), "--stock", '{"$inc": 2}', "--category_id=null"
    )
    assert (changed.json["stock"], changed.json["category_id"]) == (5, None)


def test_update_with_dry_run(cli: Cli) -> None:
    before = product()
    ran = cli("products", "update", "--dry-run", str(before.pk), "--name", "Other")
    assert ran.json["name"] == "Other"
    assert product().name == before.name


def test_delete(cli: Cli) -> None:
    made = cli("products", "create", *NEW).json["id"]
    assert cli("products", "delete", str(made)).json == {"id": made, "deleted": True}
    assert not Product.objects.filter(pk=made).exists()


def test_upsert(cli: Cli) -> None:
    words = ("products", "upsert", "--conflict-on", "sku", *NEW)
    assert cli(*words).json["created"] is True
    assert cli(*words, "--stock", "9").json["record"]["stock"] == 9
    where = ("--where", '{"sku": "NEW-1"}', "--create", '{"name": "x", "price": 1}')
    assert cli("products", "upsert", *where, "--update", '{"stock": 1}').json["created"] is False


def test_bulk(cli: Cli) -> None:
    rows = [{"name": "one"}, {"name": "two"}]
    made = cli("tags", "bulk-create", "--data", json.dumps(rows), "--return", "ids").json
    assert made["inserted"] == 2
    data = json.dumps([{"id": made["ids"][0], "name": "uno"}])
    assert cli("tags", "bulk-update", "--data", data).json["updated"] == 1
    data = json.dumps([{"name": "two"}, {"name": "three"}])
    upserted = cli("tags", "bulk-upsert", "--data", data, "--conflict-on", "name").json
    assert (upserted["inserted"], upserted["updated"]) == (1, 1)
    ids = ",".join(map(str, made["ids"]))
    assert cli("tags", "bulk-delete", "--ids", ids).json["deleted"] == 2


def test_bulk_update_writes_what_set_names(cli: Cli) -> None:
    filtered = ("--filter", '{"active": false}')
    ran = cli("products", "bulk-update", *filtered, "--set", "stock=0", "--set", "active=true")
    assert ran.json["updated"] > 0
    assert not Product.objects.filter(active=False).exists()


def test_a_composite_key(cli: Cli, nexus: Nexus) -> None:
    key = {"code": "SKU-00001", "valid_from": "2025-01-01"}
    expected = nexus.execute_json("PriceListEntryReadNode", {"id": key}) + b"\n"
    for text in ("SKU-00001,2025-01-01", json.dumps(key)):
        assert cli("price_list_entries", "read", text).out == expected
        assert cli("execute", "PriceListEntryReadNode", "--id", text).out == expected
        assert cli("price_list_entries", "count", "--id", text).json == {"count": 1}
        for option in (("--id", text), ("--set", f"id={text}")):
            upserted = cli("price_list_entries", "upsert", *option, "--price", "2").json
            assert (upserted["created"], upserted["record"]["price"]) == (False, "2.00")
            cli("price_list_entries", "update", text, "--price", json.loads(expected)["price"])


# --- what the command line itself takes -----------------------------------------------------------


def test_workflows(cli: Cli, nexus: Nexus) -> None:
    listed = cli("workflows").json["workflows"]
    assert [item["node"] for item in listed] == list(nexus.catalog.operations)
    table = cli("workflows", terminal=True).out.decode()
    assert "ProductBulkUpsertNode" in table


def test_formats(cli: Cli) -> None:
    words = ("tags", "list", "--order-by", "name", "--limit", "2", "--format")
    assert cli(*words, "csv").out.decode().splitlines()[0] == "id,name"
    lines = cli(*words, "ndjson").out.decode().splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["eco", "fragile"]
    table = cli(*words, "table").out.decode()
    assert "fragile" in table
    assert "more: --cursor " in table


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("tags", "count", "--format", "csv"), "count\r\n6\r\n"),
        (("tags", "count", "--format", "ndjson"), '{"count":6}\n'),
        (("tags", "aggregate", "--count", "*", "--format", "ndjson"), '{"count":6}\n'),
        (("tags", "list", "--name", "none", "--format", "ndjson"), ""),
        (("tags", "list", "--name", "none", "--format", "csv"), ""),
        (("tags", "list", "--name", "none", "--format", "table"), "nothing found\n"),
    ],
)
def test_other_results_in_formats(cli: Cli, words: tuple[str, ...], expected: str) -> None:
    assert cli(*words).out.decode() == expected


def test_a_table_shows_one_record_by_names(cli: Cli) -> None:
    lines = cli(
        "tags", "read", str(Product.tags.rel.model.objects.get(name="eco").pk), terminal=True
    )
    assert "eco" in lines.out.decode()
    assert "\x1b[31m" not in lines.out.decode()


def test_cells_that_a_spreadsheet_would_run(cli: Cli, settings: Any) -> None:
    cli("tags", "create", "--name", "=1+1")
    words = ("tags", "list", "--name", "=1+1", "--fields", "name", "--format", "csv")
    assert cli(*words).out == b"name\r\n'=1+1\r\n"
    settings.DATAFLOW_NEXUS = {**settings.DATAFLOW_NEXUS, "CSV_NEUTRALIZE": False}
    assert cli(*words).out == b"name\r\n=1+1\r\n"


def test_a_terminal_gets_no_control_characters(cli: Cli) -> None:
    cli("tags", "create", "--name", "a\x1b[2Jb")
    out = cli("tags", "list", "--name__startswith", "a", terminal=True).out.decode()
    assert "a\\x1b[2Jb" in out
    assert "\x1b[2J" not in out


def test_fields_whose_names_the_command_takes(cli: Cli) -> None:
    """`fields` is a parameter of create; `--set` writes fields by name beside it."""
    ran = cli("products", "create", "--fields", '{"sku": "NEW-1", "name": "n"}', "--set", "price=1")
    assert ran.json["price"] == "1.00"


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "exit_code", "message"),
    [
        (("prodcts", "list"), 5, 'no resource or command "prodcts" — did you mean "products"?'),
        (("products", "lisst"), 5, 'no operation "lisst" — did you mean "list"?'),
        (("products", "bulk-creat"), 5, 'did you mean "bulk-create"?'),
        (("products", "read", "999999"), 5, "not_found"),
        (("execute", "ProductLisstNode"), 5, 'did you mean "ProductListNode"?'),
        (("execute",), 2, "execute needs the name of a node"),
        (("products", "list", "--prise", "3"), 2, 'did you mean "price"?'),
        (("products", "list", "--limit", "ten"), 2, '"limit" must be an integer'),
        (("products", "list", "--filter", "{"), 2, '"filter" must be JSON'),
        (("products", "list", "--format", "xml"), 2, '"format" must be one of'),
        (("products", "list", "--limit", "1", "--limit", "2"), 2, '"limit" is given twice'),
        (("products", "list", "extra"), 2, '"extra" is one word too many'),
        (("products", "read", "1", "--id", "1"), 2, '"id" is given twice'),
        (("products", "create", "--name", "x"), 2, "price"),
        (("products", "create", *NEW, "--sku", "x"), 2, '"sku" is given twice'),
        (("products", "create", *NEW, "--set", "stok=1"), 2, 'did you mean "stock"?'),
        (("products", "create", *NEW, "--set", "stock=1", "--set", "stock=2"), 2, "given twice"),
        (("products", "create", "--fields", "[]", "--set", "stock=1"), 2, "fields"),
        (("products", "list", "--set", "stock=1"), 2, "list writes none"),
        (("products", "list", "--file", "x.csv"), 2, "list takes none"),
        (("products", "create", "--sku", "SKU-00001", "--name", "n", "--price", "1"), 6, "sku"),
        (("workflows", "extra"), 2, '"extra" is one word too many'),
        (("workflows", "--limit", "1"), 2, 'workflows has no parameter "limit"'),
        (("workflows", "--format", "csv"), 2, 'workflows are listed as "table" or "json"'),
        (("products", "list", "--limit"), 2, '"--limit" needs a value'),
    ],
)
def test_errors(cli: Cli, words: tuple[str, ...], exit_code: int, message: str) -> None:
    ran = cli(*words)
    assert (ran.code, ran.out) == (exit_code, b"")
    assert message in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "word", ["apikey", "audit", "cache", "doctor", "inspect", "migrate", "rules", "startup"]
)
def test_commands_that_are_not_built_are_refused(cli: Cli, word: str) -> None:
    ran = cli(word)
    assert ran.code == 5
    assert ran.err == f'not_found: the command "{word}" arrives in a later release\n'


@pytest.mark.parametrize(
    ("words", "node", "params"),
    [
        (("products", "read", "999999"), "ProductReadNode", {"id": 999999}),
        (
            ("products", "count", '--filter={"prise": 3}'),
            "ProductCountNode",
            {"filter": {"prise": 3}},
        ),
        (("products", "create", "--name", "x"), "ProductCreateNode", {"name": "x"}),
        (("execute", "NoNode"), "NoNode", {}),
    ],
)
def test_json_errors_are_the_error_object(
    cli: Cli, nexus: Nexus, words: tuple[str, ...], node: str, params: dict[str, Any]
) -> None:
    with pytest.raises(NexusError) as raised:
        nexus.execute(node, params)
    ran = cli(*words, "--json")
    told = json.loads(ran.err)
    assert (told["code"], told["detail"]) == (raised.value.code, raised.value.detail)
    assert [e["field"] for e in told["errors"]] == [e.field for e in raised.value.errors]
    assert set(told) == {"type", "title", "status", "detail", "code", "errors", "request_id"}


def test_text_that_is_not_utf_8(cli: Cli) -> None:
    """What the shell hands over as bytes arrives as lone surrogates (PEP 383)."""
    for words in (("tags", "create", "--name", "\udcff"), ("tags", "list", "--nam\udcff", "x")):
        plain, told = cli(*words), cli(*words, "--json")
        assert plain.code == told.code == 2
        plain.err.encode()
        assert json.loads(told.err)["code"] == "invalid"


# --- switches -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["ENABLE_CLI", "AUTO_GENERATE_CLI_COMMANDS"])
def test_the_command_line_can_be_switched_off(cli: Cli, settings: Any, key: str) -> None:
    settings.DATAFLOW_NEXUS = {**settings.DATAFLOW_NEXUS, key: False}
    ran = cli("products", "list")
    assert (ran.code, ran.err) == (
        5,
        "not_found: the command line is switched off in this application\n",
    )
    helped = cli("--help")
    assert helped.code == 0
    assert helped.out.endswith(b"\n\nthe command line is switched off in this application\n")


@pytest.mark.parametrize(
    ("key", "node", "words"),
    [
        ("EXPOSE_BULK_OPERATIONS", "ProductBulkDeleteNode", ("products", "bulk-delete")),
        ("EXPOSE_ANALYTICS", "ProductAggregateNode", ("products", "aggregate")),
    ],
)
def test_a_node_that_is_off_is_not_found(
    cli: Cli, settings: Any, key: str, node: str, words: tuple[str, ...]
) -> None:
    settings.DATAFLOW_NEXUS = {**settings.DATAFLOW_NEXUS, key: False}
    assert cli("execute", node).code == 5
    assert cli(*words).code == 5
    assert node not in cli("workflows").out.decode()


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        ((), ["commands:", "products", "price_list_entries"]),
        (("--help",), ["commands:", "--as USER"]),
        (("-h",), ["commands:"]),
        (("help",), ["commands:"]),
        (("products",), ["usage: nexus products OPERATION", "bulk-create", "export"]),
        (("products", "--help"), ["usage: nexus products OPERATION"]),
        (("help", "products"), ["usage: nexus products OPERATION"]),
        (("products", "create", "--help"), ["fields:", "--sku", "string, required", "--dry-run"]),
        (("products", "get", "-h"), ["usage: nexus products get [ID]", "--expand"]),
        (("products", "bulk-create", "--help"), ["--file F", "--return"]),
        (("products", "export", "--help"), ["csv|ndjson|json"]),
        (("execute", "ProductCreateNode", "--help"), ["usage: nexus execute ProductCreateNode ["]),
        (("help", "execute", "ProductReadNode"), ["usage: nexus execute ProductReadNode ["]),
        (("execute", "--help"), ["usage: nexus execute NODE"]),
        (("workflows", "--help"), ["usage: nexus workflows"]),
        (("run", "--help"), ["--port PORT"]),
        (("help", "manage"), ["nexus manage COMMAND"]),
        (("version",), ["dataflow-nexus "]),
        (("--version",), ["dataflow-nexus "]),
    ],
)
def test_help_asks_no_database(
    cli: Cli, statements: Any, words: tuple[str, ...], texts: list[str]
) -> None:
    with statements() as seen:
        ran = cli(*words)
    assert (ran.code, ran.err, len(seen)) == (0, "", 0)
    for text in texts:
        assert text in ran.out.decode()


def test_help_on_nothing_is_not_found(cli: Cli) -> None:
    assert cli("nothing", "--help").code == 5
    assert cli("execute", "NoNode", "--help").code == 5


def test_help_says_that_no_model_is_exposed() -> None:
    catalog = Catalog(Registry(), Configuration(), VERBS)
    assert "no model is exposed" in help.general(catalog, SYSTEM)
