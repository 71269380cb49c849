"""The sample shop with django-mcp-server, as docs/mcp-bridge.md has it. SHOP_USER names who asks in process."""

import os

from dataflow_nexus.channels.mcp.bridge import install
from testproject.settings import *  # noqa: F403  # a Django settings module

USER = os.environ.get("SHOP_USER")


def user() -> object:
    from dataflow_nexus.authentication.users import user_principal

    return user_principal(str(USER))


install(who=user if USER else None)  # type: ignore[arg-type]

INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework", "mcp_server", "tests.agents.bridged"]  # noqa: F405
ROOT_URLCONF = "tests.agents.bridged.urls"
DJANGO_MCP_ENDPOINT = "agents"
