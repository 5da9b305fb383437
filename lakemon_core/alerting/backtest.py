"""History is replayed: which alerts rules would have sent, and how many of them were right. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from lakemon_core.alerting.incidents import Watch, advance
from lakemon_core.domain.incident import Incident, IncidentEvent, Transition
from lakemon_core.domain.rule import Rule, Signal, Verdict
from lakemon_core.domain.run import Severity

Judge = Callable[[Sequence[Rule]], Sequence[Verdict]]
"""Judges rules on the signals of the history."""

STEPS = 9
"""So many thresholds a sweep tries when none are named."""


@dataclass(frozen=True, slots=True)
class PastAlert:
    """One alert that people would have got.

    Attributes:
        rule: name of the rule.
        column: column, or `:table`.
        slice: `key=value` or empty.
        model_id: version or `*`.
        severity: when it was told.
        title: one sentence.
        told_at: end of the window that opened it.
        since: start of its first breached window.
        until: end of the window that resolved it; None when it stands open at the end.
    """

    rule: str
    column: str
    slice: str
    model_id: str
    severity: Severity
    title: str
    told_at: datetime
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownIncident:
    """A time in which something was wrong, as people know; empty rule or column fits any."""

    start: datetime
    end: datetime
    rule: str = ""
    column: str = ""
    note: str = ""

    def explains(self, alert: PastAlert) -> bool:
        """Whether an alert is about this."""
        overlaps = alert.since < self.end and (alert.until is None or alert.until > self.start)
        is_rule = self.rule in {"", alert.rule}
        return overlaps and is_rule and (not self.column or alert.column in {self.column, ":table"})


@dataclass(frozen=True, slots=True)
class Score:
    """How alerts fit what people know.

    Attributes:
        alerts: how many.
        right: how many of them are about a known incident.
        known: how many incidents are known.
        found: how many of them some alert is about.
    """

    alerts: int
    right: int
    known: int
    found: int

    @property
    def precision(self) -> float | None:
        """Share of the alerts that were right; None without alerts."""
        return self.right / self.alerts if self.alerts else None

    @property
    def recall(self) -> float | None:
        """Share of the known incidents that were found; None when none are known."""
        return self.found / self.known if self.known else None


def replay(rules: Sequence[Rule], judge: Judge) -> list[PastAlert]:
    """Runs rules once after every window of the history, as if each run had come when its window ended.

    Each window is judged with the labels that are in now. Signals without a window are left out: what they
    were is not known.

    Returns:
        what people would have got, in the order of time.
    """
    verdicts = [verdict for verdict in judge(rules) if verdict.window is not None]
    verdicts.sort(key=_end)
    states: dict[str, Incident] = {}
    alerts: dict[tuple[str, int], PastAlert] = {}
    for moment, batch in groupby(verdicts, key=_end):
        changed, events = advance(states, list(batch), "backtest", moment, Watch(rules=rules))
        states |= {state.fingerprint: state for state in changed}
        for event in (one for one in events if one.notify):
            _note(alerts, event, moment)
    return sorted(alerts.values(), key=lambda one: (one.told_at, one.rule, one.column))


def score(alerts: Sequence[PastAlert], known: Sequence[KnownIncident]) -> Score:
    """Counts which alerts were right and which incidents were found."""
    right = sum(any(one.explains(alert) for one in known) for alert in alerts)
    found = sum(any(one.explains(alert) for alert in alerts) for one in known)
    return Score(len(alerts), right, len(known), found)


def sweep(
    rule: Rule, thresholds: Sequence[float], judge: Judge, known: Sequence[KnownIncident]
) -> list[tuple[float, Score]]:
    """Replays one rule with each threshold, without its `warn` and `recover`.

    Args:
        rule: whose threshold is tried out.
        thresholds: to try; none takes some between the smallest and the largest value of the history.
        judge: as for `replay`.
        known: incidents that the rule should have found.
    """
    mine = [one for one in known if one.rule in {"", rule.name}]
    tried = thresholds or _spread([verdict.signal for verdict in judge([rule])])
    return [
        (threshold, score(replay([replace(rule, threshold=threshold, warn=None, recover=None)], judge), mine))
        for threshold in tried
    ]


def _note(alerts: dict[tuple[str, int], PastAlert], event: IncidentEvent, moment: datetime) -> None:
    incident = event.incident
    key = incident.fingerprint, incident.episode
    if event.transition is Transition.RESOLVED:
        if key in alerts:
            alerts[key] = replace(alerts[key], until=moment)
    elif event.transition in {Transition.OPENED, Transition.REOPENED}:
        alerts[key] = PastAlert(
            rule=incident.rule,
            column=incident.column,
            slice=incident.slice,
            model_id=incident.model_id,
            severity=incident.severity,
            title=incident.title,
            told_at=moment,
            since=incident.opened_at or moment,
        )


def _end(verdict: Verdict) -> datetime:
    assert verdict.window is not None
    return verdict.window.end


def _spread(signals: Sequence[Signal]) -> list[float]:
    """Returns thresholds between the values of a history, by rank, of three digits."""
    values = sorted(signal.value for signal in signals if signal.value is not None)
    return list(dict.fromkeys(_between(values))) if values else []


def _between(values: Sequence[float]) -> Iterator[float]:
    for step in range(1, STEPS + 1):
        yield float(f"{values[(len(values) - 1) * step // (STEPS + 1)]:.3g}")
