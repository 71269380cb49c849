"""The sample shop on SQLite and PostgreSQL at once."""

import os
import tempfile
from pathlib import Path

from testproject.databases import postgresql, sqlite
from testproject.settings import *  # noqa: F403  # a Django settings module
from tests import postgresql as server
from tests.routing import CHINOOK_POSTGRESQL, CHINOOK_SQLITE, POSTGRESQL, SQLITE

FOLDER = Path(tempfile.mkdtemp(prefix="dataflow-nexus-tests-"))
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw")

DATABASES = {
    SQLITE: {
        **sqlite(FOLDER / "shop.sqlite3"),
        "TEST": {"NAME": str(FOLDER / "test_shop.sqlite3")},
    },
    POSTGRESQL: {
        **postgresql(server.database_url("postgres")),
        "TEST": {"NAME": f"test_{_WORKER}_{os.getpid()}"},
    },
    # Filled from a file as it is: nothing is migrated there, and the shop's databases are not needed.
    CHINOOK_SQLITE: {
        **sqlite(FOLDER / "chinook.sqlite3"),
        "TEST": {
            "NAME": str(FOLDER / "test_chinook.sqlite3"),
            "DEPENDENCIES": [],
            "MIGRATE": False,
        },
    },
    CHINOOK_POSTGRESQL: {
        **postgresql(server.database_url("postgres")),
        "TEST": {
            "NAME": f"test_chinook_{_WORKER}_{os.getpid()}",
            "DEPENDENCIES": [],
            "MIGRATE": False,
        },
    },
}
DATABASE_ROUTERS = ["tests.routing.CurrentDatabase"]

INSTALLED_APPS = [
    *INSTALLED_APPS,  # noqa: F405
    "django.contrib.postgres",
    "testproject.pgtypes",
    "tests.chinook",
]
DATAFLOW_NEXUS = {**DATAFLOW_NEXUS, "MODELS": ["shop.*", "pgtypes.*"]}  # noqa: F405
MEDIA_ROOT = FOLDER / "media"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEBUG = False
