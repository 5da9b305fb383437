"""Numbers over time: value, interval, limit, maturity and incidents, window by window. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

from lakemon_core.alerting.wording import number, subject_of
from lakemon_core.domain.names import plain
from lakemon_core.domain.rule import Signal, Status, Verdict
from lakemon_core.domain.window import Window
from lakemon_core.ports import QualityMetric
from lakemon_core.report.facts import TABLE, Facts, Judged, Series, series_of

MATURE = 0.9
"""Share of labels from which a point is drawn as settled."""


@dataclass(frozen=True, slots=True)
class Point:
    """One number of one window, with what it rests on; figures that are not known are None."""

    window: Window
    value: float | None
    n: int
    method: str
    lower: float | None = None
    upper: float | None = None
    limit: float | None = None
    maturity: float | None = None
    table_version: int | None = None
    reason: str = ""
    status: Status | None = None

    @property
    def is_mature(self) -> bool:
        """Whether enough labels are in."""
        return self.maturity is None or self.maturity >= MATURE


@dataclass(frozen=True, slots=True)
class Trend:
    """One number over time.

    Attributes:
        id: of its place on the page.
        title: what it measures.
        points: oldest first, at least one.
        baseline: the same number on the baseline.
        incidents: (start of the first breached window, title) of its incidents.
        is_judged: some rule looks at it.
        is_two_sided: 0 is best; the limit holds on both sides of it.
    """

    id: str
    title: str
    points: tuple[Point, ...]
    baseline: float | None = None
    incidents: tuple[tuple[datetime, str], ...] = ()
    is_judged: bool = False
    is_two_sided: bool = False

    @property
    def summary(self) -> str:
        """The newest value in one sentence, for those who do not see the chart."""
        known = [point for point in self.points if point.value is not None]
        if not known:
            return f"{self.title}: no value in {len(self.points)} windows ({plain(self.points[-1].reason)})."
        last = known[-1]
        said = [f"{self.title} is {number(last.value or 0.0)} in the window of {last.window}"]
        if last.limit is not None:
            said.append(f"the limit is {number(last.limit)}")
        if self.baseline is not None:
            said.append(f"on the baseline it is {number(self.baseline)}")
        breached = sum(point.status is Status.BREACHED for point in self.points)
        return ", ".join(said) + f"; {breached} of {len(self.points)} windows are beyond the limit."


def quality_trends(facts: Facts, granularity: str) -> list[Trend]:
    """Returns the quality metrics of a granularity, those that a rule judges first."""
    names = {metric.name for metric in facts.metrics}
    return _trends(facts, granularity, names)


def volume_trends(facts: Facts, granularity: str) -> list[Trend]:
    """Returns rows and label coverage of a granularity."""
    return _trends(facts, granularity, {"row_count", "label_coverage"})


def trend_of(
    verdicts: Sequence[Verdict],
    metrics: Sequence[QualityMetric],
    incidents: Sequence[tuple[datetime, str]] = (),
) -> Trend | None:
    """Returns what the verdicts of one series tell over time; None where they are of no windows.

    Args:
        verdicts: of one fingerprint, in the order of their windows.
        metrics: of the model type.
        incidents: (start of the first breached window, title) of its incidents.
    """
    series: dict[Series, list[Signal]] = {}
    for verdict in verdicts:
        if verdict.signal.window is not None:
            series.setdefault(series_of(verdict.signal), []).append(verdict.signal)
    if not series:
        return None
    signals = max(series.values(), key=len)
    return _made(signals, Judged.of(verdicts), metrics, tuple(incidents))


def _trends(facts: Facts, granularity: str, names: set[str]) -> list[Trend]:
    judged = facts.judged
    found: dict[Series, list[Signal]] = {}
    for signal in facts.whole(granularity):
        if signal.name in names and signal.column == TABLE:
            found.setdefault(series_of(signal), []).append(signal)
    trends = [_trend(facts, signals, judged) for signals in found.values()]
    told = [one for one in trends if one.is_judged or any(p.value is not None for p in one.points)]
    return sorted(told, key=lambda one: not one.is_judged)


def _trend(facts: Facts, signals: Sequence[Signal], judged: Judged) -> Trend:
    return _made(signals, judged, facts.metrics, tuple(_incidents(facts, signals[-1])))


def _made(
    signals: Sequence[Signal],
    judged: Judged,
    metrics: Sequence[QualityMetric],
    incidents: tuple[tuple[datetime, str], ...],
) -> Trend:
    last = signals[-1]
    points = tuple(_point(signal, judged) for signal in signals)
    title = subject_of(last)
    return Trend(
        id=f"trend-{last.granularity}-{last.name}".replace(" ", "-"),
        title=title[:1].upper() + title[1:],
        points=points,
        baseline=_finite(last.baseline),
        incidents=incidents,
        is_judged=any(point.status for point in points),
        is_two_sided=any(metric.two_sided for metric in metrics if metric.name == last.name),
    )


def _point(signal: Signal, judged: Judged) -> Point:
    assert signal.window is not None
    verdict = judged.verdict(signal)
    return Point(
        window=signal.window,
        value=_finite(signal.value),
        n=signal.n,
        method=signal.method,
        lower=_finite(signal.lower),
        upper=_finite(signal.upper),
        limit=_finite(verdict.limit) if verdict else None,
        maturity=signal.maturity,
        table_version=signal.table_version,
        reason=signal.reason or ("not a finite number" if signal.value is not None else ""),
        status=verdict.status if verdict else None,
    )


def _finite(value: float | None) -> float | None:
    """A picture has no place for what is infinite or no number."""
    return value if value is not None and isfinite(value) else None


def _incidents(facts: Facts, signal: Signal) -> list[tuple[datetime, str]]:
    """Returns the incidents of a series, by their events: an incident that is over leaves its mark."""
    series = {one.fingerprint for one in facts.verdicts if series_of(one.signal) == series_of(signal)}
    openings = [
        event.incident
        for event in facts.events
        if event.incident.fingerprint in series
        and event.transition.value in {"opened", "reopened"}
        and facts.tells(event.window)
    ]
    return sorted({(one.opened_at, one.title) for one in openings if one.opened_at})
