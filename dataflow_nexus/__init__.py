"""Public names and nothing else. Importing the package reads no setting and imports no channel."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataflow_nexus.access.principal import ANONYMOUS, SYSTEM, Principal
    from dataflow_nexus.dataflow import DataFlow
    from dataflow_nexus.exceptions import (
        ConfigurationError,
        Conflict,
        FieldError,
        Invalid,
        LimitExceeded,
        NexusError,
        NotFound,
        PermissionDenied,
        TableNotFound,
        Unavailable,
    )
    from dataflow_nexus.nexus import Nexus, default_nexus
    from dataflow_nexus.registry import register
    from dataflow_nexus.workflows.builder import WorkflowBuilder
    from dataflow_nexus.workflows.runtime import LocalRuntime

__version__ = "0.1.0"

_HOMES = {
    "ANONYMOUS": "access.principal",
    "SYSTEM": "access.principal",
    "Principal": "access.principal",
    "DataFlow": "dataflow",
    "Conflict": "exceptions",
    "ConfigurationError": "exceptions",
    "FieldError": "exceptions",
    "Invalid": "exceptions",
    "LimitExceeded": "exceptions",
    "NexusError": "exceptions",
    "NotFound": "exceptions",
    "PermissionDenied": "exceptions",
    "TableNotFound": "exceptions",
    "Unavailable": "exceptions",
    "Nexus": "nexus",
    "default_nexus": "nexus",
    "register": "registry",
    "WorkflowBuilder": "workflows.builder",
    "LocalRuntime": "workflows.runtime",
}

__all__ = [
    "ANONYMOUS",
    "SYSTEM",
    "ConfigurationError",
    "Conflict",
    "DataFlow",
    "FieldError",
    "Invalid",
    "LimitExceeded",
    "LocalRuntime",
    "Nexus",
    "NexusError",
    "NotFound",
    "PermissionDenied",
    "Principal",
    "TableNotFound",
    "Unavailable",
    "WorkflowBuilder",
    "default_nexus",
    "register",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
