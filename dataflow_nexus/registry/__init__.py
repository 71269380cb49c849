"""Which models are exposed, and under which names. Lazy: registering a model reads nothing of it, and no database.

Nothing is exposed unless registered. What a model looks like from outside (its fields, relations and keys) is worked
out at the first question.
"""

from __future__ import annotations

from dataflow_nexus.registry.collection import Registry, default_registry, register
from dataflow_nexus.registry.exposed import Exposed, ModelField, Options, Relation
from dataflow_nexus.registry.names import (
    COMMAND_WORDS,
    KEY_WORDS,
    NEVER_EXPOSED_APPS,
    PATH_WORDS,
    VERBS,
    default_resource,
    nearest,
    snake,
)

__all__ = [
    "COMMAND_WORDS",
    "KEY_WORDS",
    "NEVER_EXPOSED_APPS",
    "PATH_WORDS",
    "VERBS",
    "Exposed",
    "ModelField",
    "Options",
    "Registry",
    "Relation",
    "default_registry",
    "default_resource",
    "nearest",
    "register",
    "snake",
]
