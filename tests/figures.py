"""What tests counted, told at the end of a run, also of one on several processes.

A test calls `record_property("figures conformance", {"cases": 12, …})`; equal names are added up.
"""

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, figures in getattr(report, "user_properties", ()):
                if name.startswith("figures "):
                    told.setdefault(name.removeprefix("figures "), Counter()).update(figures)
    for subject, figures in sorted(told.items()):
        counted = ", ".join(f"{number} {what}" for what, number in figures.items())
        terminalreporter.write_line(f"{subject}: {counted}")
