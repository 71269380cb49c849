"""What a process loads before anybody asks it anything: counted, because time depends on the machine."""

from pathlib import Path

import pytest

from tests import processes, projects
from tests.launching import apps

HEAVY = (
    "ninja", "pydantic", "rest_framework", "drf_spectacular", "mcp", "rich", "granian", "msgspec",
    "cryptography", "limits", "jwt", "prometheus_client", "inflection", "psycopg_pool",
)  # fmt: skip
REPORT = f"""
import sys
found = [name for name in {HEAVY!r} if name in sys.modules]
ours = sorted(name for name in sys.modules if name.startswith("dataflow_nexus."))
print(*found, "/", *ours)
"""


def loaded(code: str, folder: Path, **env: str) -> tuple[list[str], list[str]]:
    """The heavy packages and our own modules that a program has loaded in the end."""
    ran = processes.python(f"{code}\n{REPORT}", folder=folder, **env)
    assert (ran.code, ran.err) == (0, "")
    heavy, _, ours = ran.out.partition("/")
    return heavy.split(), [name.removeprefix("dataflow_nexus.") for name in ours.split()]


def test_the_package_alone_is_empty(tmp_path: Path) -> None:
    assert loaded("import dataflow_nexus", tmp_path) == ([], [])


@pytest.mark.parametrize(
    "code",
    [
        "import django\ndjango.setup()",
        "import site_wsgi",
        "import django\ndjango.setup()\nimport site_urls",
        (
            "import django\ndjango.setup()\n"
            "from django.urls import get_resolver\nget_resolver().url_patterns"
        ),
    ],
)
def test_a_project_loads_little(tmp_path: Path, code: str) -> None:
    env = projects.make(tmp_path)
    heavy, ours = loaded(code, tmp_path, DJANGO_SETTINGS_MODULE="site_settings", **env)
    assert heavy == []
    assert set(ours) <= {
        "apps", "checks", "conf", "exceptions", "models", "queries", "queries.connections",
        "queries.exact", "queries.sql", "urls", "workflows", "workflows.current",
    }  # fmt: skip


def test_a_project_reads_no_model(tmp_path: Path) -> None:
    """Loading the URLs registers nothing; the first question does."""
    env = projects.make(tmp_path)
    code = """
import django
django.setup()
import site_urls
from django.urls import get_resolver
get_resolver().url_patterns
import sys
assert "dataflow_nexus.registry" not in sys.modules
from dataflow_nexus.nexus import default_nexus
registry = default_nexus().registry
assert registry._by_model == {}
assert len(registry) == 1
"""
    assert loaded(code, tmp_path, DJANGO_SETTINGS_MODULE="site_settings", **env)[1]


def test_an_app_file_loads_no_channel(tmp_path: Path) -> None:
    apps.make(tmp_path)
    heavy, ours = loaded("import app", tmp_path)
    assert set(heavy) <= {"inflection", "msgspec"}
    assert not [name for name in ours if name.startswith(("channels", "operations", "serving"))]


def test_a_command_loads_neither_server_nor_rest(tmp_path: Path) -> None:
    apps.make(tmp_path)
    code = """
import sys
from dataflow_nexus.channels.cli.output import standard
from dataflow_nexus.launching.main import run
sys.stdout = open("answer", "w")
code = run(["--app", "app.py", "things", "list"], standard())
sys.stdout = sys.__stdout__
assert code == 0
"""
    heavy, ours = loaded(code, tmp_path)
    assert not {"granian", "ninja", "pydantic", "rest_framework", "mcp", "rich"} & set(heavy)
    assert not [name for name in ours if name.startswith("channels.rest")]


def test_the_patterns_of_mcp_are_made_without_the_sdk(tmp_path: Path) -> None:
    """Nor do the first requests to other channels import it; the first message to `/mcp` does."""
    env = projects.make(tmp_path, {"MODELS": ["library.*"], "AUTHENTICATION_REQUIRED": False})
    code = """
import sys
import django
django.setup()
from django.test import Client
from django.urls import resolve
assert resolve("/mcp").func is not None
client = Client()
assert client.get("/api/workflows").status_code == 200
assert client.get("/mcp").status_code == 405
assert not [name for name in sys.modules if name.partition(".")[0] in ("mcp", "mcp_types", "anyio")]
ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
assert client.post("/mcp", ping, content_type="application/json").status_code == 200
assert "mcp_types" in sys.modules
"""
    heavy, _ = loaded(code, tmp_path, DJANGO_SETTINGS_MODULE="site_settings", **env)
    assert "mcp" in heavy
