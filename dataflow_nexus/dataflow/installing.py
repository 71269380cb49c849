"""An app label for models that no installed app holds, and registering many of them at little cost.

Without an app behind their label, models have no reverse relations and Django's own tools do not see them.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from django.apps import AppConfig, apps

_LABEL = "dataflow"
_lock = threading.RLock()


class DynamicAppConfig(AppConfig):
    """The app of one DataFlow."""

    path = str(Path(__file__).parent)
    default_auto_field = "django.db.models.BigAutoField"


def install() -> str:
    """Add an app and return its label: ``dataflow``, ``dataflow_2``, …"""
    with _lock:
        number = 1
        while (
            label := _LABEL if number == 1 else f"{_LABEL}_{number}"
        ) in apps.all_models or label in apps.app_configs:
            number += 1
        # Django looks for <name>.migrations, so the name has to be a package that can be imported.
        module = ModuleType(f"{__package__}.{label}", "The models of one DataFlow.")
        module.__path__ = []
        sys.modules[module.__name__] = module
        config = type("DataFlowConfig", (DynamicAppConfig,), {"label": label})(
            module.__name__, module
        )
        config.apps = apps
        config.models = apps.all_models[label]
        config.models_module = module
        apps.app_configs[label] = config
        apps.clear_cache()
        return label


@contextmanager
def cheap_registration() -> Iterator[None]:
    """Register a model without emptying the caches of all others, unless they hold something.

    Django empties every model's caches at each registration, which makes many models cost the square of their number.
    What a new model can make stale are reverse relations, and Django fills those for all models at once.
    """
    with _lock:
        apps.clear_cache = _clear_what_is_filled  # type: ignore[method-assign]
        try:
            yield
        finally:
            del apps.clear_cache


def _clear_what_is_filled() -> None:
    cached: Any
    for cached in (apps.get_swappable_settings_name, apps.get_models):
        cached.cache_clear()
    if apps.ready and any(
        "_relation_tree" in model._meta.__dict__
        for models in apps.all_models.values()
        for model in models.values()
    ):
        type(apps).clear_cache(apps)
