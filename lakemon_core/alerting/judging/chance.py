"""Whether chance may have brought a value beyond its limit. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from lakemon_core.alerting.judging.budget import level_of
from lakemon_core.alerting.judging.shelf import DRIFT, Shelf, beyond_chance, place_of
from lakemon_core.alerting.wording import number
from lakemon_core.domain.rule import AlarmBudget, Rule, Signal

ALPHA = 0.05
"""A drift statistic counts at this level at the most; without a window of its own, at just this one."""

FOUR_A_YEAR = AlarmBudget(4, timedelta(days=365))
"""The budget that drift keeps to where the config names none, and so do all rules of a model type."""

_SHARES = frozenset({"null_rate", "new_category_share", "out_of_range", "label_coverage"})
"""Signals that are a share of their n rows."""

_Z = 1.959963984540054
"""An interval of 95 % reaches so many standard errors to either side."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Says of a value beyond its limit why it may be chance.

    Attributes:
        shelf: the signals, for tests and for what is usual.
        budget: false alarms that people put up with; None asks it of drift alone.
        untested: series of all rules that are judged for themselves, not in a family of columns.
    """

    shelf: Shelf
    budget: AlarmBudget | None = None
    untested: int = 1

    def why(self, rule: Rule, signal: Signal, limit: float, *, falls: bool) -> str:
        """Says why a value beyond its limit may be chance; nothing when it is more than that.

        Args:
            rule: whose limit it is.
            signal: the value.
            limit: on the side of the value.
            falls: low values are bad.
        """
        if signal.name in DRIFT:
            return "" if falls else self._drift(signal)
        if self.budget is None or rule.is_automatic or signal.value is None:
            return ""
        p_value, level = _p_value(signal, limit), self.level_of_one(signal) or ALPHA
        if p_value is None:
            return self._usual(signal, level, falls=falls)
        if p_value <= level:
            return ""
        return f"at {signal.n:,} rows chance alone gives as much (p {p_value:.2g} > {level:.2g})"

    def level_of_one(self, signal: Signal) -> float | None:
        """Returns the level of one of all series that are no family of columns; None without a budget."""
        return None if self.budget is None else self._level(signal) / max(1, self.untested)

    def _drift(self, signal: Signal) -> str:
        if signal.chance_level is not None and not beyond_chance(signal):
            return f"chance alone gives up to {number(signal.chance_level)} at these row counts"
        q_value, level = self.shelf.tests.get((place_of(signal), signal.column)), self._level(signal)
        if q_value is None:
            q_value = signal.p_value
        if q_value is None or q_value <= level or math.isnan(q_value):
            return ""
        return f"among all columns chance gives as much (q {q_value:.2g} > {level:.2g})"

    def _usual(self, signal: Signal, level: float, *, falls: bool) -> str:
        """Says why a value may be usual, where there is a history."""
        usual = self.shelf.usual(signal)
        if usual is None or signal.value is None:
            return ""
        side = -1 if falls or signal.value < usual.mean else 1
        limit = usual.limit(level, side)
        if (signal.value - limit) * side > 0:
            return ""
        return f"the {usual.n} windows before make {number(limit)} usual within the budget of false alarms"

    def _level(self, signal: Signal) -> float:
        """Returns how rare a value must be."""
        window = signal.window
        if window is None:
            return ALPHA
        length = window.end - window.start
        if self.budget is not None:
            return level_of(self.budget, length)
        return min(ALPHA, level_of(FOUR_A_YEAR, length))


def _p_value(signal: Signal, limit: float) -> float | None:
    """Returns how often rows like these give such a value when the truth is just at the limit.

    A share of n rows is binomial; what has a 95 % interval is taken as normal, with the standard error of the
    side that looks to the limit. One-sided; None when neither is known.
    """
    value = signal.value
    assert value is not None
    if signal.name in _SHARES and signal.n and 0 <= limit <= 1:
        return _binomial(round(value * signal.n), signal.n, limit, falls=value < limit)
    end = signal.upper if value < limit else signal.lower
    if end is None or not math.isfinite(end):
        return None
    error = abs(end - value) / _Z
    return 0.5 * math.erfc(abs(value - limit) / error / math.sqrt(2)) if error else float(value == limit)


def _binomial(hits: int, n: int, share: float, *, falls: bool) -> float:
    """Returns the probability of so many hits or more, or, where low values are bad, of so many or fewer."""
    from scipy.special import bdtr, bdtrc

    if falls:
        return float(bdtr(hits, n, share))
    return float(bdtrc(hits - 1, n, share)) if hits else 1.0
