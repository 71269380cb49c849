"""What the tests of Export share."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import models

from dataflow_nexus.access.grants import Source
from dataflow_nexus.access.principal import SYSTEM, Principal
from dataflow_nexus.conf import Configuration
from dataflow_nexus.execution import stream
from dataflow_nexus.operations.base import Catalog
from dataflow_nexus.operations.verbs import VERBS
from dataflow_nexus.registry import Registry

Export = Callable[..., Iterator[bytes]]
FORMATS = ("json", "ndjson", "csv")


def exporter(catalog: Catalog) -> Export:
    """`export("Product", "csv", filter={…})`: the chunks."""

    def chunks(model: str, fmt: str, /, **params: Any) -> Iterator[bytes]:
        principal = params.pop("principal", SYSTEM)
        return stream(catalog.node(f"{model}ListNode", principal), principal, params, fmt)

    return chunks


def catalog_of(
    model: type[models.Model], options: Mapping[str, Any], **configuration: Any
) -> Catalog:
    """The operations of one model that is exposed in its own way."""
    registry = Registry()
    registry.register(model, **options)
    return Catalog(registry, Configuration(**configuration), VERBS)


def whole(chunks: Iterator[bytes]) -> bytes:
    return b"".join(chunks)


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def principal(**held: tuple[Source, ...]) -> Principal:
    return Principal(
        kind="user",
        name="restricted",
        held={(f"shop.{name}", "view"): sources for name, sources in held.items()},
    )
