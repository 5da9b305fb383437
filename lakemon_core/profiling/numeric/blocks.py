"""The first Wasserstein distance of large samples, exact, at the cost of a summary.

W is the integral over u from 0 to 1 of |Qx(u) - Qy(u)|, Q the quantile functions. A sample is summarized
once: the integral of Q over each of 2^k blocks of equal mass, and Q at their edges. Where the edges show that
one Q lies above the other throughout a block, the block adds the difference of two numbers. Only the few
blocks in which the functions may cross are looked into.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.numeric.sample import Sample

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

MOST_BITS = 15
MOST = 1 << MOST_BITS
"""Blocks of a large sample: more of them cost memory, fewer leave more rows to look at."""
_LEAST = 64
_PART = 1 << 10
COUNTABLE = (1 << 62) // MOST
"""Places between two samples are counted in 64 bits: the product of their sizes stays below this."""
_CANCELLED = 1e-6
"""Below this share of the size of the numbers, sums of blocks may have lost more than nine digits."""


@dataclass(frozen=True, slots=True, eq=False)
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
        bits = min(MOST_BITS, n.bit_length() - 1)
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

    def coarse(self, count: int) -> tuple[Floats, Floats]:
        """Returns integrals and edges of fewer blocks."""
        step = len(self.integrals) // count
        if step == 1:
            return self.integrals, self.edges
        return self.integrals.reshape(count, step).sum(axis=1), self.edges[::step]


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
    """Returns the distance of two samples; None where rounding could touch the ninth digit."""
    if len(current.values) * len(reference.values) > COUNTABLE:
        return None
    count = min(len(current.integrals), len(reference.integrals))
    of_x, x = current.coarse(count)
    of_y, y = reference.coarse(count)
    open_blocks = np.flatnonzero((x[:-1] < y[1:]) & (y[:-1] < x[1:]))
    gaps = np.abs(of_x - of_y + (current.centre - reference.centre) / count)
    gaps[open_blocks] = 0
    distance = float(gaps.sum())
    if len(open_blocks):
        distance += _inside(current.values, reference.values, open_blocks, count)
    exact = len(open_blocks) == count or distance > _CANCELLED * max(current.size, reference.size)
    return distance if exact else None


def _inside(x: Floats, y: Floats, blocks: Positions, count: int) -> float:
    """Integrates |Qx - Qy| over some of `count` blocks.

    A value of the longer sample covers a share of u no wider than one of the shorter does: it meets one of
    those, or two. Places are counted in units of 1 / (n m count), so that they are whole numbers.
    """
    short, long = (x, y) if len(x) <= len(y) else (y, x)
    n, m = len(short), len(long)
    first = blocks * m // count
    lengths = -(-(blocks + 1) * m // count) - first
    before = np.cumsum(lengths) - lengths
    place = np.arange(int(lengths.sum())) + np.repeat(first - before, lengths)
    starts, ends = place * (n * count), (place + 1) * (n * count)
    starts[before] = blocks * (n * m)
    ends[before + lengths - 1] = (blocks + 1) * (n * m)
    met = starts // (m * count)
    boundaries = np.minimum((met + 1) * (m * count), ends)
    values = long[place]
    following = short[np.minimum(met + 1, n - 1)]
    gaps = np.einsum("i,i->", np.abs(short[met] - values), (boundaries - starts).astype(np.float64))
    gaps += np.einsum("i,i->", np.abs(following - values), (ends - boundaries).astype(np.float64))
    return float(gaps) / (n * m * count)
