"""Do probabilities mean what they say: probabilities against shares of hits, in bins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lakemon_classification.metrics.findings import Findings
from lakemon_classification.metrics.ranking import Ranking
from lakemon_core.domain.estimate import Estimate
from lakemon_core.profiling.intervals import wilson
from lakemon_core.profiling.quality.estimates import dot

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

BINS = 10
ESTIMATES = ("expected_calibration_error", "calibration_error_equal_mass", "calibration_error_excess")
CELLS = ("reliability",)


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Rows by probability: the bins that hold any.

    Attributes:
        lower: lower edge of each bin, which it holds.
        upper: upper edge, which only the highest bin holds.
        counts: rows.
        hits: rows whose event came.
        predicted: mean probability.
        noise: sum of p(1 - p) over the rows: the variance of `hits` if every p were right.
    """

    lower: Floats
    upper: Floats
    counts: Counts
    hits: Counts
    predicted: Floats
    noise: Floats

    @classmethod
    def equal_width(cls, ranking: Ranking, bins: int = BINS) -> Bins:
        """Cuts 0 to 1 into bins of one width."""
        return cls._between(ranking, np.arange(bins + 1) / bins)

    @classmethod
    def equal_mass(cls, ranking: Ranking, bins: int = BINS) -> Bins:
        """Cuts at the quantiles of the probabilities; equal probabilities share a bin."""
        scores = ranking.scores
        below, part = np.divmod(np.arange(bins + 1) * (len(scores) - 1), bins)
        lower, upper = scores[below], scores[np.minimum(below + 1, len(scores) - 1)]
        return cls._between(ranking, lower + (upper - lower) * (part / bins))

    @classmethod
    def _between(cls, ranking: Ranking, edges: Floats) -> Bins:
        scores = ranking.scores
        ends = np.searchsorted(scores, edges[1:-1], side="left")
        bounds = np.concatenate(([0], ends, [len(scores)]))
        filled = np.diff(bounds) > 0
        counts = np.diff(bounds)[filled]
        places = [
            slice(start, start + count) for start, count in zip(bounds[:-1][filled], counts, strict=True)
        ]
        return cls(
            lower=edges[:-1][filled],
            upper=edges[1:][filled],
            counts=counts,
            hits=np.array([np.count_nonzero(ranking.positive[place]) for place in places]),
            predicted=np.array([scores[place].mean() for place in places]),
            noise=np.array([dot(scores[place], 1 - scores[place]) for place in places]),
        )

    @property
    def error(self) -> float:
        """Expected calibration error: mean over rows of |share of hits - mean probability| of their bins."""
        gaps = np.abs(self.hits / self.counts - self.predicted)
        return float((gaps * self.counts).sum() / self.counts.sum())

    @property
    def error_by_chance(self) -> float:
        """What the error is on average when every probability is right.

        Each bin's hits are taken as normal about the sum of its probabilities: E|x| = s·√(2/π).
        """
        return float(np.sqrt(2 / math.pi * self.noise).sum() / self.counts.sum())

    def rows(self) -> list[Mapping[str, float | int]]:
        """Returns the reliability diagram: one dict a bin, with the 95 % Wilson interval of its share."""
        shares = self.hits / self.counts
        ends = [wilson(share, count) for share, count in zip(shares, self.counts.tolist(), strict=True)]
        return [
            {
                "lower": float(self.lower[at]),
                "upper": float(self.upper[at]),
                "count": int(self.counts[at]),
                "predicted": float(self.predicted[at]),
                "observed": float(shares[at]),
                "observed_lower": low,
                "observed_upper": high,
            }
            for at, (low, high) in enumerate(ends)
        ]


def calibration_metrics(ranking: Ranking) -> Findings:
    """Returns the calibration errors and the bins of equal width.

    An error that is measured on few rows is too high: chance alone parts shares and probabilities. The first
    two are left as everybody reports them; the excess is the first less what chance gives, and 0 at least. A
    sum of absolute values has no sound standard error near 0, so none has an interval.

    Args:
        ranking: rows by probability; positive are those whose event came.
    """
    even, heavy, n = Bins.equal_width(ranking), Bins.equal_mass(ranking), len(ranking.scores)
    return Findings(
        {
            "expected_calibration_error": Estimate(even.error, n),
            "calibration_error_equal_mass": Estimate(heavy.error, n),
            "calibration_error_excess": Estimate(max(0.0, even.error - even.error_by_chance), n),
        },
        {"reliability": even.rows()},
    )
