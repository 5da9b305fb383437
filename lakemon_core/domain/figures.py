"""What a message rests on: the figures of each incident it tells of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lakemon_core.domain.run import Severity


class Kind(StrEnum):
    """What is wrong: a value is beyond its limit, there is no data to judge, or judging itself failed.

    Each kind of one series is an incident of its own: missing data neither resolves nor hides a breach.
    """

    BREACH = "breach"
    NO_DATA = "no_data"
    ERROR = "error"


class Transition(StrEnum):
    """What a notification tells."""

    OPENED = "opened"
    ESCALATED = "escalated"
    REOPENED = "reopened"
    REMINDED = "reminded"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Contributor:
    """One feature that drifted in the same window: evidence beside a breach."""

    column: str
    statistic: str
    value: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """One incident of a notification, in figures.

    Texts may come from data: every channel shows them as mere text. Figures that are not known are None.

    Attributes:
        incident: `fingerprint.episode`: the same from the opening to the resolution, in every message.
        transition: what happened to this incident.
        kind: breach, no data or error.
        severity: of the worst breach of the episode.
        title: one sentence, e.g. `PSI of temp 3.24 > 0.2`.
        what: what was measured, e.g. `PSI of temp`.
        rule: name of the rule.
        column: column it is about, or `:table`.
        slice: `key=value` or empty.
        model_id: version of the model, or `*`.
        value: newest value.
        limit: limit it was judged by.
        lower: lower end of the 95 % interval.
        upper: upper end.
        baseline: the same number on the baseline.
        chance_level: what chance alone gives at these row counts.
        n: rows the value rests on.
        window_start: start of the newest window, data time, UTC.
        window_end: its end.
        since: start of the first breached window of the episode.
        windows: how many windows breached so far.
        contributors: features that drifted most in this window, worst first.
        owner: of the rule; may be empty.
        runbook: of the rule; may be empty.
        reason: why there is no value, or who acknowledged it.
    """

    incident: str
    transition: Transition
    kind: Kind
    severity: Severity
    title: str
    what: str
    rule: str
    column: str = ":table"
    slice: str = ""
    model_id: str = "*"
    value: float | None = None
    limit: float | None = None
    lower: float | None = None
    upper: float | None = None
    baseline: float | None = None
    chance_level: float | None = None
    n: int | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None
    since: datetime | None = None
    windows: int = 0
    contributors: tuple[Contributor, ...] = ()
    owner: str = ""
    runbook: str = ""
    reason: str = ""
