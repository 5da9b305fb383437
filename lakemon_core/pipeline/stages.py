"""The five stages as the run sees them: core's part, the hook, its policy, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from lakemon_core.domain.incident import IncidentEvent, OutboxItem
from lakemon_core.domain.rule import Signal
from lakemon_core.domain.run import Finding, HookOutcome, HookStatus, Severity, Stage, StageStatus
from lakemon_core.hookspecs import (
    AlertContext,
    AnalyzeContext,
    DeployContext,
    MonitorContext,
    RunContext,
    ValidateContext,
)
from lakemon_core.lifecycle.alert import Alerted, deliver, raise_incidents
from lakemon_core.lifecycle.analyze import Analyzed, analyze
from lakemon_core.lifecycle.deploy import Deployed, deploy
from lakemon_core.lifecycle.monitor import Monitored, monitor
from lakemon_core.lifecycle.validate import Validated, validate
from lakemon_core.pipeline.session import Session


@dataclass(slots=True)
class Progressed:
    """What the stages of this run have left for the next ones."""

    deployed: Deployed | None = None
    validated: Validated | None = None
    monitored: Monitored | None = None
    added_signals: list[Signal] = field(default_factory=list[Signal])
    analyzed: Analyzed | None = None
    alerted: Alerted | None = None
    findings: list[Finding] = field(default_factory=list[Finding])
    deliveries: list[OutboxItem] = field(default_factory=list[OutboxItem])
    notes: list[str] = field(default_factory=list[str])

    @property
    def events(self) -> Sequence[IncidentEvent]:
        """Incidents that moved in this run."""
        return self.alerted.events if self.alerted else ()

    @property
    def undelivered(self) -> bool:
        """Some message did not reach its sink; it stays due, or is dead."""
        return any(item.status not in {"delivered", "accepted"} for item in self.deliveries)

    def critical(self, stage: Stage) -> list[Finding]:
        """Returns the critical findings of a stage."""
        return [one for one in self.findings if one.stage is stage and one.severity is Severity.CRITICAL]


Core = Callable[[Session, RunContext, Progressed], tuple[StageStatus, Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class StageWork:
    """One stage.

    Attributes:
        stage: which.
        core: core's own part.
        hook_context: makes the context of the stage's hook.
        deadline: seconds for each plugin.
        closes: a plugin that fails, or a critical finding, fails the stage.
        incomplete_on_failure: a plugin that fails makes the run incomplete.
        after: what has to follow the plugins.
    """

    stage: Stage
    core: Core
    hook_context: Callable[[RunContext, Progressed], RunContext]
    deadline: float
    closes: bool = False
    incomplete_on_failure: bool = False
    after: Callable[[Session, RunContext, Progressed, StageStatus], Mapping[str, object]] | None = None

    @property
    def hook(self) -> str:
        """Name of the stage's hook."""
        return f"lakemon_{self.stage.value}"

    def take(self, so_far: Progressed, outcomes: Sequence[HookOutcome]) -> None:
        """Takes what the plugins answered."""
        for outcome in outcomes:
            if outcome.status is HookStatus.OK and outcome.value:
                answers = cast("tuple[object, ...]", outcome.value)
                so_far.findings += [one for one in answers if isinstance(one, Finding)]
                so_far.added_signals += [one for one in answers if isinstance(one, Signal)]


def _deploy(_: Session, context: RunContext, so_far: Progressed) -> tuple[StageStatus, Mapping[str, object]]:
    so_far.deployed = deploy(context)
    return so_far.deployed.status, so_far.deployed.detail


def _validate(
    _: Session, context: RunContext, so_far: Progressed
) -> tuple[StageStatus, Mapping[str, object]]:
    so_far.validated = validate(context)
    so_far.findings += so_far.validated.findings
    return so_far.validated.status, so_far.validated.detail


def _roll_back(
    _: Session, context: RunContext, so_far: Progressed, status: StageStatus
) -> Mapping[str, object]:
    """Puts the version before back when the new one did not pass."""
    serving = context.monitor.serving
    fresh = so_far.deployed is not None and so_far.deployed.status is StageStatus.DONE
    if status is not StageStatus.FAILED or serving is None or serving.on_failure != "rollback" or not fresh:
        return {}
    back = context.backend.serving.rollback(serving.endpoint_name, progress=context.progress)
    return {"rolled_back_to": back.version if back else None}


def _monitor(_: Session, context: RunContext, so_far: Progressed) -> tuple[StageStatus, Mapping[str, object]]:
    so_far.monitored = monitor(context)
    return so_far.monitored.status, so_far.monitored.detail


def _analyze(_: Session, context: RunContext, so_far: Progressed) -> tuple[StageStatus, Mapping[str, object]]:
    so_far.analyzed = analyze(context, so_far.added_signals)
    so_far.findings += so_far.analyzed.findings
    return so_far.analyzed.status, so_far.analyzed.detail


def _alert(
    session: Session, context: RunContext, so_far: Progressed
) -> tuple[StageStatus, Mapping[str, object]]:
    from lakemon_core.report.pictures import Pictures

    pictures = Pictures(context.model_type.metrics)
    so_far.alerted = raise_incidents(context, session.sinks, so_far.analyzed, pictures)
    return so_far.alerted.status, so_far.alerted.detail


def _deliver(
    session: Session, context: RunContext, so_far: Progressed, _: StageStatus
) -> Mapping[str, object]:
    so_far.deliveries += deliver(context, session.sinks, session.secrets)
    return {"messages": len(so_far.deliveries), "delivered": sum(_arrived(one) for one in so_far.deliveries)}


def _arrived(item: OutboxItem) -> bool:
    return item.status in {"delivered", "accepted"}


def _own(context: RunContext) -> dict[str, Any]:
    return {name: getattr(context, name) for name in RunContext.__dataclass_fields__}


def _deploy_context(context: RunContext, so_far: Progressed) -> RunContext:
    done = so_far.deployed or Deployed(StageStatus.SKIPPED)
    return DeployContext(**_own(context), model=done.model, endpoint=done.endpoint)


def _validate_context(context: RunContext, so_far: Progressed) -> RunContext:
    done = so_far.validated or Validated(StageStatus.SKIPPED)
    return ValidateContext(**_own(context), endpoint=done.endpoint, responses=done.responses, rows=done.rows)


def _monitor_context(context: RunContext, so_far: Progressed) -> RunContext:
    done = so_far.monitored or Monitored(StageStatus.SKIPPED)
    windows = tuple(window for each in done.windows.values() for window in each)
    return MonitorContext(**_own(context), windows=windows, table_version=done.table_version)


def _analyze_context(context: RunContext, so_far: Progressed) -> RunContext:
    done = so_far.analyzed or Analyzed(StageStatus.SKIPPED)
    return AnalyzeContext(**_own(context), signals=done.signals, findings=done.findings)


def _alert_context(context: RunContext, so_far: Progressed) -> RunContext:
    done = so_far.alerted or Alerted(StageStatus.SKIPPED)
    due = tuple(context.backend.ledger.due(context.clock.now()))
    return AlertContext(
        **_own(context), rules=done.rules, verdicts=done.verdicts, events=done.events, due=due
    )


STAGES: Mapping[Stage, StageWork] = {
    work.stage: work
    for work in (
        StageWork(Stage.DEPLOY, _deploy, _deploy_context, 600.0, closes=True),
        StageWork(Stage.VALIDATE, _validate, _validate_context, 300.0, closes=True, after=_roll_back),
        StageWork(Stage.MONITOR, _monitor, _monitor_context, 300.0, incomplete_on_failure=True),
        StageWork(Stage.ANALYZE, _analyze, _analyze_context, 120.0),
        StageWork(Stage.ALERT, _alert, _alert_context, 60.0, after=_deliver),
    )
}
"""Stage → its work, with the deadlines of its plugins in seconds."""
