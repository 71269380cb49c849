"""System checks: by their ids, and without a query."""

from typing import Any

import pytest
from django.apps import apps
from django.core import checks
from django.db import models

from dataflow_nexus import nexus as nexuses
from dataflow_nexus.checks import check_configuration
from dataflow_nexus.nexus import Nexus
from tests import routing


class Event(models.Model):
    """Its resource would be the path of events."""

    class Meta:
        app_label = "not_installed"
        managed = False

    def __str__(self) -> str:
        return "an event"


class Measured(models.Model):
    exact = models.DecimalField(max_digits=15, decimal_places=2)
    long = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        app_label = "not_installed"
        managed = False

    def __str__(self) -> str:
        return str(self.exact)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test makes is not left to the others."""
    monkeypatch.setattr(nexuses, "_nexuses", [])


def ids(**given: Any) -> list[str]:
    return [str(message.id) for message in check_configuration(**given)]


def of(model: type[models.Model], **options: Any) -> list[checks.CheckMessage]:
    Nexus().register(model, **options)
    return [message for message in check_configuration() if message.obj is model]


def test_the_shop_is_as_it_should_be_but_for_its_long_decimals() -> None:
    assert set(ids()) <= {"dataflow_nexus.W002"}


def test_the_checks_are_registered() -> None:
    assert check_configuration in checks.registry.registry.get_checks()


def test_no_query(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        check_configuration()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"MODEL": []}, "DATAFLOW_NEXUS: unknown key 'MODEL' (did you mean 'MODELS'?)"),
        ({"MODELS": ["shop.Prodct"]}, "MODELS names no model: 'shop.Prodct'"),
        ({"MODELS": ["shp.*"]}, "MODELS names no installed app: 'shp.*'"),
        ({"MODELS": ["shop"]}, "MODELS takes 'app.Model' or 'app.*', not 'shop'"),
    ],
)
def test_e004(settings: Any, value: dict[str, Any], message: str) -> None:
    settings.DATAFLOW_NEXUS = value
    (found,) = check_configuration()
    assert (found.id, found.level) == ("dataflow_nexus.E004", checks.ERROR)
    assert found.msg.startswith(message)


def test_e004_of_a_nexus_that_code_makes() -> None:
    Nexus().register(Measured, fields=["exat"])
    (found,) = check_configuration()
    assert found.id == "dataflow_nexus.E004"
    assert "has no field 'exat' to expose" in found.msg


def test_w001_a_name_that_is_taken() -> None:
    (found,) = of(Event)
    assert found.id == "dataflow_nexus.W001"
    assert 'is the resource "events_", because "events" is a fixed path or a command' in found.msg
    assert of(Event, resource="happenings") == []


def test_w002_decimals_that_sqlite_rounds() -> None:
    (found,) = of(Measured)
    assert found.id == "dataflow_nexus.W002"
    assert "not_installed.Measured.long has 16 digits" in found.msg
    assert of(Measured, using=routing.POSTGRESQL) == []


def test_only_the_apps_that_are_asked_for() -> None:
    Nexus().register(Event)
    assert ids(app_configs=[apps.get_app_config("auth")]) == []
