"""Published databases may be missing on a developer's machine, and never in CI."""

from pathlib import Path

import pytest

from tests import shared_data
from tests.shared_data import shared_file


def test_without_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shared_data, "FOLDER", tmp_path)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"no \.\./shared/data/it\.sql beside"):
        shared_file("it.sql")
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="and CI demands it"):
        shared_file("it.sql")
    (tmp_path / "it.sql").touch()
    assert shared_file("it.sql") == tmp_path / "it.sql"
