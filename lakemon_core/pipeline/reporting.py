"""The report of one environment: what was read and judged, written as one HTML file."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from lakemon_core.config.shape.fields import duration_of, is_duration
from lakemon_core.domain.errors import UsageError, WorkspaceError, did_you_mean
from lakemon_core.domain.incident import Incident
from lakemon_core.domain.monitor import Monitor
from lakemon_core.domain.names import plain
from lakemon_core.lifecycle.analyze import findings_of, judge_rules
from lakemon_core.pipeline.panels import contributions
from lakemon_core.pipeline.session import Session, new_run_id
from lakemon_core.report.facts import ALL_MODELS, Facts
from lakemon_core.report.page import Page
from lakemon_core.report.reading import Place, read_measured, read_shapes

MOST_RUNS, SHOWN_RUNS = 500, 20
"""Runs of the workspace that are looked through, and those of an environment that are told."""


def read_facts(session: Session, *, model: str = ALL_MODELS, since: datetime | None = None) -> Facts:
    """Reads tables and ledger and judges the rules; writes nothing.

    Args:
        model: only this version; `*` takes all together.
        since: leaves out windows that ended before.

    Raises:
        UsageError: LM180 for a version that nothing was measured of.
    """
    session.progress.update("judging the rules")
    context = session.context(new_run_id(session.clock))
    judged = judge_rules(context, is_lean=not session.hooks.listeners("lakemon_report_panels"))
    if model != ALL_MODELS:
        _demand(model, {one.model_id for one in judged.signals} - {ALL_MODELS})
    monitor = session.monitor
    findings = findings_of(judged.verdicts)
    session.progress.update("reading distributions")
    places = [
        Place(monitor.metric_table("profile_metrics"), context.roles.model_id, model, str(granularity), since)
        for granularity in monitor.monitoring.granularities
    ]
    shapes = {place.granularity: read_shapes(session.backend.tables, place) for place in places}
    session.progress.update("asking for panels")
    fields = tuple(name for name, _ in context.model_type.quality_fields())
    measured = [
        read_measured(session.backend.tables, place, fields, judged.signals, shapes[place.granularity])
        for place in places
    ]
    facts = Facts(
        monitor=monitor,
        now=session.clock.now(),
        signals=judged.signals,
        rules=judged.rules,
        verdicts=judged.verdicts,
        findings=findings,
        metrics=context.model_type.metrics,
        shapes=shapes,
        model_id=model,
        since=since,
        contributions=contributions(
            session.hooks, context, replace(judged, findings=tuple(findings)), measured
        ),
    )
    return with_ledger(session, facts)


def with_ledger(session: Session, facts: Facts) -> Facts:
    """Returns facts with what the ledger says now: incidents, transitions and runs; judges nothing again."""
    monitor, ledger = session.monitor, session.backend.ledger
    return replace(
        facts,
        now=session.clock.now(),
        incidents=[one for one in ledger.incidents().values() if _is_of(monitor, one)],
        events=[event for event in ledger.events(limit=10_000) if _is_of(monitor, event.incident)],
        runs=[run for run in ledger.runs(MOST_RUNS) if run.environment == monitor.environment][:SHOWN_RUNS],
    )


def write_report(
    session: Session, path: Path, *, model: str = ALL_MODELS, since: datetime | None = None
) -> Page:
    """Writes the report; a file that is there is replaced as a whole.

    Raises:
        UsageError: LM180 for a version that nothing was measured of.
        WorkspaceError: LM640 when the file cannot be written.
    """
    page = Page.of(read_facts(session, model=model, since=since))
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(page.html(), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        cure = "name another one with --output-file."
        raise WorkspaceError(
            "LM640", f"the report cannot be written: {reason};", where=str(path), cure=cure
        ) from None
    return page


def since_of(text: str, now: datetime) -> datetime:
    """Reads `--since`: a date or time (UTC, or with an offset), or a length of time before now.

    Raises:
        UsageError: LM180 when it is neither.
    """
    if is_duration(text):
        return now - duration_of(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        cure = 'write e.g. 2026-11-01 or "30 days".'
        raise UsageError("LM180", f"--since is {plain(text)!r};", cure=cure) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_of(monitor: Monitor, incident: Incident) -> bool:
    """Whether an incident is about this model in this environment; a workspace may hold several."""
    return (incident.model, incident.environment) == (monitor.model_name, monitor.environment)


def _demand(model: str, known: set[str]) -> None:
    if model not in known:
        cure = did_you_mean(model, sorted(known))
        raise UsageError("LM180", f"nothing was measured of version {plain(model)!r};", cure=cure)
