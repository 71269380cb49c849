"""``manage.py execute NODE --name value …``."""

from __future__ import annotations

from typing import ClassVar

from dataflow_nexus.management.commands.nexus import Command as NexusCommand


class Command(NexusCommand):
    help = "Runs a node by its name: execute ProductListNode --limit 10"
    prefix: ClassVar[tuple[str, ...]] = ("execute",)
