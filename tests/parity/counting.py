"""How many answers were compared, at the end of a run, also of one on several processes."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "parity"
    ]
    if counts:
        terminalreporter.write_line(f"parity: {len(counts)} cases, {sum(counts)} answers compared")
