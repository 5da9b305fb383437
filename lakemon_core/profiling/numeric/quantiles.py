"""Quantiles of sorted numbers, and bins of equal mass between them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.numeric.kernel import compiled
from lakemon_core.profiling.numeric.sample import Sample

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

BINS = 10


def quantiles(sample: Sample, steps: int) -> Floats:
    """Returns the quantiles k / steps of a sample, k from 0 to steps, linear as NumPy's default.

    Positions are found in whole numbers, so that a quantile that falls on a value is that value. NaN where
    one falls between two values whose difference is not finite.
    """
    if (kernel := compiled()) is not None:
        found = np.empty(steps + 1)
        kernel.quantiles(*sample.distinct, found)
        return found
    below, above, share, exact = _positions(sample.n, steps)
    lower, upper = sample.at(below), sample.at(above)
    with np.errstate(over="ignore", invalid="ignore"):
        step = upper - lower
        between = np.where(share < 0.5, lower + step * share, upper - step * (1 - share))
    exact = exact | (lower == upper)
    between[~np.isfinite(between)] = np.nan
    return np.where(exact, lower, between)


@lru_cache(maxsize=32)
def _positions(n: int, steps: int) -> tuple[Counts, Counts, Floats, npt.NDArray[np.bool_]]:
    """Returns between which two of n sorted numbers each quantile lies, at what share, and whether on one."""
    below, part = np.divmod(np.arange(steps + 1) * (n - 1), steps)
    return below, np.minimum(below + 1, n - 1), part / steps, part == 0


def inner_edges(sample: Sample, bins: int = BINS) -> Floats:
    """Returns the edges between bins of equal reference mass; the outer bins are open.

    Bins hold their lower edge. A value on which several quantiles fall together gets a bin of its own, so
    that a move of heavy or constant values is seen: a constant column c has the bins below, at and above c.
    """
    inner = quantiles(sample, bins)[1:-1]
    if (inner[1:] > inner[:-1]).all():
        return inner
    inner = inner[~np.isnan(inner)]
    edges, hits = np.unique(inner, return_counts=True)
    return np.union1d(edges, np.nextafter(edges[hits > 1], np.inf))


def binned(sample: Sample, edges: Floats) -> Counts:
    """Returns how many of the numbers fall into each bin: one more than there are inner edges."""
    return np.diff(np.concatenate([[0], sample.below(edges), [sample.n]]))
