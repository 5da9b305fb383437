"""Runs, stages and exit codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum


class Stage(StrEnum):
    """The five stages, in the order in which a run goes through them."""

    DEPLOY = "deploy"
    VALIDATE = "validate"
    MONITOR = "monitor"
    ANALYZE = "analyze"
    ALERT = "alert"


class ExitCode(IntEnum):
    """What the process returns."""

    DONE = 0
    """Everything was done."""
    FAIL_ON = 1
    """`--fail-on` was reached: an incident of that severity is open."""
    USAGE = 2
    """The call or the config is wrong; nothing was done."""
    INCOMPLETE = 3
    """A stage, a plugin or a time limit failed."""
    UNDELIVERED = 4
    """An alert could not be delivered; it stays due."""
    BUSY = 75
    """Another run holds the workspace."""
    INTERRUPTED = 130
    """Interrupted; the next run finishes the work."""


class StageStatus(StrEnum):
    """How a stage ended."""

    DONE = "done"
    NOTHING_TO_DO = "nothing to do"
    PENDING = "pending"
    FAILED = "failed"
    SKIPPED = "skipped"


class Severity(StrEnum):
    """How bad it is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class StageOutcome:
    """What one stage did.

    Attributes:
        name: the stage.
        status: how it ended.
        seconds: wall time.
        detail: counts and names, plain JSON values; `error` holds the message of a failed stage.
    """

    name: Stage
    status: StageStatus
    seconds: float
    detail: Mapping[str, object] = field(default_factory=dict[str, object])


class HookStatus(StrEnum):
    """How one call of one plugin's hook ended."""

    OK = "ok"
    FAILED = "failed"
    TIMEOUT = "timeout"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class HookOutcome:
    """What one plugin answered to one hook.

    Attributes:
        hook: e.g. `lakemon_validate`.
        plugin: registered name, `group:name`.
        status: ok, failed, timeout, or skipped (the plugin timed out earlier in this run).
        seconds: wall time of the call.
        value: what it returned; None unless ok.
        error: the error in one line; empty when ok.
    """

    hook: str
    plugin: str
    status: HookStatus
    seconds: float
    value: object = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What analysis or validation says, in plain words, with its evidence.

    Attributes:
        id: stable over runs for the same fact: `explain` and incidents refer to it.
        stage: who found it.
        severity: info, warning or critical.
        title: one sentence.
        evidence: plain JSON values: value, limit, n, window, since, contributors.
    """

    id: str
    stage: Stage
    severity: Severity
    title: str
    evidence: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as the ledger keeps it.

    Attributes:
        run_id: sortable id, `20261123T123000-4f2a`.
        environment: the environment's name.
        config_hash: SHA-256 (12 hex digits) of the resolved config without secrets.
        started_at: UTC.
        finished_at: UTC; None while running or after a kill.
        status: `running`, `done`, `incomplete`, `interrupted`.
        stages: outcomes so far.
    """

    run_id: str
    environment: str
    config_hash: str
    started_at: datetime
    finished_at: datetime | None = None
    status: str = "running"
    stages: Sequence[StageOutcome] = ()
