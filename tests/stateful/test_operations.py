"""Any sequence of operations answers as a table in memory does, and an error leaves everything as it was."""

from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from dataflow_nexus.access.principal import SYSTEM
from dataflow_nexus.nexus import Nexus
from dataflow_nexus.workflows.runtime import run_batch
from testproject.shop.models import OrderItem, PriceListEntry, Product
from tests.profiles import THOROUGH
from tests.stateful.machine import Operations
from tests.stateful.shapes import ENTRY, PRODUCT
from tests.stateful.table import Shape

SEQUENCES = settings(
    max_examples=60 if THOROUGH else 16,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
    phases=[Phase.generate],  # with Phase.shrink a failure is told in few steps, after minutes
)

VERBS = (
    "Create", "Read", "Update", "Delete", "List", "Upsert", "Aggregate", "BulkCreate", "BulkUpdate", "BulkDelete",
    "BulkUpsert", "Batch",
)  # fmt: skip


def machine(nexus: Nexus, alias: str, shape: Shape) -> type[Operations]:
    """The rules over a database in which the model has no rows, as they leave it behind."""

    class Sequence(Operations):
        steps: ClassVar[Counter[str]] = Counter()

        def __init__(self) -> None:
            super().__init__()
            self.transaction = transaction.atomic(alias)
            self.transaction.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True, alias)
            self.transaction.__exit__(None, None, None)

    Sequence.shape = shape
    Sequence.execute = staticmethod(nexus.execute_json)
    Sequence.run_batch = staticmethod(lambda items: run_batch(nexus.catalog, SYSTEM, items))
    return Sequence


@pytest.mark.parametrize("shape", [PRODUCT, ENTRY], ids=lambda shape: shape.node)
def test_operations_and_a_table_agree(
    nexus: Nexus, database: str, shape: Shape, record_property: Callable[[str, object], None]
) -> None:
    OrderItem.objects.all().delete()
    Product.objects.all().delete()
    PriceListEntry.objects.all().delete()
    sequence = machine(nexus, database, shape)
    run_state_machine_as_test(sequence, settings=SEQUENCES)
    steps = sequence.steps
    codes = {"invalid", "conflict", "not_found", "limit_exceeded"}
    missing = {*VERBS, "invalid", "conflict", "not_found"} - steps.keys()
    assert not missing, missing
    counts: dict[str, Any] = {
        "steps": sum(number for name, number in steps.items() if name not in codes),
        "errors": sum(steps[code] for code in codes),
    }
    record_property("figures stateful", counts)
