"""What the rooms of the backend ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.ports import BackendSetup, Ledger, Serving
from lakemon_databricks.config import DatabricksConfig

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from lakemon_databricks.statements import Statements


class Opened(Protocol):
    """A workspace that signs in, and opens each room, when it is asked for."""

    setup: BackendSetup

    @property
    def config(self) -> DatabricksConfig:
        """The keys of `databricks:`."""
        ...

    @property
    def client(self) -> WorkspaceClient:
        """Who is signed in."""
        ...

    @property
    def statements(self) -> Statements:
        """Runs SQL on the warehouse."""
        ...

    @property
    def ledger(self) -> Ledger:
        """What was done."""
        ...

    @property
    def serving(self) -> Serving:
        """Model serving endpoints."""
        ...

    def foretell(self, spec: ServingSpec, payload: TableName) -> Sequence[str]:
        """Returns what a deployment would meet beside the version, a sentence each."""
        ...
