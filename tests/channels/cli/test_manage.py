"""The same command as `manage.py nexus`, `manage.py execute` and `nexus manage`."""

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from dataflow_nexus.nexus import Nexus
from tests import processes, projects


@pytest.fixture
def project(tmp_path: Path) -> dict[str, str]:
    return projects.make(tmp_path)


def manage(*words: str, folder: Path, **env: str) -> processes.Ran:
    return processes.command(sys.executable, "manage.py", *words, folder=folder, **env)


def test_one_command_under_three_names(tmp_path: Path, project: dict[str, str]) -> None:
    made = manage("nexus", "books", "create", "--title", "Emma", folder=tmp_path, **project)
    assert (made.code, made.out, made.err) == (0, '{"id":1,"title":"Emma"}\n', "")
    answers = {
        manage("nexus", "books", "list", folder=tmp_path, **project).out,
        manage("execute", "BookListNode", folder=tmp_path, **project).out,
        processes.nexus("books", "list", folder=tmp_path, **project).out,
        processes.nexus("execute", "BookListNode", folder=tmp_path, **project).out,
    }
    assert answers == {
        '{"records":[{"id":1,"title":"Emma"}],"count":null,"limit":100,"offset":0,"next":null}\n'
    }


def test_exit_codes_and_errors(tmp_path: Path, project: dict[str, str]) -> None:
    missing = manage("nexus", "books", "read", "7", folder=tmp_path, **project)
    assert (missing.code, missing.out) == (5, "")
    assert missing.err.startswith("not_found: ")
    unknown = manage("execute", "BookLisstNode", "--json", folder=tmp_path, **project)
    assert (unknown.code, '"code":"not_found"' in unknown.err) == (5, True)


def test_djangos_own_options_and_help(tmp_path: Path, project: dict[str, str]) -> None:
    words = ("nexus", "--settings", "site_settings", "books", "count", "--pythonpath=.")
    assert manage(*words, folder=tmp_path, **project).out == '{"count":0}\n'
    assert "resources:\n  books" in manage("nexus", "--help", folder=tmp_path, **project).out
    assert "usage: nexus execute NODE" in manage("execute", "-h", folder=tmp_path, **project).out
    helped = manage("help", "nexus", folder=tmp_path, **project)
    assert "Runs operations on the models of this project" in helped.out


def test_manage_py_means_its_own_project(tmp_path: Path, project: dict[str, str]) -> None:
    """Whatever the environment or a pyproject.toml names for the `nexus` command."""
    (tmp_path / "pyproject.toml").write_text('[tool.dataflow-nexus]\napp = "none.py"\n')
    ran = manage("nexus", "books", "count", folder=tmp_path, NEXUS_APP="other.py", **project)
    assert (ran.code, ran.out) == (0, '{"count":0}\n')
    assert processes.nexus("books", "count", folder=tmp_path, **project).code == 2


def test_any_command_of_django(tmp_path: Path, project: dict[str, str]) -> None:
    checked = processes.nexus("manage", "check", folder=tmp_path, **project)
    assert (checked.code, checked.err) == (0, "")
    assert "no issues" in checked.out
    helped = processes.nexus("manage", "check", "--help", folder=tmp_path, **project)
    assert "nexus manage check" in helped.out
    wrong = processes.nexus("manage", "chek", folder=tmp_path, **project)
    assert (wrong.code, "Did you mean check?" in wrong.err) == (1, True)


@pytest.mark.parametrize("words", [("nexus", "products", "list"), ("execute", "ProductListNode")])
def test_call_command(database: str, nexus: Nexus, words: tuple[str, ...]) -> None:
    out = io.StringIO()
    call_command(*words, "--limit", "2", stdout=out)
    assert out.getvalue().encode() == nexus.execute_json("ProductListNode", limit=2) + b"\n"


def test_call_command_writes_text_in_pieces(database: str) -> None:
    """An export comes in chunks, and none of them gets a line feed of its own."""
    out = io.StringIO()
    call_command("nexus", "order_items", "export", "--format", "json", stdout=out)
    assert "\n" not in out.getvalue()
    assert out.getvalue().startswith("[{")
    assert out.getvalue().endswith("}]")


def test_call_command_with_an_error(database: str, capsys: Any) -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit) as raised:
        call_command("nexus", "prodcts", "list", stderr=err)
    assert raised.value.code == 5
    assert 'did you mean "products"?' in err.getvalue()
