"""Nothing connects to a database until the first request, whatever starts the process."""

import sys
from pathlib import Path

import pytest

from tests import processes, projects
from tests.launching import apps
from tests.processes import PROJECT, free_port

OPEN = {"MODELS": ["library.*"], "AUTO_DISCOVERY": True, "AUTHENTICATION_REQUIRED": False}
RECORDING = (sys.executable, "-m", "tests.startup.recording", "connections.log")
NEXUS = ("-m", "dataflow_nexus")


@pytest.fixture
def project(tmp_path: Path) -> dict[str, str]:
    """A project on a database that is there; its app has a `nexus.py` that is discovered."""
    env = projects.make(tmp_path, OPEN)
    (tmp_path / "library" / "nexus.py").write_text(
        "from dataflow_nexus import register\nfrom library.models import Book\n\n"
        "register(Book, search_fields=['title'])\n"
    )
    return env


@pytest.fixture
def app(tmp_path: Path) -> dict[str, str]:
    """An app file that also serves itself."""
    apps.make(tmp_path, apps.IMPORTS + apps.MODEL + apps.NEXUS + "nexus.run(port=1)\n")
    return {"PYTHONPATH": f"{tmp_path}:{PROJECT}"}


def connections(folder: Path) -> list[str]:
    """The functions that led to each connection."""
    log = folder / "connections.log"
    return log.read_text().splitlines() if log.exists() else []


def ran(*words: str, folder: Path, **env: str) -> processes.Ran:
    found = processes.command(*RECORDING, *words, folder=folder, **env)
    assert (found.code, found.err) == (0, "")
    return found


@pytest.mark.parametrize(
    "words",
    [
        ("manage.py", "check"),
        ("manage.py", "nexus", "--help"),
        ("manage.py", "nexus", "books", "--help"),
        ("manage.py", "nexus", "books", "list", "--help"),
        ("manage.py", "nexus", "workflows"),
        ("manage.py", "execute", "BookCreateNode", "--help"),
        (*NEXUS, "--help"),
        (*NEXUS, "books", "create", "--help"),
        (*NEXUS, "manage", "check"),
        ("site_wsgi.py",),
    ],
)
def test_a_project_connects_to_nothing(
    tmp_path: Path, project: dict[str, str], words: tuple[str, ...]
) -> None:
    ran(*words, folder=tmp_path, **project)
    assert connections(tmp_path) == []


def test_the_record_is_kept(tmp_path: Path, project: dict[str, str]) -> None:
    """Without this, the other tests would pass by never looking."""
    assert ran(*NEXUS, "books", "count", folder=tmp_path, **project).out == '{"count":0}\n'
    assert len(connections(tmp_path)) == 1


@pytest.mark.parametrize(
    "words",
    [
        (*NEXUS, "--app", "app.py", "--help"),
        (*NEXUS, "--app", "app.py", "things", "list", "--help"),
        (*NEXUS, "--app", "app.py", "workflows"),
        (*NEXUS, "--app", "app.py", "manage", "check"),
    ],
)
def test_an_app_file_connects_to_nothing(
    tmp_path: Path, app: dict[str, str], words: tuple[str, ...]
) -> None:
    ran(*words, folder=tmp_path, **app)
    assert connections(tmp_path) == []


@pytest.mark.parametrize("what", ["project", "app"])
def test_nexus_run_connects_at_the_first_request(
    tmp_path: Path, request: pytest.FixtureRequest, what: str
) -> None:
    env = request.getfixturevalue(what)
    port = free_port()
    app, path = ([], "/api/books") if what == "project" else (["app.py"], "/api/things")
    words = (*RECORDING, *NEXUS, "run", *app, "--port", str(port))
    with processes.serving(*words, folder=tmp_path, port=port, **env) as server:
        assert server.ask("GET", "/api/openapi.json")[0] == 200
        assert server.ask("GET", "/api/workflows")[0] == 200
        assert server.ask("GET", "/api/docs")[0] == 200
        assert connections(tmp_path) == []
        assert server.ask("GET", path)[0] == 200
        assert len(connections(tmp_path)) == 1


def test_runserver_connects_for_its_own_check_of_migrations_alone(
    tmp_path: Path, project: dict[str, str]
) -> None:
    port = free_port()
    words = (*RECORDING, "manage.py", "runserver", "--noreload", str(port))
    with processes.serving(*words, folder=tmp_path, port=port, **project) as server:
        found = connections(tmp_path)
        assert all("check_migrations" in line.split() for line in found)
        assert server.ask("GET", "/api/books")[0] == 200
        assert len(connections(tmp_path)) > len(found)


def test_a_database_that_is_away_holds_nothing_up(tmp_path: Path) -> None:
    text = apps.IMPORTS + apps.MODEL + apps.NEXUS
    url = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1"
    apps.make(tmp_path, text.replace("sqlite:///things.db", url))
    port = free_port()
    words = (processes.NEXUS, "run", "app.py", "--port", str(port))
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        assert server.ask("GET", "/health/live")[0] == 200
        status, told = server.ask("GET", "/health/ready")
        assert (status, told["code"]) == (503, "unavailable")
