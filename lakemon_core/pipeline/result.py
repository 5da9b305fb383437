"""What a run is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from lakemon_core.config import Loaded
from lakemon_core.domain.incident import Incident, OutboxItem
from lakemon_core.domain.run import ExitCode, Finding, Severity, Stage, StageOutcome, StageStatus


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run.

    Attributes:
        config: path of the config file, or a config that was made in Python.
        environment: its name; None takes the only one, or `dev`.
        stages: which stages, in the order of the lifecycle.
        workspace: folder for state; None is `.lakemon` beside the config.
        fail_on: open incidents of this severity or worse make exit code 1.
        no_plugins: switches all hook plugins off.
        catalog: takes the place of the config's catalog.
        schema: takes the place of the config's schema.
        git_sha: commit of the caller; stands in the result.
    """

    config: Path | Loaded
    environment: str | None = None
    stages: tuple[Stage, ...] = tuple(Stage)
    workspace: Path | None = None
    fail_on: Severity | None = None
    no_plugins: bool = False
    catalog: str | None = None
    schema: str | None = None
    git_sha: str | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did.

    Attributes:
        run_id: sortable id.
        environment: its name.
        status: `done`, `incomplete` or `failed`.
        exit_code: what the process returns.
        dashboard_url: where to look; None where there is none yet.
        stages: one outcome a stage.
        tables: kind → three-level name.
        findings: of all stages.
        incidents: open ones, and those that moved in this run.
        deliveries: messages that this run sent or tried to send.
        notes: what a person should know besides, one sentence each.
        git_sha: commit of the caller, where it was told.
    """

    run_id: str
    environment: str
    status: str
    exit_code: ExitCode
    dashboard_url: str | None
    stages: Sequence[StageOutcome]
    tables: Mapping[str, str]
    findings: Sequence[Finding] = ()
    incidents: Sequence[Incident] = ()
    deliveries: Sequence[OutboxItem] = ()
    notes: Sequence[str] = field(default=())
    git_sha: str | None = None

    def document(self) -> dict[str, object]:
        """Returns the result as plain JSON values, as `--output json` prints it."""
        return {
            "run_id": self.run_id,
            "environment": self.environment,
            "status": self.status,
            "exit_code": int(self.exit_code),
            "dashboard_url": self.dashboard_url,
            "stages": [_stage(outcome) for outcome in self.stages],
            "tables": dict(self.tables),
            "findings": [_finding(finding) for finding in self.findings],
            "incidents": [_incident(incident) for incident in self.incidents],
            "deliveries": [_delivery(item) for item in self.deliveries],
            "notes": list(self.notes),
            "git_sha": self.git_sha,
        }

    def failed_stage(self) -> StageOutcome | None:
        """Returns the first stage that failed."""
        return next((stage for stage in self.stages if stage.status is StageStatus.FAILED), None)


def _stage(outcome: StageOutcome) -> dict[str, object]:
    return {
        "name": outcome.name.value,
        "status": outcome.status.value,
        "seconds": round(outcome.seconds, 3),
        "detail": dict(outcome.detail),
    }


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "stage": finding.stage.value,
        "severity": finding.severity.value,
        "title": finding.title,
        "evidence": dict(finding.evidence),
    }


def _incident(incident: Incident) -> dict[str, object]:
    return {
        "fingerprint": incident.fingerprint,
        "rule": incident.rule,
        "status": incident.status.value,
        "severity": incident.severity.value,
        "episode": incident.episode,
        "model": incident.model,
        "model_id": incident.model_id,
        "column": incident.column,
        "slice": incident.slice,
        "opened_at": _text(incident.opened_at),
        "head": _text(incident.head),
        "value": incident.value,
        "limit": incident.limit,
        "title": incident.title,
    }


def _delivery(item: OutboxItem) -> dict[str, object]:
    return {
        "key": item.key,
        "sink": item.sink,
        "transition": item.notification.transition.value,
        "title": item.notification.title,
        "targets": list(item.notification.targets),
        "status": item.status,
        "attempts": item.attempts,
        "detail": item.detail,
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
