"""Settings of the sample shop where nothing is deleted in bulk before somebody has looked at a preview."""

from testproject.settings import *  # noqa: F403  # a Django settings module

DATAFLOW_NEXUS = {**DATAFLOW_NEXUS, "REQUIRE_CONFIRMATION": ["bulk_delete"]}  # noqa: F405
