"""How well scores rank: exact with ties, from one sort."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.quality.estimates import Sums, added, cut

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Some neighbouring distinct scores.

    Attributes:
        rows: the first and one past the last of their rows, among the sorted ones.
        hits: positive rows of each score, as doubles.
        misses: the other rows.
        hits_below: positive rows with a lower score.
        misses_below: other rows with a lower score.
    """

    rows: slice
    hits: Floats
    misses: Floats
    hits_below: Floats
    misses_below: Floats

    @property
    def beaten(self) -> Floats:
        """Other rows that a positive one of each score beats; ties count half."""
        return self.misses_below + self.misses / 2

    def beaten_by(self, positives: int) -> Floats:
        """Positive rows, of all, that beat another one of each score; ties count half."""
        return positives - self.hits_below - self.hits / 2


@dataclass(frozen=True, eq=False)
class Ranking:
    """Rows in the order of their scores.

    Attributes:
        scores: sorted.
        positive: of the sorted rows.
        rows_to: rows up to and with each distinct score; the first is 0.
        hits_to: positive rows up to and with each distinct score; the first is 0.
    """

    scores: Floats
    positive: Flags
    rows_to: Counts
    hits_to: Counts

    @classmethod
    def of(cls, positive: Flags, scores: Floats) -> Ranking:
        """Sorts the rows once."""
        if scores.min(initial=0) < 0:
            order = np.argsort(scores)
            return cls.of_sorted(positive[order], scores[order])
        return cls.of_sorted(*_sorted_together(positive, scores))

    @classmethod
    def of_sorted(cls, positive: Flags, scores: Floats) -> Ranking:
        """Takes rows that are in the order of their scores."""
        starts = np.ones(len(scores) + 1, dtype=np.bool_)
        np.not_equal(scores[1:], scores[:-1], out=starts[1:-1])
        rows_to = np.flatnonzero(starts)
        hits_to = np.zeros(len(scores) + 1, dtype=np.int64)
        np.cumsum(positive, out=hits_to[1:])
        return cls(scores, positive, rows_to, hits_to if starts.all() else hits_to.take(rows_to))

    @cached_property
    def positives(self) -> int:
        """All positive rows."""
        return int(self.hits_to[-1])

    @property
    def negatives(self) -> int:
        """All other rows."""
        return len(self.scores) - self.positives

    @cached_property
    def roc_auc(self) -> float:
        """The share of pairs of a positive and another row in which the positive one scores higher.

        Ties count half (Mann-Whitney). NaN unless there are rows of both kinds.
        """
        if not self.positives or not self.negatives:
            return math.nan
        return self._sums["hits"].part / (self.positives * self.negatives)

    def auc_variance(self) -> float:
        """Returns DeLong's variance of the AUC; NaN unless there are two rows of both kinds.

        Source: DeLong, DeLong and Clarke-Pearson (1988), in O(n log n) as Sun and Xu (2014).
        """
        many, others = self.positives, self.negatives
        if min(many, others) < 2:
            return math.nan
        of_hits = self._sums["hits"].part_squares / (many - 1) / many
        of_misses = self._sums["misses"].part_squares / (others - 1) / others
        return of_hits / others**2 + of_misses / many**2

    def auc_influence(self) -> Floats:
        """Returns how far each of the sorted rows pulls the AUC: the squares sum to its variance.

        The influence on a mean of AUCs of the same rows is the mean of the influences, so that what the AUCs
        have in common counts.
        """
        influence = np.empty(len(self.scores))
        for step, of_hits, of_misses in self._pulls():
            positive, pulls = self.positive[step.rows], (of_misses, of_hits - of_misses)
            if len(positive) > len(of_hits):
                counts = (step.hits + step.misses).astype(np.int64)
                pulls = tuple(np.repeat(pull, counts) for pull in pulls)
            influence[step.rows] = pulls[0] + positive * pulls[1]
        return influence

    def average_precision(self) -> float:
        """Returns the sum over thresholds of (gain of recall) x precision, equal scores being one threshold.

        NaN without positive rows.
        """
        return self._sums["precision"].part / self.positives if self.positives else math.nan

    @cached_property
    def _sums(self) -> Mapping[str, Sums]:
        """Over positive rows, how many others each beats, and the precision from its score on.

        Over the others, how many positive rows each is beaten by.
        """

        def of(step: Steps) -> dict[str, Sums]:
            found = self.positives - step.hits_below
            chosen = found + (self.negatives - step.misses_below)
            return {
                "hits": Sums.of_each(step.beaten, step.hits),
                "misses": Sums.of_each(step.beaten_by(self.positives), step.misses),
                "precision": Sums.of_each(found / chosen, step.hits),
            }

        return added(map(of, self._steps()))

    def _steps(self) -> Iterator[Steps]:
        """Yields the distinct scores in blocks that stay in the core's cache."""
        for block in cut(len(self.rows_to) - 1):
            rows = self.rows_to[block.start : block.stop + 1].astype(np.float64)
            hits = self.hits_to[block.start : block.stop + 1].astype(np.float64)
            of_hits = np.diff(hits)
            yield Steps(
                slice(self.rows_to[block.start], int(rows[-1])),
                of_hits,
                np.diff(rows) - of_hits,
                hits[:-1],
                rows[:-1] - hits[:-1],
            )

    def _pulls(self) -> Iterator[tuple[Steps, Floats, Floats]]:
        """How far a positive and a negative row of each distinct score pull the AUC."""
        many, others = float(self.positives), float(self.negatives)
        if min(many, others) < 2:
            many = others = math.nan
        by_hits, by_misses = 1 / math.sqrt(many * (many - 1)), 1 / math.sqrt(others * (others - 1))
        for step in self._steps():
            beaten, beaten_by = step.beaten / others, step.beaten_by(self.positives) / many
            yield step, (beaten - self.roc_auc) * by_hits, (beaten_by - self.roc_auc) * by_misses


def _sorted_together(positive: Flags, scores: Floats) -> tuple[Flags, Floats]:
    """Sorts scores from 0 up, each with its flag, in one sort of whole numbers.

    The bits of such doubles order as they do and leave the bit of the sign free: it takes the flag.
    """
    keys = (scores + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0, without the bit
    keys <<= np.uint64(1)
    keys |= positive
    keys.sort()
    flags = np.empty(len(keys), dtype=np.bool_)
    np.bitwise_and(keys, np.uint64(1), out=flags, casting="unsafe")
    keys >>= np.uint64(1)
    return flags, keys.view(np.float64)
