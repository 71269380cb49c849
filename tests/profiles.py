"""How hard property tests try: the same examples on every run, and many random ones in CI."""

import os

from hypothesis import HealthCheck, settings

_COMMON = {
    "deadline": None,
    # the database of a test is one transaction, which each example leaves as it found it
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    "print_blob": True,
}
settings.register_profile("fixed", max_examples=40, derandomize=True, database=None, **_COMMON)
settings.register_profile("ci", max_examples=300, **_COMMON)


def load() -> None:
    """CI looks for new examples; everybody else gets answers that can be compared."""
    settings.load_profile("ci" if os.environ.get("CI") else "fixed")
