"""Where models, tables and state live: the class that the author of a backend implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from lakemon_core.domain.monitor import Monitor, ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.ports.expressions import Expressions
from lakemon_core.ports.lake_profiles import LakeProfiles
from lakemon_core.ports.ledger import Ledger
from lakemon_core.ports.model_type import ModelType
from lakemon_core.ports.serving import ModelServer, PayloadHealth, Registry, Serving, UnpackResult
from lakemon_core.ports.setting import API_VERSION, Clock, PluginConfig, Progress, Secrets
from lakemon_core.ports.tables import TableFiles, Tables


@dataclass(frozen=True, slots=True)
class BackendSetup:
    """What a backend is opened with.

    Attributes:
        monitor: the resolved config.
        workspace: folder for state; only the local backend keeps everything in it.
        clock: the time.
        secrets: resolves references.
        config: the backend's own validated `Config`.
        git_sha: commit of the caller, where it was told.
    """

    monitor: Monitor
    workspace: Path
    clock: Clock
    secrets: Secrets
    config: PluginConfig
    git_sha: str = ""


@dataclass(frozen=True, slots=True)
class BackendCheck:
    """One thing that a backend needs of its world: its name, whether it is there, and one sentence."""

    name: str
    ok: bool
    detail: str


class Backend(ABC):
    """Where models, tables and state live; entry-point group `lakemon.backends`.

    Opening must be cheap: nothing is started and no network is used before a method needs it.
    """

    lakemon_api: ClassVar[int] = API_VERSION
    type: ClassVar[str]
    Config: ClassVar[type[PluginConfig]] = PluginConfig

    is_lake: ClassVar[bool] = False
    """Whether it measures tables where they lie, by `profiles`."""

    def __init__(self, setup: BackendSetup) -> None:
        self.setup = setup

    @property
    @abstractmethod
    def tables(self) -> Tables:
        """Inference, metric, label and baseline tables."""

    @property
    @abstractmethod
    def registry(self) -> Registry:
        """Registered models."""

    @property
    @abstractmethod
    def serving(self) -> Serving:
        """Serving endpoints."""

    @property
    @abstractmethod
    def ledger(self) -> Ledger:
        """What was done."""

    @property
    def files(self) -> TableFiles | None:
        """Imports and exports files; None where people use the lake's own tools."""
        return None

    @property
    def server(self) -> ModelServer | None:
        """The model server of this workspace; None where endpoints run elsewhere."""
        return None

    @property
    def expressions(self) -> Expressions | None:
        """Runs the SQL of slices and custom metrics; None where the lake measures them itself."""
        return None

    @property
    def profiles(self) -> LakeProfiles | None:
        """Measures tables where they lie; None where lakemon reads the rows and measures them."""
        return None

    @property
    def dashboard_url(self) -> str | None:
        """Where people look; None where there is no page."""
        return None

    @property
    def log_wait_seconds(self) -> float:
        """How long a test request may take to appear in its payload table before it counts as pending."""
        return 30.0

    @property
    def log_limit_seconds(self) -> float:
        """How long after it was sent a test request may be missing before logging counts as broken."""
        return 3600.0

    def cache(self, table: TableName, version: int) -> Path | None:
        """Returns a folder for what follows from one version of a table; anybody may delete it at any time.

        It need not be there yet. The folders beside it are those of other versions of the same table.

        Returns:
            None where nothing is kept, or where another version might bear the same number some day.
        """
        del table, version
        return None

    def payload_health(self, payload: TableName) -> PayloadHealth | None:
        """Counts what was logged lately; None where there is nothing to tell beside the rows themselves."""
        del payload
        return None

    def foretell(self, spec: ServingSpec, payload: TableName) -> Sequence[str]:
        """Returns what a deployment would meet beside the version, a sentence each, and does nothing."""
        del spec, payload
        return ()

    def preflight(self) -> Iterable[BackendCheck]:
        """Looks whether all that a run needs is there: credentials, compute, grants; for `lakemon doctor`."""
        return ()

    def secret(self, scope: str, key: str) -> str | None:
        """Returns a secret of the backend's own store; None where there is none of that name, or no store."""
        del scope, key
        return None

    @abstractmethod
    def hold(self, run_id: str) -> AbstractContextManager[None]:
        """Holds the workspace for one run.

        Raises:
            WorkspaceBusy: LM601 with pid and start of the run that holds it.
        """

    @abstractmethod
    def unpack(self, model_type: ModelType, *, progress: Progress) -> UnpackResult:
        """Moves new payload rows into the inference table, each exactly once."""

    @abstractmethod
    def close(self) -> None:
        """Frees what this process holds; the model server goes on."""
