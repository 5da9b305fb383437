"""The first Wasserstein distance of large samples, exact, at the cost of a summary.

W is the integral over u from 0 to 1 of |Qx(u) - Qy(u)|, Q the quantile functions. A sample is summarized
once: the integral of Q over each of 2^k blocks of equal mass, and Q at their edges. Where the edges show that
one Q lies above the other throughout a block, the block adds the difference of two numbers. Only the few
blocks in which the functions may cross are looked into: first by the steps of the shorter sample, with sums
of the longer one, then, where a step may still be crossed, value by value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.lazy import lazy
from lakemon_core.profiling.numeric.sample import Sample

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

MOST_BITS = 15
MOST = 1 << MOST_BITS
"""Blocks of a large sample: more of them cost memory, fewer leave more rows to look at."""
_COARSEST = 1 << 10
"""Blocks that are looked at first."""
_PARTS = 8
"""Into so many each of those is divided in which two samples may cross."""
_LEAST = 64
_VALUES = 3
"""Binary logarithm of how many values a block holds at least."""
_LONGER = 2
"""So many times longer a sample must be for its sums to be worth their cost."""
_PART = 1 << 10
COUNTABLE = (1 << 62) // MOST
"""Places between two samples are counted in 64 bits: the product of their sizes stays below this."""
_CANCELLED = 1e-6
"""Below this share of the size of the numbers, sums of blocks may have lost more than nine digits."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """A sample of sorted finite numbers in blocks of equal mass.

    Attributes:
        values: the sample.
        centre: its median, from which `integrals` are counted: small numbers keep their digits.
        integrals: of Q - centre over each block; a power of two of them.
        edges: Q at the start of each block, and the largest value.
        size: sum of the absolute values of `integrals`.
    """

    values: Floats
    centre: float
    integrals: Floats
    edges: Floats
    size: float

    @classmethod
    def of(cls, values: Floats) -> Blocks | None:
        """Summarizes a sample; None when it is too small to gain from it, or its sum is not finite."""
        n = len(values)
        if n < _LEAST or not np.isfinite(values[[0, -1]]).all():
            return None
        bits = min(MOST_BITS, n.bit_length() - 1 - _VALUES)
        count = 1 << bits
        places = np.arange(count + 1) * n
        first, part = places >> bits, places & (count - 1)
        first[-1], part[-1] = n - 1, count
        edges, centre = values[first], float(values[n // 2])
        with np.errstate(over="ignore", invalid="ignore"):
            integrals = _sums(values, centre, first[:-1])
            integrals[-1] -= edges[-1] - centre
            integrals += np.diff((edges - centre) * (part / count))
            integrals /= n
            size = float(np.abs(integrals).sum())
        return cls(values, centre, integrals, edges, size) if math.isfinite(size) else None

    @lazy
    def sums(self) -> Floats:
        """Sums of the values less `centre` from the median to each place, negative below: none cancel."""
        middle = len(self.values) // 2
        around = self.values - self.centre
        below, above = np.cumsum(around[:middle][::-1]), np.cumsum(around[middle:])
        return np.concatenate([-below[::-1], [0.0], above])

    def level(self, count: int) -> tuple[Floats, Floats]:
        """Returns integrals and edges of fewer blocks, a power of two of them."""
        step = len(self.integrals) // count
        return self._sums_of(step), self.edges[::step]

    def _sums_of(self, step: int) -> Floats:
        """Integrals of so many neighbouring blocks together, each kept."""
        if step not in self._coarser:
            self._coarser[step] = self.integrals.reshape(-1, step).sum(axis=1)
        return self._coarser[step]

    @lazy
    def _coarser(self) -> dict[int, Floats]:
        return {1: self.integrals}


def _sums(values: Floats, centre: float, first: Positions) -> Floats:
    """Sums of values - centre from each position to the next; part by part, so that no large copy is made."""
    sums = np.empty(len(first))
    for start in range(0, len(first), _PART):
        part = first[start : start + _PART]
        end = first[start + _PART] if start + _PART < len(first) else len(values)
        sums[start : start + _PART] = np.add.reduceat(values[part[0] : end] - centre, part - part[0])
    return sums


def wasserstein_of_steps(x: Sample, y: Sample) -> float:
    """Returns the distance of two samples of few distinct finite numbers: the integral of |F - G|."""
    edges = np.concatenate([x.values, y.values])
    edges.sort()
    heights = np.abs(x.up_to(edges[:-1]) * y.n - y.up_to(edges[:-1]) * x.n)
    return float(np.einsum("i,i->", heights.astype(np.float64), np.diff(edges))) / (x.n * y.n)


def wasserstein_of_blocks(current: Blocks, reference: Blocks) -> float | None:
    """Returns the distance of two samples; None where rounding could touch the ninth digit.

    Large blocks are looked at first, and only those in which the functions may cross are divided.
    """
    if len(current.values) * len(reference.values) > COUNTABLE:
        return None
    finest = min(len(current.integrals), len(reference.integrals))
    moved, distance = current.centre - reference.centre, 0.0
    count = min(_COARSEST, finest)
    blocks = np.arange(count)
    while True:
        of_x, x = current.level(count)
        of_y, y = reference.level(count)
        after = blocks + 1
        crossed = (x.take(blocks) < y.take(after)) & (y.take(blocks) < x.take(after))
        gaps = np.abs(of_x.take(blocks) - of_y.take(blocks) + moved / count)
        distance += float(gaps.sum(where=~crossed))
        blocks = blocks[crossed]
        if count == finest or not len(blocks):
            break
        parts = min(_PARTS, finest // count)
        count *= parts
        blocks = (blocks[:, np.newaxis] * parts + np.arange(parts)).ravel()
    if len(blocks):
        distance += _inside(current, reference, blocks, count)
    return distance if distance > _CANCELLED * max(current.size, reference.size) else None


class _Steps(NamedTuple):
    """Steps of the shorter sample: their values, and where they start and end in units of 1 / (n m count)."""

    values: Floats
    starts: Positions
    ends: Positions

    def of(self, kept: Positions) -> _Steps:
        return _Steps(self.values[kept], self.starts[kept], self.ends[kept])


def _inside(one: Blocks, other: Blocks, blocks: Positions, count: int) -> float:
    """Integrates |Qx - Qy| over some of `count` blocks. Places are whole numbers of 1 / (n m count)."""
    short, long = (one, other) if len(one.values) <= len(other.values) else (other, one)
    n, m = len(short.values), len(long.values)
    place, first, last = _pieces(blocks * n // count, -(-(blocks + 1) * n // count))
    starts, ends = place * (m * count), (place + 1) * (m * count)
    starts[first], ends[last] = blocks * (n * m), (blocks + 1) * (n * m)
    steps, distance = _Steps(short.values[place], starts, ends), 0.0
    if m >= _LONGER * n:
        gaps, crossed = _by_sums(steps, long, n * count)
        steps, distance = steps.of(crossed), float(gaps.sum())
    return distance + _by_values(steps, long, n * count) / (n * m * count)


def _by_sums(steps: _Steps, long: Blocks, width: int) -> tuple[Floats, Positions]:
    """Integrates over steps that no value of the longer sample crosses; returns which may be crossed.

    Args:
        steps: of the shorter sample.
        long: the longer sample.
        width: how many units its values are wide.
    """
    m = len(long.values)
    lower, upper = steps.starts // width, steps.ends // width
    last = np.minimum(upper, m - 1)
    floor, ceiling = long.values[lower], long.values[last]
    sums = long.sums[upper] - long.sums[lower]
    sums += (ceiling - long.centre) * ((steps.ends - upper * width) / width)
    sums -= (floor - long.centre) * ((steps.starts - lower * width) / width)
    gaps = np.abs(sums - (steps.values - long.centre) * ((steps.ends - steps.starts) / width)) / m
    crossed = np.flatnonzero((floor < steps.values) & (steps.values < ceiling))
    gaps[crossed] = 0
    return gaps, crossed


def _by_values(steps: _Steps, long: Blocks, width: int) -> float:
    """Integrates over steps, in units, by the values of the longer sample that each of them meets."""
    lower, upper = steps.starts // width, -(-steps.ends // width)
    place, first, last = _pieces(lower, upper)
    starts, ends = place * width, (place + 1) * width
    starts[first], ends[last] = steps.starts, steps.ends
    gaps = np.abs(np.repeat(steps.values, upper - lower) - long.values[place])
    return float(np.einsum("i,i->", gaps, (ends - starts).astype(np.float64)))


def _pieces(lower: Positions, upper: Positions) -> tuple[Positions, Positions, Positions]:
    """Returns the whole numbers of ranges, one after the other, and where each starts and ends."""
    lengths = upper - lower
    ends = np.cumsum(lengths)
    first = ends - lengths
    return np.arange(int(lengths.sum())) + np.repeat(lower - first, lengths), first, ends - 1
