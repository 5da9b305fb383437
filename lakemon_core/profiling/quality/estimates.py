"""Means, shares and ratios of sums over rows, with their 95 % intervals.

The interval of a mean or ratio is value ± z times its standard error. The error of a ratio is that of the
mean of its residuals (delta method; Cochran, Sampling Techniques, 6.4). Rows that share what makes them miss,
such as all forecasts of one actual, may be given as groups: then sums of residuals by group count as one each
(Liang and Zeger, 1986).
"""

from __future__ import annotations

from math import isfinite, sqrt

import numpy as np
import numpy.typing as npt

from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.intervals import wilson

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

Z = 1.959963984540054
"""Half of the width of a 95 % interval, in standard errors."""

NO_ROWS = "no row has all that it takes"
TOO_LARGE = "the numbers are too large for doubles"


def mean_of(values: Floats, groups: Codes | None = None) -> Estimate:
    """Returns the mean of finite numbers; the interval of what is never negative stays above 0.

    Args:
        values: one number a row.
        groups: per row the number of its group, from 0; None takes every row for itself.
    """
    return ratio_of(values, np.ones(len(values)), groups)


def ratio_of(parts: Floats, wholes: Floats, groups: Codes | None = None, *, zero: str = "") -> Estimate:
    """Returns Σ parts / Σ wholes.

    Args:
        parts: one finite number a row.
        wholes: likewise, none negative.
        groups: as in `mean_of`.
        zero: why there is no value when the wholes sum to 0.
    """
    n = len(parts)
    if not n:
        return Estimate.unknown(NO_ROWS)
    with np.errstate(over="ignore", invalid="ignore"):
        whole = float(wholes.sum())
        if whole == 0:
            return Estimate.unknown(zero or "the wholes sum to 0", n)
        value = float(parts.sum()) / whole
        error = _error(parts - value * wholes, groups) / whole
    if not isfinite(value):
        return Estimate.unknown(TOO_LARGE, n)
    if not isfinite(error):
        return Estimate(value, n)
    low = value - Z * error
    return Estimate(value, n, (max(0.0, low) if parts.min() >= 0 else low, value + Z * error))


def root_of(squares: Floats, groups: Codes | None = None) -> Estimate:
    """Returns the root of the mean of squares; the interval by the delta method, d√m = dm / 2√m."""
    mean = mean_of(squares, groups)
    if mean.value is None:
        return mean
    root = sqrt(mean.value)
    if mean.interval is None:
        return Estimate(root, mean.n)
    half = (mean.interval[1] - mean.value) / (2 * root) if root else 0.0
    return Estimate(root, mean.n, (max(0.0, root - half), root + half))


def share_of(hits: Flags) -> Estimate:
    """Returns the share of rows that are hits, with Wilson's interval."""
    n = len(hits)
    if not n:
        return Estimate.unknown(NO_ROWS)
    share = int(hits.sum()) / n
    return Estimate(share, n, wilson(share, n))


def _error(residuals: Floats, groups: Codes | None) -> float:
    """Standard error of a sum, from residuals about 0; infinite for a single row or group."""
    if groups is not None:
        used = np.bincount(groups) > 0
        residuals = np.asarray(np.bincount(groups, weights=residuals)[used], dtype=np.float64)
    count = len(residuals)
    return sqrt(float(np.square(residuals).sum()) * count / (count - 1)) if count > 1 else np.inf
