"""A column of categories: its levels as text, and how many rows each has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lakemon_core.profiling.kinds import is_text, value_type
from lakemon_core.profiling.levels import encode

Column = pa.Array | pa.ChunkedArray
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lengths:
    """Characters of the texts of a column: least, most and mean."""

    least: float
    most: float
    mean: float


@dataclass(frozen=True, slots=True, eq=False)
class CategoricalSummary:
    """All levels of a categorical or boolean column.

    Attributes:
        rows: all rows of the group.
        nulls: rows without a value; a NaN among category codes is one of them.
        levels: distinct values as text, by count descending, then by text.
        counts: rows of each level.
        lengths: of the texts; None unless the column holds text and has values.
    """

    rows: int
    nulls: int
    levels: pa.LargeStringArray
    counts: Counts
    lengths: Lengths | None = None

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
        return len(self.levels)


def summarize_categories(column: Column) -> CategoricalSummary:
    """Counts the levels of a column of any type that is measured, by their text form."""
    encoded = encode(column)
    counts = np.bincount(encoded.codes[encoded.codes >= 0], minlength=len(encoded.levels))
    order = _by_count(encoded.levels, counts)
    levels, counts = encoded.levels.take(pa.array(order)), counts[order]
    nulls = len(column) - int(counts.sum())
    text = is_text(value_type(column.type))
    return CategoricalSummary(len(column), nulls, levels, counts, _lengths(levels, counts) if text else None)


def _by_count(levels: pa.LargeStringArray, counts: Counts) -> Counts:
    """Positions of the levels that occur, by count descending, then by text."""
    by_text = pc.array_sort_indices(levels).to_numpy().astype(np.int64)
    by_text = by_text[counts[by_text] > 0]
    return by_text[np.argsort(-counts[by_text], kind="stable")]


def _lengths(levels: pa.LargeStringArray, counts: Counts) -> Lengths | None:
    if not len(levels):
        return None
    characters = pc.utf8_length(levels).to_numpy()
    return Lengths(
        float(characters.min()), float(characters.max()), float(np.average(characters, weights=counts))
    )
