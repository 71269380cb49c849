"""The seed document's imports: found while an app file is loaded, never instead of a real module."""

import sys
from pathlib import Path

import pytest

import dataflow_nexus
from dataflow_nexus.launching.aliases import MEMBERS, seed_imports
from tests import processes
from tests.launching import apps

SEED = apps.SEED_IMPORTS + apps.MODEL + apps.NEXUS


def test_every_import_of_the_seed() -> None:
    space: dict[str, object] = {}
    lines = [f"from {name} import {member}" for name, found in MEMBERS.items() for member in found]
    with seed_imports(None):
        exec("\n".join(lines), space)
    for name in ("DataFlow", "Nexus", "WorkflowBuilder", "LocalRuntime"):
        assert space[name] is getattr(dataflow_nexus, name)


def test_nothing_is_left_behind() -> None:
    before = list(sys.meta_path)
    with seed_imports(None):
        import kailash.runtime.local  # type: ignore[import-not-found]
        import nexus  # noqa: F401  # type: ignore[import-not-found]
    assert not set(MEMBERS) & set(sys.modules)
    assert sys.meta_path == before
    with pytest.raises(ModuleNotFoundError):
        import kailash  # noqa: F401


def test_also_after_an_error() -> None:
    before = list(sys.meta_path)
    with pytest.raises(ZeroDivisionError), seed_imports(None):
        exec("from dataflow import DataFlow\n1 / 0")
    assert sys.meta_path == before
    assert "dataflow" not in sys.modules


def test_names_that_the_seed_does_not_have() -> None:
    with seed_imports(None):
        with pytest.raises(ImportError):
            exec("from dataflow import Nexus")
        with pytest.raises(ModuleNotFoundError):
            exec("import kailash.nodes")


def test_a_real_module_wins(tmp_path: Path) -> None:
    (tmp_path / "dataflow.py").write_text("DataFlow = 'the user\\'s own'\n")
    apps.make(tmp_path, "from dataflow import DataFlow\nassert DataFlow == \"the user's own\"\n"
              + apps.IMPORTS + apps.MODEL)  # fmt: skip
    ran = processes.nexus("--app", "app.py", "things", "list", folder=tmp_path)
    assert (ran.out, ran.err) == (apps.EMPTY, "")


def test_a_real_package_wins_as_a_whole(tmp_path: Path) -> None:
    package = tmp_path / "kailash"
    package.mkdir()
    (package / "__init__.py").write_text("real = True\n")
    code = """
        try:
            import kailash.workflow
        except ModuleNotFoundError:
            pass
        else:
            raise AssertionError("a part of ours inside a package of the user's")
        import kailash
        assert kailash.real
    """
    indented = "\n".join(line.removeprefix("        ") for line in code.splitlines())
    apps.make(tmp_path, indented + "\n" + SEED)
    ran = processes.nexus("--app", "app.py", "things", "list", folder=tmp_path)
    assert (ran.out, ran.err) == (apps.EMPTY, "")


def test_a_folder_of_data_is_no_module(tmp_path: Path) -> None:
    for name in ("dataflow", "nexus", "kailash"):
        (tmp_path / name).mkdir()
    apps.make(tmp_path, "from kailash.workflow.builder import WorkflowBuilder\n" + SEED)
    ran = processes.nexus("--app", "app.py", "things", "list", folder=tmp_path)
    assert (ran.out, ran.err) == (apps.EMPTY, "")


def test_modules_that_the_app_file_imports(tmp_path: Path) -> None:
    apps.make(tmp_path, apps.SEED_IMPORTS + apps.MODEL, "things.py")
    (tmp_path / "app.py").write_text(
        "from things import db\nfrom nexus import Nexus\n" + apps.NEXUS
    )
    ran = processes.nexus("--app", "app.py", "things", "list", folder=tmp_path)
    assert (ran.out, ran.err) == (apps.EMPTY, "")
