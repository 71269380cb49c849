"""A Django user as a principal: what the model permissions of the user and its groups let it do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, DataError, InterfaceError

from dataflow_nexus.access.grants import UNRESTRICTED, Source
from dataflow_nexus.access.principal import Principal
from dataflow_nexus.exceptions import Invalid, Unauthenticated, Unavailable

_ACTIONS = frozenset({"view", "add", "change", "delete"})


def user_principal(username: str) -> Principal:
    """The principal of an active user. Superusers are unrestricted, others hold what Django grants.

    Raises ``Unauthenticated`` where there is no such user, ``Invalid`` where the application has no
    users at all.
    """
    if not apps.is_installed("django.contrib.auth"):
        message = "this application has no users: django.contrib.auth is not installed"
        raise Invalid.field("as", "unsupported", message)
    from django.contrib.auth import get_user_model

    try:
        user = get_user_model()._default_manager.get_by_natural_key(username)
        found = user.get_all_permissions() if user.is_active and not user.is_superuser else ()
    except (ObjectDoesNotExist, DataError, ValueError):  # the last two: no name that a column holds
        raise Unauthenticated(f'there is no active user "{username}"') from None
    except (DatabaseError, InterfaceError) as error:
        raise Unavailable("the users can't be read from the database") from error
    if not user.is_active:
        raise Unauthenticated(f'there is no active user "{username}"')
    return Principal(kind="user", name=username, unrestricted=user.is_superuser, held=_held(found))


def _held(permissions: Iterable[str]) -> Mapping[tuple[str, str], tuple[Source, ...]]:
    """``shop.view_product`` → ``("shop.product", "view")``, without limits."""
    held: dict[tuple[str, str], tuple[Source, ...]] = {}
    for permission in permissions:
        app_label, _, codename = permission.partition(".")
        action, _, model = codename.partition("_")
        if action in _ACTIONS:
            held[f"{app_label}.{model}", action] = UNRESTRICTED.sources
    return held
