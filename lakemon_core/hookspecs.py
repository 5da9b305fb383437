"""The lifecycle hooks of lakemon. A plugin author starts here.

Write a class or a module with any of these functions, mark each with `@hookimpl`, and register it under the
entry-point group `lakemon.plugins`:

    from lakemon_core import hookimpl

    class NightWatch:
        @hookimpl
        def lakemon_validate(self, context):
            return [...]

Every hook takes one frozen context and is optional. Within a stage the chosen drivers (backend, model type,
sinks) come first, then hook plugins by name. Each implementation is called on its own, with a deadline; what
happens when it raises or hangs stands in each hook's description.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pluggy

from lakemon_core.domain.incident import IncidentEvent, OutboxItem
from lakemon_core.domain.monitor import Monitor, Roles
from lakemon_core.domain.rule import Rule, Signal, Verdict
from lakemon_core.domain.run import Finding, Stage, StageOutcome
from lakemon_core.domain.window import Window
from lakemon_core.ports import (
    Backend,
    Clock,
    EndpointState,
    MetricSpec,
    ModelType,
    ModelVersion,
    PanelSpec,
    Progress,
    ServingResponse,
)  # fmt: skip

if TYPE_CHECKING:
    import pyarrow as pa

PROJECT = "lakemon"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class RunContext:
    """What every stage knows.

    Attributes:
        run_id: id of the run.
        monitor: the resolved config.
        backend: the chosen backend.
        model_type: the chosen model type.
        roles: columns by part.
        clock: the time.
        progress: tells a person what is going on.
        settings: `plugins.settings.<name>` of the plugin that is called.
    """

    run_id: str
    monitor: Monitor
    backend: Backend
    model_type: ModelType
    roles: Roles
    clock: Clock
    progress: Progress
    settings: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class DeployContext(RunContext):
    """After the endpoint answers: which version, and the endpoint. Both None for a batch table."""

    model: ModelVersion | None = None
    endpoint: EndpointState | None = None


@dataclass(frozen=True, slots=True)
class ValidateContext(RunContext):
    """After the test requests were looked for: answers and the rows found again, as Arrow."""

    endpoint: EndpointState | None = None
    responses: Sequence[ServingResponse] = ()
    rows: pa.Table | None = None


@dataclass(frozen=True, slots=True)
class MonitorContext(RunContext):
    """After the metric tables are written: which windows were measured, on which table version."""

    windows: Sequence[Window] = ()
    table_version: int | None = None


@dataclass(frozen=True, slots=True)
class AnalyzeContext(RunContext):
    """After signals and findings are made."""

    signals: Sequence[Signal] = ()
    findings: Sequence[Finding] = ()


@dataclass(frozen=True, slots=True)
class AlertContext(RunContext):
    """After rules were judged and before messages go out."""

    rules: Sequence[Rule] = ()
    verdicts: Sequence[Verdict] = ()
    events: Sequence[IncidentEvent] = ()
    due: Sequence[OutboxItem] = ()


@dataclass(frozen=True, slots=True)
class StageContext(RunContext):
    """For observers: the stage, its outcome when it is over, and its error when it failed."""

    stage: Stage = Stage.DEPLOY
    outcome: StageOutcome | None = None
    error: BaseException | None = None


class LakemonHooks:
    """The hooks and what each promises."""

    @hookspec
    def lakemon_deploy(self, context: DeployContext) -> Sequence[Finding] | None:
        """Called once a run, after the endpoint is READY (or at once for a batch table).

        Fails closed: when an implementation raises or runs out of time, the stage fails and the run stops.

        Returns:
            Findings, or None. A critical finding fails the stage.
        """

    @hookspec
    def lakemon_validate(self, context: ValidateContext) -> Sequence[Finding] | None:
        """Called once a run, after test requests were sent and found again.

        Fails closed: a gate that raises is not a pass.

        Returns:
            Findings, or None. A critical finding fails the stage and rolls the endpoint back.
        """

    @hookspec
    def lakemon_monitor(self, context: MonitorContext) -> Sequence[Signal] | None:
        """Called once a run, after profile and drift metrics are written.

        When an implementation fails, the others go on and the run is incomplete (exit 3).

        Returns:
            Further signals, named as `lakemon_metrics` declared; they are stored and rules may name them.
        """

    @hookspec
    def lakemon_analyze(self, context: AnalyzeContext) -> Sequence[Finding] | None:
        """Called once a run, after core made its findings.

        Degrades: a failure is reported and the run goes on.

        Returns:
            Further findings, or None.
        """

    @hookspec
    def lakemon_alert(self, context: AlertContext) -> None:
        """Called once a run, after incidents are committed and before messages are sent.

        A failure never stops delivery.
        """

    @hookspec
    def lakemon_before_stage(self, context: StageContext) -> None:
        """Observes the start of a stage. Cannot hurt: errors are logged, results ignored."""

    @hookspec
    def lakemon_after_stage(self, context: StageContext) -> None:
        """Observes the end of a stage; `context.outcome` is set. Cannot hurt."""

    @hookspec
    def lakemon_on_stage_error(self, context: StageContext) -> None:
        """Observes a stage that failed; `context.error` is set. Cannot hurt."""

    @hookspec
    def lakemon_metrics(self) -> Sequence[MetricSpec] | None:
        """Declares the signals this plugin adds in `lakemon_monitor`, once, when the plugin is loaded."""

    @hookspec
    def lakemon_report_panels(self, context: AnalyzeContext) -> Sequence[PanelSpec] | None:
        """Adds panels to the report: data, never HTML; see `lakemon_core.domain.panels`.

        Returns:
            Panels, or None. A panel that cannot be drawn shows why in its place, and hurts nothing else.
        """


HOOKS = tuple(name for name in vars(LakemonHooks) if name.startswith("lakemon_"))
"""Names of all hooks."""
