"""Distances between two distributions, and what chance alone gives at these row counts.

Counts come as arrays of the same levels or bins, reference first. The formulas stand in
docs/reference/metrics.md; p and q are the shares of reference and current rows, n their counts.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import chdtri, gammaln, xlog1py

Floats = npt.NDArray[np.float64]

CLIP = 1e-4
"""Least share of `smoothing="clip"`."""
_SIGNIFICANCE = 0.05


def psi(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike, smoothing: str = "add_half") -> float:
    """Population stability index, sum of (q - p) ln(q / p).

    Args:
        p_counts: reference rows per bin.
        q_counts: current rows per bin.
        smoothing: `add_half` adds 0.5 to every count; `clip` lifts shares below 1e-4 to 1e-4.

    Raises:
        ValueError: for other smoothings and for counts that add up to nothing.
    """
    if smoothing == "add_half":
        p, q = _shares(np.add(p_counts, 0.5)), _shares(np.add(q_counts, 0.5))
    elif smoothing == "clip":
        p, q = np.maximum(_shares(p_counts), CLIP), np.maximum(_shares(q_counts), CLIP)
    else:
        raise ValueError(f'{smoothing!r} is not a smoothing; use "add_half" or "clip"')
    return float(np.sum((q - p) * np.log(q / p)))


def js_distance(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """Jensen-Shannon distance, base 2: the root of the divergence, between 0 and 1.

    With m = (p + q) / 2 and d = (q - p) / (q + p) the divergence is the sum of m f(d) / 2,
    f(d) = (1 + d) ln(1 + d) + (1 - d) ln(1 - d): equal to the textbook form and exact for tiny differences.
    """
    p, q = _present_shares(p_counts, q_counts)
    total = p + q
    d = (q - p) / total
    divergence = float(np.sum(total * (xlog1py(1 + d, d) + xlog1py(1 - d, -d)))) / (4 * math.log(2))
    return math.sqrt(min(1.0, max(0.0, divergence)))


def tv_distance(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """Total variation, half the sum of |p - q|."""
    return float(np.abs(_shares(p_counts) - _shares(q_counts)).sum()) / 2


def l_infinity_distance(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """Largest |p - q|."""
    return float(np.abs(_shares(p_counts) - _shares(q_counts)).max())


def wasserstein_distance(current: Floats, reference: Floats) -> float:
    """First Wasserstein distance of two sorted samples of finite numbers: the integral of |Qx(u) - Qy(u)|.

    Each value of the longer sample x covers a share 1/n of u, no more than a value of y does: it meets one
    value of y, or two where a boundary of y falls within its share. The sum over the first is taken whole and
    then corrected at the boundaries. Exact, and free of cancellation far from zero.

    Raises:
        ValueError: when a sample is empty.
    """
    x, y = (current, reference) if len(current) >= len(reference) else (reference, current)
    n, m = len(x), len(y)
    if not m:
        raise ValueError("a sample without values has no distance")
    first = -(-np.arange(m + 1) * n // m)
    met_whole = np.repeat(y, np.diff(first))
    gaps = float(np.abs(np.subtract(x, met_whole, out=met_whole), out=met_whole).sum())
    met, within = np.divmod(np.arange(1, m) * n, m)
    rest = np.where(within > 0, 1 - within / m, 0.0)
    shared = x[met]
    gaps += float(np.sum(rest * (np.abs(shared - y[1:]) - np.abs(shared - y[:-1]))))
    return max(0.0, gaps) / n


def psi_chance_level(bins: int, n: int, n_reference: int) -> float:
    """The value that PSI without any drift stays below 95 times in 100: chi-squared(k - 1) (1/n + 1/m)."""
    return float(chdtri(bins - 1, _SIGNIFICANCE)) * (1 / n + 1 / n_reference) if bins > 1 else 0.0


def js_chance_level(bins: int, n: int, n_reference: int) -> float:
    """The same for the Jensen-Shannon distance: without drift its divergence is PSI / 8 (in nats)."""
    return min(1.0, math.sqrt(psi_chance_level(bins, n, n_reference) / (8 * math.log(2))))


def expected_tv(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """Mean total variation without any drift: sum of sqrt(p (1 - p) (1/n + 1/m) / (2 pi)), p pooled."""
    return float(_standard_errors(p_counts, q_counts).sum()) / math.sqrt(2 * math.pi)


def tv_chance_level(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """The value that the total variation without any drift stays below 95 times in 100.

    `expected_tv` times the ratio of 95 % quantile to mean of a chi variable, whose degrees of freedom are the
    effective number of levels less one: exact for two levels, within a few percent of simulation beyond.
    """
    errors = _standard_errors(p_counts, q_counts)
    if not errors.any():
        return 0.0
    effective = float(errors.sum() ** 2 / np.square(errors).sum())
    freedom = max(1.0, effective - 1)
    mean = math.sqrt(2) * math.exp(gammaln((freedom + 1) / 2) - gammaln(freedom / 2))
    quantile = math.sqrt(float(chdtri(freedom, _SIGNIFICANCE)))
    return min(1.0, expected_tv(p_counts, q_counts) * quantile / mean)


def _standard_errors(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> Floats:
    """Standard error of each p - q without any drift."""
    p, q = np.asarray(p_counts, dtype=np.float64), np.asarray(q_counts, dtype=np.float64)
    pooled = _shares(p + q)
    return np.sqrt(pooled * (1 - pooled) * (1 / p.sum() + 1 / q.sum()))


def _shares(counts: npt.ArrayLike) -> Floats:
    numbers = np.asarray(counts, dtype=np.float64)
    total = numbers.sum()
    if not total:
        raise ValueError("counts that add up to nothing have no shares")
    return numbers / total


def _present_shares(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> tuple[Floats, Floats]:
    p, q = _shares(p_counts), _shares(q_counts)
    present = (p + q) > 0
    return p[present], q[present]
