"""How long a program takes from `nexus run` to its first answer: a standalone one over an existing SQLite table."""

import statistics
import tempfile
import time
from pathlib import Path

from tests import processes
from tests.seed import tables

MOST = 2.0
ADDRESS = "postgresql://user:pass@localhost/ecommerce"
SEED = Path(processes.PROJECT) / "tests" / "seed" / "example_1.py"


def measured(rounds: int) -> float:
    """The median, in seconds."""
    seconds = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            url = tables.make_on_sqlite(folder / "example.db")
            text = SEED.read_text().replace(ADDRESS, url)
            (folder / "example.py").write_text(text)
            port = processes.free_port()
            words = (processes.NEXUS, "run", "example.py", "--port", str(port))
            with processes.serving(*words, folder=folder, port=port) as server:
                server.ask("GET", "/api/products")
                seconds.append(time.monotonic() - server.started)
    return statistics.median(seconds)


def report(seconds: float) -> str:
    """The finding in a sentence."""
    return f"`nexus run` answers its first request after {seconds:.1f} s (at most {MOST:.0f} s)."


def missed(seconds: float) -> list[str]:
    return [f"first answer: {seconds:.1f} s, not {MOST:.0f} s"] if seconds > MOST else []
