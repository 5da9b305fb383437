"""Tests of whether two samples come from one distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.distances import Samples
from lakemon_core.profiling.numeric.kolmogorov import ks_statistics
from lakemon_core.profiling.numeric.ks_pvalue import kolmogorov_pvalues
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
    statistics = ks_statistics(ordered)
    pvalues = kolmogorov_pvalues(statistics, np.array(sizes, dtype=np.float64))
    return [KsTest(*found) for found in zip(statistics.tolist(), pvalues.tolist(), strict=True)]


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
    return chi_squared_tests(Samples.of(p_counts, q_counts))[0]


def chi_squared_tests(samples: Samples) -> list[ChiSquaredTest]:
    """Returns `chi_squared_test` of each pair of samples."""
    from scipy.special import chdtrc

    p, both, weights = _merge_rare(samples)
    m, n = samples.m[:, np.newaxis], samples.n[:, np.newaxis]
    total, dof = samples.m + samples.n, weights.sum(axis=1) - 1
    gaps = np.abs(p - both * (m / (m + n)))
    scale, shared = total**2 / (samples.m * samples.n), np.where(weights > 0, both, 1.0)
    plain = scale * np.einsum("ij,ij->i", weights, gaps**2 / shared)
    yates = scale * np.einsum("ij,ij->i", weights, np.maximum(gaps - 0.5, 0.0) ** 2 / shared)
    statistics = np.where(dof == 1, yates, plain)
    pvalues = chdtrc(np.maximum(dof, 1), statistics)
    effects = np.minimum(1.0, np.sqrt(plain / total))
    columns = (column.tolist() for column in (statistics, pvalues, dof.astype(np.int64), effects))
    return [
        ChiSquaredTest(*found) if found[2] else ChiSquaredTest(0.0, 1.0, 0, 0.0)
        for found in zip(*columns, strict=True)
    ]


def _merge_rare(samples: Samples) -> tuple[Floats, Floats, Floats]:
    """Returns reference rows, all rows and weights of the levels; the last stands for all that are rare.

    Levels that play no part have the weight 0.
    """
    p, both, weights = samples.p_counts, samples.p_counts + samples.q_counts, samples.weights
    m, n = samples.m, samples.n
    rare = both * (np.minimum(m, n) / (m + n))[:, np.newaxis] < RARE
    merged = np.where(rare, weights, 0.0)
    of_both, of_p = (np.einsum("ij,ij->i", merged, counts) for counts in (both, p))
    return (
        np.column_stack([p, of_p]),
        np.column_stack([both, of_both]),
        np.column_stack([np.where(rare, 0.0, weights), of_both > 0]),
    )
