"""The conformance suite of the protocol's authors, at `/mcp` under `nexus run`."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes
from tests.channels.mcp.conformance import packages
from tests.processes import NEXUS, PROJECT

EXPECTED = Path(__file__).parent / "expected"
REVISIONS = ("2025-11-25", "2026-07-28")
ALSO = {
    "2025-11-25": ("server-session-lifecycle", "json-schema-2020-12"),
    "2026-07-28": ("json-schema-2020-12", "http-header-validation"),
}
"""Scenarios that a revision does not score, and that have to pass nonetheless."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    packages.demand()
    port = processes.free_port()
    env = {
        "DJANGO_SETTINGS_MODULE": "tests.channels.mcp.conformance.settings",
        "NEXUS_TEST_DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('shop')}/shop.sqlite3",
        "PYTHONPATH": str(PROJECT),
    }
    words = (NEXUS, "run", "--port", str(port))
    with processes.serving(*words, folder=PROJECT, port=port, **env) as server:
        yield f"{server.base}/mcp"


@pytest.mark.conformance
@pytest.mark.parametrize("revision", REVISIONS)
def test_conformance(address: str, revision: str, tmp_path: Path) -> None:
    ran = packages.run(
        "conformance/dist/index.js",
        *("server", "--url", address, "--requirements", revision),
        *("--expected-failures", str(EXPECTED / f"{revision}.yaml")),
        *("--output-dir", str(tmp_path)),
        folder=tmp_path,
    )
    assert ran.code == 0, ran.out + ran.err
    for scenario in ALSO[revision]:
        found = statuses(tmp_path, scenario)
        assert found, scenario
        assert not found.keys() & {"FAILURE", "WARNING"}, (scenario, found)


def statuses(folder: Path, scenario: str) -> Counter[str]:
    """What the suite wrote about a scenario."""
    files = folder.glob(f"server-{scenario}-20*/checks.json")
    return Counter(check["status"] for file in files for check in json.loads(file.read_text()))


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_expected_failure_has_its_reason(revision: str) -> None:
    """A comment above its paragraph."""
    _, listed = (EXPECTED / f"{revision}.yaml").read_text().split("server:\n")
    for paragraph in listed.split("\n\n"):
        first, *_, last = paragraph.strip().splitlines()
        assert first.startswith("# ")
        assert last.startswith("  - ")
