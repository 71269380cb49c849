"""Uploaded files: a write that is rolled back leaves none in the storage, one that is committed keeps its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, transaction
from django.db.models.signals import post_save, pre_save

from dataflow_nexus import Conflict, Invalid, NexusError, Unavailable
from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.workflows.runtime import run_batch
from testproject.shop.models import Everything
from tests.operations.committed import apart

Run = Callable[..., Any]
FIELD: Any = Everything._meta.get_field("file")


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture(params=["statements", "instances"])
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """A model that somebody listens to is written through instances."""

    def listen(**_: Any) -> None: ...

    if request.param == "instances":
        pre_save.connect(listen, Everything)
    yield request.param
    pre_save.disconnect(listen, Everything)


def upload(name: str = "a.txt") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, name.encode())


def files(media: Path) -> list[str]:
    return sorted(path.name for path in media.rglob("*") if path.is_file())


def test_what_is_written_keeps_its_file(run: Run, media: Path, way: str) -> None:
    made = run("EverythingCreate", text="x", file=upload())
    assert files(media) == ["a.txt"]
    run("EverythingUpdate", id=made["id"], file=upload("b.txt"))
    assert Path(Everything.objects.get(pk=made["id"]).file.path).read_bytes() == b"b.txt"


def test_a_dry_run_leaves_none(run: Run, media: Path, way: str) -> None:
    made = run("EverythingCreate", text="x", file=upload("kept.txt"))
    for node, more in (("Create", {"text": "x"}), ("Update", {"id": made["id"]})):
        tried = run(f"Everything{node}", **more, file=upload(), dry_run=True)
        assert tried["file"].endswith("/a.txt")
    rows = [{"text": "x", "file": upload()}]
    assert run("EverythingBulkCreate", data=rows, dry_run=True)["inserted"] == 1
    given = {"filter": {"id": made["id"]}, "fields": {"file": upload()}}
    assert run("EverythingBulkUpdate", **given, dry_run=True)["updated"] == 1
    assert files(media) == ["kept.txt"]


def test_a_write_that_fails_leaves_none(run: Run, media: Path, way: str) -> None:
    run("EverythingCreate", text="x", char_unique="taken")
    made = run("EverythingCreate", text="x")
    for values in ({"char_unique": "taken"}, {"tags": [999_999]}):
        for node, more in (("Create", {"text": "x"}), ("Update", {"id": made["id"]})):
            with pytest.raises(Conflict):
                run(f"Everything{node}", **more, **values, file=upload())
    assert files(media) == []


def test_a_receiver_that_refuses(run: Run, media: Path) -> None:
    def refuse(**_: Any) -> None:
        raise ValidationError("not this one")

    post_save.connect(refuse, Everything)
    try:
        with pytest.raises(Invalid, match="not this one"):
            run("EverythingCreate", text="x", file=upload())
    finally:
        post_save.disconnect(refuse, Everything)
    assert files(media) == []


def test_the_good_rows_of_many_keep_theirs(run: Run, media: Path, way: str) -> None:
    rows = [
        {"text": "x", "file": upload(f"{name}.txt"), "char_unique": name if name != "c" else "a"}
        for name in ("a", "b", "c")
    ]
    run("EverythingCreate", text="x", char_unique="b")
    found = run("EverythingBulkCreate", data=rows[:2], on_error="continue")
    assert (found["inserted"], [item["index"] for item in found["errors"]]) == (1, [1])
    with pytest.raises(NexusError):
        run("EverythingBulkCreate", data=rows)
    [name] = files(
        media
    )  # its batch was tried as a whole first, so another name may have been taken
    kept = Path(Everything.objects.get(char_unique="a").file.path)
    assert (kept.name, kept.read_bytes()) == (name, b"a.txt")


def test_a_batch_that_fails_later(nexus: Nexus, database: str, media: Path) -> None:
    good = {"node": "EverythingCreateNode", "params": {"text": "x", "file": upload()}}
    bad = {"node": "EverythingReadNode", "params": {"id": 999_999}}
    with pytest.raises(NexusError):
        run_batch(nexus.catalog, SYSTEM, [good, bad])
    assert files(media) == []
    tried = {"node": "EverythingCreateNode", "params": {**good["params"], "dry_run": True}}
    run_batch(nexus.catalog, SYSTEM, [tried])
    assert files(media) == []
    run_batch(nexus.catalog, SYSTEM, [good])
    assert files(media) == ["a.txt"]


class OneOfEach(FileSystemStorage):
    """Gives one file to equal names."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        assert name is not None
        return name if self.exists(name) else super().save(name, content, max_length)


def test_a_file_that_a_row_refers_to_stays(
    run: Run, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FIELD, "storage", OneOfEach(location=media))
    run("EverythingCreate", text="x", file=upload())
    run("EverythingCreate", text="x", file=upload(), dry_run=True)
    assert files(media) == ["a.txt"]


def test_what_is_really_committed(nexus: Nexus, on_postgresql: str, media: Path) -> None:
    def work() -> None:
        given = {"text": "committed", "file": upload()}
        nexus.execute("EverythingCreateNode", {**given, "dry_run": True})
        with pytest.raises(Conflict):
            nexus.execute("EverythingCreateNode", {**given, "tags": [999_999]})
        assert files(media) == []
        nexus.execute("EverythingCreateNode", given)
        with transaction.atomic(using=on_postgresql):
            nexus.execute("EverythingCreateNode", {**given, "file": upload("b.txt")})
            nexus.execute("EverythingCreateNode", {**given, "dry_run": True})
        assert files(media) == ["a.txt", "b.txt"]

    try:
        apart(work)
    finally:
        apart(lambda: Everything.objects.filter(text="committed").delete())


def test_a_commit_of_unknown_outcome_keeps_its_file(
    nexus: Nexus, on_postgresql: str, media: Path
) -> None:
    """An error that comes with or after the commit says nothing about the rows."""

    def cut() -> None:
        raise OperationalError("the connection is lost")

    def listen(**_: Any) -> None:
        transaction.on_commit(cut, using=on_postgresql)

    def work() -> None:
        post_save.connect(listen, Everything)
        try:
            with pytest.raises(Unavailable):
                nexus.execute("EverythingCreateNode", {"text": "committed", "file": upload()})
        finally:
            post_save.disconnect(listen, Everything)
        assert Everything.objects.filter(text="committed").count() == 1
        assert files(media) == ["a.txt"]

    try:
        apart(work)
    finally:
        apart(lambda: Everything.objects.filter(text="committed").delete())
