"""``python -m benchmarks``: every case in turns, medians of the rounds, ratios, and the floors that have to hold.

``--write`` keeps the table as RESULTS.md. Ends with 1 where a floor is missed.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import agents, database, first_answer, load, startup
from benchmarks.cases import CASES, Case

HERE = Path(__file__).parent
WARM_UP = 0.5
Medians = dict[str, float]


@contextmanager
def served() -> Iterator[tuple[int, int]]:
    """granian with one worker, as every peer gets it; the port and the process."""
    with socket.socket() as probe:
        probe.bind((load.HOST, 0))
        port = int(probe.getsockname()[1])
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", load.HOST, "--port", str(port),
        "--workers", "1", "--blocking-threads", str(load.CONNECTIONS), "--log-level", "error",
        "benchmarks.project.wsgi:application",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=HERE.parent, env=dict(os.environ))
    try:
        for _ in range(300):
            try:
                load.Client(port).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def measured(port: int, url: str, case: Case, rounds: int, seconds: float) -> Medians:
    """The median of each peer, which take turns: requests per second, or 1 / seconds of a single one."""
    found: dict[str, list[float]] = {peer.name: [] for peer in case.peers}
    for peer in case.peers:
        if case.single:
            load.duration(port, peer)
        else:
            load.rate(port, peer, WARM_UP)
    database.tidy(url)
    for number in range(rounds):
        turn = number % len(case.peers)
        for peer in (*case.peers[turn:], *case.peers[:turn]):
            one = 1 / load.duration(port, peer) if case.single else load.rate(port, peer, seconds)
            found[peer.name].append(one)
            if peer.body is not None:
                database.tidy(url)
    return {name: statistics.median(values) for name, values in found.items()}


def table(results: dict[str, Medians]) -> list[str]:
    """A table in Markdown: how many times as fast ours is as each peer, and the floor."""
    lines = ["| case | ninja | drf | bare view | floors |", "| --- | --- | --- | --- | --- |"]
    for case in CASES:
        medians = results[case.name]
        cells = [
            f"{medians['ours'] / medians[name]:.2f}x" if name in medians else ""
            for name in ("ninja", "drf", "bare")
        ]
        floors = ", ".join(f"{name} ≥ {floor}" for name, floor in case.floors.items())
        lines.append(f"| {case.name} | {' | '.join(cells)} | {floors} |")
    return lines


def missed(results: dict[str, Medians]) -> list[str]:
    """What did not reach its floor."""
    return [
        f"{case.name}: {results[case.name]['ours'] / results[case.name][name]:.2f}x {name}, not {floor}x"
        for case in CASES
        for name, floor in case.floors.items()
        if results[case.name]["ours"] / results[case.name][name] < floor
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--write", action="store_true", help="keep the table as RESULTS.md")
    options = parser.parse_args()
    url = database.make()
    results: dict[str, Medians] = {}
    with served() as (port, pid):
        for case in CASES:
            results[case.name] = measured(port, url, case, options.rounds, options.seconds)
            rates = ", ".join(f"{name} {value:.1f}/s" for name, value in results[case.name].items())
            print(f"{case.name}: {rates}", flush=True)
        costs = agents.measured(port, pid, options.rounds)
    added = startup.measured(options.rounds)
    seconds = first_answer.measured(options.rounds)
    lines = [
        *table(results),
        "",
        startup.report(added),
        "",
        first_answer.report(seconds),
        "",
        agents.report(costs),
    ]
    print("\n".join(["", *lines]))
    if options.write:
        note = f"Medians of {options.rounds} rounds in turns; how many times as fast ours is as each peer."
        text = ["# Results", "", f"`make bench`. {note}", "", *lines, ""]
        (HERE / "RESULTS.md").write_text("\n".join(text))
    faults = [
        *missed(results),
        *startup.missed(added),
        *first_answer.missed(seconds),
        *agents.missed(costs),
    ]
    print(
        "\n".join(["", *(f"MISSED {fault}" for fault in faults)])
        if faults
        else "\nevery floor holds"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
