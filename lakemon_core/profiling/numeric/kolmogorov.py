"""The Kolmogorov-Smirnov test of two sorted samples: exact over all values, at the cost of a few thousand.

F and G are the distribution functions of x and y. Between two marked values of x both only grow, so that
F - G is bounded by their values at the marks. Only stretches whose bound exceeds the largest distance seen so
far are marked more closely, until none is left.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_MARKS = 2048
_NEW_MARKS = 1024
_QUADRATURE = 1024
_LARGE = 5_000


def ks_statistic(x: Floats, y: Floats) -> float:
    """Returns D, the largest |F - G| of two sorted samples that are not empty; `x` best is the shorter one.

    Its extremes stand beside values of x: between those F is constant and G monotone.
    """
    n, m = len(x), len(y)
    marks = np.arange(n) if n < _MARKS else np.arange(_MARKS) * (n - 1) // (_MARKS - 1)
    counts = _counts(x, y, marks)
    largest = _largest(counts, n, m)
    stretches = _between(counts)
    while True:
        lower, upper, lower_y, upper_y = stretches
        bound = np.maximum(upper / n - lower_y / m, upper_y / m - lower / n)
        stretches = stretches[:, (bound > largest) & (upper > lower)]
        if not stretches.shape[1]:
            return largest
        parts = min(64, max(4, _NEW_MARKS // stretches.shape[1]))
        counts = _counts(x, y, _marks_within(stretches, parts))
        largest = max(largest, _largest(counts, n, m))
        stretches = _divided(stretches, counts)


def _counts(x: Floats, y: Floats, marks: Counts) -> Counts:
    """Values of x below and up to those at the marks, and the same of y: four rows."""
    values = x[marks]
    below, up_to = marks.copy(), marks + 1
    tied = np.flatnonzero(x[np.maximum(marks - 1, 0)] == values)
    below[tied] = np.searchsorted(x, values[tied], side="left")
    tied = np.flatnonzero(x[np.minimum(marks + 1, len(x) - 1)] == values)
    up_to[tied] = np.searchsorted(x, values[tied], side="right")
    y_up_to = np.searchsorted(y, values, side="right")
    y_below = y_up_to.copy()
    tied = np.flatnonzero(y[y_up_to - 1] == values)
    y_below[tied] = np.searchsorted(y, values[tied], side="left")
    return np.stack([below, up_to, y_below, y_up_to])


def _largest(counts: Counts, n: int, m: int) -> float:
    below, up_to, y_below, y_up_to = counts
    return float(max(np.abs(below / n - y_below / m).max(), np.abs(up_to / n - y_up_to / m).max()))


def _between(counts: Counts) -> Counts:
    """The open stretches between neighbouring marks: counts of x, then of y, at their ends."""
    below, up_to, y_below, y_up_to = counts
    return np.stack([up_to[..., :-1], below[..., 1:], y_up_to[..., :-1], y_below[..., 1:]])


def _marks_within(stretches: Counts, parts: int) -> Counts:
    lower, upper = stretches[0, :, np.newaxis], stretches[1, :, np.newaxis]
    return (lower + (upper - lower) * np.arange(1, parts) // parts).ravel()


def _divided(stretches: Counts, counts: Counts) -> Counts:
    """The stretches between the marks within each stretch and its ends."""
    lower, upper, lower_y, upper_y = stretches[:, :, np.newaxis]
    below, up_to, y_below, y_up_to = counts.reshape(4, len(lower), -1)
    ends = [
        np.hstack([lower, below, upper]), np.hstack([lower, up_to, upper]),
        np.hstack([lower_y, y_below, upper_y]), np.hstack([lower_y, y_up_to, upper_y]),
    ]  # fmt: skip
    return _between(np.stack(ends)).reshape(4, -1)


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
