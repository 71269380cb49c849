"""The Django app. Becoming ready imports no channel, reads no model and opens no connection."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.db.backends.signals import connection_created

if TYPE_CHECKING:
    from dataflow_nexus.operations.base import Catalog


class DataFlowNexusConfig(AppConfig):
    name = "dataflow_nexus"
    label = "dataflow_nexus"
    verbose_name = "DataFlow Nexus"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect what has to hear of connections, of checks and of workflows."""
        from dataflow_nexus import checks
        from dataflow_nexus.queries.connections import prepare_connection
        from dataflow_nexus.workflows import current

        connection_created.connect(prepare_connection, dispatch_uid="dataflow_nexus.prepare")
        checks.connect()
        current.provide(_current_catalog)
        if "dataflow_nexus.channels.mcp.bridge" in sys.modules:  # the settings asked for it
            from dataflow_nexus.channels.mcp import bridge

            bridge.publish()


def _current_catalog() -> Catalog:
    """The composition root is imported when it is first asked for: many processes never ask."""
    from dataflow_nexus.nexus import current_nexus

    return current_nexus().catalog
