"""The three classes a plugin author implements: Backend, ModelType and AlertSink."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lakemon_core.domain.estimate import Estimate
from lakemon_core.domain.incident import Attempt, DeliveryResult, Notification, Rendered
from lakemon_core.domain.monitor import Monitor, Roles, ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.domain.panels import PanelSpec
from lakemon_core.domain.rule import Rule
from lakemon_core.ports.expressions import Expressions
from lakemon_core.ports.lake_profiles import LakeProfiles
from lakemon_core.ports.ledger import Ledger
from lakemon_core.ports.measured import Measured
from lakemon_core.ports.serving import (
    ModelServer,
    ModelVersion,
    PayloadHealth,
    Registry,
    Serving,
    UnpackResult,
)
from lakemon_core.ports.setting import API_VERSION, Clock, PluginConfig, Progress, Secrets
from lakemon_core.ports.tables import TableFiles, Tables

if TYPE_CHECKING:
    import pyarrow as pa


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


@dataclass(frozen=True, slots=True)
class QualityMetric:
    """A quality metric of a model type.

    Attributes:
        name: as rules name it, e.g. `roc_auc`.
        higher_is_better: the direction.
        column: profile column it is stored in, e.g. `roc_auc_score`.
        path: fields inside that column when it is a struct, e.g. `("macro",)`.
        two_sided: 0 is best and both sides are bad, as of a bias; a rule without `op` judges the distance
            from 0.
        adds_up_as: name of the metric whose changes are split over slices to explain those of this one: its
            own for a mean over rows, `mse` for `rmse`; empty where slices do not add up to the whole.
    """

    name: str
    higher_is_better: bool
    column: str
    path: tuple[str, ...] = ()
    two_sided: bool = False
    adds_up_as: str = ""


@dataclass(frozen=True, slots=True)
class QualityResult:
    """Quality of one group of rows.

    Attributes:
        values: profile column → value, for the columns of `ModelType.quality_fields`.
        n: rows with a label.
        rows: all rows.
        reasons: profile column → why its value is None.
        intervals: metric name → 95 % interval, for the metrics that have one.
        counts: metric name → rows its value rests on, for the metrics where that is not `n`.
    """

    values: Mapping[str, object]
    n: int
    rows: int
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    counts: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def of(
        cls,
        estimates: Mapping[str, Estimate],
        metrics: Sequence[QualityMetric],
        values: Mapping[str, object],
        *,
        n: int,
        rows: int,
    ) -> QualityResult:
        """Makes the result from estimates.

        Args:
            estimates: profile column → estimate.
            metrics: of the model type: they name intervals and counts.
            values: further profile columns.
            n: rows with a label.
            rows: all rows.
        """
        named = {metric.name: estimates[metric.column] for metric in metrics if metric.column in estimates}
        return cls(
            {**{column: one.value for column, one in estimates.items()}, **values},
            n,
            rows,
            {column: one.reason for column, one in estimates.items() if one.reason},
            {name: one.interval for name, one in named.items() if one.interval is not None},
            {name: one.n for name, one in named.items() if one.n != n},
        )


class ModelType(ABC):
    """What a kind of model needs; entry-point group `lakemon.model_types`.

    `Config` holds the keys of `model:` that belong to the type.
    """

    lakemon_api: ClassVar[int] = API_VERSION
    type: ClassVar[str]
    Config: ClassVar[type[PluginConfig]]
    problem_type: ClassVar[str] = ""
    """Databricks' InferenceProblemType, without its prefix; empty where there is none."""

    def __init__(self, config: PluginConfig) -> None:
        self.config = config

    @abstractmethod
    def roles(self) -> Roles:
        """Which column plays which part."""

    @property
    @abstractmethod
    def metrics(self) -> Sequence[QualityMetric]:
        """The quality metrics that rules may name."""

    @abstractmethod
    def quality_fields(self) -> Sequence[tuple[str, pa.DataType]]:
        """The profile columns that `quality` fills, in order."""

    def quality_columns(self) -> Sequence[str]:
        """Columns that `quality` reads besides prediction, probability and label, if they are there."""
        return ()

    def slices(self) -> Sequence[str]:
        """Slices that this type always has, as Databricks SQL; those of the config come after them."""
        return ()

    def fit_baseline(self, rows: pa.Table) -> None:
        """Learns from the baseline what `quality` needs to know of it; called once before a refresh measures.

        Args:
            rows: the baseline, with those of `quality_columns`, label, prediction and features that it has.
        """
        del rows

    @abstractmethod
    def quality(self, rows: pa.Table) -> QualityResult:
        """Measures one group of rows; a value that cannot be computed is None with its reason."""

    @abstractmethod
    def default_rules(self) -> Sequence[Rule]:
        """What is judged when the config has no `alerts:`."""

    def panels(self, measured: Measured) -> Sequence[PanelSpec]:
        """Returns what the report shows of this type beside its metrics over time: pure, data, no HTML.

        Args:
            measured: of one granularity; empty where nothing was measured yet.
        """
        del measured
        return ()

    @abstractmethod
    def check_predictions(self, rows: pa.Table) -> Sequence[str]:
        """Says what is wrong with predictions, one sentence each; empty when all is well."""

    @abstractmethod
    def unpack(self, prediction: object, model: ModelVersion | None) -> Mapping[str, object]:
        """Turns one element of a response's `predictions` into columns of the inference table.

        Raises:
            ValueError: when the shape is not understood; the message says what came.
        """


@dataclass(frozen=True, slots=True)
class SinkSetup:
    """What a sink is opened with: its name in the config, its validated `Config`, and what it may use."""

    name: str
    config: PluginConfig
    secrets: Secrets
    clock: Clock
    workspace: Path


@dataclass(frozen=True, slots=True)
class SinkCheck:
    """Whether a sink could deliver now: `ok` and one sentence."""

    ok: bool
    detail: str


class AlertSink(ABC):
    """A channel that reaches people; entry-point group `lakemon.alert_sinks`.

    A sink makes exactly one attempt a call. Retry, order, rates and redaction are the engine's.
    """

    lakemon_api: ClassVar[int] = API_VERSION
    type: ClassVar[str]
    Config: ClassVar[type[PluginConfig]] = PluginConfig
    accepts_recipients: ClassVar[bool] = False
    """`recipients:` of a rule that look like this channel's targets are handed to it."""
    rate: ClassVar[tuple[int, float] | None] = None
    """At most so many messages in so many seconds to one target; the engine keeps to it."""

    def __init__(self, setup: SinkSetup) -> None:
        self.setup = setup

    def owns(self, recipient: str) -> bool:
        """Whether a recipient of a rule, e.g. `a@b.c`, belongs to this channel."""
        del recipient
        return False

    @property
    def has_default(self) -> bool:
        """Whether a message that names no recipient reaches somebody here."""
        return True

    @property
    def keeps_state(self) -> bool:
        """Whether something stays open in the channel until it is told that an incident is over.

        Such a channel hears of incidents too that end because their rule was edited or removed.
        """
        return False

    @property
    def shows_charts(self) -> bool:
        """Whether `render` makes something of `notification.chart`; else nobody draws one for it."""
        return False

    @abstractmethod
    def render(self, notification: Notification) -> Rendered:
        """Makes the message: pure, deterministic, within the channel's limits."""

    @abstractmethod
    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Makes one attempt. Errors of the channel are results, not exceptions."""

    @abstractmethod
    def check(self) -> SinkCheck:
        """Looks whether the channel can be reached, without sending a message."""


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A signal that a hook plugin adds: namespaced name, unit, direction."""

    name: str
    unit: str = ""
    higher_is_better: bool | None = None
