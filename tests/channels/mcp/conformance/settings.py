"""The sample shop with the suite's tools beside its own, for hosts of this machine alone."""

from testproject.settings import *  # noqa: F403  # a Django settings module

ROOT_URLCONF = "tests.channels.mcp.conformance.urls"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
DEBUG = False
