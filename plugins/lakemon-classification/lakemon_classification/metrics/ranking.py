"""How well scores rank: exact with ties, from one sort."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Rows in the order of their scores.

    Attributes:
        order: positions of the rows, lowest score first.
        scores: sorted.
        positive: of the sorted rows.
        starts: where in the sorted rows each distinct score begins.
        hits: positive rows of each distinct score.
        misses: the other rows of each distinct score.
        beaten: twice the other rows that a positive one of each distinct score beats; ties count half.
        positives: all positive rows.
        negatives: all other rows.
    """

    order: Counts
    scores: Floats
    positive: Flags
    starts: Counts
    hits: Counts
    misses: Counts
    beaten: Counts
    positives: int
    negatives: int

    @classmethod
    def of(cls, positive: Flags, scores: Floats) -> Ranking:
        """Sorts the rows once."""
        scores = np.ascontiguousarray(scores)
        order = np.argsort(scores)
        ranked, flags = scores[order], positive[order]
        changes = np.flatnonzero(ranked[1:] != ranked[:-1]) + 1
        starts = np.concatenate(([0], changes))[: len(ranked)]
        hits = np.add.reduceat(flags, starts, dtype=np.int64) if len(ranked) else starts
        misses = np.diff(starts, append=len(ranked)) - hits
        beaten = 2 * np.cumsum(misses) - misses
        positives = int(hits.sum())
        return cls(order, ranked, flags, starts, hits, misses, beaten, positives, len(ranked) - positives)

    def roc_auc(self) -> float:
        """Returns the share of pairs of a positive and another row in which the positive one scores higher.

        Ties count half (Mann-Whitney). NaN unless there are rows of both kinds.
        """
        if not self.positives or not self.negatives:
            return math.nan
        return int(self.hits @ self.beaten) / (2 * self.positives * self.negatives)

    def auc_variance(self) -> float:
        """Returns DeLong's variance of the AUC; NaN unless there are two rows of both kinds.

        Source: DeLong, DeLong and Clarke-Pearson (1988), in O(n log n) as Sun and Xu (2014).
        """
        of_hits, of_misses = self._pull()
        return float(self.hits @ np.square(of_hits) + self.misses @ np.square(of_misses))

    def auc_influence(self) -> Floats:
        """Returns how far each row pulls the AUC, in the order of the rows: the squares sum to its variance.

        The influence on a mean of AUCs of the same rows is the mean of the influences, so that what the AUCs
        have in common counts.
        """
        of_hits, of_misses = self._pull()
        pulls = np.repeat(of_misses, self.hits + self.misses)
        pulls[self.positive] = np.repeat(of_hits, self.hits)
        influence = np.empty(len(pulls))
        influence[self.order] = pulls
        return influence

    def average_precision(self) -> float:
        """Returns the sum over thresholds of (gain of recall) x precision, equal scores being one threshold.

        NaN without positive rows.
        """
        if not self.positives:
            return math.nan
        some = self.hits > 0
        found = self.positives - (np.cumsum(self.hits) - self.hits)[some]
        chosen = len(self.scores) - self.starts[some]
        return float((self.hits[some] / self.positives * (found / chosen)).sum())

    def _pull(self) -> tuple[Floats, Floats]:
        """How far a positive and a negative row of each distinct score pull the AUC."""
        many, others = self.positives, self.negatives
        if many < 2 or others < 2:
            nothing = np.full(len(self.hits), math.nan)
            return nothing, nothing
        auc = self.roc_auc()
        beaten = self.beaten / (2 * others)
        beaten_by = (2 * (many - np.cumsum(self.hits)) + self.hits) / (2 * many)
        of_hits = (beaten - auc) / math.sqrt(many * (many - 1))
        return of_hits, (beaten_by - auc) / math.sqrt(others * (others - 1))
