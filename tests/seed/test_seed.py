"""The seed document's examples run as written: their own imports, only the database's address changed."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import processes
from tests.seed import tables

HERE = Path(__file__).parent
EXAMPLE = "postgresql://user:pass@localhost/ecommerce"
CORE = "postgresql://user:pass@localhost/db"
LAPTOP = {"name": "Laptop", "sku": "LAP-001", "price": 1299.99, "stock": 50}

CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "list_products", "arguments": {"filter": {"active": True}, "limit": 10}},
}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, new_database: Callable[[], str]) -> str:
    """A database with the tables of the examples."""
    if request.param == "sqlite":
        return tables.make_on_sqlite(tmp_path / "ecommerce.db")
    return tables.make_on_postgresql(new_database())


@pytest.fixture
def folder(tmp_path: Path, url: str) -> Path:
    """Where a user has saved the examples; `pyproject.toml` says which of them `nexus` means."""
    first = (HERE / "example_1.py").read_text()
    both = first + (HERE / "example_2.py").read_text()
    core = (HERE / "core_pattern.py").read_text()
    for name, text, address in (
        ("example.py", first, EXAMPLE),
        ("both.py", both, EXAMPLE),
        ("core.py", core, CORE),
    ):
        assert text.count(address) == 1
        (tmp_path / name).write_text(text.replace(address, url))
    (tmp_path / "pyproject.toml").write_text('[tool.dataflow-nexus]\napp = "example.py"\n')
    return tmp_path


def test_the_calls_of_example_2(folder: Path) -> None:
    port = processes.free_port()
    words = (processes.NEXUS, "run", "example.py", "--port", str(port))
    with processes.serving(*words, folder=folder, port=port) as server:
        laptop = server.ask("POST", "/api/workflows/ProductCreateNode/execute", LAPTOP)
        listed = processes.nexus(
            "execute", "ProductListNode", "--filter", '{"active": true}', "--limit", "10",
            folder=folder,
        )  # fmt: skip
        by_path = server.ask("GET", "/api/products?active=true&limit=10")
        by_agent = server.ask("POST", "/mcp", CALL)
        banner = server.stop()
    record = {"id": 1, **LAPTOP, "active": True}
    assert laptop == (200, record)
    assert (listed.code, listed.err) == (0, "")
    assert listed.json == {
        "records": [record], "count": None, "limit": 10, "offset": 0, "next": None
    }  # fmt: skip
    assert by_path == (200, listed.json)
    assert by_agent[0] == 200
    assert by_agent[1]["result"]["structuredContent"] == listed.json
    assert banner.startswith("E-commerce Platform 1.0.0: 2 models\n")
    assert re.search(r"^  MCP   http://127\.0\.0\.1:\d+/mcp$", banner, re.MULTILINE)


def test_the_python_of_example_2(folder: Path) -> None:
    with (folder / "both.py").open("a") as file:
        file.write(
            "from kailash.runtime.local import LocalRuntime\n"
            "results, run_id = LocalRuntime().execute(workflow.build())\n"
            "assert results['create']['sku'] == 'PHONE-001' and run_id\n"
        )
    listed = processes.nexus("--app", "both.py", "products", "list", folder=folder)
    assert [(r["name"], r["price"], r["stock"]) for r in listed.json["records"]] == [
        ("Smartphone", 799.99, 100)
    ]


def test_the_calls_of_the_core_pattern(folder: Path) -> None:
    """`# - CLI: nexus execute ProductCreateNode --name "Test" --price 100`"""
    words = ("execute", "ProductCreateNode", "--name", "Test", "--price", "100")
    made = processes.nexus(*words, folder=folder, NEXUS_APP="core.py")
    assert (made.code, made.err) == (0, "")
    assert made.out == '{"id":1,"name":"Test","price":100,"active":true}\n'


def test_every_node_of_the_example_is_listed(folder: Path) -> None:
    listed = processes.nexus("workflows", folder=folder).json["workflows"]
    nodes = {item["node"] for item in listed}
    assert {f"{model}{verb}Node" for model in ("Product", "Order") for verb in (
        "Create", "Read", "Update", "Delete", "List", "Count", "Upsert", "Aggregate",
        "BulkCreate", "BulkUpdate", "BulkDelete", "BulkUpsert",
    )} == nodes  # fmt: skip
