"""Drift of every column in every window, measured against the limits of the rules. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from lakemon_core.domain.rule import Compare, Signal, Status, Verdict
from lakemon_core.domain.window import Window
from lakemon_core.report.facts import Facts, Judged, Series, series_of

USUAL_LIMITS = {"psi": 0.2, "js_distance": 0.1}
"""What a column is measured against that no rule judges; the page says so."""

_DRIFT = frozenset({"prediction_drift", "feature_drift", "label_drift"})
_FIRST = ("prediction_drift", "label_drift", "feature_drift")


@dataclass(frozen=True, slots=True)
class Cell:
    """Drift of one column in one window.

    Attributes:
        value: None where it could not be computed.
        limit: of the rule, or the usual one.
        n: values that were compared.
        chance: level that chance alone reaches once in 20 times.
        status: what the rules say; None where no rule judges it.
        reason: why there is no value.
        table_version: version of the inference table.
    """

    value: float | None
    limit: float
    n: int
    chance: float | None = None
    status: Status | None = None
    reason: str = ""
    table_version: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One column of the inference table: how its drift is measured, and its cells by window."""

    column: str
    role: str
    statistic: str
    method: str
    is_judged: bool
    cells: Mapping[Window, Cell] = field(default_factory=dict[Window, Cell])

    @property
    def worst(self) -> float:
        """The greatest drift in units of its limit."""
        return max((_ratio(one) for one in self.cells.values()), default=-1.0)

    @property
    def worst_cell(self) -> tuple[Window, Cell]:
        """The window of the greatest drift in units of its limit."""
        return max(self.cells.items(), key=lambda pair: _ratio(pair[1]))

    @property
    def newest_cell(self) -> tuple[Window, Cell]:
        """The newest window."""
        return max(self.cells.items(), key=lambda pair: pair[0])


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Columns by windows, of one granularity."""

    granularity: str
    windows: tuple[Window, ...]
    rows: tuple[Row, ...]


def _ratio(cell: Cell) -> float:
    return -1.0 if cell.value is None else cell.value / (cell.limit or 1.0)


def heat_map(facts: Facts, granularity: str) -> HeatMap:
    """Returns drift against the baseline, or against the window before where there is no baseline.

    Each column shows one statistic: the one that a rule judges, else PSI for numbers and JS distance for
    categories. Predictions and labels come first, then features by their worst drift.
    """
    drifts = [one for one in facts.whole(granularity) if one.name in _DRIFT]
    compare = Compare.BASELINE if any(one.compare == Compare.BASELINE for one in drifts) else Compare.PREVIOUS
    judged = facts.judged
    chosen = _chosen([one for one in drifts if one.compare == compare], judged.series())
    rows = [_row(signals, judged) for signals in chosen.values()]
    rows.sort(key=lambda row: (_FIRST.index(row.role), -row.worst, row.column))
    windows = sorted({window for row in rows for window in row.cells})
    return HeatMap(granularity, tuple(windows), tuple(rows))


def _chosen(drifts: Sequence[Signal], judged: set[Series]) -> dict[str, list[Signal]]:
    """Returns column → the signals of its statistic."""
    by_column: dict[str, dict[str, list[Signal]]] = {}
    for signal in drifts:
        by_column.setdefault(signal.column, {}).setdefault(signal.statistic, []).append(signal)

    def rank(statistics: Mapping[str, Sequence[Signal]], name: str) -> tuple[bool, bool, str]:
        usual = "psi" if "ks_test" in statistics else "js_distance"
        return (series_of(statistics[name][0]) not in judged, name != usual, name)

    return {
        column: statistics[min(statistics, key=lambda name: rank(statistics, name))]
        for column, statistics in by_column.items()
    }


def _row(signals: Sequence[Signal], judged: Judged) -> Row:
    last = signals[-1]
    verdicts = {one.window: judged.verdict(one) for one in signals if one.window}
    limits = [verdict.limit for verdict in verdicts.values() if verdict and isfinite(verdict.limit)]
    usual = limits[-1] if limits else USUAL_LIMITS.get(last.statistic, 0.2)
    return Row(
        column=last.column,
        role=last.name,
        statistic=last.statistic,
        method=last.method,
        is_judged=any(verdicts.values()),
        cells={one.window: _cell(one, verdicts[one.window], usual) for one in signals if one.window},
    )


def _cell(signal: Signal, verdict: Verdict | None, usual: float) -> Cell:
    return Cell(
        value=signal.value if signal.value is not None and isfinite(signal.value) else None,
        limit=verdict.limit if verdict and isfinite(verdict.limit) else usual,
        n=signal.n,
        chance=signal.chance_level,
        status=verdict.status if verdict else None,
        reason=signal.reason,
        table_version=signal.table_version,
    )
