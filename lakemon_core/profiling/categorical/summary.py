"""A column of categories: how many rows each of its levels has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lakemon_core.profiling.categorical.vocabulary import Codes, Vocabulary
from lakemon_core.profiling.counting import counted
from lakemon_core.profiling.kinds import is_text, value_type
from lakemon_core.profiling.lazy import lazy

Column = pa.Array | pa.ChunkedArray
Counts = npt.NDArray[np.int64]

_SPARSE = 8
"""Groups with so many times fewer rows than the vocabulary has levels are sorted instead of tallied."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Characters of the texts of a column: least, most and mean."""

    least: float
    most: float
    mean: float


@dataclass(frozen=True, eq=False)
class CategoricalSummary:
    """All levels of a categorical or boolean column. What only some need is found when it is asked for.

    Attributes:
        rows: all rows of the group.
        nulls: rows without a value; a NaN among category codes is one of them.
        vocabulary: says which level a code stands for.
        codes: of the levels that occur, ascending.
        tally: rows of each of these.
    """

    rows: int
    nulls: int
    vocabulary: Vocabulary
    codes: Codes
    tally: Counts

    @property
    def count(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @property
    def size(self) -> int:
        """Rows with a value."""
        return self.count

    @property
    def distinct(self) -> int:
        """Levels."""
        return len(self.codes)

    @lazy
    def levels(self) -> pa.LargeStringArray:
        """Distinct values as text, by count descending, then by text."""
        return self._texts(self._order)

    @lazy
    def counts(self) -> Counts:
        """Rows of each of the `levels`."""
        return self.tally[self._order]

    @lazy
    def lengths(self) -> Lengths | None:
        """Of the texts; None unless the column holds text and has values."""
        if not (self.vocabulary.text and self.distinct):
            return None
        characters = self.vocabulary.lengths[self.codes]
        mean = float(characters @ self.tally) / self.count
        return Lengths(float(characters.min()), float(characters.max()), mean)

    def most_frequent(self, most: int) -> list[tuple[str, int]]:
        """Returns the first of the levels with their counts, at most so many, without sorting all of them."""
        places = self._first(most)
        found = zip(self._texts(places).to_pylist(), self.tally[places].tolist(), strict=True)
        return sorted(found, key=lambda level: (-level[1], level[0]))

    @property
    def texts(self) -> pa.LargeStringArray:
        """The levels as text, by code."""
        return self.vocabulary.levels.take(pa.array(self.codes))

    @lazy
    def _order(self) -> Counts:
        by_text = pc.array_sort_indices(self.texts).to_numpy().astype(np.int64)
        return by_text[np.argsort(-self.tally[by_text], kind="stable")]

    def _first(self, most: int) -> Counts:
        """Positions of the first levels, in any order: by count, those of equal counts by text."""
        if self.distinct <= most:
            return np.arange(self.distinct)
        least = np.partition(self.tally, -most)[-most]
        above, tied = np.flatnonzero(self.tally > least), np.flatnonzero(self.tally == least)
        missing = most - len(above)
        by_text = pc.select_k_unstable(self._texts(tied), missing, sort_keys=[("", "ascending")])
        return np.append(above, tied[by_text.to_numpy()])

    def _texts(self, places: Counts) -> pa.LargeStringArray:
        return self.vocabulary.levels.take(pa.array(self.codes[places]))


def summarize_categories(column: Column) -> CategoricalSummary:
    """Counts the levels of a column of any type that is measured, by their text form."""
    vocabulary = Vocabulary(text=is_text(value_type(column.type)))
    return summarize_codes(vocabulary.encode(column), vocabulary)


def summarize_codes(codes: Codes, vocabulary: Vocabulary) -> CategoricalSummary:
    """Counts the codes of a group of rows.

    Args:
        codes: as `vocabulary.encode` gave them out, any rows of any columns.
        vocabulary: they come from.
    """
    rows, levels = len(codes), len(vocabulary)
    if rows * _SPARSE < levels:
        there = codes[codes >= 0]
        found = np.unique(there, return_counts=True)
        return CategoricalSummary(rows, rows - len(there), vocabulary, *found)
    counts = counted(codes, -1, levels - 1)
    return _of_counts(rows, int(counts[0]), vocabulary, counts[1:])


def merged_categories(parts: Sequence[CategoricalSummary]) -> CategoricalSummary:
    """Returns the summary of all rows of parts that share none; there must be one.

    Their counts are added up. Parts of several vocabularies meet in a new one.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    vocabulary = first.vocabulary
    if any(part.vocabulary is not vocabulary for part in parts):
        vocabulary = Vocabulary(text=vocabulary.text)
        parts = [_translated(part, vocabulary) for part in parts]
    counts = np.zeros(len(vocabulary), dtype=np.int64)
    for part in parts:
        counts[part.codes] += part.tally
    rows, nulls = sum(part.rows for part in parts), sum(part.nulls for part in parts)
    return _of_counts(rows, nulls, vocabulary, counts)


def _of_counts(rows: int, nulls: int, vocabulary: Vocabulary, counts: Counts) -> CategoricalSummary:
    codes = np.flatnonzero(counts)
    return CategoricalSummary(rows, nulls, vocabulary, codes.astype(np.int32), counts[codes])


def _translated(summary: CategoricalSummary, vocabulary: Vocabulary) -> CategoricalSummary:
    """Returns a summary in codes of another vocabulary, which learns its levels."""
    codes = vocabulary.encode(summary.texts)
    order = np.argsort(codes)
    return replace(summary, vocabulary=vocabulary, codes=codes[order], tally=summary.tally[order])
