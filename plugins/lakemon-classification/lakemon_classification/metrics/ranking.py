"""How well scores rank: exact with ties, from one sort."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise
from operator import add

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.quality.estimates import BLOCK, Sums, dot

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_FEW = 8
"""Ties are few where not more than one row of so many ties."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows in any order; they may belong to many rankings.

    Attributes:
        positive: one a row.
        scores: one a row, no NaN.
    """

    positive: Flags
    scores: Floats

    @cached_property
    def keys(self) -> Keys | None:
        """Scores from 0 up, each with its flag, as whole numbers of the same order; None with lower scores.

        The bits of such doubles order as they do and leave the bit of the sign free: it takes the flag.
        """
        if self.scores.min(initial=0) < 0:
            return None
        keys = (self.scores + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0, without the bit
        keys <<= np.uint64(1)
        keys |= self.positive
        return keys


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How rows of a block stand to all rows of the other kind.

    Values are of single rows, or of distinct scores where some tie: then `hits` and `misses` count the rows
    of each.

    Attributes:
        beaten: other rows that a positive one beats; ties count half.
        beaten_by: positive rows that beat another one; ties count half.
        precision: share of positive rows among those that score as high as a positive one, or higher.
        hits: positive rows of each score; None for one each.
        misses: other rows of each score; None for one each.
        firsts: where each score begins among the rows of the block; None for one each.
    """

    beaten: Floats
    beaten_by: Floats
    precision: Floats
    hits: Floats | None = None
    misses: Floats | None = None
    firsts: Positions | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows that are neighbours in the order of scores; those of one score are in one block.

    Attributes:
        scores: sorted.
        positive: of these rows.
        hits: where the positive rows are, from the first row of the block.
        misses: where the others are.
        hits_below: positive rows of all blocks before.
        misses_below: other rows of all blocks before.
        positives: positive rows of all blocks.
        negatives: other rows of all blocks.
    """

    scores: Floats
    positive: Flags
    hits: Positions
    misses: Positions
    hits_below: int
    misses_below: int
    positives: int
    negatives: int

    def standing(self) -> Standing:
        """Compares the rows with all those of the other kind."""
        ties = self.scores[1:] == self.scores[:-1]
        if not ties.any():
            return self._apart()
        tied = np.zeros(len(self.scores), dtype=np.bool_)
        tied[1:] = ties
        tied[:-1] |= ties
        rows = np.flatnonzero(tied)
        return self._by_score(ties) if _FEW * len(rows) > len(tied) else self._mended(tied, rows)

    def _apart(self) -> Standing:
        """As if no two rows scored alike: what lies below a row follows from its place and number."""
        numbers = np.arange(len(self.hits), dtype=np.float64)
        beaten = self.hits - numbers
        beaten += self.misses_below
        chosen = self.negatives - beaten
        found = np.subtract(self.positives - self.hits_below, numbers, out=numbers)
        chosen += found
        beaten_by = np.arange(len(self.misses), dtype=np.float64)
        beaten_by -= self.misses
        beaten_by += self.positives - self.hits_below
        return Standing(beaten, beaten_by, np.divide(found, chosen, out=found))

    def _mended(self, tied: Flags, rows: Positions) -> Standing:
        """Sets right the few rows that tie."""
        scores, is_hit = self.scores.take(rows), self.positive.take(rows)
        opens = np.append(True, scores[1:] != scores[:-1])
        tie, firsts = np.cumsum(opens) - 1, rows.compress(opens)
        own, others = tie.compress(is_hit), tie.compress(~is_hit)
        hits, misses = (np.bincount(kind, minlength=len(firsts)).astype(np.float64) for kind in (own, others))
        right = self._of_scores(firsts, self.hits.searchsorted(firsts), hits, misses)
        found = self._apart()
        at = np.flatnonzero(tied.take(self.hits))
        found.beaten[at], found.precision[at] = right.beaten.take(own), right.precision.take(own)
        found.beaten_by[np.flatnonzero(tied.take(self.misses))] = right.beaten_by.take(others)
        return found

    def _by_score(self, ties: Flags) -> Standing:
        """Counts the rows of each score."""
        firsts = np.flatnonzero(np.append(True, ~ties))
        hits_to = np.cumsum(self.positive, dtype=np.float64).take(firsts[1:] - 1)
        hits_to = np.concatenate(([0.0], hits_to, [float(len(self.hits))]))
        hits = np.diff(hits_to)
        misses = np.diff(firsts, append=len(self.scores)) - hits
        return self._of_scores(firsts, hits_to[:-1], hits, misses)

    def _of_scores(
        self, firsts: Positions, hits_to: Floats | Positions, hits: Floats, misses: Floats
    ) -> Standing:
        """Compares the rows of distinct scores.

        Args:
            firsts: the first row of each score.
            hits_to: positive rows of the block before it.
            hits: positive rows of each score.
            misses: other rows of each score.
        """
        misses_to = (firsts + self.misses_below) - hits_to
        found = (self.positives - self.hits_below) - hits_to
        chosen = self.negatives - misses_to
        chosen += found
        beaten = misses / 2
        beaten += misses_to
        return Standing(beaten, found - hits / 2, found / chosen, hits, misses, firsts)


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """How well rows of both kinds are told apart. Those of blocks may be added.

    Attributes:
        beaten: over positive rows, how many others each beats.
        beaten_by: over the others, how many positive rows beat each.
        precision: over positive rows, the precision from its score on.
    """

    beaten: Sums
    beaten_by: Sums
    precision: float

    @classmethod
    def of(cls, standing: Standing) -> Ranks:
        """Adds up a block; its numbers are used up."""
        one = standing
        precision = one.precision.sum() if one.hits is None else dot(one.precision, one.hits)
        return cls(
            Sums.of_losses(one.beaten, one.hits), Sums.of_losses(one.beaten_by, one.misses), float(precision)
        )

    @classmethod
    def added(cls, blocks: Iterable[Ranks]) -> Ranks:
        """Adds up one block or more."""
        return reduce(add, blocks)

    def __add__(self, other: Ranks) -> Ranks:
        """Both."""
        return Ranks(
            self.beaten + other.beaten, self.beaten_by + other.beaten_by, self.precision + other.precision
        )

    @property
    def roc_auc(self) -> float:
        """The share of pairs of a positive and another row in which the positive one scores higher.

        Ties count half (Mann-Whitney). NaN unless there are rows of both kinds.
        """
        pairs = self.beaten.rows * self.beaten_by.rows
        return self.beaten.part / pairs if pairs else math.nan

    def auc_variance(self) -> float:
        """Returns DeLong's variance of the AUC; NaN unless there are two rows of both kinds.

        Source: DeLong, DeLong and Clarke-Pearson (1988), in O(n log n) as Sun and Xu (2014).
        """
        many, others = self.beaten.rows, self.beaten_by.rows
        if min(many, others) < 2:
            return math.nan
        of_hits = self.beaten.part_squares / (many - 1) / many
        of_misses = self.beaten_by.part_squares / (others - 1) / others
        return of_hits / others**2 + of_misses / many**2

    def average_precision(self) -> float:
        """Returns the sum over thresholds of (gain of recall) x precision, equal scores being one threshold.

        NaN without positive rows.
        """
        return self.precision / self.beaten.rows if self.beaten.rows else math.nan


@dataclass(frozen=True, eq=False)
class Ranking:
    """Rows in the order of their scores.

    Attributes:
        scores: sorted.
        positive: of the sorted rows.
    """

    scores: Floats
    positive: Flags

    @classmethod
    def of(cls, parts: Sequence[Scored]) -> Ranking:
        """Sorts the rows of one part or more."""
        found = [part.keys for part in parts]
        known = [keys for keys in found if keys is not None]
        if len(known) < len(found):
            scores = np.concatenate([part.scores for part in parts])
            order = np.argsort(scores)
            return cls(scores.take(order), np.concatenate([part.positive for part in parts]).take(order))
        keys = np.concatenate(known)
        keys.sort()
        flags = np.empty(len(keys), dtype=np.bool_)
        np.bitwise_and(keys, np.uint64(1), out=flags, casting="unsafe")
        keys >>= np.uint64(1)
        return cls(keys.view(np.float64), flags)

    @cached_property
    def positives(self) -> int:
        """All positive rows."""
        return int(np.count_nonzero(self.positive))

    @property
    def negatives(self) -> int:
        """All other rows."""
        return len(self.scores) - self.positives

    def ranks(self) -> Ranks:
        """Compares all rows with those of the other kind."""
        return Ranks.added(Ranks.of(block.standing()) for block in self.blocks())

    def auc_influence(self, roc_auc: float) -> Floats:
        """Returns how far each of the sorted rows pulls the AUC: the squares sum to its variance.

        The influence on a mean of AUCs of the same rows is the mean of the influences, so that what the AUCs
        have in common counts.
        """
        many, others = float(self.positives), float(self.negatives)
        if min(many, others) < 2:
            many = others = math.nan
        by_hits, by_misses = 1 / math.sqrt(many * (many - 1)), 1 / math.sqrt(others * (others - 1))
        influence, start = np.empty(len(self.scores)), 0
        for block in self.blocks():
            one, own = block.standing(), influence[start : start + len(block.scores)]
            of_hits = (one.beaten / others - roc_auc) * by_hits
            of_misses = (one.beaten_by / many - roc_auc) * by_misses
            if one.firsts is not None:
                score = np.repeat(
                    np.arange(len(one.firsts)), np.diff(np.append(one.firsts, len(block.scores)))
                )
                of_hits, of_misses = of_hits.take(score[block.hits]), of_misses.take(score[block.misses])
            own[block.hits], own[block.misses] = of_hits, of_misses
            start += len(own)
        return influence

    def blocks(self) -> Iterator[Block]:
        """Yields the rows in blocks that stay in the core's cache, at least one."""
        hits_below = 0
        for start, stop in pairwise(self._bounds()):
            positive = self.positive[start:stop]
            hits = np.flatnonzero(positive)
            yield Block(
                self.scores[start:stop],
                positive,
                hits,
                np.flatnonzero(~positive),
                hits_below,
                start - hits_below,
                self.positives,
                self.negatives,
            )
            hits_below += len(hits)

    def _bounds(self) -> list[int]:
        """Where the blocks begin, and where the last one ends; equal scores are not parted."""
        size = len(self.scores)
        firsts = np.searchsorted(self.scores, self.scores[BLOCK::BLOCK]).tolist() if size > BLOCK else []
        return [0, *(place for place in dict.fromkeys(firsts) if place), size]
