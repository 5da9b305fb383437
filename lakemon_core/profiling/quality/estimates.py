"""Means, shares and ratios of sums over rows, with their 95 % intervals.

The interval of a mean or ratio is value ± z times its standard error. The error of a ratio is that of the
mean of its residuals (delta method; Cochran, Sampling Techniques, 6.4). Rows that share what makes them miss,
such as all forecasts of one actual, may be given as groups: then sums of residuals by group count as one each
(Liang and Zeger, 1986).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt

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

BLOCK = 2**15
"""Rows of a block: so many doubles of several columns stay in a core's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Rows that miss together.

    Attributes:
        codes: per row the number of its group, from 0.
        sizes: rows of each group; some may have none.
        count: groups that have rows.
    """

    codes: Codes
    sizes: Floats
    count: int

    @classmethod
    def of(cls, codes: Codes) -> Groups:
        """Counts the rows of each group."""
        sizes = np.bincount(codes)
        return cls(codes, sizes.astype(np.float64), int(np.count_nonzero(sizes)))

    def where(self, rows: Flags) -> Groups:
        """Returns the groups of some of the rows."""
        return self if rows.all() else Groups.of(self.codes[rows])

    def sums(self, values: Floats) -> Floats:
        """Returns the sum of each group."""
        found = np.bincount(self.codes, weights=values, minlength=len(self.sizes))
        return np.asarray(found, dtype=np.float64)


def cut(rows: int, groups: Groups | None = None) -> Sequence[slice]:
    """Returns the places of block after block of rows, at least of one; rows of groups stay together."""
    if groups is not None:
        return (slice(None),)
    return [slice(start, start + BLOCK) for start in range(0, max(1, rows), BLOCK)]


@dataclass(frozen=True, slots=True)
class Sums:
    """Parts and wholes added up: all that a ratio and its interval need. Blocks of rows may be added.

    Attributes:
        rows: how many.
        units: rows, or groups that have rows: what is independent of each other.
        part: Σ parts.
        whole: Σ wholes.
        part_squares: Σ (part - mean)² over units.
        whole_squares: the same of the wholes.
        products: Σ (part - mean) · (whole - mean).
        least: the smallest part.
    """

    rows: int
    units: int
    part: float
    whole: float
    part_squares: float
    whole_squares: float
    products: float
    least: float

    @classmethod
    def of(cls, parts: Floats, wholes: Floats | None = None, groups: Groups | None = None) -> Sums:
        """Adds up finite numbers, one a row; the wholes are never negative, and 1 each when not given."""
        n, units = len(parts), len(parts) if groups is None else groups.count
        least, whole = float(parts.min(initial=np.inf)), float(n if wholes is None else wholes.sum())
        if groups is not None:
            wholes = groups.sizes if wholes is None else groups.sums(wholes)
            parts = groups.sums(parts)
        part = float(parts.sum())
        away = parts - part / max(1, len(parts))
        if wholes is None:
            return cls(n, units, part, whole, dot(away, away), 0.0, 0.0, least)
        aside = wholes - whole / max(1, len(wholes))
        return cls(n, units, part, whole, dot(away, away), dot(aside, aside), dot(away, aside), least)

    @classmethod
    def of_losses(cls, losses: Floats, counts: Floats | None = None) -> Sums:
        """Adds up finite numbers that are never negative, without wholes or groups. They are used up.

        Args:
            losses: one a row, or one for each count; the array is overwritten.
            counts: how many rows each stands for, 0 or more.
        """
        if counts is None:
            rows, part = len(losses), float(losses.sum())
        else:
            rows, part = int(counts.sum()), dot(losses, counts)
        losses -= part / max(1, rows)
        squares = dot(losses, losses if counts is None else losses * counts)
        return cls(rows, rows, part, float(rows), squares, 0.0, 0.0, 0.0)

    def against(self, size: float) -> Sums:
        """Returns the same parts, each against a whole of one size; of rows without wholes."""
        return replace(self, whole=self.rows * size)

    def __add__(self, other: Sums) -> Sums:
        """Both; of rows without groups. Source: Chan, Golub and LeVeque (1979)."""
        rows = self.rows + other.rows
        share = self.rows * other.rows / max(1, rows)
        part = self.part / max(1, self.rows) - other.part / max(1, other.rows)
        whole = self.whole / max(1, self.rows) - other.whole / max(1, other.rows)
        return Sums(
            rows,
            self.units + other.units,
            self.part + other.part,
            self.whole + other.whole,
            self.part_squares + other.part_squares + part * part * share,
            self.whole_squares + other.whole_squares + whole * whole * share,
            self.products + other.products + part * whole * share,
            min(self.least, other.least),
        )

    def ratio(self, *, zero: str = "") -> Estimate:
        """Returns Σ parts / Σ wholes; the interval of what is never negative stays above 0.

        Args:
            zero: why there is no value when the wholes sum to 0.
        """
        if not self.rows:
            return Estimate.unknown(NO_ROWS)
        if self.whole == 0:
            return Estimate.unknown(zero or "the wholes sum to 0", self.rows)
        value = self.part / self.whole
        if not isfinite(value):
            return Estimate.unknown(TOO_LARGE, self.rows)
        error = self.standard_error(value)
        if not isfinite(error):
            return Estimate(value, self.rows)
        low = value - Z * error
        return Estimate(value, self.rows, (max(0.0, low) if self.least >= 0 else low, value + Z * error))

    def standard_error(self, ratio: float) -> float:
        """Returns that of the ratio: of Σ (part - ratio · whole), by Σ wholes; infinite for a single unit."""
        squares = self.part_squares - 2 * ratio * self.products + ratio * ratio * self.whole_squares
        if self.units < 2 or not isfinite(squares):
            return inf
        return sqrt(max(0.0, squares) * self.units / (self.units - 1)) / self.whole


def added(blocks: Iterable[Mapping[str, Sums]]) -> dict[str, Sums]:
    """Adds up the sums of one block or more, name by name."""
    first, *others = blocks
    return {name: sum((other[name] for other in others), start) for name, start in first.items()}


def dot(one: Floats, other: Floats) -> float:
    """Returns Σ one · other on this thread alone: `@` wakes threads of BLAS, which then spin on all cores."""
    return float(np.einsum("i,i->", one, other))


def mean_of(values: Floats, groups: Groups | None = None) -> Estimate:
    """Returns the mean of finite numbers, one a row; see `ratio_of`."""
    return ratio_of(values, None, groups)


@np.errstate(over="ignore", invalid="ignore")
def ratio_of(
    parts: Floats, wholes: Floats | None, groups: Groups | None = None, *, zero: str = ""
) -> Estimate:
    """Returns Σ parts / Σ wholes; the interval of what is never negative stays above 0.

    Args:
        parts: one finite number a row.
        wholes: likewise, none negative; None for 1 each.
        groups: the rows that miss together; None takes every row for itself.
        zero: why there is no value when the wholes sum to 0.
    """
    return Sums.of(parts, wholes, groups).ratio(zero=zero)


def root_of(mean: Estimate) -> Estimate:
    """Returns the root of the mean of squares; the interval by the delta method, d√m = dm / 2√m."""
    if mean.value is None:
        return mean
    root = sqrt(mean.value)
    if mean.interval is None:
        return Estimate(root, mean.n)
    half = (mean.interval[1] - mean.value) / (2 * root) if root else 0.0
    return Estimate(root, mean.n, (max(0.0, root - half), root + half))


def share_of(hits: Flags, groups: Groups | None = None) -> Estimate:
    """Returns the share of rows that are hits, with Wilson's interval.

    Rows that miss together count for as many as their variance says (Korn and Graubard, 1998), at most for
    all; where no variance is seen, each group counts for one.

    Args:
        hits: one a row.
        groups: the rows that miss together; None takes every row for itself.
    """
    n = len(hits)
    if not n:
        return Estimate.unknown(NO_ROWS)
    share = int(np.count_nonzero(hits)) / n
    return Estimate(share, n, wilson(share, n if groups is None else _effective(hits, share, groups)))


def _effective(hits: Flags, share: float, groups: Groups) -> float:
    """Returns the number of independent rows whose share would vary as much."""
    error = Sums.of(hits.astype(np.float64), None, groups).standard_error(share)
    if not error or not isfinite(error):
        return float(groups.count)
    return min(float(len(hits)), max(1.0, share * (1 - share) / (error * error)))
