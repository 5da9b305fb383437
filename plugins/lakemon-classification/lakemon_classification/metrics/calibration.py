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
from lakemon_core.profiling.quality.estimates import cut

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

BINS = 10
ESTIMATES = ("expected_calibration_error", "calibration_error_equal_mass", "calibration_error_excess")
CELLS = ("reliability",)


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Rows by probability: the bins that hold any.

    Attributes:
        ranking: the rows.
        starts: the first row of each bin, in the order of the probabilities.
        lower: lower edge of each bin, which it holds.
        upper: upper edge, which only the highest bin holds.
        counts: rows.
        hits: rows whose event came.
        predicted: mean probability.
    """

    ranking: Ranking
    starts: Counts
    lower: Floats
    upper: Floats
    counts: Counts
    hits: Counts
    predicted: Floats

    @classmethod
    def equal_width(cls, ranking: Ranking, bins: int = BINS) -> Bins:
        """Cuts 0 to 1 into bins of one width."""
        return cls._between(ranking, np.arange(bins + 1) / bins)

    @classmethod
    def equal_mass(cls, ranking: Ranking, bins: int = BINS) -> Bins:
        """Cuts at the quantiles of the probabilities; equal probabilities share a bin."""
        scores = ranking.scores
        below, part = np.divmod(np.arange(bins + 1) * (len(scores) - 1), bins)
        lower, upper = scores.take(below), scores.take(np.minimum(below + 1, len(scores) - 1))
        return cls._between(ranking, lower + (upper - lower) * (part / bins))

    @classmethod
    def _between(cls, ranking: Ranking, edges: Floats) -> Bins:
        bounds = np.empty(len(edges), dtype=np.int64)
        bounds[0], bounds[-1] = 0, len(ranking.scores)
        bounds[1:-1] = ranking.scores.searchsorted(edges[1:-1])
        counts = bounds[1:] - bounds[:-1]
        filled = counts > 0
        starts, counts = bounds[:-1][filled], counts[filled]
        places = zip(starts.tolist(), (starts + counts).tolist(), strict=True)
        return cls(
            ranking=ranking,
            starts=starts,
            lower=edges[:-1][filled],
            upper=edges[1:][filled],
            counts=counts,
            hits=np.array([np.count_nonzero(ranking.positive[start:stop]) for start, stop in places]),
            predicted=np.add.reduceat(ranking.scores, starts) / counts,
        )

    @property
    def noise(self) -> Floats:
        """Sum of p(1 - p) over the rows of each bin: the variance of `hits` if every p were right."""
        scores, noise = self.ranking.scores, np.zeros(len(self.starts))
        for block in cut(len(scores)):
            shares = scores[block]
            starts = np.maximum(self.starts, block.start)
            mine = np.flatnonzero((starts < self.starts + self.counts) & (starts < block.stop))
            noise[mine] += np.add.reduceat(shares * (1 - shares), starts[mine] - block.start)
        return noise

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
        shares = (self.hits / self.counts).tolist()
        columns = (self.lower, self.upper, self.counts, self.predicted)
        lists = (column.tolist() for column in columns)
        return list(map(_row, *lists, shares))


def _row(
    lower: float, upper: float, count: int, predicted: float, observed: float
) -> Mapping[str, float | int]:
    low, high = wilson(observed, count)
    return {
        "lower": lower,
        "upper": upper,
        "count": count,
        "predicted": predicted,
        "observed": observed,
        "observed_lower": low,
        "observed_upper": high,
    }


def calibration_metrics(ranking: Ranking) -> Findings:
    """Returns the calibration errors and the bins of equal width.

    An error that is measured on few rows is too high: chance alone parts shares and probabilities. The first
    two are left as everybody reports them; the excess is the first less what chance gives, and 0 at least. A
    sum of absolute values has no sound standard error near 0, so none has an interval.

    Args:
        ranking: rows by probability; positive are those whose event came.
    """
    even, heavy, n = Bins.equal_width(ranking), Bins.equal_mass(ranking), len(ranking.scores)
    error = even.error
    return Findings(
        {
            "expected_calibration_error": Estimate(error, n),
            "calibration_error_equal_mass": Estimate(heavy.error, n),
            "calibration_error_excess": Estimate(max(0.0, error - even.error_by_chance), n),
        },
        {"reliability": even.rows()},
    )
