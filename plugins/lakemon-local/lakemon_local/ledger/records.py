"""What the local ledger keeps beyond what every ledger does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Deployment:
    """From `at` on, an endpoint answered with a model version under a served entity's id."""

    endpoint: str
    version: str
    served_entity_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch of rows that a writer moved into a table, with what it takes to prove it is still there.

    Attributes:
        writer: who wrote it.
        number: counts the writer's batches.
        rows: how many.
        digest: of the rows, in hex.
        at: when it was durable, UTC.
    """

    writer: str
    number: int
    rows: int
    digest: str
    at: datetime
