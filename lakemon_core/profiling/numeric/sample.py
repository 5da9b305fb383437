"""Numbers in order: each distinct one once, with how many lie below it. All statistics follow from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.counting import counted
from lakemon_core.profiling.lazy import lazy
from lakemon_core.profiling.numeric.blocks import Blocks
from lakemon_core.profiling.numeric.kernel import Kernel, compiled

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Numbers = npt.NDArray[Any]

EXACT = 1 << 53
"""Whole numbers up to here have a double of their own."""
_LARGE = 1 << 13
"""Numbers whose blocks are worth their cost."""
_COUNTABLE = 1 << 17
"""Integers of a smaller range are counted, not sorted."""
MARKS = 1 << 10
"""Marks of a sample."""
_FEW_PARTS = 3
"""Samples that are merged faster than all their numbers are sorted."""
_SPARSE = 4
"""Samples that hold each distinct number so often are merged without their ties."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Numbers without NaN, infinities included, `-0.0` as `0.0`.

    Attributes:
        values: the distinct numbers, ascending.
        ranks: how many numbers lie below each of them, and, last, how many there are.
        parts: smaller samples that it was merged from.
    """

    values: Floats
    ranks: Counts
    parts: tuple[Sample, ...] = ()

    @classmethod
    def of(cls, numbers: Numbers, *, own: bool = False) -> Sample:
        """Takes integers or floats in any order; NaN are left out.

        Args:
            numbers: any.
            own: nobody else needs the array: it may be put in order as it lies.
        """
        if numbers.dtype.kind in "iub" and len(numbers):
            least, most = int(numbers.min()), int(numbers.max())
            narrow = most - least < min(_COUNTABLE, 4 * len(numbers))
            if narrow and max(most, -least) <= EXACT:
                return cls._counted(counted(numbers, least, most), least)
        ordered = numbers if own else numbers.copy()
        ordered.sort()
        if ordered.dtype.kind == "f":
            ordered = ordered[: np.searchsorted(ordered, np.nan)]
        if ordered.dtype == np.float64:
            return cls.ordered_numbers(np.add(ordered, 0.0, out=ordered))
        return cls.ordered_numbers(np.add(ordered, 0.0, dtype=np.float64))

    @classmethod
    def ordered_numbers(cls, numbers: Floats, parts: tuple[Sample, ...] = ()) -> Sample:
        """Takes numbers that are in order, and the samples that they were merged from."""
        n = len(numbers)
        differ = numbers[1:] != numbers[:-1]
        if np.count_nonzero(differ) + 1 >= n:
            return cls.without_ties(numbers, parts)
        ranks = np.concatenate([[0], np.flatnonzero(differ) + 1, [n]])
        return cls(numbers[ranks[:-1]], ranks)

    @classmethod
    def without_ties(cls, numbers: Floats, parts: tuple[Sample, ...] = ()) -> Sample:
        """Takes numbers that are in order and all differ, and the samples that they were merged from."""
        return cls(numbers, _naturals(len(numbers)), parts)

    @classmethod
    def _counted(cls, counts: Counts, least: int) -> Sample:
        occurring = np.flatnonzero(counts)
        return cls((occurring + least).astype(np.float64), _running(counts[occurring]))

    @classmethod
    def merged(cls, parts: Sequence[Sample]) -> Sample:
        """Returns all numbers of several samples."""
        parts = [part for part in parts if part.n]
        if len(parts) == 1:
            return parts[0]
        distinct = sum(len(part.values) for part in parts)
        if not distinct or _SPARSE * distinct > sum(part.n for part in parts):
            return cls.ordered_numbers(_merged([part.ordered for part in parts]), tuple(parts))
        values = np.concatenate([part.values for part in parts])
        order = np.argsort(values, kind="stable")
        counts = np.concatenate([np.diff(part.ranks) for part in parts])[order]
        values = values[order]
        starts = np.append(0, np.flatnonzero(values[1:] != values[:-1]) + 1)
        return cls(values[starts], _running(np.add.reduceat(counts, starts)))

    @lazy
    def n(self) -> int:
        """How many numbers there are."""
        return int(self.ranks[-1])

    @lazy
    def untied(self) -> bool:
        """Whether all numbers differ."""
        return len(self.values) == self.n

    @property
    def distinct(self) -> tuple[Floats, Counts | None]:
        """Its values, with their ranks where there are ties."""
        return self.values, None if self.untied else self.ranks

    @lazy
    def finite(self) -> bool:
        """Whether none is infinite."""
        return not len(self.values) or bool(np.isfinite(self.values[[0, -1]]).all())

    @lazy
    def blocks(self) -> Blocks | None:
        """The numbers in blocks; None for few or infinite ones."""
        return Blocks.of(self.ordered)

    @lazy
    def marks(self) -> Floats:
        """Some of its values, ascending, with about the same count of numbers between any two of them."""
        places = np.arange(min(MARKS, self.n)) * self.n // min(MARKS, self.n)
        found = self.at(places)
        return found if self.untied else found[np.append(True, found[1:] != found[:-1])]

    def places_of(self, marks: Floats) -> Counts:
        """Returns the place of the first value that is not below each mark of another sample.

        Those of the last marks that were asked for are kept: one sample is compared with many.
        """
        kept = self._placed
        if not kept or kept[0][0] is not marks:
            kept[:] = [(marks, self._places_of(marks))]
        return kept[0][1]

    def _places_of(self, marks: Floats) -> Counts:
        if self.parts and self.untied:  # then so are its parts, and their places add up
            return np.add.reduce([part.places_of(marks) for part in self.parts])
        return self.values.searchsorted(marks)

    @lazy
    def _placed(self) -> list[tuple[Floats, Counts]]:
        return []

    @lazy
    def ordered(self) -> Floats:
        """All numbers, ties repeated."""
        return self.values if self.untied else np.repeat(self.values, np.diff(self.ranks))

    def at(self, positions: Counts) -> Floats:
        """Returns the numbers at positions in `ordered`."""
        if self.untied:
            return self.values[positions]
        return self.values[np.searchsorted(self.ranks, positions, side="right") - 1]

    def rank(self, places: Counts) -> Counts:
        """Returns how many numbers lie below the distinct values at places; the one past the last is all."""
        return places if self.untied else self.ranks[places]

    def below(self, limits: Floats) -> Counts:
        """Returns how many numbers lie below each limit."""
        return self.ranks[np.searchsorted(self.values, limits, side="left")]

    def up_to(self, limits: Floats) -> Counts:
        """Returns how many numbers lie at or below each limit."""
        return self.ranks[np.searchsorted(self.values, limits, side="right")]

    def moments(self) -> tuple[float, float]:
        """Returns mean and variance (ddof 0); NaN without numbers, with infinite ones, or on overflow.

        Both go by way of the median, which is never farther from the mean than the deviation.
        """
        if not len(self.values) or not self.finite:
            return np.nan, np.nan
        if len(self.values) == 1:
            return float(self.values[0]), 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            median, shift, squares = self._around_median()
            mean, variance = median + shift, max(squares - shift * shift, 0.0)
        return (mean if np.isfinite(mean) else np.nan), (variance if np.isfinite(variance) else np.nan)

    def _around_median(self) -> tuple[float, float, float]:
        """Returns the median, the mean distance of all numbers from it, and the mean of its squares."""
        if self.untied and self.n >= _LARGE and self.blocks is not None:  # which comparing needs as well
            return self.blocks.centre, self.blocks.shift, self.blocks.squares
        median = float(self.at(np.array([self.n // 2]))[0])
        shift, squares = self._sums_around(median)
        return median, shift / self.n, squares / self.n

    def _sums_around(self, centre: float) -> tuple[float, float]:
        """Sums of the distances of all numbers from a centre, and of their squares."""
        if (kernel := compiled()) is not None:
            return kernel.spread(*self.distinct, centre)
        around = self.values - centre
        counted = around if self.untied else around * np.diff(self.ranks)
        return float(counted.sum()), float(np.einsum("i,i->", around, counted))


def _merged(parts: list[Floats]) -> Floats:
    """Returns all numbers of samples in order."""
    kernel = compiled()
    if kernel is None:
        numbers = np.concatenate([np.zeros(0), *parts])
        # the stable sort finds the parts in order and only merges them, two and two
        numbers.sort(kind="stable" if len(parts) <= _FEW_PARTS else None)
        return numbers
    while len(parts) > 1:
        rest = parts[-1:] if len(parts) % 2 else []
        parts = [_of_two(kernel, *two) for two in zip(parts[::2], parts[1::2], strict=False)] + rest
    return parts[0] if parts else np.zeros(0)


def _of_two(kernel: Kernel, one: Floats, other: Floats) -> Floats:
    both = np.empty(len(one) + len(other))
    kernel.merge(one, other, both)
    return both


def _running(counts: Counts) -> Counts:
    return np.concatenate([[0], np.cumsum(counts)])


def _naturals(n: int) -> Counts:
    """Returns 0 to n; samples without ties share them."""
    return _naturals_below(max(12, n.bit_length()))[: n + 1]


@lru_cache(maxsize=32)
def _naturals_below(bits: int) -> Counts:
    naturals = np.arange(1 << bits)
    naturals.setflags(write=False)
    return naturals
