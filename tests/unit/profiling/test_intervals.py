"""Confidence intervals."""

import pytest
from scipy.stats import binomtest

from lakemon_core.profiling.intervals import wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (17, 40), (999, 1000)])
def test_the_wilson_interval_agrees_with_scipy(hits, n):
    expected = binomtest(hits, n).proportion_ci(0.95, "wilson")
    assert wilson(hits / n, n) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=1e-12)
