"""The Kolmogorov-Smirnov test of two samples: exact over all values, at the cost of a few thousand.

F and G are the distribution functions of x and y. Between two marked values of x both only grow, so that
F - G is bounded by their values at the marks. Only stretches whose bound exceeds the largest distance seen so
far are marked more closely, until none is left.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from lakemon_core.profiling.numeric.sample import Sample

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_MARKS = 512
_NEW_MARKS = 128
_QUADRATURE = 1024
_LARGE = 5_000


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


def kolmogorov_pvalue(statistic: float, n: int) -> float:
    """Survival function of the two-sided one-sample Kolmogorov-Smirnov statistic: `scipy.stats.kstwo.sf`.

    Where SciPy sums long series or loops in Python, the same is done on arrays.
    """
    squared = n * statistic * statistic
    if n > 140 and 2.2 <= squared < 370:
        return min(1.0, 2 * _smirnov_tail(n, statistic))
    if n > 140 and n * statistic > 1 and squared < 2.2 and (n > _LARGE or n * statistic**1.5 > 1.4):
        return _pelz_good(n, statistic)
    if n > 140 and squared >= 370:
        return 0.0
    from scipy.stats import kstwo

    return float(kstwo.sf(statistic, n))


def _smirnov_tail(n: int, d: float) -> float:
    """P(D+ >= d) = (1 - d)^n + d sum over j of C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j), j from 1.

    The binomial terms follow Loader (2000), Fast and accurate computation of binomial probabilities. Of many
    terms only every h-th is summed, times h: they form a smooth bell that vanishes at both ends, for which
    the trapezoid rule is exact to the last digits.
    """
    shift = n * d
    step = max(1.0, n / _QUADRATURE)
    j = np.arange(1.0, n, step)
    j = j[j + shift < n]
    rest = n - j
    exponent = j * np.log1p(shift / j) + rest * np.log1p(-shift / rest)
    exponent += _stirling_error(np.array([float(n)]))[0] - _stirling_error(j) - _stirling_error(rest)
    terms = np.exp(exponent) * np.sqrt(n / (2 * math.pi * j * rest)) * (shift / (shift + j))
    return step * float(terms.sum()) + (1 - d) ** n


def _stirling_error(k: Floats) -> Floats:
    """The error of Stirling's formula for ln k!, for k of 1 and more."""
    squared = k * k
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / squared) / squared) / squared) / k
    small = k < 16
    few = k[small]
    series[small] = gammaln(few + 1) - (few + 0.5) * np.log(few) + few - 0.5 * math.log(2 * math.pi)
    return series


def _pelz_good(n: int, d: float) -> float:
    """Survival function by Pelz and Good (1976), their K0 to K3 as sums over odd and over all integers k."""
    z = math.sqrt(n) * d
    z2, z4, z6, pi2 = z**2, z**4, z**6, math.pi**2
    k = np.arange(1.0, math.ceil(16 * z / math.pi) + 1)
    m2 = np.square(2 * k - 1)
    weights = np.exp(-pi2 / (8 * z2) * m2)
    of_k2 = 6 * z6 + 2 * z4 + pi2 / 4 * (2 * z4 - 5 * z2) * m2 + pi2**2 / 16 * (1 - 2 * z2) * m2**2
    of_k3 = pi2**2 / 16 * (212 * z4 - 60 * z2) * m2**2 + pi2**3 / 64 * (5 - 30 * z2) * m2**3
    of_k3 += pi2 / 4 * (135 * z4 - 96 * z6) * m2 - 30 * z6 - 90 * z**8
    sums = np.array([np.ones_like(m2), pi2 / 4 * m2 - z2, of_k2, of_k3]) @ weights
    sums /= np.array([z, 6 * z4, 72 * z**7, 6480 * z**10])
    k2 = k * k
    weights = k2 * np.exp(-pi2 / (2 * z2) * k2)
    sums[2] -= pi2 / (36 * z**3) * float(weights.sum())
    sums[3] += pi2 / (216 * z6) * float(np.dot(weights, 3 * z2 - pi2 * k2))
    terms = math.sqrt(2 * math.pi) * sums / float(n) ** (np.arange(4) / 2)
    return min(1.0, 1 - float(terms.sum()))
