"""Tests of whether two samples come from one distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.distances import Samples
from lakemon_core.profiling.numeric.kolmogorov import ks_statistics
from lakemon_core.profiling.numeric.ks_pvalue import kolmogorov_pvalue
from lakemon_core.profiling.numeric.sample import Sample

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


def ks_test(current: Sample, reference: Sample) -> KsTest:
    """Two-sample Kolmogorov-Smirnov test.

    D is exact over all values, ties included. The p-value is `kstwo.sf(D, N)` with N = round(n m / (n + m)),
    at least 1: what Databricks' metric tables hold.

    Raises:
        ValueError: when a sample is empty.
    """
    return ks_tests([(current, reference)])[0]


def ks_tests(pairs: Sequence[tuple[Sample, Sample]]) -> list[KsTest]:
    """Returns the test of each pair of samples."""
    ordered = [(x, y) if x.n <= y.n else (y, x) for x, y in pairs]
    if not all(x.n for x, _ in ordered):
        raise ValueError("a sample without values cannot be tested")
    sizes = [max(1, round(x.n * y.n / (x.n + y.n))) for x, y in ordered]
    statistics = ks_statistics(ordered).tolist()
    pvalues = map(kolmogorov_pvalue, statistics, sizes)
    return [KsTest(*found) for found in zip(statistics, pvalues, strict=True)]


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
    return chi_squared_of(Samples.of(p_counts, q_counts))


def chi_squared_of(samples: Samples) -> ChiSquaredTest:
    """Returns `chi_squared_test` of one pair of samples."""
    from scipy.special import chdtrc

    m, n = float(samples.m[0]), float(samples.n[0])
    total = m + n
    p, both, weights = _merge_rare(samples)
    dof = int(weights.sum()) - 1
    if not dof:
        return ChiSquaredTest(0.0, 1.0, 0, 0.0)
    gaps = np.abs(p - both * (m / total))
    scale = total**2 / (m * n)
    plain = scale * float(weights @ (gaps**2 / both))
    statistic = scale * float(weights @ (np.maximum(gaps - 0.5, 0.0) ** 2 / both)) if dof == 1 else plain
    return ChiSquaredTest(statistic, float(chdtrc(dof, statistic)), dof, min(1.0, math.sqrt(plain / total)))


def _merge_rare(samples: Samples) -> tuple[Floats, Floats, Floats]:
    """Returns reference rows, all rows and weights of the levels, those that are rare as one more level."""
    (p,), (q,), (weights,) = samples.p_counts, samples.q_counts, samples.weights
    both, (m,), (n,) = p + q, samples.m, samples.n
    rare = both * (min(m, n) / (m + n)) < RARE
    if not rare.any():
        return p, both, weights
    merged, times = float(weights[rare] @ both[rare]), weights[rare]
    kept = ~rare
    if not merged:
        return p[kept], both[kept], weights[kept]
    return (
        np.append(p[kept], times @ p[rare]),
        np.append(both[kept], merged),
        np.append(weights[kept], 1.0),
    )
