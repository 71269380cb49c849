"""The composition root: configuration, registries and channels become one application.

Making a ``Nexus`` imports no channel, reads no model and opens no connection; all of that waits for the first request.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any

from django.core.signals import setting_changed
from django.db import connections

from dataflow_nexus import conf
from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.conf import Configuration, configure
from dataflow_nexus.dataflow import DataFlow, made
from dataflow_nexus.dataflow.composing import ComposedRegistry
from dataflow_nexus.dataflow.standalone import ensure_django, is_standalone
from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.registry import Exposed, Registry, default_registry
from dataflow_nexus.workflows import current

if TYPE_CHECKING:
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import models
    from django.urls import URLPattern, URLResolver

    from dataflow_nexus.operations.base import Catalog

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000

_nexuses: list[Nexus] = []
_default: Nexus | None = None
_lock = RLock()
_commanded = False


class Patterns:
    """What ``path("", nexus.urls)`` includes: an URLconf whose patterns are made at the first request."""

    def __init__(self, nexus: Nexus) -> None:
        self._nexus = nexus

    @cached_property
    def urlpatterns(self) -> list[URLPattern | URLResolver]:
        from dataflow_nexus.channels.rest.api import build

        return list(build(self._nexus.catalog))


class Nexus:
    """Every operation of the registered models, on every channel.

    ``dataflow_config["integration"]`` is a DataFlow or a list of them: their models are exposed. Without one, everything
    that the project registered is. The other keys of the three dictionaries are those of ``conf.Configuration``. Raises
    ``ConfigurationError`` on an unknown key, a wrong type, or a feature that is not built.
    """

    def __init__(  # noqa: PLR0913  # the documented constructor
        self,
        title: str | None = None,
        version: str | None = None,
        enable_api: bool | None = None,
        enable_cli: bool | None = None,
        enable_mcp: bool | None = None,
        dataflow_config: Mapping[str, Any] | None = None,
        auth_config: Mapping[str, Any] | None = None,
        monitoring_config: Mapping[str, Any] | None = None,
    ) -> None:
        ensure_django()
        named = {
            "title": title,
            "version": version,
            "enable_api": enable_api,
            "enable_cli": enable_cli,
            "enable_mcp": enable_mcp,
        }
        given = dict(_mapping(dataflow_config, "dataflow_config"))
        access = _mapping(auth_config, "auth_config")
        integrations = _integrations(given.pop("integration", None))
        base = _base(exposing="nothing" if integrations else "project")
        base = configure(
            base, {key: value for key, value in named.items() if value is not None}, "Nexus"
        )
        base = configure(base, given, "dataflow_config")
        base = configure(base, access, "auth_config")
        base = configure(
            base, _mapping(monitoring_config, "monitoring_config"), "monitoring_config"
        )
        _refuse_access(base)
        declared = [source.get("authentication_required") for source in (given, access)]
        self._compose(base, integrations, open_to_others=False in declared)
        with _lock:
            _nexuses.append(self)

    def _compose(
        self,
        configuration: Configuration,
        integrations: Sequence[DataFlow],
        *,
        open_to_others: bool,
    ) -> None:
        self.configuration = configuration
        self.open_to_others = open_to_others
        """Whether the developer said that anybody may use it: without that a standalone Nexus serves this machine."""
        self.served: dict[str, Any] = {}
        """What the app file gave to ``run``, where a command serves and not the file."""
        self._own = Registry()
        self._integrations = tuple(integrations)
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
        """The operations; reads no model until it is asked for one."""
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
    def wsgi(self) -> WSGIHandler:
        """The WSGI application: the whole project where there is one, else this Nexus alone."""
        if not is_standalone():
            from django.core.wsgi import get_wsgi_application

            return get_wsgi_application()
        from dataflow_nexus.channels.handlers import StandaloneWSGI

        return StandaloneWSGI(self._patterns, self.open_to_others)

    @cached_property
    def asgi(self) -> ASGIHandler:
        """The ASGI application, likewise."""
        if not is_standalone():
            from django.core.asgi import get_asgi_application

            return get_asgi_application()
        from dataflow_nexus.channels.handlers import StandaloneASGI

        return StandaloneASGI(self._patterns, self.open_to_others)

    def run(self, port: int = DEFAULT_PORT, host: str = DEFAULT_HOST, workers: int = 1) -> None:
        """Serve until interrupted. Under a ``nexus`` command: note the arguments as defaults and return."""
        from dataflow_nexus import serving

        self.check_host(host)
        if _commanded or serving.in_worker():
            self.served = {"host": host, "port": port, "workers": workers}
            return
        self.prepare()
        address = serving.Address(host=host, port=port, workers=workers)
        serving.serve(latest_application, address, self.banner)

    def prepare(self) -> None:
        """Compose everything that a request needs, so that a mistake shows before serving; reads no database."""
        _ = self.catalog.operations, self._patterns.urlpatterns

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
        if configuration.enable_mcp and configuration.auto_generate_mcp_tools:
            lines.append("  MCP   not built yet: there is no /mcp in this release")
        if not configuration.authentication_required:
            lines.append("  access control is off: whoever reaches this address may read and write")
        elif not is_standalone():
            lines.append(
                "  access control is on and no way to sign in is built yet: HTTP answers 401"
            )
        return lines


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where} must be a dictionary, not {type(value).__name__}")
    return value


def _integrations(value: object) -> tuple[DataFlow, ...]:
    items: Iterable[object] = (
        () if value is None else value if isinstance(value, (list, tuple)) else (value,)
    )
    found = tuple(items)
    for item in found:
        if not isinstance(item, DataFlow):
            raise ConfigurationError(
                f"dataflow_config: 'integration' must be a DataFlow or a list of them, not {type(item).__name__}"
            )
    return found  # type: ignore[return-value]  # each was checked


def _base(exposing: str) -> Configuration:
    """What keyword arguments change: the project's settings, or the defaults of a program without a project.

    A Nexus around given DataFlows exposes theirs and nothing that the settings name, unless told to.
    """
    from dataclasses import replace

    if is_standalone():
        return Configuration(authentication_required=False)
    base = conf.from_settings()
    return replace(base, models=(), auto_discovery=False) if exposing == "nothing" else base


def _refuse_access(configuration: Configuration) -> None:
    if is_standalone() and configuration.authentication_required:
        raise ConfigurationError(
            "'authentication_required' is not built yet for a Nexus without a Django project; remove it, and only this"
            " machine is served"
        )


def loopback(host: str) -> bool:
    """Whether an address to bind is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def default_nexus() -> Nexus:
    """The Nexus of a Django project, from its settings; without a project the latest one, or one around all DataFlows."""
    global _default  # noqa: PLW0603  # one per process, renewed when the setting changes
    ensure_django()
    with _lock:
        if is_standalone() and _nexuses:
            return _nexuses[-1]
        if _default is None:
            nexus = Nexus.__new__(Nexus)
            configuration = _base(exposing="project")
            nexus._compose(
                configuration,
                (),
                open_to_others=not configuration.authentication_required and not is_standalone(),
            )
            _default = nexus
        return _default


def current_nexus() -> Nexus:
    """The most recently made Nexus, else the default one."""
    return _nexuses[-1] if _nexuses else default_nexus()


def made_nexuses() -> list[Nexus]:
    """Every Nexus that code made, oldest first."""
    return list(_nexuses)


def latest_application() -> Callable[..., Any]:
    """What a worker serves: it inherited, or has loaded, the app file."""
    return current_nexus().wsgi


def commanded() -> None:
    """From now on a command serves, not the app file: ``run`` notes its arguments and returns."""
    global _commanded  # noqa: PLW0603  # a fact of the process
    _commanded = True


def _forget_default(*, setting: str, **_: Any) -> None:
    global _default  # noqa: PLW0603
    if setting == conf.SETTING:
        _default = None


def connect() -> None:
    """Follow ``override_settings``, and tell workflows which catalog is meant."""
    setting_changed.connect(_forget_default, dispatch_uid="dataflow_nexus.nexus")
    current.provide(lambda: current_nexus().catalog)
