"""What a workspace says of a monitor and of its refreshes, and what both of its APIs can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lakemon_core.domain.names import TableName
from lakemon_databricks.profiling.definition import Profile


class Progressing(StrEnum):
    """How far a monitor or a refresh is."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Found:
    """A monitor as it stands.

    Attributes:
        profile: what it measures.
        state: whether it can be refreshed.
        detail: state in Databricks' words, and its last failure.
        profile_table: its profile metrics; None while it does not tell.
        drift_table: its drift metrics.
        dashboard_id: of the dashboard that Databricks has made.
    """

    profile: Profile
    state: Progressing
    detail: str
    profile_table: TableName | None
    drift_table: TableName | None
    dashboard_id: str = ""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A refresh as it stands; `detail` holds Databricks' words."""

    state: Progressing
    detail: str


class ProfilingApi(Protocol):
    """One of the two APIs, for one table."""

    def possible(self, wanted: Profile) -> Profile:
        """Returns as much of a profile as this API can be told."""
        ...

    def find(self) -> Found | None:
        """Returns the monitor of the table, or None."""
        ...

    def create(self, wanted: Profile) -> None:
        """Makes the monitor; one that is there already is left as it is."""
        ...

    def update(self, wanted: Profile, changed: Sequence[str]) -> None:
        """Changes these attributes of the monitor."""
        ...

    def refresh(self) -> str:
        """Starts a refresh; returns its id."""
        ...

    def refreshed(self, refresh_id: str) -> Refreshed | None:
        """Returns how far a refresh is; None when it is not known here."""
        ...


def table_or_none(text: str | None) -> TableName | None:
    """Reads the name of a table; None for nothing."""
    return TableName.parse(text) if text else None


def told(state: object, message: str | None) -> str:
    """Returns a state and a message in one line."""
    name = getattr(state, "value", None) or "unknown"
    return f"{name}: {message}" if message else str(name)
