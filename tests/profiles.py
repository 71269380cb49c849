"""How hard property tests try: the same examples on every run, more of them in CI."""

import os

from hypothesis import HealthCheck, settings

THOROUGH = bool(os.environ.get("CI")) and not os.environ.get("NEXUS_TEST_FEW_EXAMPLES")
"""CI looks for more in its first run of the suite; the others, on other versions, repeat what everybody runs."""
_COMMON = {
    "deadline": None,
    # the database of a test is one transaction, which each example leaves as it found it
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    "print_blob": True,
}
settings.register_profile("fixed", max_examples=40, derandomize=True, database=None, **_COMMON)
settings.register_profile("ci", max_examples=100, derandomize=True, database=None, **_COMMON)


def load() -> None:
    """Every run can be compared with the one before: no example is random."""
    settings.load_profile("ci" if THOROUGH else "fixed")
