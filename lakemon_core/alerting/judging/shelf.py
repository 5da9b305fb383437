"""Signals laid out so that a rule finds its own at once. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lakemon_core.alerting.judging.budget import Usual, adjusted_by_family
from lakemon_core.domain.rule import Compare, Signal
from lakemon_core.domain.window import Window

TOP = 5
"""How many drifted features stand beside a breach."""

DRIFT = frozenset({"prediction_drift", "label_drift", "feature_drift"})
_NUMERIC_ONLY = frozenset({"ks_test", "wasserstein_distance"})
_TESTS = frozenset({"ks_test", "chi_squared_test"})

Place = tuple[object, ...]
"""Window, granularity, model id, slice and reference: what signals of one measurement have in common."""


def slice_text(signal: Signal) -> str:
    """Returns `key=value`, or nothing for the whole table."""
    return "" if signal.slice_key is None else f"{signal.slice_key}={signal.slice_value}"


def place_of(signal: Signal) -> Place:
    """Returns where a signal was measured."""
    return (signal.window, signal.granularity, signal.model_id, slice_text(signal), signal.compare)


def series_of(signal: Signal) -> Place:
    """Returns what the windows of one series have in common."""
    return (
        signal.name,
        signal.statistic,
        signal.column,
        signal.granularity,
        signal.model_id,
        slice_text(signal),
        signal.compare,
    )


def _histories(signals: Sequence[Signal]) -> dict[Place, list[tuple[Window, float]]]:
    histories: dict[Place, list[tuple[Window, float]]] = defaultdict(list)
    for signal in signals:
        if signal.window is not None and signal.value is not None:
            histories[series_of(signal)].append((signal.window, signal.value))
    for history in histories.values():
        history.sort()
    return histories


def beyond_chance(signal: Signal) -> bool:
    """Whether a drift value is more than what chance gives."""
    return signal.value is not None and signal.value > (signal.chance_level or 0.0)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The signals, laid out so that a rule finds its own at once.

    Attributes:
        by_name: signal name → signals.
        statistics: (signal name, column) → statistics that exist: they tell the kind of the column.
        tests: place and column → q-value of its test among all columns there.
        drifted: place → PSI of every feature.
        before: signal name → series → windows and values, in window order; laid out when first asked for.
    """

    by_name: Mapping[str, Sequence[Signal]]
    statistics: Mapping[tuple[str, str], set[str]]
    tests: Mapping[tuple[Place, str], float]
    drifted: Mapping[Place, Sequence[Signal]]
    before: dict[str, Mapping[Place, Sequence[tuple[Window, float]]]] = field(
        default_factory=dict[str, "Mapping[Place, Sequence[tuple[Window, float]]]"]
    )

    @classmethod
    def of(cls, signals: Sequence[Signal]) -> Shelf:
        """Lays signals out."""
        by_name: dict[str, list[Signal]] = defaultdict(list)
        statistics: dict[tuple[str, str], set[str]] = defaultdict(set)
        tests: dict[tuple[Place, str], float] = {}
        drifted: dict[Place, list[Signal]] = defaultdict(list)
        for signal in signals:
            by_name[signal.name].append(signal)
            if signal.name not in DRIFT:
                continue
            statistics[signal.name, signal.column].add(signal.statistic)
            if signal.statistic in _TESTS and signal.p_value is not None:
                tests[place_of(signal), signal.column] = signal.p_value
            if signal.name == "feature_drift" and signal.statistic == "psi":
                drifted[place_of(signal)].append(signal)
        return cls(by_name, statistics, adjusted_by_family(tests), drifted)

    def usual(self, signal: Signal) -> Usual | None:
        """Sums up the windows before a signal's own; None when they are too few."""
        window = signal.window
        if window is None:
            return None
        if signal.name not in self.before:
            self.before[signal.name] = _histories(self.by_name.get(signal.name, ()))
        history = self.before[signal.name].get(series_of(signal), ())
        return Usual.of([value for one, value in history if one.end <= window.start])

    def default_statistic(self, signal: Signal) -> str:
        """Returns psi for a numeric and js_distance for a categorical column; no drift has only itself."""
        if signal.name not in DRIFT:
            return signal.name
        known = self.statistics[signal.name, signal.column]
        return "js_distance" if "js_distance" in known and not known & _NUMERIC_ONLY else "psi"

    def contributors(self, signal: Signal) -> tuple[Mapping[str, object], ...]:
        """Returns the features that drifted most in the same window, beyond what chance gives."""
        place = place_of(replace(signal, compare=signal.compare or Compare.BASELINE))
        real = [one for one in self.drifted.get(place, ()) if beyond_chance(one)]
        worst = sorted(real, key=lambda one: -(one.value or 0.0))[:TOP]
        return tuple({"column": one.column, "statistic": "psi", "value": one.value} for one in worst)
