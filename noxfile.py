"""The suite on every supported pair of Python and Django, from the lock files: `nox`, or `nox -t ci` in CI.

CI has every Python and every Django once, and not all their pairs: a whole suite takes its time.
"""

import nox

nox.needs_version = ">=2025.10.16"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True
nox.options.reuse_venv = "yes"

LOCKED = ("--require-hashes", "--requirement")
VERSIONS = """
import django, sys
print("%d.%d" % sys.version_info[:2], "%d.%d" % django.VERSION[:2])
"""
PAIRS = [
    # `make test` is this very pair.
    nox.param("3.11", "5.2", id="3.11-django-5.2"),
    nox.param("3.12", "5.2", id="3.12-django-5.2", tags=["ci"]),
    nox.param("3.12", "6.1", id="3.12-django-6.1"),
    nox.param("3.13", "5.2", id="3.13-django-5.2"),
    nox.param("3.13", "6.1", id="3.13-django-6.1", tags=["ci"]),
]


@nox.session
@nox.parametrize("python,django", PAIRS)
def tests(session: nox.Session, django: str) -> None:
    """The whole suite. The lock file holds the newest Django that a Python can have; 5.2 is put over it."""
    session.install(*LOCKED, "requirements/dev.lock")
    if django == "5.2":
        session.install(*LOCKED, "requirements/django-5.2.lock")
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")
    found = session.run("python", "-c", VERSIONS, silent=True)
    if found is None or found.split() != [str(session.python), django]:
        session.error(f"Python {session.python} with Django {django} was wanted, not {found}")
    once = "not wheel and not conformance"
    few = {"NEXUS_TEST_FEW_EXAMPLES": "1"}
    session.run("python", "-m", "pytest", "-n", "2", "-m", once, *session.posargs, env=few)
