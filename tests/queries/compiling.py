"""What compiling takes, as the operations themselves make it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import models, transaction

from dataflow_nexus.access.grants import UNRESTRICTED, Grant
from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.conf import Configuration
from dataflow_nexus.nexus import default_nexus
from dataflow_nexus.queries import python_rendering, rendering
from dataflow_nexus.queries.ordering import compile_order
from dataflow_nexus.queries.rows import Rows
from dataflow_nexus.queries.scope import Compilation, Scope
from dataflow_nexus.queries.shapes import Shape, make_shape
from testproject.shop.models import Everything

Row = Mapping[str, Any]
FIELDS = [
    field.attname
    for field in Everything._meta.concrete_fields
    if not isinstance(field, models.FileField)
]
"""What both can render of the model with every field type; a file's URL is Python's alone."""


@contextmanager
def undone(alias: str) -> Iterator[None]:
    """What is written inside is rolled back at the end."""
    with transaction.atomic(using=alias):
        yield
        transaction.set_rollback(True, using=alias)


def texts(found: Sequence[tuple[Any, ...]]) -> list[str]:
    return [str(row[0]) for row in found]


def save(model: type[models.Model], alias: str, rows: Sequence[Row]) -> None:
    manager = model._default_manager.using(alias)
    manager.all().delete()
    manager.bulk_create([model(**row, pk=number) for number, row in enumerate(rows, 1)])


def scope_of(model: type[models.Model], alias: str, grant: Grant = UNRESTRICTED) -> Scope:
    """The model's table, as the grant shows it."""
    exposed = default_nexus().registry.of(model)
    assert exposed is not None
    compilation = Compilation(
        alias=alias,
        principal=SYSTEM,
        configuration=Configuration(authentication_required=False),
        grant_on=lambda _: UNRESTRICTED,
    )
    return Scope(compilation, exposed, grant)


def prepared(model: type[models.Model], alias: str, **wanted: Any) -> tuple[Rows, Shape]:
    """All rows; ``fields``, ``expand`` and ``order_by`` are List's."""
    scope = scope_of(model, alias, wanted.get("grant", UNRESTRICTED))
    shape = make_shape(scope, wanted.get("fields"), wanted.get("expand"))
    return Rows(scope=scope, order=compile_order(scope, wanted.get("order_by")), keys=True), shape


def by_database(model: type[models.Model], alias: str, **wanted: Any) -> list[tuple[Any, ...]]:
    """JSON text and sort keys of each row, as PostgreSQL renders them."""
    rows, shape = prepared(model, alias, **wanted)
    assert not shape.needs_python
    return rendering.render_rows(rows, shape)


def by_python(model: type[models.Model], alias: str, **wanted: Any) -> list[tuple[Any, ...]]:
    """The same as rendered in this process."""
    rows, shape = prepared(model, alias, **wanted)
    return python_rendering.render_rows(rows, shape)
