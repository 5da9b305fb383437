"""P-values of Kolmogorov-Smirnov tests: `scipy.stats.kstwo.sf`, at a hundredth of its cost.

The methods and where each applies are SciPy's (Simard and L'Ecuyer, 2011). Where it sums long series or loops
in Python, the same is done on arrays, of several tests at once; and SciPy's statistics need not be imported,
which takes a second.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_SMALL = 140
_LARGE = 5_000
_QUADRATURE = 512
"""Terms of a long series that are summed."""
_TERMS = 8
"""Of the series of Pelz and Good: further ones vanish where it is used."""


def kolmogorov_pvalues(statistics: Floats, sizes: Floats) -> Floats:
    """Survival function of the two-sided one-sample Kolmogorov-Smirnov statistic: P(D >= statistic).

    Args:
        statistics: each between 0 and 1.
        sizes: of the samples, 1 or more each.
    """
    steps, small = sizes * statistics, sizes <= _SMALL
    squared = steps * statistics
    near = (sizes <= _LARGE) & (sizes * statistics**1.5 <= 1.4)
    where = {
        _of_extremes: (steps <= 1) | (sizes - steps <= 1),
        _one_sided: (statistics >= 0.5) | (small & (squared > 4)),
        _durbin: small | ((squared < 2.2) & near),
        _smirnov_tail: (squared >= 2.2) & (squared < 370),
        _pelz_good: ~(squared >= 2.2),  # NaN stays NaN
    }
    chosen = np.select(list(where.values()), range(len(where)), default=-1)
    found = np.zeros(len(sizes))  # what is left over is less than any double
    for number, method in enumerate(where):
        own = np.flatnonzero(chosen == number)
        if len(own):
            found[own] = method(sizes[own], statistics[own])
    return found


def _one_sided(n: Floats, d: Floats) -> Floats:
    """Both sides cannot be that far apart at once."""
    from scipy.special import smirnov

    return 2 * np.asarray(smirnov(n, d))


def _of_extremes(n: Floats, d: Floats) -> Floats:
    """For the least and the largest d there are closed forms (Ruben and Gambino, 1982)."""
    return np.array([_of_extreme(*one) for one in zip(n.tolist(), d.tolist(), strict=True)])


def _of_extreme(n: float, d: float) -> float:
    steps = n * d
    if steps <= 0.5:
        return 1.0
    if steps <= 1:
        return 1 - math.exp(_log_scale(n) + n * math.log(2 * steps - 1))
    return 2 * (1 - d) ** n if d < 1 else 0.0


def _log_scale(n: float) -> float:
    """Logarithm of n! / n^n, without cancellation."""
    return 0.5 * math.log(2 * math.pi * n) - n + float(_stirling_error(np.array([n]))[0])


def _durbin(n: Floats, d: Floats) -> Floats:
    """From an element of the n-th power of a matrix (Durbin, 1973; Marsaglia, Tsang and Wang, 2003)."""
    return np.array([1 - _below(int(size), one) for size, one in zip(n.tolist(), d.tolist(), strict=True)])


def _below(n: int, d: float) -> float:
    """P(D < d)."""
    from scipy.special import gammaln

    k = math.floor(n * d) + 1
    size, h = 2 * k - 1, k - n * d
    lag = np.arange(size)[:, np.newaxis] - np.arange(size) + 1
    matrix = (lag >= 0).astype(np.float64)
    ends = h ** np.arange(1.0, size + 1)
    matrix[:, 0] -= ends
    matrix[-1, :] -= ends[::-1]
    matrix[-1, 0] += max(0.0, 2 * h - 1) ** size
    matrix *= np.exp(-gammaln(np.maximum(lag, 0) + 1.0))
    power, exponent = _power(matrix, n)
    return float(power[k - 1, k - 1]) * math.exp(exponent + _log_scale(n))


def _power(matrix: Floats, n: int) -> tuple[Floats, float]:
    """Returns a power of a matrix by squaring, divided by a number whose logarithm is the second result."""
    result, exponent, of_square, square = np.eye(len(matrix)), 0.0, 0.0, matrix
    while n:
        if n & 1:
            result, exponent = result @ square, exponent + of_square
        n >>= 1
        square, of_square = square @ square, 2 * of_square
        size = float(np.abs(square).max())
        square, of_square = square / size, of_square + math.log(size)
    return result, exponent


def _smirnov_tail(n: Floats, d: Floats) -> Floats:
    """Twice P(D+ >= d), which is (1 - d)^n + d sum over j of C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j).

    The binomial terms follow Loader (2000), Fast and accurate computation of binomial probabilities. Of many
    terms only every h-th is summed, times h: they form a smooth bell that vanishes at both ends, for which
    the trapezoid rule is exact to the last digits.
    """
    size, shift = n[:, np.newaxis], (n * d)[:, np.newaxis]
    step = np.maximum(1.0, size / _QUADRATURE)
    j = 1.0 + step * np.arange(float(_QUADRATURE))
    there = j + shift < size
    j[~there] = 1.0
    rest = size - j
    exponent = j * np.log1p(shift / j) + rest * np.log1p(-shift / rest)
    exponent += _stirling_error(size) - _stirling_error(j) - _stirling_error(rest)
    terms = np.exp(exponent) * np.sqrt(size / (2 * math.pi * j * rest)) * (shift / (shift + j))
    sums = np.where(there, terms, 0.0).sum(axis=1)
    return np.minimum(1.0, 2 * (step[:, 0] * sums + (1 - d) ** n))


def _stirling_error(k: Floats) -> Floats:
    """The error of Stirling's formula for ln k!, for k of 1 and more."""
    from scipy.special import gammaln

    squared = k * k
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / squared) / squared) / squared) / k
    small = k < 16
    few = k[small]
    series[small] = gammaln(few + 1) - (few + 0.5) * np.log(few) + few - 0.5 * math.log(2 * math.pi)
    return series


def _pelz_good(n: Floats, d: Floats) -> Floats:
    """By Pelz and Good (1976), their K0 to K3 as sums over odd and over all integers k."""
    z = (np.sqrt(n) * d)[:, np.newaxis]
    z2, z4, z6, pi2 = z**2, z**4, z**6, math.pi**2
    k = np.arange(1.0, _TERMS + 1)
    m2 = np.square(2 * k - 1)
    of_k2 = 6 * z6 + 2 * z4 + pi2 / 4 * (2 * z4 - 5 * z2) * m2 + pi2**2 / 16 * (1 - 2 * z2) * m2**2
    of_k3 = pi2**2 / 16 * (212 * z4 - 60 * z2) * m2**2 + pi2**3 / 64 * (5 - 30 * z2) * m2**3
    of_k3 += pi2 / 4 * (135 * z4 - 96 * z6) * m2 - 30 * z6 - 90 * z**8
    terms = np.stack(np.broadcast_arrays(1.0, pi2 / 4 * m2 - z2, of_k2, of_k3))
    sums = (terms * np.exp(-pi2 / (8 * z2) * m2)).sum(axis=-1)
    z, z2, z4, z6 = z[:, 0], z2[:, 0], z4[:, 0], z6[:, 0]
    sums /= np.stack([z, 6 * z4, 72 * z**7, 6480 * z**10])
    k2 = k * k
    weights = k2 * np.exp(-pi2 / (2 * z2[:, np.newaxis]) * k2)
    sums[2] -= pi2 / (36 * z**3) * weights.sum(axis=1)
    sums[3] += pi2 / (216 * z6) * (weights * (3 * z2[:, np.newaxis] - pi2 * k2)).sum(axis=1)
    sums /= n ** (np.arange(4.0)[:, np.newaxis] / 2)
    return np.minimum(1.0, 1 - math.sqrt(2 * math.pi) * sums.sum(axis=0))
