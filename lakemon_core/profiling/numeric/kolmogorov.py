"""The Kolmogorov-Smirnov statistic of pairs of samples: exact over all values, at the cost of a few thousand.

F and G are the distribution functions of x and y. Between two marked values of x both only grow, so that
F - G is bounded by their values at the marks. Only stretches whose bound exceeds the largest distance seen so
far are marked more closely, until none is left. Pairs are looked at together: each step is a few operations
on what all of them have open, and only to look up values each pair has its turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.numeric.kernel import compiled
from lakemon_core.profiling.numeric.sample import Sample

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Pair = tuple[Sample, Sample]

_PARTS = 4
"""Parts into which a stretch is divided while many are open."""
_FEW = 16
"""Open stretches of a pair of which each is divided more finely, so that there are fewer steps."""
_FINE_PARTS = 16


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """Marked values of x, pair after pair: what is counted in either sample below, and up to, each of them.

    Attributes:
        pair: number of the pair.
        place: of the value among the distinct ones of x.
        x_below: numbers of x below it.
        x_up_to: numbers of x up to it; likewise for y.
    """

    pair: Counts
    place: Counts
    x_below: Counts
    x_up_to: Counts
    y_below: Counts
    y_up_to: Counts

    @classmethod
    def look_up(cls, pairs: Sequence[Pair], pair: Counts, place: Counts) -> _Marks:
        """Counts what lies below and up to some values of x."""
        counts = np.empty((4, len(place)), dtype=np.int64)
        bounds = np.searchsorted(pair, np.arange(len(pairs) + 1)).tolist()
        for (x, y), start, end in zip(pairs, bounds[:-1], bounds[1:], strict=True):
            if start < end:
                _count(x, y, place[start:end], counts[:, start:end])
        return cls(pair, place, *counts)


@dataclass(frozen=True, slots=True, eq=False)
class _Stretches:
    """Runs of distinct values of x between two marks: the first and one past the last.

    Attributes:
        pair: number of the pair.
        first: place of the first value.
        end: place after the last one.
        x_lower: numbers of x up to the mark before.
        x_upper: numbers of x below the mark after; likewise for y.
    """

    pair: Counts
    first: Counts
    end: Counts
    x_lower: Counts
    x_upper: Counts
    y_lower: Counts
    y_upper: Counts

    def some(self, kept: Counts | Flags) -> _Stretches:
        """Returns some of them."""
        columns = (getattr(self, name) for name in self.__slots__)
        return _Stretches(*(column[kept] for column in columns))

    def exceeding(self, largest: Floats, n: Floats, m: Floats) -> _Stretches:
        """Returns those within which the distance may exceed the largest one of their pair."""
        filled = self.some(self.end > self.first)
        n, m = n[filled.pair], m[filled.pair]
        bound = np.maximum(filled.x_upper / n - filled.y_lower / m, filled.y_upper / m - filled.x_lower / n)
        return filled.some(bound > largest[filled.pair])

    def places_within(self, parts: int) -> Counts:
        """Returns marks that divide each of them evenly, one row each."""
        first, end = self.first[:, np.newaxis], self.end[:, np.newaxis]
        return first + (end - first) * np.arange(1, parts) // parts

    def divided(self, marks: _Marks) -> _Stretches:
        """Returns the stretches between marks within each of them, and its ends."""
        inside = (len(self.pair), -1)

        def lower(ends: Counts, at_marks: Counts) -> Counts:
            return np.hstack([ends[:, np.newaxis], at_marks.reshape(inside)]).ravel()

        def upper(at_marks: Counts, ends: Counts) -> Counts:
            return np.hstack([at_marks.reshape(inside), ends[:, np.newaxis]]).ravel()

        first = lower(self.first, marks.place + 1)
        return _Stretches(
            np.repeat(self.pair, len(first) // len(self.pair)),
            first,
            upper(marks.place, self.end),
            lower(self.x_lower, marks.x_up_to),
            upper(marks.x_below, self.x_upper),
            lower(self.y_lower, marks.y_up_to),
            upper(marks.y_below, self.y_upper),
        )


def ks_statistics(pairs: Sequence[Pair]) -> Floats:
    """Returns D, the largest |F - G|, of each pair (x, y) of samples; none is empty, x best is the shorter.

    Its extremes stand beside values of x: between those F is constant and G monotone.
    """
    if (kernel := compiled()) is not None:
        return np.array([kernel.ks_statistic(*x.distinct, *y.distinct) for x, y in pairs])
    n, m = (np.array([pair[side].n for pair in pairs], dtype=np.float64) for side in (0, 1))
    largest, stretches = _first_look(pairs, n, m)
    while len(stretches.pair):
        parts = _PARTS if len(stretches.pair) > _FEW * len(pairs) else _FINE_PARTS
        places = stretches.places_within(parts)
        marks = _Marks.look_up(pairs, np.repeat(stretches.pair, places.shape[1]), places.ravel())
        largest = _larger(largest, marks, n, m)
        stretches = stretches.divided(marks).exceeding(largest, n, m)
    return largest


def _first_look(pairs: Sequence[Pair], n: Floats, m: Floats) -> tuple[Floats, _Stretches]:
    """Returns the largest distance of each pair at marks that all share, and stretches that may exceed it.

    How many numbers of a sample lie below these marks is found once, however many it is compared with. The
    marks are those of the largest sample: of the baseline as a rule, and the same for all windows.
    """
    owner = max((sample for pair in pairs for sample in pair[::-1]), key=lambda one: len(one.values))
    place, x_below, y_below = np.zeros((3, len(pairs), len(owner.marks) + 2), dtype=np.int64)
    for row, (x, y) in enumerate(pairs):
        of_x, of_y = x.places_of(owner.marks), y.places_of(owner.marks)
        place[row, 1:-1], place[row, -1] = of_x, len(x.values)
        x_below[row, 1:-1], x_below[row, -1] = x.rank(of_x), x.n
        y_below[row, 1:-1], y_below[row, -1] = y.rank(of_y), y.n
    f, g = x_below / n[:, np.newaxis], y_below / m[:, np.newaxis]
    largest = np.abs(f - g).max(axis=1)
    bound = np.maximum(f[:, 1:] - g[:, :-1], g[:, 1:] - f[:, :-1])
    pair, before = np.nonzero((bound > largest[:, np.newaxis]) & (place[:, 1:] > place[:, :-1]))
    ends = [columns[pair, at] for columns in (place, x_below, y_below) for at in (before, before + 1)]
    return largest, _Stretches(pair, *ends)


def ks_statistic(x: Sample, y: Sample) -> float:
    """Returns D of two samples."""
    return float(ks_statistics([(x, y)])[0])


def _count(x: Sample, y: Sample, places: Counts, counts: Counts) -> None:
    """Fills in what lies below and up to values of x: of x, then of y."""
    values = x.values[places]
    after = np.searchsorted(y.values, values, side="right")
    equal = y.values[after - 1] == values
    equal &= after > 0
    counts[0], counts[1] = x.rank(places), x.rank(places + 1)
    counts[2], counts[3] = y.rank(after - equal), y.rank(after)


def _larger(largest: Floats, marks: _Marks, n: Floats, m: Floats) -> Floats:
    """Returns the largest distance of each pair, those at marks included."""
    n, m = n[marks.pair], m[marks.pair]
    below = np.abs(marks.x_below / n - marks.y_below / m)
    up_to = np.abs(marks.x_up_to / n - marks.y_up_to / m)
    starts = np.flatnonzero(np.diff(marks.pair, prepend=-1))
    found = largest.copy()
    pair = marks.pair[starts]
    found[pair] = np.maximum(found[pair], np.maximum.reduceat(np.maximum(below, up_to), starts))
    return found
