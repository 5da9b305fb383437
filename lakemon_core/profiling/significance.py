"""Tests of whether two samples come from one distribution."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc, gammaln

Floats = npt.NDArray[np.float64]

RARE = 5
"""Levels that are expected in fewer rows than this in either sample are merged into one."""


class KsTest(NamedTuple):
    """Kolmogorov-Smirnov: `statistic` is D, the largest distance of the two distribution functions."""

    statistic: float
    pvalue: float


class ChiSquaredTest(NamedTuple):
    """Homogeneity of a 2 x k table: `dof` is k - 1 after merging, `cramers_v` the effect size, 0 to 1."""

    statistic: float
    pvalue: float
    dof: int
    cramers_v: float


def ks_test(current: Floats, reference: Floats) -> KsTest:
    """Two-sample Kolmogorov-Smirnov test of two sorted samples.

    D is exact over all values, ties included: the functions are compared on both sides of every value of the
    shorter sample, between which the other one is monotone. The p-value is `kstwo.sf(D, N)` with
    N = round(n m / (n + m)), at least 1: what Databricks' metric tables hold.

    Raises:
        ValueError: when a sample is empty.
    """
    short, long = (current, reference) if len(current) <= len(reference) else (reference, current)
    n, m = len(short), len(long)
    if not n:
        raise ValueError("a sample without values cannot be tested")
    ends = np.append(np.flatnonzero(short[1:] != short[:-1]), n - 1)
    values, up_to = short[ends], ends + 1
    below = np.append(0, up_to[:-1])
    long_up_to = np.searchsorted(long, values, side="right")
    tied = long[long_up_to - 1] == values
    long_below = long_up_to.copy()
    long_below[tied] = np.searchsorted(long, values[tied], side="left")
    after, before = up_to / n - long_up_to / m, below / n - long_below / m
    statistic = float(max(np.abs(after).max(), np.abs(before).max()))
    return KsTest(statistic, kolmogorov_pvalue(statistic, max(1, round(n * m / (n + m)))))


def kolmogorov_pvalue(statistic: float, n: int) -> float:
    """Survival function of the two-sided one-sample Kolmogorov-Smirnov statistic: `scipy.stats.kstwo.sf`.

    In the upper tail, where SciPy sums Smirnov's series term by term, the same series is summed as arrays.
    """
    squared = n * statistic * statistic
    if n > 140 and 2.2 <= squared < 370:
        return min(1.0, 2 * _smirnov_tail(n, statistic))
    from scipy.stats import kstwo

    return float(kstwo.sf(statistic, n))


def _smirnov_tail(n: int, d: float) -> float:
    """P(D+ >= d) = (1 - d)^n + d sum over j of C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j), j from 1.

    The binomial terms follow Loader (2000), Fast and accurate computation of binomial probabilities.
    """
    shift = n * d
    j = np.arange(1.0, n)
    j = j[j + shift < n]
    rest = n - j
    exponent = j * np.log1p(shift / j) + rest * np.log1p(-shift / rest)
    exponent += _stirling_error(np.array([float(n)]))[0] - _stirling_error(j) - _stirling_error(rest)
    terms = np.exp(exponent) * np.sqrt(n / (2 * math.pi * j * rest)) * (shift / (shift + j))
    return float(terms.sum()) + (1 - d) ** n


def _stirling_error(k: Floats) -> Floats:
    """The error of Stirling's formula for ln k!, for k of 1 and more."""
    squared = k * k
    series = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / squared) / squared) / squared) / k
    small = k < 16
    few = k[small]
    series[small] = gammaln(few + 1) - (few + 0.5) * np.log(few) + few - 0.5 * math.log(2 * math.pi)
    return series


def chi_squared_test(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> ChiSquaredTest:
    """Pearson's test of homogeneity of a 2 x k table: both samples are random.

    Levels in neither sample are dropped; those expected in fewer than 5 rows of either sample are merged into
    one, which stays as it is. A 2 x 2 table gets Yates' correction, but its Cramér's V does not. One level
    alone gives p = 1.

    Args:
        p_counts: reference rows per level.
        q_counts: current rows per level, in the same order.

    Raises:
        ValueError: when a sample is empty.
    """
    table = _merge_rare(np.array([p_counts, q_counts], dtype=np.float64))
    dof = table.shape[1] - 1
    if not dof:
        return ChiSquaredTest(0.0, 1.0, 0, 0.0)
    expected = _expected(table)
    gaps = np.abs(table - expected)
    plain = float(np.sum(gaps**2 / expected))
    corrected = np.maximum(gaps - 0.5, 0.0) if dof == 1 else gaps
    statistic = float(np.sum(corrected**2 / expected))
    return ChiSquaredTest(
        statistic, float(chdtrc(dof, statistic)), dof, min(1.0, math.sqrt(plain / table.sum()))
    )


def _expected(table: Floats) -> Floats:
    return table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()


def _merge_rare(table: Floats) -> Floats:
    if not table.sum(axis=1).all():
        raise ValueError("a sample without values cannot be tested")
    table = table[:, table.sum(axis=0) > 0]
    rare = (_expected(table) < RARE).any(axis=0)
    if not rare.any():
        return table
    return np.hstack([table[:, ~rare], table[:, rare].sum(axis=1, keepdims=True)])
