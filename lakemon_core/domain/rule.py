"""Rules, signals and verdicts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from math import isnan

from lakemon_core.domain.figures import Kind
from lakemon_core.domain.run import Severity
from lakemon_core.domain.window import Window


class Compare(StrEnum):
    """What a value is compared with, beside the references that a config names itself."""

    BASELINE = "baseline"
    PREVIOUS = "previous"
    LAST_WEEK = "last_week"
    LAST_YEAR = "last_year"


class Status(StrEnum):
    """What a rule says of one value. `unknown` is never healthy."""

    OK = "ok"
    BREACHED = "breached"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signal:
    """One number that a rule may look at.

    Attributes:
        window: None for signals of the whole table, e.g. `freshness`.
        granularity: e.g. `1 day`.
        model_id: a version, or `*` for all together.
        slice_key: SQL of the slice; None for the whole table.
        slice_value: value of the slice.
        column: the column, or `:table`.
        name: `prediction_drift`, `feature_drift`, `label_drift`, `null_rate`, `row_count`, `accuracy` …
        statistic: for drift `psi`, `js_distance`, `ks_test` …; else the name again.
        compare: what drift is measured against, a `Compare` or the name of a reference; None for others.
        value: None when it could not be computed; `reason` says why.
        lower: lower end of the 95 % interval, where there is one.
        upper: upper end.
        n: rows the value rests on.
        baseline: the same number on the baseline, where there is one.
        p_value: where there is a test.
        chance_level: 95 % level of the statistic without any drift at these row counts.
        method: definition and version, e.g. `psi/quantile10/add_half/1`.
        maturity: share of labels that are in, 0 to 1; None where labels play no part.
        table_version: version of the inference table it was measured on.
        config_hash: config it was measured with.
        reason: why `value` is None.
    """

    window: Window | None
    granularity: str
    model_id: str
    slice_key: str | None
    slice_value: str | None
    column: str
    name: str
    statistic: str
    compare: str | None
    value: float | None
    n: int
    method: str
    lower: float | None = None
    upper: float | None = None
    baseline: float | None = None
    p_value: float | None = None
    chance_level: float | None = None
    maturity: float | None = None
    table_version: int | None = None
    config_hash: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many columns must breach together: a count, or a share of those that could be judged."""

    count: int = 0
    share: float = 0.0

    @property
    def limit(self) -> float:
        """The count, or the share."""
        return float(self.count or self.share)

    def measure(self, some: int, of: int) -> float:
        """Returns what the limit is compared with: the count, or the share."""
        return float(some) if self.count else some / max(of, 1)


@dataclass(frozen=True, slots=True)
class AlarmBudget:
    """How many false alarms people put up with: so many in so long a time while nothing changes."""

    alarms: float
    per: timedelta


EACH = "each"
"""As `model_version` of a rule: every version is a series of its own."""

_SILENT = ("recipients", "owner", "runbook", "group_by", "renotify_after", "escalate_after", "inhibits")
"""Fields of a rule that change who hears of it and when, but not what it says."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a signal becomes an incident.

    Attributes:
        metric: `prediction_drift`, `feature_drift`, `feature_drift.COLUMN`, `null_rate`, `accuracy` …
        threshold: critical limit; NaN where the windows before say what is usual.
        id: stable name; derived from the metric when empty.
        statistic: default psi for numeric, js_distance for categorical columns.
        op: `>`, `>=`, `<` or `<=`; default by the metric's direction.
        compare: reference of drift, a `Compare` or the name of a reference of the config.
        column: only this column.
        slice: only this slice, `key=value`; `key=*` makes every value a series; None is the whole table.
        model_version: only this version, `each` for every one, or `*` for all together.
        at_least: so many columns must breach together, as one incident of the table; None makes every column
            an incident of its own.
        warn: limit for severity warning.
        recover: the value must pass this limit to resolve; default the threshold itself.
        for_windows: (m, n): m of the last n windows must breach.
        min_samples: fewer rows give the verdict unknown.
        severity: of a breach of the threshold.
        granularity: windows it judges; None is the first of the config.
        recipients: addresses, `slack:#channel` or names of sinks; empty takes the catch-all route.
        owner: who is responsible.
        runbook: link that helps.
        on_no_data: windows that hold nothing to judge: `keep` (they change nothing), `alert` (an incident of
            kind no_data), or `ok` (they count as healthy, but resolve nothing).
        on_error: values that could not be computed although there was data: `keep` or `alert`.
        expect_every: an incident of kind no_data opens when the newest window ended longer ago.
        renotify_after: an open incident that nobody acknowledged is told again after this time.
        escalate_after: it becomes critical after this time.
        group_by: incidents that share all of these go out as one message: model, rule, column, slice,
            model_version; those of two models never do.
        inhibits: names or metrics of rules whose openings are not told while this rule's incident is open.
        default: came from the model type, not from the config.
    """

    metric: str
    threshold: float
    id: str = ""
    statistic: str | None = None
    op: str | None = None
    compare: str = Compare.BASELINE
    column: str | None = None
    slice: str | None = None
    warn: float | None = None
    recover: float | None = None
    for_windows: tuple[int, int] = (1, 1)
    min_samples: int = 30
    severity: Severity = Severity.CRITICAL
    granularity: str | None = None
    recipients: tuple[str, ...] = ()
    owner: str = ""
    runbook: str = ""
    on_no_data: str = "keep"
    default: bool = False
    model_version: str = "*"
    at_least: Quorum | None = None
    on_error: str = "keep"
    expect_every: timedelta | None = None
    renotify_after: timedelta | None = None
    escalate_after: timedelta | None = None
    group_by: tuple[str, ...] = ("model",)
    inhibits: tuple[str, ...] = ()

    @property
    def is_automatic(self) -> bool:
        """Whether its limit is what is usual for each series."""
        return isnan(self.threshold)

    @property
    def name(self) -> str:
        """The id, or one derived from metric, statistic, column, slice and reference."""
        if self.id:
            return self.id
        parts = [self.metric, self.statistic, self.column, self.slice]
        parts += [f"version {self.model_version}"] if self.model_version != "*" else []
        parts += [str(self.compare)] if self.compare != Compare.BASELINE else []
        return "/".join(part for part in parts if part)

    @property
    def hash(self) -> str:
        """SHA-256 (12 hex digits) of everything that changes what the rule says.

        Fields at their defaults do not enter, so a lakemon that knows more of them gives the same hash.
        """
        told = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name not in _SILENT and getattr(self, one.name) != one.default
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:12]


def keeps_quiet(rule: Rule, other: Rule, rules: Sequence[Rule]) -> bool:
    """Whether a rule inhibits another, by itself or through further rules; it never does so to itself."""
    seen: set[str] = set()
    ahead = [rule]
    while ahead:
        one = ahead.pop()
        for next_ in rules:
            if next_.name == one.name or not {next_.name, next_.metric}.intersection(one.inhibits):
                continue
            if next_.name == other.name:
                return True
            if next_.name not in seen:
                seen.add(next_.name)
                ahead.append(next_)
    return False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one series (rule, column, slice, model) in one window.

    Attributes:
        rule: who judges.
        fingerprint: identity of the incident it may become: rule, column, slice and model; never the value,
            the window or the threshold.
        status: ok, breached or unknown.
        severity: of a breach.
        window: the window judged; None for signals of the whole table.
        signal: the number.
        limit: the limit that was applied.
        recovered: the value is past the recover limit too.
        reason: why unknown, or why a value past its limit is no breach.
        contributors: further evidence, worst first: plain JSON values.
        model: registered name of the model.
        environment: environment of the config.
        kind: why unknown: no data, or an error; breach when something is only waited for. A verdict of
            `expect_every` is breached or ok and has the kind no_data.
    """

    rule: Rule
    fingerprint: str
    status: Status
    severity: Severity
    window: Window | None
    signal: Signal
    limit: float
    recovered: bool = True
    reason: str = ""
    contributors: tuple[Mapping[str, object], ...] = field(default=())
    model: str = ""
    environment: str = ""
    kind: Kind = Kind.BREACH
