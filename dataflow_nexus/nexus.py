"""The composition root: configuration, registries and channels become one application.

Making a ``Nexus`` imports no channel, reads no model and opens no connection; all of that waits for the first request.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any, Never

import django
from django.apps import apps
from django.conf import settings
from django.core.signals import setting_changed
from django.db import connections
from django.urls import get_resolver

from dataflow_nexus import conf
from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.configuring import Configured, configured, without_project
from dataflow_nexus.dataflow import made
from dataflow_nexus.dataflow.composing import ComposedRegistry
from dataflow_nexus.dataflow.standalone import ensure_django, is_standalone
from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.registry import Exposed, Registry, default_registry

if TYPE_CHECKING:
    from django.core.handlers.asgi import ASGIHandler
    from django.db import models
    from django.urls import URLPattern, URLResolver

    from dataflow_nexus.operations.base import Catalog

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
CONFIGURATION_EXIT = 2
"""The exit code of a program or command whose application can't be used as it is."""

_nexuses: list[Nexus] = []
_default: Nexus | None = None
_running: Nexus | None = None
_lock = RLock()
_commanded = False


class Patterns:
    """What ``path("", nexus.urls)`` includes: an URLconf whose patterns are made at the first request."""

    def __init__(self, nexus: Nexus) -> None:
        self._nexus = nexus

    @cached_property
    def urlpatterns(self) -> list[URLPattern | URLResolver]:
        from dataflow_nexus.channels.mcp import urls as mcp
        from dataflow_nexus.channels.rest import api as rest

        catalog = self._nexus.catalog
        return [*mcp.build(catalog), *rest.build(catalog)]

    @cached_property
    def handler404(self) -> Callable[..., Any]:
        """Django's name for it: where no other URLs are, a path that leads nowhere is told like any other error."""
        from dataflow_nexus.channels.rest import api as rest

        nowhere = rest.nothing(self._nexus.catalog)
        return lambda request, exception: nowhere(request)  # noqa: ARG005  # Django's signature


class Nexus:
    """Every operation of the registered models, on every channel.

    ``dataflow_config["integration"]`` is a DataFlow or a list of them: their models are exposed. Without one,
    everything that the project registered is. The other keys of the three dictionaries are those of
    ``conf.Configuration``. Raises ``ConfigurationError`` on an unknown key or argument, a wrong type, or a feature
    that is not built.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # the documented constructor
        self,
        title: str | None = None,
        version: str | None = None,
        enable_api: bool | None = None,
        enable_cli: bool | None = None,
        enable_mcp: bool | None = None,
        dataflow_config: Mapping[str, Any] | None = None,
        auth_config: Mapping[str, Any] | None = None,
        monitoring_config: Mapping[str, Any] | None = None,
        **unknown: Never,
    ) -> None:
        conf.refuse_arguments(Nexus, unknown, also="dataflow_config")
        ensure_django()
        named = {
            "title": title,
            "version": version,
            "enable_api": enable_api,
            "enable_cli": enable_cli,
            "enable_mcp": enable_mcp,
        }
        self._expose(configured(named, dataflow_config, auth_config, monitoring_config))
        with _lock:
            _nexuses.append(self)

    def _expose(self, given: Configured) -> None:
        configuration, integrations = given.configuration, given.integrations
        self.configuration = configuration
        self.open_to_others = given.open_to_others
        """Without it a Nexus without a Django project serves this machine alone."""
        self.served: dict[str, Any] = {}
        """What the app file gave to ``run``, where a command serves and not the file."""
        self._own = Registry()
        self._integrations = integrations
        for integration in integrations:
            integration.integrated = True
        self._project = not integrations or configuration.auto_discovery
        self.registry = ComposedRegistry(
            self._sources, configuration.models, discover=configuration.auto_discovery
        )
        self._patterns = Patterns(self)

    def _sources(self) -> list[Registry]:
        dataflows = self._integrations or [item for item in made() if not item.integrated]
        project = [default_registry] if self._project else []
        return [self._own, *(item.registry for item in dataflows), *project]

    @cached_property
    def catalog(self) -> Catalog:
        """The operations; reads no model until it is asked for one.

        Raises ``ConfigurationError`` where the app is not installed: connections would not be prepared.
        """
        if not apps.is_installed("dataflow_nexus"):
            raise ConfigurationError('INSTALLED_APPS lacks "dataflow_nexus"')
        from dataflow_nexus.operations.base import Catalog
        from dataflow_nexus.operations.verbs import VERBS

        return Catalog(self.registry, self.configuration, VERBS)

    def register(self, model: type[models.Model], **options: Any) -> Exposed:
        """Expose a model here; takes the options of ``register``."""
        return self._own.register(model, **options)

    # --- Python ------------------------------------------------------------------------------------------------------

    def execute_json(
        self,
        node: str,
        params: Mapping[str, Any] | None = None,
        /,
        *,
        principal: Principal = SYSTEM,
        **keywords: Any,
    ) -> bytes:
        """Run a node; parameters come as a mapping, as keywords or as both. Raises a ``NexusError``."""
        from dataflow_nexus.execution import execute

        operation = self.catalog.node(node, principal)
        return execute(operation, principal, {**(params or {}), **keywords})

    def execute(
        self,
        node: str,
        params: Mapping[str, Any] | None = None,
        /,
        *,
        principal: Principal = SYSTEM,
        **keywords: Any,
    ) -> Any:
        """Like ``execute_json``, parsed."""
        import msgspec

        return msgspec.json.decode(self.execute_json(node, params, principal=principal, **keywords))

    async def aexecute(
        self,
        node: str,
        params: Mapping[str, Any] | None = None,
        /,
        *,
        principal: Principal = SYSTEM,
        **keywords: Any,
    ) -> Any:
        """``execute`` on a thread of its own, which gives its connection back when done."""
        from asgiref.sync import sync_to_async

        def call() -> Any:
            try:
                return self.execute(node, params, principal=principal, **keywords)
            finally:
                connections.close_all()

        return await sync_to_async(call, thread_sensitive=False)()

    # --- HTTP --------------------------------------------------------------------------------------------------------

    @property
    def urls(self) -> tuple[Patterns, None, None]:
        """For ``path("", nexus.urls)``."""
        return self._patterns, None, None

    @cached_property
    def wsgi(self) -> Callable[..., Any]:
        """The WSGI application: the whole project where there is one, else this Nexus alone."""
        from dataflow_nexus.channels.handlers import ProjectWSGI, StandaloneWSGI

        if not is_standalone():
            from django.core.wsgi import get_wsgi_application

            return ProjectWSGI(get_wsgi_application())
        return StandaloneWSGI(self._patterns, self.open_to_others)

    @cached_property
    def asgi(self) -> ASGIHandler:
        """The ASGI application, likewise."""
        from dataflow_nexus.channels.handlers import ProjectASGI, StandaloneASGI

        if not is_standalone():
            django.setup(set_prefix=False)
            return ProjectASGI()
        return StandaloneASGI(self._patterns, self.open_to_others)

    def run(self, port: int = DEFAULT_PORT, host: str = DEFAULT_HOST, workers: int = 1) -> None:
        """Serve until interrupted. Under a ``nexus`` command: note the arguments as defaults and return.

        Raises ``ConfigurationError`` for an address that can't be served; one that is in use ends the
        program with a message.
        """
        global _running  # noqa: PLW0603  # a process serves one
        from dataflow_nexus import serving

        _running = self
        if _commanded or serving.in_worker():
            self.served = {"host": host, "port": port, "workers": workers}
            return
        address = serving.Address(host=host, port=port, workers=workers)
        self.check_host(host)
        self.compose()
        try:
            serving.serve(running_application, address, self.banner)
        except serving.AddressUnusable as error:
            sys.stderr.write(f"nexus: {error}\n")
            sys.exit(CONFIGURATION_EXIT)

    def compose(self) -> None:
        """Make everything that a request needs, so that a mistake shows before serving; reads no database."""
        _ = self.catalog.operations, self._patterns.urlpatterns
        if self.configuration.require_confirmation:
            from dataflow_nexus.channels.mcp.confirming import check

            check(self.catalog)
        for exposed in self.registry:
            if exposed.options.fields is not None or exposed.options.computed:
                _ = exposed.fields

    def check_host(self, host: str) -> None:
        """Refuse to serve other machines without access control, unless that was asked for by name."""
        if is_standalone() and not self.open_to_others and not loopback(host):
            raise ConfigurationError(
                f"without access control only this machine is served, and {host!r} is open to others:"
                ' say dataflow_config={"authentication_required": False} to let anybody in'
            )

    def banner(self, base: str) -> list[str]:
        """What a developer wants to read when the server starts; ``base`` is its address."""
        configuration = self.configuration
        count = len(self.registry)
        lines = [
            f"{configuration.title} {configuration.version}: {count} model{'' if count == 1 else 's'}"
        ]
        if configuration.enable_api and configuration.auto_generate_endpoints:
            lines.append(
                f"  REST  {base}{configuration.api_prefix}   docs {base}{configuration.api_prefix}/docs"
            )
        else:
            lines.append("  REST  off")
        cli = configuration.enable_cli and configuration.auto_generate_cli_commands
        lines.append("  CLI   nexus --help" if cli else "  CLI   off")
        mcp = configuration.enable_mcp and configuration.auto_generate_mcp_tools
        lines.append(f"  MCP   {base}/mcp" if mcp else "  MCP   off")
        if not configuration.authentication_required:
            lines.append("  access control is off: whoever reaches this address may read and write")
        elif not is_standalone():
            lines.append(
                "  access control is on, and ways to sign in arrive in a later release: HTTP answers 401"
            )
        return lines


def loopback(host: str) -> bool:
    """Whether an address to bind is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def default_nexus() -> Nexus:
    """The Nexus of a Django project, from its settings; else the latest one, or one around all DataFlows."""
    global _default  # noqa: PLW0603  # one per process, renewed when the setting changes
    ensure_django()
    if is_standalone() and _nexuses:
        return _nexuses[-1]
    found = _default
    if found is not None:
        return found
    with _lock:
        if _default is None:
            configuration = without_project() if is_standalone() else conf.from_settings()
            nexus = Nexus.__new__(Nexus)
            nexus._expose(
                Configured(configuration=configuration, integrations=(), open_to_others=False)
            )
            _default = nexus
        return _default


def current_nexus() -> Nexus:
    """The most recently made Nexus, else the default one."""
    return _nexuses[-1] if _nexuses else default_nexus()


def made_nexuses() -> list[Nexus]:
    """Every Nexus that code made, oldest first."""
    return list(_nexuses)


def served_nexuses() -> list[Nexus]:
    """What a Django project's URLs lead to, the one of its settings first; imports the URLconf."""
    ensure_django()
    if is_standalone():
        return [default_nexus()]
    if getattr(settings, "ROOT_URLCONF", None):
        _ = get_resolver().url_patterns
    by_settings = not _nexuses or "dataflow_nexus.urls" in sys.modules
    return [*([default_nexus()] if by_settings else []), *_nexuses]


def running_application() -> Callable[..., Any]:
    """What a worker serves: it inherited, or has loaded, the app file, which called ``run``."""
    return (_running or current_nexus()).wsgi


def commanded() -> None:
    """From now on a command serves, not the app file: ``run`` notes its arguments and returns."""
    global _commanded  # noqa: PLW0603  # a fact of the process
    _commanded = True


def _forget_default(*, setting: str, **_: Any) -> None:
    global _default  # noqa: PLW0603
    if setting == conf.SETTING:
        _default = None


setting_changed.connect(_forget_default, dispatch_uid="dataflow_nexus.nexus")
