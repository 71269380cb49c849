"""The models of one application under their names. Registering a model reads nothing of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.apps import apps
from django.db import models

from dataflow_nexus.exceptions import ConfigurationError
from dataflow_nexus.registry.exposed import Exposed, Options
from dataflow_nexus.registry.names import NEVER_EXPOSED_APPS, VERBS, nearest

_RESOURCE = re.compile(r"(?!\.{1,2}$)[^\s/?#%~,]+")
"""What stands in a URL as it is written: one step of a path."""


class Registry:
    """The exposed models of one application, by class and by every name they answer to."""

    def __init__(self) -> None:
        self._by_model: dict[type[models.Model], Exposed] = {}
        self._by_resource: dict[str, Exposed] = {}
        self._class_names: dict[str, int] = {}
        self.version = 0
        """Grows with every registration, so that what was derived from the registry can be renewed."""

    def register(  # noqa: PLR0913  # the documented options of a model
        self,
        model: type[models.Model],
        *,
        resource: str | None = None,
        operations: Iterable[str] | None = None,
        fields: Sequence[str] | None = None,
        exclude: Iterable[str] = (),
        search_fields: Sequence[str] = (),
        queryset: Any = None,
        computed: Mapping[str, Any] | None = None,
        before: Callable[..., Any] | None = None,
        after: Callable[..., Any] | None = None,
        using: str | None = None,
    ) -> Exposed:
        """Expose a model; registering it again replaces its options.

        ``operations`` are verbs (``read``, ``bulk_create``, …); ``fields`` and ``exclude`` are field names;
        ``queryset`` is a ``QuerySet`` or a callable ``(principal) -> QuerySet``; ``computed`` maps new names to a
        Django expression with an ``output_field`` or to a callable of the instance; ``before(principal, verb,
        params)`` may return new parameters, ``after(principal, verb, params, result)`` sees the parsed result inside
        the transaction. Raises ``ConfigurationError`` on a clash of names or an unknown verb.
        """
        for verb in operations or ():
            if verb not in VERBS:
                raise ConfigurationError(f"unknown operation {verb!r}{nearest(verb, VERBS)}")
        if resource is not None and not _RESOURCE.fullmatch(str(resource)):
            raise ConfigurationError(f"a resource is one step of a path, not {resource!r}")
        options = Options(
            resource=resource,
            operations=None if operations is None else frozenset(operations),
            fields=None if fields is None or fields == "__all__" else tuple(fields),
            exclude=frozenset(exclude),
            search_fields=tuple(search_fields),
            queryset=queryset,
            computed=dict(computed or {}),
            before=before,
            after=after,
            using=using,
        )
        return self._add(Exposed(self, model, options))

    def _add(self, exposed: Exposed) -> Exposed:
        other = self._by_resource.get(exposed.resource)
        if other is not None and other.model is not exposed.model:
            raise ConfigurationError(
                f"{exposed.model._meta.label} and {other.model._meta.label} are both named"
                f" {exposed.resource!r}; give one of them another resource="
            )
        before = self._by_model.pop(exposed.model, None)
        if before is None:
            name = exposed.model.__name__
            self._class_names[name] = self._class_names.get(name, 0) + 1
        else:
            del self._by_resource[before.resource]
        self._by_resource[exposed.resource] = exposed
        self._by_model[exposed.model] = exposed
        self.version += 1
        return exposed

    def register_pattern(self, pattern: str) -> None:
        """Expose ``app.Model`` or ``app.*``. Wildcards never expose auth, admin, sessions and the like."""
        app_label, _, name = pattern.partition(".")
        if not name:
            raise ConfigurationError(f"MODELS takes 'app.Model' or 'app.*', not {pattern!r}")
        if not any(config.label == app_label for config in apps.get_app_configs()):
            labels = [config.label for config in apps.get_app_configs()]
            raise ConfigurationError(
                f"MODELS names no installed app: {pattern!r}{nearest(app_label, labels)}"
            )
        config = apps.get_app_config(app_label)
        if name == "*":
            if app_label not in NEVER_EXPOSED_APPS:
                for model in config.get_models():
                    if self.of(model) is None and not model._meta.swapped:
                        self.register(model)
            return
        try:
            model = config.get_model(name)
        except LookupError:
            known = [model.__name__ for model in config.get_models()]
            raise ConfigurationError(
                f"MODELS names no model: {pattern!r}{nearest(name, known)}"
            ) from None
        if self.of(model) is None:
            self.register(model)

    def merged(self, other: Registry) -> None:
        """Take over what another registry exposes, with its options, unless it is exposed here already."""
        for exposed in other:
            if self.of(exposed.model) is None:
                self._add(Exposed(self, exposed.model, replace(exposed.options)))

    def of(self, model: type[models.Model]) -> Exposed | None:
        return self._by_model.get(model)

    def __iter__(self) -> Iterator[Exposed]:
        return iter(self._by_model.values())

    def __len__(self) -> int:
        return len(self._by_model)

    def sole(self, class_name: str) -> bool:
        """Whether at most one exposed model has this class name."""
        return self._class_names.get(class_name, 0) < 2

    def named(self, name: str) -> Exposed | None:
        """A model by its resource, its class name, or ``app.Class``."""
        if name in self._by_resource:
            return self._by_resource[name]
        for exposed in self:
            if name in (exposed.name, exposed.model._meta.label):
                return exposed
        return None


default_registry = Registry()
"""What ``register`` and ``@register`` fill in a Django project."""


def register(model: type[models.Model], **options: Any) -> Any:
    """Expose a model, as a call (``register(Product, search_fields=[…])``) or decorating a class of options.

    ``@register(Product, fields=[…])`` above a class takes ``operations``, ``fields``, … from the class body as well,
    like ``@admin.register``.
    """
    default_registry.register(model, **options)

    def decorate(configuration: Any) -> Any:
        body = {key: value for key, value in vars(configuration).items() if not key.startswith("_")}
        unwrapped = {key: getattr(value, "__func__", value) for key, value in body.items()}
        default_registry.register(model, **{**unwrapped, **options})
        return configuration

    return decorate
