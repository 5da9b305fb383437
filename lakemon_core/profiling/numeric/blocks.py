"""A large sample in blocks of equal mass: the integral of its quantile function over each.

Mean, variance and Wasserstein distances of large samples follow from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.lazy import lazy
from lakemon_core.profiling.numeric.kernel import compiled

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]

MOST_BITS = 14
MOST = 1 << MOST_BITS
"""Blocks of a large sample: more of them cost memory, fewer leave more rows to look at."""
_LEAST = 64
_VALUES = 3
"""Binary logarithm of how many values a block holds at least."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """A sample of sorted finite numbers in blocks of equal mass; Q is its quantile function.

    Attributes:
        values: the sample.
        centre: its median, from which `integrals` are counted: small numbers keep their digits.
        integrals: of Q - centre over each block; a power of two of them.
        edges: Q at the start of each block, and the largest value.
        size: sum of the absolute values of `integrals`.
        shift: mean of the values less `centre`.
        squares: mean of the squares of that.
    """

    values: Floats
    centre: float
    integrals: Floats
    edges: Floats
    size: float
    shift: float
    squares: float

    @classmethod
    def of(cls, values: Floats) -> Blocks | None:
        """Summarizes a sample; None when it is too small to gain from it, or its sum is not finite."""
        n = len(values)
        if n < _LEAST or not np.isfinite(values[[0, -1]]).all():
            return None
        bits = min(MOST_BITS, n.bit_length() - 1 - _VALUES)
        edges, integrals = np.empty((1 << bits) + 1), np.empty(1 << bits)
        cut = _cut if (kernel := compiled()) is None else kernel.blocks
        centre, shift, squares, size = cut(values, edges, integrals)
        if not math.isfinite(size):
            return None
        return cls(values, centre, integrals, edges, size, shift, squares)

    @lazy
    def sums(self) -> Floats:
        """Sums of the values less `centre` from the median to each place, negative below: none cancel."""
        middle = len(self.values) // 2
        around = self.values - self.centre
        below, above = np.cumsum(around[:middle][::-1]), np.cumsum(around[middle:])
        return np.concatenate([-below[::-1], [0.0], above])

    def level(self, count: int) -> tuple[Floats, Floats]:
        """Returns integrals and edges of fewer blocks, a power of two of them."""
        if count not in self._levels:
            integrals = self.integrals
            while len(integrals) > count:  # many times faster than sums of a few neighbours each
                integrals = integrals[::2] + integrals[1::2]
            self._levels[count] = integrals, self.edges[:: len(self.integrals) // count].copy()
        return self._levels[count]

    @lazy
    def _levels(self) -> dict[int, tuple[Floats, Floats]]:
        return {len(self.integrals): (self.integrals, self.edges)}


def _cut(values: Floats, edges: Floats, integrals: Floats) -> tuple[float, float, float, float]:
    """Fills in edges and integrals, and returns centre, shift, squares and size of the blocks."""
    n = len(values)
    first, share = _cuts(n, len(integrals).bit_length() - 1)
    np.take(values, first, out=edges, mode="clip")
    centre = float(values[n // 2])
    with np.errstate(over="ignore", invalid="ignore"):
        around = values - centre
        np.add.reduceat(around, first[:-1], out=integrals)
        shift, squares = float(integrals.sum()), float(np.einsum("i,i->", around, around))
        integrals[-1] -= edges[-1] - centre
        split = edges - centre
        split *= share
        integrals += split[1:]
        integrals -= split[:-1]
        integrals /= n
        size = float(np.abs(integrals).sum())
    return centre, shift / n, squares / n, size


@lru_cache(maxsize=32)
def _cuts(n: int, bits: int) -> tuple[Positions, Floats]:
    """Where each of 2^bits blocks of n values starts: in which value, and at what share of it."""
    count = 1 << bits
    places = np.arange(count + 1) * n
    first, share = places >> bits, (places & (count - 1)) / count
    first[-1], share[-1] = n - 1, 1.0
    for array in (first, share):
        array.setflags(write=False)
    return first, share
