"""Servers: `nexus run`, `python FILE.py`, addresses, workers, and what they say."""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from dataflow_nexus.serving import STOP_AFTER
from tests import processes, projects
from tests.launching import apps
from tests.processes import NEXUS, free_port

APP = apps.IMPORTS + apps.MODEL + apps.NEXUS


def run_line(port: int, **more: object) -> str:
    given = "".join(f", {name}={value!r}" for name, value in more.items())
    return f"\nif True:\n    nexus.run(port={port}{given})\n"


@pytest.fixture
def port() -> int:
    return free_port()


def test_nexus_run(tmp_path: Path, port: int) -> None:
    apps.make(tmp_path)
    with processes.serving(
        NEXUS, "run", "app.py", "--port", str(port), folder=tmp_path, port=port
    ) as server:
        created = server.ask("POST", "/api/things", {"name": "one"})
        listed = server.ask("GET", "/api/things")
        ready = server.ask("GET", "/health/ready")
        assert server.ask("GET", "/")[0] == 200
        printed = server.stop()
    assert created == (201, {"id": 1, "name": "one"})
    assert (listed[0], listed[1]["records"]) == (200, [created[1]])
    assert ready == (200, {"status": "ok"})
    assert server.process.returncode == 0
    assert printed.splitlines() == [
        "Things 1.0.0: 1 model",
        f"  REST  http://127.0.0.1:{port}/api   docs http://127.0.0.1:{port}/api/docs",
        "  CLI   nexus --help",
        f"  MCP   http://127.0.0.1:{port}/mcp",
        "  access control is off: whoever reaches this address may read and write",
        f"serving on http://127.0.0.1:{port} (Ctrl-C stops)",
    ]


def test_paths_that_lead_nowhere(tmp_path: Path, port: int) -> None:
    """A channel that is off included: no page of HTML for a program that reads JSON."""
    off = apps.NEXUS.replace(
        "db}", 'db, "auto_generate_endpoints": False, "auto_generate_mcp_tools": False}'
    )
    apps.make(tmp_path, apps.IMPORTS + apps.MODEL + off)
    words = (NEXUS, "run", "app.py", "--port", str(port))
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        for method, path in (("GET", "/nothing"), ("GET", "/api/things"), ("POST", "/mcp")):
            status, problem = server.ask(method, path, {} if method == "POST" else None)
            assert (status, problem["code"]) == (404, "not_found")
            assert problem["detail"] == f'there is nothing at "{path}"'


def test_the_files_own_run_gives_defaults(tmp_path: Path, port: int) -> None:
    """And the command's own options beat them."""
    other = free_port()
    apps.make(tmp_path, APP + run_line(other, host="localhost"))
    with processes.serving(NEXUS, "run", "app.py", folder=tmp_path, port=other) as server:
        assert server.ask("GET", "/api/things/count") == (200, {"count": 0})
        assert f"serving on http://localhost:{other} " in server.stop()
    words = (NEXUS, "run", "app.py", "--port", str(port))
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        assert server.ask("GET", "/api/things/count") == (200, {"count": 0})


def test_python_file_serves(tmp_path: Path, port: int) -> None:
    apps.make(tmp_path, APP + run_line(port))
    words = (sys.executable, "app.py")
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        assert server.ask("GET", "/api/things/count") == (200, {"count": 0})
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0


def test_the_nexus_that_runs_is_served(tmp_path: Path, port: int) -> None:
    """Not the one that was made last."""
    text = APP + "other = Nexus(title='Other', dataflow_config={'api_prefix': '/other'})\n"
    apps.make(tmp_path, text + run_line(port))
    with processes.serving(sys.executable, "app.py", folder=tmp_path, port=port) as server:
        assert server.ask("GET", "/api/things/count") == (200, {"count": 0})


def test_workers(tmp_path: Path, port: int) -> None:
    """Each answers, all share the secret, and one that dies is replaced."""
    text = APP.replace("nexus =", "import os\n\n\ndef pid(principal, verb, params, result):\n"
                       "    open('pids', 'a').write(f'{os.getpid()}\\n')\n\n\n"
                       "db.register(Thing, after=pid)\nnexus =")  # fmt: skip
    apps.make(tmp_path, text)
    words = (NEXUS, "run", "app.py", "--port", str(port), "--workers", "2")
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        pids = tmp_path / "pids"
        until = time.monotonic() + 20
        while not pids.exists() or len(set(pids.read_text().split())) < 2:
            assert server.ask("GET", "/api/things?limit=1")[0] == 200
            assert time.monotonic() < until
        for pid in set(pids.read_text().split()):
            os.kill(int(pid), signal.SIGKILL)
            assert server.ask_patiently("GET", "/api/things?limit=1")[0] == 200


def test_a_terminal_interrupts_all_processes_at_once(tmp_path: Path, port: int) -> None:
    """Workers leave Ctrl-C to the process that started them, and nobody has to be killed."""
    apps.make(tmp_path)
    words = (NEXUS, "run", "app.py", "--port", str(port), "--workers", "2")
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        assert server.ask("GET", "/api/things/count") == (200, {"count": 0})
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(timeout=STOP_AFTER - 1) == 0


@pytest.mark.parametrize("words", [(sys.executable, "app.py"), (NEXUS, "run", "app.py")])
def test_workers_that_load_the_file_again(
    tmp_path: Path, port: int, words: tuple[str, ...]
) -> None:
    """As where processes can't be forked."""
    spawning = "import multiprocessing\nmultiprocessing.set_start_method('spawn', force=True)\n"
    imports = apps.SEED_IMPORTS if words[0] == NEXUS else apps.IMPORTS
    text = spawning + imports + apps.MODEL + apps.NEXUS
    apps.make(tmp_path, text + run_line(port, workers=2))
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        assert server.ask("GET", "/api/things/count") == (200, {"count": 0})
        printed = server.stop()
    assert printed.count("serving on ") == 1


def test_a_server_in_a_process_of_somebody_elses(tmp_path: Path, port: int) -> None:
    """A child process of a program that is no server of ours serves all the same."""
    apps.make(tmp_path)
    (tmp_path / "parent.py").write_text(
        "import multiprocessing\nfrom app import nexus\n\n\nif __name__ == '__main__':\n"
        f"    child = multiprocessing.Process(target=nexus.run, args=({port},), daemon=False)\n"
        "    child.start()\n    try:\n        child.join()\n    finally:\n        child.terminate()\n"
    )
    words = (sys.executable, "parent.py")
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        assert server.ask("GET", "/api/things/count") == (200, {"count": 0})
        server.process.send_signal(signal.SIGINT)
        server.process.wait(30)


def test_a_busy_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        apps.make(tmp_path, APP + run_line(busy))
        message = (
            f"nexus: can't serve on http://127.0.0.1:{busy}: address already in use;"
            " --port (or run(port=…)) chooses another\n"
        )
        for ran in (
            processes.nexus("run", "app.py", folder=tmp_path),
            processes.command(sys.executable, "app.py", folder=tmp_path),
        ):
            assert (ran.code, ran.out, ran.err) == (2, "", message)
        told = processes.nexus("run", "app.py", "--json", folder=tmp_path)
        assert json.loads(told.err)["code"] == "invalid"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--port", "x"), '"port" must be a number'),
        (("--port", "70000"), "port must be a whole number from 0 to 65535"),
        (("--port", "1", "--port", "2"), '"port" is given twice'),
        (("--workers", "0"), "workers must be a whole number from 1 to 1024"),
        (("--prt", "1"), 'run has no option "prt" — did you mean "port"?'),
        (("--host", "0.0.0.0"), "only this machine is served, and '0.0.0.0' is open to others"),
        (("--host", "no such host"), "host 'no such host' is open to others"),
        (("--format", "csv"), 'run takes no "--format"'),
        (("--as", "sam"), 'run takes no "--as"'),
        (("more.py",), "run serves one application"),
        (("--app", "app.py"), "run serves one application"),
    ],
)
def test_options_that_are_wrong(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    apps.make(tmp_path)
    ran = processes.nexus("run", "app.py", *words, folder=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert message.replace("host 'no such host'", "'no such host'") in ran.err
    assert "Traceback" not in ran.err


def test_others_are_served_only_where_that_was_said(tmp_path: Path, port: int) -> None:
    text = APP.replace(
        '{"integration": db}', '{"integration": db, "authentication_required": False}'
    )
    apps.make(tmp_path, text)
    words = (NEXUS, "run", "app.py", "--host", "0.0.0.0", "--port", str(port))
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        assert server.ask("GET", "/api/things", Host="things.example")[0] == 200


def test_pages_of_others_get_no_answer(tmp_path: Path, port: int) -> None:
    """A page may point its own name at 127.0.0.1; the Host header then tells."""
    apps.make(tmp_path)
    words = (NEXUS, "run", "app.py", "--port", str(port))
    with processes.serving(*words, folder=tmp_path, port=port) as server:
        for host in (
            "localhost",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:80",
            "app.localhost:3",
            "LOCALHOST",
        ):
            assert server.ask("GET", "/api/things", Host=host)[0] == 200
        for host in (
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "a b",
            "",
        ):
            status, told = server.ask("GET", "/api/things", Host=host)
            assert (status, told["code"]) == (400, "malformed")


def test_the_wsgi_and_asgi_applications(tmp_path: Path) -> None:
    """`nexus.wsgi` and `nexus.asgi`, for other servers."""
    apps.make(tmp_path)
    ran = processes.python(
        """
        import asyncio
        from wsgiref.util import setup_testing_defaults

        from app import nexus
        from asgiref.testing import ApplicationCommunicator

        PATH = "/api/things/count"

        def by_wsgi(host):
            environ = {"PATH_INFO": PATH, "HTTP_HOST": host}
            setup_testing_defaults(environ)
            seen = []
            body = b"".join(nexus.wsgi(environ, lambda status, headers: seen.append(status)))
            return int(seen[0][:3]), body

        async def by_asgi(host):
            headers = [(b"host", host.encode())]
            scope = {"type": "http", "method": "GET", "path": PATH, "query_string": b"",
                     "headers": headers}
            asked = ApplicationCommunicator(nexus.asgi, scope)
            await asked.send_input({"type": "http.request"})
            start, body = await asked.receive_output(10), await asked.receive_output(10)
            return start["status"], body["body"]

        for host in ("localhost", "evil.example"):
            (status, body), other = by_wsgi(host), asyncio.run(by_asgi(host))
            print(status, other[0], body.decode()[:11], other[1].decode()[:11])
        """,
        folder=tmp_path,
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        '200 200 {"count":0} {"count":0}',
        '400 400 {"type":"ur {"type":"ur',
    ]


# --- Django projects ------------------------------------------------------------------------------


def test_a_project_answers_401_unless_told_otherwise(tmp_path: Path, port: int) -> None:
    env = projects.make(tmp_path)
    words = (NEXUS, "run", "--port", str(port))
    with processes.serving(*words, folder=tmp_path, port=port, **env) as server:
        for path in ("/api/books", "/api/books/1", "/api/nothing", "/api/batch"):
            status, told = server.ask("GET", path)
            assert (status, told["code"]) == (401, "unauthenticated")
        assert server.ask("POST", "/api/workflows/BookListNode/execute", {})[0] == 401
        for path in ("/", "/api/docs", "/api/openapi.json", "/api/workflows", "/health/live"):
            assert server.ask("GET", path)[0] == 200
        assert server.ask("GET", "/api/workflows") == (200, {"workflows": []})
        assert "access control is on" in server.stop()


def test_a_project_that_is_open(tmp_path: Path, port: int) -> None:
    env = projects.make(tmp_path, {"MODELS": ["library.*"], "AUTHENTICATION_REQUIRED": False})
    words = (NEXUS, "run", "--port", str(port))
    with processes.serving(*words, folder=tmp_path, port=port, **env) as server:
        assert server.ask("GET", "/api/books/count") == (200, {"count": 0})


def test_a_project_whose_settings_are_wrong(tmp_path: Path) -> None:
    env = projects.make(tmp_path, {"MODELS": ["library.Bok"]})
    ran = processes.nexus("run", folder=tmp_path, **env)
    assert (ran.code, ran.err) == (
        2, "nexus: MODELS names no model: 'library.Bok' — did you mean \"Book\"?\n"
    )  # fmt: skip
    checked = processes.nexus("manage", "check", folder=tmp_path, **env)
    assert checked.code == 1
    assert "dataflow_nexus.E004" in checked.err
