"""Which application a command means, in the documented order."""

import os
from pathlib import Path

import pytest

from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.launching.finding import SETTINGS, Target, find

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site.settings")\n'


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and an environment that names nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEXUS_APP", raising=False)
    monkeypatch.setenv(SETTINGS, "")
    monkeypatch.delenv(SETTINGS)
    for name in ("a.py", "b.py"):
        (tmp_path / name).touch()
    return tmp_path


def name_in_pyproject(folder: Path, app: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.dataflow-nexus]\napp = {app}\n")


def test_the_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="no application found: give --app"):
        find(None)
    (folder / "manage.py").write_text(MANAGE)
    assert find(None) == Target(folder=folder)
    assert os.environ[SETTINGS] == "site.settings"
    name_in_pyproject(folder, '"pkg.mod:db"')
    assert find(None) == Target(module="pkg.mod", name="db", folder=folder)
    monkeypatch.setenv("NEXUS_APP", "b.py:api")
    assert find(None) == Target(file=folder / "b.py", name="api", folder=folder)
    assert find("a.py") == Target(file=folder / "a.py", folder=folder)


def test_settings_are_a_project(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(SETTINGS, "other.settings")
    assert find(None) == Target(folder=folder)
    (folder / "manage.py").write_text(MANAGE)
    assert find(None) == Target(folder=folder)
    assert os.environ[SETTINGS] == "other.settings"


@pytest.mark.parametrize(
    ("text", "file", "module", "name"),
    [
        ("a.py", "a.py", None, None),
        ("./a.py:db", "./a.py", None, "db"),
        ("a", None, "a", None),
        ("pkg.mod:nexus", None, "pkg.mod", "nexus"),
    ],
)
def test_spellings(
    folder: Path, text: str, file: str | None, module: str | None, name: str | None
) -> None:
    found = find(text)
    assert found.file == (None if file is None else (folder / file).absolute())
    assert (found.module, found.name) == (module, name)


def test_a_spec_is_read_back_from_anywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("a.py:db", "a.py", "pkg.mod:nexus", "pkg"):
        found = find(text)
        monkeypatch.chdir("/")
        again = find(found.spec)
        assert (again.file, again.module, again.name) == (found.file, found.module, found.name)
        monkeypatch.chdir(folder)


@pytest.mark.parametrize("text", ["", ":", "a.py:", "a b", "pkg.:x", "a.py:x y", "pkg:x.y", "1:x"])
def test_what_is_no_application(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--app: an application is FILE\.py"):
        find(text)


def test_a_file_that_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=f"--app: there is no file {folder}/none.py"):
        find("none.py")


def test_a_pyproject_further_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name_in_pyproject(folder, '"a.py"')
    inner = folder / "one" / "two"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert find(None) == Target(file=folder / "a.py", folder=folder)


def test_a_pyproject_without_our_table(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    with pytest.raises(ConfigurationError, match="no application found"):
        find(None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.dataflow-nexus]\napp = 1\n", "app must be text"),
        ('[tool.dataflow-nexus]\nap = "a.py"\n', "holds nothing but app"),
        ("[tool]\ndataflow-nexus = 1\n", "holds nothing but app"),
        ('[tool.dataflow-nexus]\napp = "none.py"\n', "there is no file"),
        ("[tool", "can't be read"),
    ],
)
def test_a_pyproject_that_is_wrong(folder: Path, text: str, message: str) -> None:
    (folder / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=message) as raised:
        find(None)
    assert str(folder / "pyproject.toml") in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [("import", "is not Python"), ("print(1)\n", "does not say which settings it uses")],
)
def test_a_manage_py_that_is_wrong(folder: Path, text: str, message: str) -> None:
    (folder / "manage.py").write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        find(None)
