"""Which kind a field of another's making has."""

from typing import Any

from django.db import models

from dataflow_nexus.fields import kind_of


class Document(models.JSONField):
    """Reads its column as Django does."""


class Shouted(models.TextField):
    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value and value.upper()


def test_only_what_reads_its_column_itself_is_left_to_python() -> None:
    assert kind_of(Document()).postgresql is not None
    assert kind_of(Shouted()).postgresql is None
