"""Runs a command line of Python with every connection and statement written to a file, with its place.

`python -m tests.startup.recording LOG manage.py check` or `… LOG -m dataflow_nexus run app.py`.
A forked worker writes to the same file. Ours alone is asked: the caller's frames tell who connected.
"""

import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


def record(log: Path) -> None:
    """From now on connections leave a line: the functions that led to them, innermost last."""
    connect = BaseDatabaseWrapper.connect

    def recorded(self: BaseDatabaseWrapper) -> Any:
        names = [frame.name for frame in traceback.extract_stack()]
        with log.open("a") as file:
            file.write(f"{' '.join(names)}\n")
        return connect(self)

    BaseDatabaseWrapper.connect = recorded


def main() -> None:
    """Run what the command line names, as Python itself would."""
    log, *words = sys.argv[1:]
    record(Path(log))
    sys.path[0] = str(Path.cwd())
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    main()
