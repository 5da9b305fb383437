"""Slices, versions and data quality: the newest window, side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lakemon_core.alerting.wording import subject_of
from lakemon_core.domain.rule import Signal
from lakemon_core.domain.window import Window
from lakemon_core.report.facts import ALL_MODELS, TABLE, Facts

MOST_METRICS = 4
MOST_VALUES = 20
MOST_COLUMNS = 100
_COLUMN_SIGNALS = ("null_rate", "out_of_range", "new_category_share", "new_categories", "type_change")


@dataclass(frozen=True, slots=True)
class Bar:
    """One part beside others: its name, and the signal that says its number."""

    name: str
    signal: Signal


@dataclass(frozen=True, slots=True)
class Split:
    """One metric by the values of one slice, in one window.

    Attributes:
        title: e.g. `MASE by horizon`.
        window: the newest one that has values.
        bars: at most `MOST_VALUES`: in order where they are numbers, else those with most rows.
        left_out: how many more there are.
        whole: the same metric of all rows.
    """

    title: str
    window: Window
    bars: tuple[Bar, ...]
    left_out: int = 0
    whole: float | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One model version in the newest window of its own: rows and quality."""

    model_id: str
    window: Window
    rows: int
    signals: tuple[Signal | None, ...]


@dataclass(frozen=True, slots=True)
class ColumnQuality:
    """What is known of the values of one column in the newest window, by signal."""

    column: str
    signals: tuple[Signal | None, ...]


def chosen_metrics(facts: Facts, granularity: str) -> list[str]:
    """Returns the quality metrics worth a place: those of rules, then the first that have values."""
    known = [metric.name for metric in facts.metrics]
    measured = {one.name for one in facts.whole(granularity) if one.value is not None}
    asked = [rule.metric for rule in facts.rules if rule.metric in known]
    return list(dict.fromkeys(name for name in [*asked, *known] if name in measured))[:MOST_METRICS]


def splits(facts: Facts, granularity: str) -> list[Split]:
    """Returns each chosen metric by each slice, of the newest window with labels."""
    metrics = chosen_metrics(facts, granularity)
    found: dict[tuple[str, str], list[Signal]] = {}
    for one in facts.signals:
        if (
            one.slice_key is not None
            and one.name in metrics
            and one.granularity == granularity
            and one.model_id == facts.model_id
            and one.value is not None
            and facts.tells(one.window)
        ):
            found.setdefault((one.slice_key, one.name), []).append(one)
    whole = {(one.name, one.window): one.value for one in facts.whole(granularity) if one.column == TABLE}
    in_order = sorted(found.items(), key=lambda pair: (pair[0][0], metrics.index(pair[0][1])))
    return [_split(key, signals, whole) for (key, _), signals in in_order]


def versions(facts: Facts, granularity: str) -> tuple[list[str], list[Version]]:
    """Returns the names of the chosen metrics, and each version with its newest window that has labels."""
    metrics = chosen_metrics(facts, granularity)
    by_version: dict[str, list[Signal]] = {}
    for one in facts.signals:
        whole = one.granularity == granularity and one.slice_key is None and one.column == TABLE
        if whole and one.model_id != ALL_MODELS and one.window and facts.tells(one.window):
            by_version.setdefault(one.model_id, []).append(one)
    return metrics, [_version(name, signals, metrics) for name, signals in sorted(by_version.items())]


def column_quality(facts: Facts, granularity: str) -> tuple[list[str], Window | None, list[ColumnQuality]]:
    """Returns the names of the signals, the newest window, and its columns, worst first."""
    signals = [one for one in facts.whole(granularity) if one.name in _COLUMN_SIGNALS]
    if not signals:
        return [], None, []
    newest = signals[-1].window
    last = [one for one in signals if one.window == newest]
    names = [name for name in _COLUMN_SIGNALS if any(one.name == name for one in last)]
    by_column: dict[str, dict[str, Signal]] = {}
    for one in last:
        by_column.setdefault(one.column, {})[one.name] = one
    rows = [
        ColumnQuality(column, tuple(known.get(name) for name in names)) for column, known in by_column.items()
    ]
    rows.sort(key=lambda row: (-_worry(row.signals), row.column))
    return names, newest, rows[:MOST_COLUMNS]


def _worry(signals: Iterable[Signal | None]) -> float:
    return sum(max(0.0, (one.value or 0.0) - (one.baseline or 0.0)) for one in signals if one)


def _split(
    key: str, signals: Sequence[Signal], whole: dict[tuple[str, Window | None], float | None]
) -> Split:
    newest = max(one.window for one in signals if one.window)
    last = [one for one in signals if one.window == newest]
    kept = sorted(last, key=lambda one: -one.n)[:MOST_VALUES]
    if all(_as_number(one) is not None for one in kept):
        kept.sort(key=lambda one: _as_number(one) or 0.0)
    first = kept[0]
    title = subject_of(first).partition(" where ")[0]
    return Split(
        title=f"{title[:1].upper() + title[1:]} by {key.strip('`')}",
        window=newest,
        bars=tuple(Bar(str(one.slice_value), one) for one in kept),
        left_out=len(last) - len(kept),
        whole=whole.get((first.name, newest)),
    )


def _as_number(signal: Signal) -> float | None:
    try:
        return float(signal.slice_value or "")
    except ValueError:
        return None


def _version(name: str, signals: Sequence[Signal], metrics: Sequence[str]) -> Version:
    with_values = [one for one in signals if one.name in metrics and one.value is not None]
    newest = max(one.window for one in with_values or signals if one.window)
    last = {one.name: one for one in signals if one.window == newest}
    rows = last["row_count"].n if "row_count" in last else 0
    return Version(name, newest, rows, tuple(last.get(metric) for metric in metrics))
