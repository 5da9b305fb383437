"""A budget of false alarms as levels: how rare a value must be, and what is usual for a series. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean, stdev
from typing import TypeVar

from lakemon_core.domain.rule import AlarmBudget

FEWEST = 5
"""So many windows before say what is usual; fewer say nothing."""

MOST = 30
"""Windows further back are history, not the present."""

LARGEST_LEVEL = 0.2
"""A budget that large would call every fifth quiet window an alarm; it is taken for this."""

_Place = TypeVar("_Place")


def level_of(budget: AlarmBudget, window: timedelta) -> float:
    """Returns the share of quiet windows that may give a false alarm: alarms x window / period."""
    return min(LARGEST_LEVEL, budget.alarms * (window / budget.per))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Returns the q-values of Benjamini and Hochberg (1995), in the given order.

    q of the i-th smallest is the minimum over j >= i of p_j N / j. Rejecting at q <= level keeps the expected
    share of false alarms among the alarms at the level, and the chance of any alarm when nothing changed.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    result = [1.0] * len(p_values)
    smallest = 1.0
    for rank, place in enumerate(order):
        smallest = min(smallest, p_values[place] * len(p_values) / (len(p_values) - rank))
        result[place] = smallest
    return result


def adjusted_by_family(tests: Mapping[tuple[_Place, str], float]) -> dict[tuple[_Place, str], float]:
    """Returns the q-values of tests by (place, column); all columns of one place are one family."""
    families: dict[object, list[tuple[_Place, str]]] = defaultdict(list)
    for key, p_value in tests.items():
        if not math.isnan(p_value):  # what could not be tested leaves its family
            families[key[0]].append(key)
    return {
        key: q
        for family in families.values()
        for key, q in zip(family, adjusted([tests[key] for key in family]), strict=True)
    }


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual for a series: the windows before the one that is judged.

    Attributes:
        mean: of their values.
        deviation: their standard deviation (n - 1).
        n: how many.
    """

    mean: float
    deviation: float
    n: int

    @classmethod
    def of(cls, before: Sequence[float]) -> Usual | None:
        """Sums up the last windows before; None when they are too few."""
        last = [value for value in before if math.isfinite(value)][-MOST:]
        return cls(fmean(last), stdev(last), len(last)) if len(last) >= FEWEST else None

    def limit(self, level: float, side: int) -> float:
        """Returns the value that a further window passes with this probability when nothing changed.

        The limit of prediction for one more value of a normal series, mean + t s sqrt(1 + 1/n) with n - 1
        degrees of freedom; with few windows it is much wider than three standard deviations.

        Args:
            level: probability, on one side.
            side: 1 for an upper, -1 for a lower limit.
        """
        from scipy.special import stdtrit

        t = float(stdtrit(self.n - 1, 1.0 - level))
        return self.mean + side * t * self.deviation * math.sqrt(1.0 + 1.0 / self.n)
