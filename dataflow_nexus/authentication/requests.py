"""Who asks over HTTP: the same for every channel."""

from __future__ import annotations

from dataflow_nexus.access.principal import ANONYMOUS, OPEN, Principal
from dataflow_nexus.conf import Configuration
from dataflow_nexus.exceptions import Unauthenticated


def principal_of(configuration: Configuration, *, public: bool) -> Principal:
    """The principal of a request; ``public`` paths answer everybody. Raises ``Unauthenticated``."""
    if not configuration.authentication_required:
        return OPEN
    if public:
        return ANONYMOUS
    raise Unauthenticated("this needs credentials")
