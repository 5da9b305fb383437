"""The Kolmogorov-Smirnov statistic of two samples: exact over all values, at the cost of a few thousand.

F and G are the distribution functions of x and y. Between two marked values of x both only grow, so that
F - G is bounded by their values at the marks. Only stretches whose bound exceeds the largest distance seen so
far are marked more closely, until none is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.numeric.sample import Sample

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_MARKS = 512
_NEW_MARKS = 128


class _Stretches(NamedTuple):
    """Runs of distinct values of x: the first and one past the last; how many of y lie below and up to."""

    first: Counts
    end: Counts
    y_lower: Counts
    y_upper: Counts


def ks_statistic(x: Sample, y: Sample) -> float:
    """Returns D, the largest |F - G| of two samples that are not empty; `x` best is the shorter one.

    Its extremes stand beside values of x: between those F is constant and G monotone.
    """
    m, distinct = y.n, len(x.values)
    marks = np.arange(distinct) if distinct < _MARKS else np.arange(_MARKS) * (distinct - 1) // (_MARKS - 1)
    y_below, y_up_to = _counts(x, y, marks)
    largest = _largest(x, marks, y_below / m, y_up_to / m)
    open_ones = _Stretches(marks[:-1] + 1, marks[1:], y_up_to[:-1], y_below[1:])
    while True:
        open_ones = _exceeding(open_ones, largest, x, m)
        if not len(open_ones.first):
            return largest
        marks = _marks_within(open_ones)
        y_below, y_up_to = _counts(x, y, marks)
        largest = max(largest, _largest(x, marks, y_below / m, y_up_to / m))
        open_ones = _divided(open_ones, marks, y_below, y_up_to)


def _counts(x: Sample, y: Sample, marks: Counts) -> tuple[Counts, Counts]:
    """Numbers of y below, and up to, the marked values of x."""
    values = x.values[marks]
    place = np.searchsorted(y.values, values, side="right")
    equal = y.values[place - 1] == values
    equal &= place > 0
    return y.ranks[place - equal], y.ranks[place]


def _largest(x: Sample, marks: Counts, y_below: Floats, y_up_to: Floats) -> float:
    below, up_to = x.ranks[marks] / x.n, x.ranks[marks + 1] / x.n
    return float(max(np.abs(below - y_below).max(), np.abs(up_to - y_up_to).max()))


def _exceeding(stretches: _Stretches, largest: float, x: Sample, m: int) -> _Stretches:
    """Returns the stretches within which the distance may exceed the largest one seen."""
    first, end, y_lower, y_upper = stretches
    lower, upper = x.ranks[first] / x.n, x.ranks[end] / x.n
    bound = np.maximum(upper - y_lower / m, y_upper / m - lower)
    kept = np.flatnonzero((bound > largest) & (end > first))
    return _Stretches(*(column[kept] for column in stretches))


def _marks_within(stretches: _Stretches) -> Counts:
    """Marks that divide each stretch evenly, stretch after stretch."""
    first, end = stretches.first[:, np.newaxis], stretches.end[:, np.newaxis]
    parts = min(64, max(4, _NEW_MARKS // len(first)))
    return (first + (end - first) * np.arange(1, parts) // parts).ravel()


def _divided(stretches: _Stretches, marks: Counts, y_below: Counts, y_up_to: Counts) -> _Stretches:
    """The stretches between the marks within each stretch and its ends."""
    first, end, y_lower, y_upper = (column[:, np.newaxis] for column in stretches)
    marks, y_below, y_up_to = (column.reshape(len(first), -1) for column in (marks, y_below, y_up_to))
    return _Stretches(
        np.hstack([first, marks + 1]).ravel(),
        np.hstack([marks, end]).ravel(),
        np.hstack([y_lower, y_up_to]).ravel(),
        np.hstack([y_below, y_upper]).ravel(),
    )
