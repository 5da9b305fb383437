"""What a report is made of: everything that was read and judged, before it is laid out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lakemon_core.domain.incident import Incident, IncidentEvent
from lakemon_core.domain.monitor import Monitor
from lakemon_core.domain.rule import Rule, Signal, Verdict
from lakemon_core.domain.run import Finding, RunRecord
from lakemon_core.domain.window import Window
from lakemon_core.ports import QualityMetric
from lakemon_core.report.panels import Contribution

ALL_MODELS = "*"
TABLE = ":table"


@dataclass(frozen=True, slots=True)
class Shape:
    """How the values of one column lie in one window, or in the baseline.

    Attributes:
        n: values that are there.
        quantiles: of numbers, at evenly spaced probabilities from 0 to 1; empty for categories.
        items: level → rows, of categories, most frequent first; empty for numbers.
        is_complete: there are no further levels than `items`.
    """

    n: int
    quantiles: tuple[float, ...] = ()
    items: tuple[tuple[str, int], ...] = ()
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Shapes:
    """The distributions of one granularity.

    Attributes:
        baseline: column → shape.
        windows: (column, start of the window) → shape.
    """

    baseline: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    windows: Mapping[tuple[str, datetime], Shape] = field(default_factory=dict[tuple[str, datetime], Shape])


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the report of one environment tells.

    Attributes:
        monitor: the resolved config.
        now: when it was read, UTC.
        signals: in the order of their windows.
        rules: by which they were judged.
        verdicts: of the rules on the signals, in the order of their windows.
        findings: what stands breached or unknown, worst first.
        incidents: newest state of each.
        events: transitions, newest first.
        runs: newest first.
        metrics: quality metrics of the model type.
        shapes: granularity → distributions.
        model_id: the version it is about, or `*`.
        since: windows that ended before are left out; None tells all.
        contributions: panels of model type and plugins.
    """

    monitor: Monitor
    now: datetime
    signals: Sequence[Signal] = ()
    rules: Sequence[Rule] = ()
    verdicts: Sequence[Verdict] = ()
    findings: Sequence[Finding] = ()
    incidents: Sequence[Incident] = ()
    events: Sequence[IncidentEvent] = ()
    runs: Sequence[RunRecord] = ()
    metrics: Sequence[QualityMetric] = ()
    shapes: Mapping[str, Shapes] = field(default_factory=dict[str, Shapes])
    model_id: str = ALL_MODELS
    since: datetime | None = None
    contributions: Sequence[Contribution] = ()

    _known: dict[str, Any] = field(default_factory=dict[str, Any], init=False, repr=False, compare=False)

    def tells(self, window: Window | None) -> bool:
        """Whether a window is recent enough."""
        return self.since is None or window is None or window.end > self.since

    def whole(self, granularity: str) -> list[Signal]:
        """Returns the signals of a granularity about all rows of the version, of windows that are told."""
        found: list[Signal] | None = self._known.get(granularity)
        if found is None:
            found = self._known[granularity] = [
                one
                for one in self.signals
                if one.slice_key is None
                and one.model_id == self.model_id
                and one.granularity == granularity
                and one.window is not None
                and self.tells(one.window)
            ]
        return found

    @property
    def judged(self) -> Judged:
        """The verdicts by what they judge."""
        found: Judged | None = self._known.get("judged")
        if found is None:
            found = self._known["judged"] = Judged.of(self.verdicts)
        return found


Series = tuple[str, str, str | None, str | None, str, str, str, str | None]
"""Granularity, model id, slice key, slice value, column, name, statistic and reference of a signal."""


def series_of(signal: Signal) -> Series:
    """Returns what the signals of one number have in common over its windows."""
    return (
        signal.granularity,
        signal.model_id,
        signal.slice_key,
        signal.slice_value,
        signal.column,
        signal.name,
        signal.statistic,
        str(signal.compare) if signal.compare else None,
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """Verdicts by what they judge: (series, window) → the worst verdict of all rules on it."""

    by_place: Mapping[tuple[Series, Window], Verdict]

    @classmethod
    def of(cls, verdicts: Sequence[Verdict]) -> Judged:
        """Sorts verdicts by place; a breach speaks before an unknown, that before an ok."""
        found: dict[tuple[Series, Window], Verdict] = {}
        for verdict in verdicts:
            if verdict.window is None:
                continue
            place = series_of(verdict.signal), verdict.window
            if place not in found or _WORST.index(verdict.status) < _WORST.index(found[place].status):
                found[place] = verdict
        return cls(found)

    def verdict(self, signal: Signal) -> Verdict | None:
        """Returns what the rules say of a signal; None where no rule judges it."""
        return self.by_place.get((series_of(signal), signal.window)) if signal.window else None

    def series(self) -> set[Series]:
        """Returns all series that some rule judges."""
        return {series for series, _ in self.by_place}


_WORST = ("breached", "unknown", "ok")
