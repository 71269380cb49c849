"""App files, modules and Django projects under `nexus` commands."""

import json
from pathlib import Path

import pytest

from tests import processes, projects
from tests.launching import apps

RUN = "\nnexus.run(port=1, host='0.0.0.0', workers=7)\nprint('after', flush=True)\n"


def test_run_neither_serves_nor_blocks(tmp_path: Path) -> None:
    apps.make(tmp_path, apps.IMPORTS + apps.MODEL + apps.NEXUS + RUN)
    ran = processes.nexus("--app", "app.py", "things", "list", folder=tmp_path)
    assert (ran.code, ran.out, ran.err) == (0, f"after\n{apps.EMPTY}", "")


def test_the_file_is_an_ordinary_module(tmp_path: Path) -> None:
    text = (
        apps.IMPORTS
        + apps.MODEL
        + apps.NEXUS
        + "\nimport sys\nassert sys.modules[__name__].db is db\n"
    )
    apps.make(tmp_path, text + "assert (__name__, Thing.__module__) == ('app', 'app')\n")
    ran = processes.nexus("--app", "app.py", "things", "list", folder=tmp_path)
    assert (ran.out, ran.err) == (apps.EMPTY, "")


@pytest.mark.parametrize(
    "name", ["my-app.py", "json.py", "nexus.py", "dataflow.py", "2.py", "django.py"]
)
def test_files_of_any_name(tmp_path: Path, name: str) -> None:
    """Also of the name of a module that they import."""
    apps.make(tmp_path, apps.SEED_IMPORTS + apps.MODEL + apps.NEXUS, name)
    ran = processes.nexus("--app", name, "things", "list", folder=tmp_path)
    assert (ran.code, ran.out, ran.err) == (0, apps.EMPTY, "")


def test_a_module(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    apps.make(tmp_path, apps.SEED_IMPORTS + apps.MODEL + apps.NEXUS, "pkg/main.py")
    for app in ("pkg.main", "pkg.main:nexus", "pkg.main:db"):
        ran = processes.nexus("--app", app, "things", "list", folder=tmp_path)
        assert (ran.code, ran.out, ran.err) == (0, apps.EMPTY, "")


def test_state_lies_beside_the_app_file(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    apps.make(inner)
    ran = processes.nexus("--app", "inner/app.py", "things", "--help", folder=tmp_path)
    assert ran.code == 0
    key = inner / ".nexus" / "secret_key"
    assert (key.stat().st_mode & 0o777, key.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not (tmp_path / ".nexus").exists()


# --- which Nexus ----------------------------------------------------------------------------------

TWO = (
    'one = Nexus(title="One", dataflow_config={"integration": db})\nother = Nexus(title="Other")\n'
)


@pytest.mark.parametrize(
    ("text", "app"),
    [
        (apps.NEXUS, "app.py"),
        ("", "app.py"),
        ("", "app.py:db"),
        (TWO, "app.py:one"),
        (TWO + "one.run()\n", "app.py"),
        (TWO.replace("one", "nexus"), "app.py"),
        (TWO.replace("one", "app"), "app.py"),
        ("def make():\n    Nexus(dataflow_config={'integration': db})\nmake()\n", "app.py"),
    ],
)
def test_the_nexus_that_is_meant(tmp_path: Path, text: str, app: str) -> None:
    apps.make(tmp_path, apps.IMPORTS + apps.MODEL + text)
    ran = processes.nexus("--app", app, "things", "list", folder=tmp_path)
    assert (ran.code, ran.out, ran.err) == (0, apps.EMPTY, "")


@pytest.mark.parametrize(
    ("text", "app", "message"),
    [
        (TWO, "app.py", "makes several Nexus (one, other); say which: "),
        ("", "app.py:dbb", "there is no 'dbb' — did you mean \"db\"?"),
        ("x = 1\n", "app.py:x", "is a int, not a Nexus or a DataFlow"),
        ("import nothing_such\n", "app.py", "No module named 'nothing_such'"),
        ("from dataflow_nexus import Nothing\n", "app.py", "cannot import name 'Nothing'"),
        ("x = (\n", "app.py", "can't be loaded: '(' was never closed"),
        ("DataFlow('mysql://x')\n", "app.py", 'unknown scheme "mysql"'),
        (
            "Nexus(dataflow_config={'integration': db, 'models': ['no.Such']})\n",
            "app.py",
            "MODELS names no installed app: 'no.Such'",
        ),
        ("Nexus(dataflow_config={'integraton': 1})\n", "app.py", "did you mean 'integration'"),
    ],
)
def test_app_files_that_are_wrong(tmp_path: Path, text: str, app: str, message: str) -> None:
    apps.make(tmp_path, apps.IMPORTS + apps.MODEL + text)
    ran = processes.nexus("--app", app, "things", "list", folder=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("nexus: ")
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_what_is_wrong_with_a_file_as_an_object(tmp_path: Path) -> None:
    apps.make(tmp_path, apps.IMPORTS + "DataFlow('mysql://x')\n")
    ran = processes.nexus("--app", "app.py", "things", "list", "--json", folder=tmp_path)
    told = json.loads(ran.err)
    assert (ran.code, told["code"]) == (2, "invalid")
    assert 'unknown scheme "mysql"' in told["detail"]


def test_a_file_that_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")
    ran = processes.nexus("--app", "app.py", "things", "list", folder=tmp_path)
    assert (ran.code, "makes no Nexus and no DataFlow" in ran.err) == (2, True)
    helped = processes.nexus("--app", "app.py", "--help", folder=tmp_path)
    assert helped.code == 0
    assert "commands:" in helped.out
    assert "no application: " in helped.out


def test_a_module_that_is_missing(tmp_path: Path) -> None:
    for app in ("none", "none.inner:x"):
        ran = processes.nexus("--app", app, "things", "list", folder=tmp_path)
        assert (ran.code, ran.err) == (2, f"nexus: there is no module '{app.partition(':')[0]}'\n")


def test_other_errors_of_a_file_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("1 / 0\n")
    ran = processes.nexus("--app", "app.py", "things", "list", folder=tmp_path)
    assert ran.code == 1
    assert "ZeroDivisionError" in ran.err


# --- Django projects ------------------------------------------------------------------------------

OWN_URLS = """
    from django.urls import path

    from dataflow_nexus import Nexus
    from library.models import Book

    api = Nexus(title="Library")
    api.register(Book, resource="volumes")
    urlpatterns = [path("", api.urls)]
"""


def test_the_project_beside_manage_py(tmp_path: Path) -> None:
    env = projects.make(tmp_path)
    assert processes.nexus("books", "count", folder=tmp_path, **env).out == '{"count":0}\n'


def test_the_project_of_the_environment(tmp_path: Path) -> None:
    env = projects.make(tmp_path)
    (tmp_path / "manage.py").unlink()
    env["DJANGO_SETTINGS_MODULE"] = "site_settings"
    assert processes.nexus("books", "count", folder=tmp_path, **env).out == '{"count":0}\n'
    env["DJANGO_SETTINGS_MODULE"] = "site_setings"
    ran = processes.nexus("books", "count", folder=tmp_path, **env)
    assert ran.err == "nexus: DJANGO_SETTINGS_MODULE names no module: 'site_setings'\n"


@pytest.mark.parametrize("app", [None, "site_urls", "site_urls:api"])
def test_a_nexus_that_the_project_makes_itself(tmp_path: Path, app: str | None) -> None:
    """The command line shows what the URLs do."""
    env = {**projects.make(tmp_path, {}, urls=OWN_URLS), "DJANGO_SETTINGS_MODULE": "site_settings"}
    words = ("volumes", "count") if app is None else ("--app", app, "volumes", "count")
    ran = processes.nexus(*words, folder=tmp_path, **env)
    assert (ran.out, ran.err) == ('{"count":0}\n', "")


def test_several_that_the_project_makes(tmp_path: Path) -> None:
    urls = OWN_URLS.replace("urlpatterns", 'Nexus(title="Two")\n    urlpatterns')
    env = projects.make(tmp_path, {}, urls=urls)
    ran = processes.nexus("volumes", "count", folder=tmp_path, **env)
    assert (ran.code, "the project makes several Nexus" in ran.err) == (2, True)


def test_a_project_that_has_not_installed_the_app(tmp_path: Path) -> None:
    env = projects.make(tmp_path, more="INSTALLED_APPS.remove('dataflow_nexus')\n")
    ran = processes.nexus("books", "count", folder=tmp_path, **env)
    assert (ran.code, ran.err) == (2, 'nexus: INSTALLED_APPS lacks "dataflow_nexus"\n')


def test_settings_that_are_wrong(tmp_path: Path) -> None:
    env = projects.make(tmp_path, {"MODEL": []})
    ran = processes.nexus("books", "count", folder=tmp_path, **env)
    assert ran.code == 2
    assert ran.err == "nexus: DATAFLOW_NEXUS: unknown key 'MODEL' (did you mean 'MODELS'?)\n"
