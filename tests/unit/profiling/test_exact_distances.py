"""Distances of large samples, on data made to break shortcuts."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from lakemon_core.profiling.columns import Kind, summarize
from lakemon_core.profiling.drift import drift_values

pytestmark = pytest.mark.usefixtures("loops")

SHAPES = {
    "no drift": (lambda r, k: r.normal(0, 1, k), lambda r, k: r.normal(0, 1, k)),
    "moved": (lambda r, k: r.normal(0.3, 1.2, k), lambda r, k: r.normal(0, 1, k)),
    "ties": (lambda r, k: r.integers(0, 7, k), lambda r, k: r.integers(0, 9, k)),
    "rounded": (lambda r, k: np.round(r.normal(0, 1, k), 1), lambda r, k: np.round(r.normal(0.02, 1, k), 1)),
    "zeros": (
        lambda r, k: np.where(r.random(k) < 0.4, 0, r.exponential(5, k)),
        lambda r, k: r.exponential(4, k),
    ),
    "disjoint": (lambda r, k: r.normal(1000, 1, k), lambda r, k: r.normal(0, 1, k)),
    "ids growing": (lambda r, k: np.arange(k) + 10**9, lambda r, k: np.arange(k)),
    "heavy tails": (lambda r, k: r.standard_cauchy(k), lambda r, k: r.standard_cauchy(k)),
    "log-normal": (lambda r, k: r.lognormal(0, 3, k), lambda r, k: r.lognormal(0.01, 3, k)),
    "constant and noise": (lambda r, k: np.full(k, 2.0), lambda r, k: r.normal(2, 1e-6, k)),
    "far from zero": (lambda r, k: r.normal(1.7e9, 10, k), lambda r, k: r.normal(1.7e9, 10, k)),
    "two heaps": (
        lambda r, k: np.where(r.random(k) < 0.5, 0, r.normal(1e9, 1, k)),
        lambda r, k: np.where(r.random(k) < 0.5, 0, r.normal(1e9, 1, k)),
    ),
    "one giant in both": (
        lambda r, k: np.append(r.normal(0, 1, k - 1), 1e15),
        lambda r, k: np.append(r.normal(0, 1, k - 1), 1e15),
    ),
    "tiny numbers": (lambda r, k: r.normal(0, 1e-300, k), lambda r, k: r.normal(0, 2e-300, k)),
}


def summary(values):
    return summarize(pa.array(np.asarray(values, dtype=np.float64)), Kind.NUMERIC)


def exact_wasserstein(x, y):
    """The textbook sum, in numbers of 80 bits."""
    both = np.sort(np.concatenate([x, y])).astype(np.longdouble)
    f = np.searchsorted(np.sort(x), both[:-1].astype(np.float64), side="right").astype(np.longdouble) / len(x)
    g = np.searchsorted(np.sort(y), both[:-1].astype(np.float64), side="right").astype(np.longdouble) / len(y)
    return float(np.sum(np.abs(f - g) * np.diff(both)))


@pytest.mark.parametrize("sizes", [(20_000, 50_000), (9_999, 9_999), (40_000, 700), (64, 33_333)], ids=str)
@pytest.mark.parametrize("shape", SHAPES)
def test_distances_of_large_samples_are_exact(shape, sizes):
    random = np.random.default_rng(11)
    current, reference = (
        draw(random, size).astype(float) for draw, size in zip(SHAPES[shape], sizes, strict=True)
    )
    row = drift_values(summary(current), summary(reference))
    oracle = stats.ks_2samp(current, reference, method="asymp").statistic
    assert row["ks_test"]["statistic"] == pytest.approx(oracle, rel=1e-9)
    assert row["wasserstein_distance"] == pytest.approx(exact_wasserstein(current, reference), rel=1e-9)


def test_a_sample_has_no_distance_from_itself_shuffled():
    values = np.random.default_rng(5).lognormal(0, 2, 30_000)
    row = drift_values(summary(values), summary(values[::-1]))
    assert row["ks_test"] == {"statistic": 0.0, "pvalue": 1.0}
    assert row["wasserstein_distance"] == 0


def test_sums_beyond_the_range_of_a_double_still_give_a_distance_or_a_reason():
    huge = np.random.default_rng(6).uniform(1e307, 1.7e308, 5_000)
    row = drift_values(summary(huge), summary(huge[:4_000]))
    assert row["wasserstein_distance"] is not None or "wasserstein_distance" in row["reasons"]
