"""``DataFlow``: a database and the models declared on it."""

from __future__ import annotations

from dataflow_nexus.dataflow.flow import DataFlow, made

__all__ = ["DataFlow", "made"]
