"""Distances between two distributions, and what chance alone gives at these row counts.

Counts come as arrays of the same levels or bins, reference first. The formulas stand in
docs/reference/metrics.md; p and q are the shares of reference and current rows, n their counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CLIP = 1e-4
"""Least share of `smoothing="clip"`."""
_SIGNIFICANCE = 0.05
_ABOVE_MINUS_ONE = math.nextafter(-1.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Pairs of samples, each counted by the same levels or bins: one pair a row; all their distances follow.

    Pairs of fewer levels than others have levels without rows, which play no part.

    Attributes:
        p_counts: reference rows per level.
        q_counts: current rows per level.
        weights: how many levels have these two counts.
        m: reference rows of each pair.
        n: current rows.
        p: shares of the reference.
        q: current shares.
        gaps: q less p.
    """

    p_counts: Floats
    q_counts: Floats
    weights: Floats
    m: Floats
    n: Floats
    p: Floats
    q: Floats
    gaps: Floats

    @classmethod
    def of(
        cls, p_counts: npt.ArrayLike, q_counts: npt.ArrayLike, weights: npt.ArrayLike | None = None
    ) -> Samples:
        """Takes counts of one pair or of several, reference first.

        Args:
            p_counts: of the reference, one row a pair.
            q_counts: likewise.
            weights: how many levels have these counts; without, each that occurs stands for one.

        Raises:
            ValueError: when those of a sample add up to nothing.
        """
        reference, current = (np.atleast_2d(np.asarray(c, dtype=np.float64)) for c in (p_counts, q_counts))
        if weights is None:
            times = ((reference + current) > 0).astype(np.float64)
        else:
            times = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        m, n = _row_sums(times, reference), _row_sums(times, current)
        if not (m.all() and n.all()):
            raise ValueError("a sample without values has no shares: its counts add up to nothing")
        p, q = reference / m[:, np.newaxis], current / n[:, np.newaxis]
        return cls(reference, current, times, m, n, p, q, q - p)

    @property
    def levels(self) -> Floats:
        """How many levels there are."""
        return self.weights.sum(axis=1)

    def psi(self, smoothing: str) -> Floats:
        """As the function `psi`."""
        if smoothing == "add_half":
            half = self.levels / 2
            p = (self.p_counts + 0.5) / (self.m + half)[:, np.newaxis]
            q = (self.q_counts + 0.5) / (self.n + half)[:, np.newaxis]
        elif smoothing == "clip":
            p, q = np.maximum(self.p, CLIP), np.maximum(self.q, CLIP)
        else:
            raise ValueError(f'{smoothing!r} is not a smoothing; use "add_half" or "clip"')
        return _row_sums(self.weights, (q - p) * np.log(q / p))

    def js_distance(self) -> Floats:
        """As the function `js_distance`."""
        total = self.p + self.q
        d = self.gaps / np.where(total, total, 1.0)
        down, up = np.log1p(np.maximum(-d, _ABOVE_MINUS_ONE)), np.log1p(np.maximum(d, _ABOVE_MINUS_ONE))
        f = (1 + d) * up + (1 - d) * down
        divergence = _row_sums(self.weights, total * f) / (4 * math.log(2))
        return np.sqrt(np.clip(divergence, 0.0, 1.0))

    def tv_distance(self) -> Floats:
        """As the function `tv_distance`."""
        return _row_sums(self.weights, np.abs(self.gaps)) / 2

    def l_infinity_distance(self) -> Floats:
        """As the function `l_infinity_distance`."""
        return np.abs(self.gaps).max(axis=1)

    def expected_tv(self) -> Floats:
        """As the function `expected_tv`."""
        return _row_sums(self.weights, self._standard_errors()) / math.sqrt(2 * math.pi)

    def tv_chance_level(self) -> Floats:
        """As the function `tv_chance_level`."""
        from scipy.special import chdtri, gammaln  # a tenth of a second that only drift takes

        errors = self._standard_errors()
        total, squares = _row_sums(self.weights, errors), _row_sums(self.weights, errors**2)
        varies = squares > 0
        freedom = np.maximum(1.0, total**2 / np.where(varies, squares, 1.0) - 1)
        mean = math.sqrt(2) * np.exp(gammaln((freedom + 1) / 2) - gammaln(freedom / 2))
        quantile = np.sqrt(chdtri(freedom, _SIGNIFICANCE))
        return np.where(varies, np.minimum(1.0, total / math.sqrt(2 * math.pi) * quantile / mean), 0.0)

    def psi_chance_level(self) -> Floats:
        """As the function `psi_chance_level`."""
        levels = self.levels.astype(np.int64).tolist()
        rows = zip(levels, self.n.tolist(), self.m.tolist(), strict=True)
        return np.array([psi_chance_level(*row) for row in rows])

    def js_chance_level(self) -> Floats:
        """As the function `js_chance_level`."""
        return np.minimum(1.0, np.sqrt(self.psi_chance_level() / (8 * math.log(2))))

    def _standard_errors(self) -> Floats:
        """Standard error of each p - q without any drift."""
        pooled = (self.p_counts + self.q_counts) / (self.m + self.n)[:, np.newaxis]
        return np.sqrt(pooled * (1 - pooled) * (1 / self.m + 1 / self.n)[:, np.newaxis])


def _row_sums(weights: Floats, values: Floats) -> Floats:
    return np.einsum("ij,ij->i", weights, values)


def psi(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike, smoothing: str = "add_half") -> float:
    """Population stability index, sum of (q - p) ln(q / p).

    Args:
        p_counts: reference rows per bin.
        q_counts: current rows per bin.
        smoothing: `add_half` adds 0.5 to every count; `clip` lifts shares below 1e-4 to 1e-4.

    Raises:
        ValueError: for other smoothings and for counts that add up to nothing.
    """
    return float(Samples.of(p_counts, q_counts).psi(smoothing)[0])


def js_distance(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """Jensen-Shannon distance, base 2: the root of the divergence, between 0 and 1.

    With m = (p + q) / 2 and d = (q - p) / (q + p) the divergence is the sum of m f(d) / 2,
    f(d) = (1 + d) ln(1 + d) + (1 - d) ln(1 - d): equal to the textbook form and exact for tiny differences.
    """
    return float(Samples.of(p_counts, q_counts).js_distance()[0])


def tv_distance(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """Total variation, half the sum of |p - q|."""
    return float(Samples.of(p_counts, q_counts).tv_distance()[0])


def l_infinity_distance(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """Largest |p - q|."""
    return float(Samples.of(p_counts, q_counts).l_infinity_distance()[0])


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


def psi_chance_level(bins: int, n: float, n_reference: float) -> float:
    """The value that PSI without any drift stays below 95 times in 100: chi-squared(k - 1) (1/n + 1/m)."""
    return _chi_squared_quantile(bins - 1) * (1 / n + 1 / n_reference) if bins > 1 else 0.0


def js_chance_level(bins: int, n: int, n_reference: int) -> float:
    """The same for the Jensen-Shannon distance: without drift its divergence is PSI / 8 (in nats)."""
    return min(1.0, math.sqrt(psi_chance_level(bins, n, n_reference) / (8 * math.log(2))))


def expected_tv(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """Mean total variation without any drift: sum of sqrt(p (1 - p) (1/n + 1/m) / (2 pi)), p pooled."""
    return float(Samples.of(p_counts, q_counts).expected_tv()[0])


def tv_chance_level(p_counts: npt.ArrayLike, q_counts: npt.ArrayLike) -> float:
    """The value that the total variation without any drift stays below 95 times in 100.

    `expected_tv` times the ratio of 95 % quantile to mean of a chi variable, whose degrees of freedom are the
    effective number of levels less one: exact for two levels, within a few percent of simulation beyond.
    """
    return float(Samples.of(p_counts, q_counts).tv_chance_level()[0])


@lru_cache(maxsize=1024)
def _chi_squared_quantile(freedom: int) -> float:
    from scipy.special import chdtri

    return float(chdtri(freedom, _SIGNIFICANCE))
