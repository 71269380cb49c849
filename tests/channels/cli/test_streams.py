"""The command's standard streams in a process of its own."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import processes, projects
from tests.launching import apps
from tests.processes import NEXUS


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    """`nexus … | head` ends without a word."""
    apps.make(tmp_path)
    rows = "".join(f"{n}\n" for n in range(20_000))
    env = processes.environment()
    words = (NEXUS, "--app", "app.py", "things", "bulk-create", "--file", "-")
    filled = processes.command(*words, folder=tmp_path, stdin=f"name\n{rows}")
    assert filled.json["inserted"] == 20_000
    words = (NEXUS, "--app", "app.py", "things", "export")
    with subprocess.Popen(
        words, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(8) == b"id,name\r"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 1


def test_words_that_are_not_utf_8(tmp_path: Path) -> None:
    apps.make(tmp_path)
    for more in ((), ("--json",)):
        done = subprocess.run(
            [NEXUS, "--app", "app.py", "things", "create", "--name", b"\xff", *more],
            check=False, cwd=tmp_path, env=processes.environment(), capture_output=True,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"invalid" in done.stderr
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("nexus", "books", "count"), ("execute", "BookCountNode")])
def test_a_pool_is_given_back(
    tmp_path: Path, new_database: Callable[[], str], words: tuple[str, ...]
) -> None:
    """Nothing is said about threads that can't be stopped when Python ends."""
    url = new_database()
    env = projects.make(tmp_path, more=f"DATABASES['default'] = from_url({url!r})\n")
    made = processes.command(
        "python", "manage.py", "migrate", "--run-syncdb", "-v0", folder=tmp_path, **env,
        PATH=f"{Path(NEXUS).parent}:/usr/bin:/bin",
    )  # fmt: skip
    assert (made.code, made.err) == (0, "")
    ran = processes.command(
        str(Path(NEXUS).with_name("python")), "-W", "error", "manage.py", *words,
        folder=tmp_path, **env,
    )  # fmt: skip
    assert (ran.code, ran.out, ran.err) == (0, '{"count":0}\n', "")


def test_the_error_stream_holds_the_error_alone(tmp_path: Path) -> None:
    """A caller parses it; what the pool and Python's log of last resort would say of the database is left out."""
    url = f"postgresql://u:sekret@127.0.0.1:{processes.free_port()}/gone"
    text = apps.MODEL.replace('"sqlite:///things.db"', f'"{url}", pool_timeout=0.5')
    apps.make(tmp_path, apps.IMPORTS + text + apps.NEXUS)
    ran = processes.nexus("--app", "app.py", "things", "list", "--json", folder=tmp_path)
    assert (ran.code, ran.out) == (9, "")
    assert json.loads(ran.err)["code"] == "unavailable"
