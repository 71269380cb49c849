"""The wheel is what users get: it holds the package alone, installs into an empty environment, and works there."""

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.processes import PROJECT, Ran, command, free_port, serving

pytestmark = pytest.mark.wheel
SETTINGS = """
SECRET_KEY = "a-key-for-a-project-that-lives-for-one-test-0123456789"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "things.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["things", "dataflow_nexus"]
ROOT_URLCONF = "urls"
ALLOWED_HOSTS = ["127.0.0.1"]
DATAFLOW_NEXUS = {"MODELS": ["things.*"], "AUTHENTICATION_REQUIRED": False}
"""
URLS = """
from django.urls import include, path

urlpatterns = [path("", include("dataflow_nexus.urls"))]
"""
MODELS = """
from django.db import models


class Thing(models.Model):
    name = models.CharField(max_length=50)
"""
PROGRAM = """
from dataflow_nexus import DataFlow, Nexus

db = DataFlow("sqlite:///things.sqlite3", existing_schema_mode=True)


@db.model
class Thing:
    name: str

    __tablename__ = "things_thing"


nexus = Nexus(dataflow_config={"integration": db})
"""


def uv(*words: str) -> None:
    program = str(Path(sys.executable).with_name("uv"))
    subprocess.run([program, "--quiet", *words], check=True, cwd=PROJECT)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    python = Path(sys.executable)
    uv("build", "--wheel", "--no-build-isolation", "--python", str(python), "-o", str(folder))
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has the wheel and what it asks for, in locked versions."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    lock = str(PROJECT / "requirements" / "dev.lock")
    python = str(folder / "bin" / "python")
    uv("pip", "install", "--python", python, "--constraint", lock, str(wheel))
    return folder / "bin"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A Django project with one model."""
    (tmp_path / "things").mkdir()
    (tmp_path / "things" / "__init__.py").touch()
    (tmp_path / "things" / "models.py").write_text(MODELS)
    (tmp_path / "settings.py").write_text(SETTINGS)
    (tmp_path / "urls.py").write_text(URLS)
    return tmp_path


def test_it_holds_the_package_alone(wheel: Path):
    source = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "dataflow_nexus").rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    information = {name for name in names if ".dist-info/" in name}
    assert names - information == source
    assert any(name.endswith("/LICENSE") for name in information)


def test_the_command_works_without_an_application(binaries: Path, tmp_path: Path):
    done = command(str(binaries / "nexus"), "--help", folder=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert "no application" in done.out
    assert "execute" in done.out


def test_a_django_project(binaries: Path, project: Path):
    def nexus(*words: str) -> Ran:
        found = command(
            str(binaries / "nexus"), *words, folder=project, DJANGO_SETTINGS_MODULE="settings"
        )
        assert found.code == 0, found.err
        return found

    nexus("manage", "makemigrations", "things")
    nexus("manage", "migrate")
    nexus("manage", "check", "--fail-level", "WARNING")
    made = nexus("things", "create", "--name", "Lamp").json
    assert made == {"id": 1, "name": "Lamp"}
    port = free_port()
    with serving(
        str(binaries / "nexus"),
        "run",
        "--port",
        str(port),
        folder=project,
        port=port,
        DJANGO_SETTINGS_MODULE="settings",
    ) as server:
        status, answer = server.ask("GET", "/api/things")
        assert (status, answer["records"]) == (200, [made])
        assert server.ask("GET", "/api/docs")[0] == 200


def test_a_program_without_a_project(binaries: Path, tmp_path: Path):
    python = str(binaries / "python")
    make = "import sqlite3; sqlite3.connect('things.sqlite3').execute("
    make += "'CREATE TABLE things_thing (id integer PRIMARY KEY, name text NOT NULL)')"
    assert command(python, "-c", make, folder=tmp_path).code == 0
    (tmp_path / "app.py").write_text(PROGRAM)
    words = ("--app", "app.py", "execute", "ThingCreateNode", "--name", "Lamp")
    done = command(str(binaries / "nexus"), *words, folder=tmp_path)
    assert json.loads(done.out) == {"id": 1, "name": "Lamp"}
