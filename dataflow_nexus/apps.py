"""The Django app. Becoming ready reads no model and opens no connection."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class DataFlowNexusConfig(AppConfig):
    name = "dataflow_nexus"
    label = "dataflow_nexus"
    verbose_name = "DataFlow Nexus"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect what has to hear of connections and of checks."""
        from dataflow_nexus import checks, nexus
        from dataflow_nexus.queries.connections import prepare_connection

        connection_created.connect(prepare_connection, dispatch_uid="dataflow_nexus.prepare")
        checks.connect()
        nexus.connect()
