"""One run: deploy, validate, monitor, analyze, alert. Read this after hookspecs.py."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lakemon_core.domain.errors import LakemonError
from lakemon_core.domain.incident import Incident
from lakemon_core.domain.run import (
    ExitCode,
    Finding,
    HookOutcome,
    HookStatus,
    RunRecord,
    Severity,
    Stage,
    StageOutcome,
    StageStatus,
)
from lakemon_core.hookspecs import RunContext, StageContext
from lakemon_core.lifecycle.alert import check_routes
from lakemon_core.pipeline.feasible import check_feasible
from lakemon_core.pipeline.result import RunRequest, RunResult
from lakemon_core.pipeline.session import Session, new_run_id, open_session
from lakemon_core.pipeline.stages import STAGES, Progressed, StageWork
from lakemon_core.ports import Clock, Progress

OBSERVER_SECONDS = 5.0
_log = logging.getLogger(__name__)


def run(
    request: RunRequest,
    *,
    progress: Progress | None = None,
    clock: Clock | None = None,
    trace: Callable[[HookOutcome], None] | None = None,
) -> RunResult:
    """Goes through the stages that are asked for and says what each did.

    A stage that fails ends the run there; what was done stays done, and the next run goes on from it.

    Raises:
        ConfigErrors, PluginError: nothing was done.
        WorkspaceBusy: LM601, another run holds the workspace.
        KeyboardInterrupt: the run is noted as interrupted; the next one finishes the work.
    """
    with open_session(request, progress=progress, clock=clock, trace=trace) as session:
        return run_session(session, request)


def run_session(session: Session, request: RunRequest) -> RunResult:
    """Runs the stages of a request in an open session."""
    run_id = new_run_id(session.clock)
    context = session.context(run_id)
    if Stage.MONITOR in request.stages:
        check_feasible(context, session.loaded, reach=True)
    notes = [*session.hooks.warnings, *check_routes(context, session.sinks)]
    with session.backend.hold(run_id):
        record = RunRecord(
            run_id, session.monitor.environment, session.monitor.config_hash, session.clock.now()
        )
        session.backend.ledger.start_run(record)
        story = _Story(session, context, Progressed(notes=notes))
        try:
            for stage in (stage for stage in Stage if stage in request.stages):
                story.tell(stage)
                _save(session, record, story, "running", finished=False)
        except KeyboardInterrupt:
            _save(session, record, story, "interrupted", finished=True)
            raise
        result = _result(session, request, run_id, story)
        _save(session, record, story, result.status, finished=True)
        return result


@dataclass(slots=True)
class _Story:
    """What has happened so far in this run."""

    session: Session
    context: RunContext
    so_far: Progressed
    outcomes: list[StageOutcome] = field(default_factory=list[StageOutcome])
    exit_code: ExitCode = ExitCode.DONE

    def tell(self, stage: Stage) -> None:
        """Runs one stage, or skips it when an earlier one failed."""
        failed = next((done for done in self.outcomes if done.status is StageStatus.FAILED), None)
        if failed is not None:
            detail = {"reason": f"{failed.name} failed"}
            self.outcomes.append(StageOutcome(stage, StageStatus.SKIPPED, 0.0, detail))
            return
        self._observe("lakemon_before_stage", stage)
        start = time.monotonic()
        try:
            status, detail = self._work(STAGES[stage])
        except Exception as error:  # noqa: BLE001 - whatever a stage raises is its outcome, and ends the run
            outcome = self._failed(stage, error, time.monotonic() - start)
            self._observe("lakemon_on_stage_error", stage, outcome, error)
        else:
            outcome = StageOutcome(stage, status, time.monotonic() - start, detail)
            if status is StageStatus.FAILED:
                self._worsen(ExitCode.INCOMPLETE)
            self._observe("lakemon_after_stage", stage, outcome)
        self.outcomes.append(outcome)

    def _work(self, work: StageWork) -> tuple[StageStatus, Mapping[str, object]]:
        """Core's own part, then the plugins that listen, then what has to follow both."""
        status, detail = work.core(self.session, self.context, self.so_far)
        outcomes = self.session.hooks.call(
            work.hook, work.hook_context(self.context, self.so_far), deadline=work.deadline
        )
        broken = [outcome for outcome in outcomes if outcome.status is not HookStatus.OK]
        work.take(self.so_far, outcomes)
        if broken:
            detail = dict(detail) | {"plugins_failed": {one.plugin: one.error for one in broken}}
            if work.incomplete_on_failure:
                self._worsen(ExitCode.INCOMPLETE)
        if work.closes and (broken or self.so_far.critical(work.stage)):
            status = StageStatus.FAILED
            reason = broken[0].error if broken else self.so_far.critical(work.stage)[0].title
            detail = dict(detail) | {"error": reason}
        followed = work.after(self.session, self.context, self.so_far, status) if work.after else {}
        return status, dict(detail) | dict(followed)

    def _failed(self, stage: Stage, error: Exception, seconds: float) -> StageOutcome:
        known = isinstance(error, LakemonError)
        _log.debug("stage %s failed", stage, exc_info=error)
        self._worsen(ExitCode(error.exit_code) if known else ExitCode.INCOMPLETE)
        text = str(error) if known else f"LM699 unexpected {type(error).__name__}: {error}"
        if not known:
            text += " (please report it; -vv shows the traceback)"
        text = self.session.secrets.redact(text)
        detail = {"error": text, "code": error.code if known else "LM699"}
        return StageOutcome(stage, StageStatus.FAILED, seconds, detail)

    def _observe(
        self,
        hook: str,
        stage: Stage,
        outcome: StageOutcome | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Tells the observers; nothing that they do matters to the run."""
        own = {name: getattr(self.context, name) for name in RunContext.__dataclass_fields__}
        context = StageContext(**own, stage=stage, outcome=outcome, error=error)
        for answer in self.session.hooks.call(hook, context, deadline=OBSERVER_SECONDS):
            if answer.status is not HookStatus.OK:
                self.so_far.notes.append(f"observer {answer.plugin}: {answer.error}")

    def _worsen(self, code: ExitCode) -> None:
        if self.exit_code is ExitCode.DONE:
            self.exit_code = code


def _save(session: Session, record: RunRecord, story: _Story, status: str, *, finished: bool) -> None:
    at = session.clock.now() if finished else None
    newest = RunRecord(
        record.run_id,
        record.environment,
        record.config_hash,
        record.started_at,
        at,
        status,
        tuple(story.outcomes),
    )
    session.backend.ledger.save_run(newest)


def _result(session: Session, request: RunRequest, run_id: str, story: _Story) -> RunResult:
    monitor = session.monitor
    so_far = story.so_far
    incidents = _shown(session, so_far)
    code = story.exit_code
    if code is ExitCode.DONE and so_far.undelivered:
        code = ExitCode.UNDELIVERED
    if code is ExitCode.DONE and _reached(request.fail_on, incidents):
        code = ExitCode.FAIL_ON
    kinds = ("profile_metrics", "drift_metrics", "signals")
    tables = {"inference": str(monitor.inference_table.name)}
    tables |= {kind: str(monitor.metric_table(kind)) for kind in kinds}
    failed = any(outcome.status is StageStatus.FAILED for outcome in story.outcomes)
    return RunResult(
        run_id=run_id,
        environment=monitor.environment,
        status="failed" if failed else "incomplete" if code is ExitCode.INCOMPLETE else "done",
        exit_code=code,
        dashboard_url=session.backend.dashboard_url,
        stages=tuple(story.outcomes),
        tables=tables,
        findings=tuple(_ordered(so_far.findings)),
        incidents=incidents,
        deliveries=tuple(so_far.deliveries),
        notes=tuple(so_far.notes),
        git_sha=request.git_sha,
    )


def _shown(session: Session, so_far: Progressed) -> tuple[Incident, ...]:
    """Returns this model's open incidents and those that moved in this run, worst first."""
    moved = {event.incident.fingerprint for event in so_far.events}
    mine = (session.monitor.model_name, session.monitor.environment)
    known = session.backend.ledger.incidents().values()
    shown = [
        one
        for one in known
        if (one.model, one.environment) == mine and (one.fingerprint in moved or one.is_open)
    ]
    order = list(reversed(Severity))
    return tuple(sorted(shown, key=lambda one: (not one.is_open, order.index(one.severity), one.title)))


def _reached(fail_on: Severity | None, incidents: tuple[Incident, ...]) -> bool:
    if fail_on is None:
        return False
    levels = list(Severity)
    return any(one.is_open and levels.index(one.severity) >= levels.index(fail_on) for one in incidents)


def _ordered(findings: list[Finding]) -> list[Finding]:
    order = list(reversed(Severity))
    return sorted(findings, key=lambda finding: order.index(finding.severity))
