"""Tests of whether two samples come from one distribution."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from lakemon_core.profiling.numeric.kolmogorov import kolmogorov_pvalue, ks_statistic

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

    D is exact over all values, ties included. The p-value is `kstwo.sf(D, N)` with N = round(n m / (n + m)),
    at least 1: what Databricks' metric tables hold.

    Raises:
        ValueError: when a sample is empty.
    """
    short, long = (current, reference) if len(current) <= len(reference) else (reference, current)
    n, m = len(short), len(long)
    if not n:
        raise ValueError("a sample without values cannot be tested")
    statistic = ks_statistic(short, long)
    return KsTest(statistic, kolmogorov_pvalue(statistic, max(1, round(n * m / (n + m)))))


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
