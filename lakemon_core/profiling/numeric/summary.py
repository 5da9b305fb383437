"""A column of numbers, sorted: all its statistics follow from that."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lakemon_core.profiling.numeric.blocks import Blocks
from lakemon_core.profiling.numeric.quantiles import binned, inner_edges

Column = pa.Array | pa.ChunkedArray
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_CACHED = 1 << 15
"""Numbers that are worked on together: they stay in the cache of a core."""


@dataclass(frozen=True, eq=False)
class NumericSummary:
    """All values of a numeric column. What drift needs besides is found once, when it is asked for.

    Attributes:
        rows: all rows of the group.
        nulls: rows without a value.
        nans: rows whose value is NaN; they are values, but no numbers.
        values: the numbers, sorted, infinities included, `-0.0` as `0.0`.
        distinct: distinct numbers, counted in the column's own type (exact for integers above 2^53).
        mean: of the numbers; NaN without any, with an infinite one, or when the sum overflows.
        variance: of the numbers, ddof 0; NaN as for `mean`.
    """

    rows: int
    nulls: int
    nans: int
    values: Floats
    distinct: int
    mean: float
    variance: float

    @property
    def count(self) -> int:
        """Rows with a value, NaN included."""
        return self.rows - self.nulls

    @property
    def size(self) -> int:
        """Numbers: values other than NaN."""
        return len(self.values)

    @property
    def infinite(self) -> bool:
        """Whether a value is infinite."""
        return bool(len(self.values)) and not bool(np.isfinite(self.values[[0, -1]]).all())

    @cached_property
    def blocks(self) -> Blocks | None:
        """The numbers in blocks, for their Wasserstein distance; None for few or infinite ones."""
        return Blocks.of(self.values)

    @cached_property
    def bin_edges(self) -> Floats:
        """Inner edges of bins that each hold a tenth of the numbers."""
        return inner_edges(self.values)

    @cached_property
    def bins(self) -> Counts:
        """Numbers in each of these bins."""
        return binned(self.values, self.bin_edges)


def summarize_numbers(column: Column) -> NumericSummary:
    """Summarizes a column of integers, floats or decimals."""
    numbers = np.sort(native(column))
    if numbers.dtype.kind == "f":
        numbers = numbers[: np.searchsorted(numbers, np.nan)]
    values = np.add(numbers, 0.0, dtype=np.float64)
    distinct = _distinct_decimals(column) if pa.types.is_decimal(column.type) else distinct_values(numbers)
    mean, variance = _moments(values)
    nans = len(column) - column.null_count - len(values)
    return NumericSummary(len(column), column.null_count, nans, values, distinct, mean, variance)


def native(column: Column) -> npt.NDArray[np.generic]:
    """The values without nulls, in a type NumPy sorts: decimals become doubles."""
    present = column.drop_null()
    if pa.types.is_decimal(present.type):
        present = present.cast(pa.float64())
    return (
        present.to_numpy() if isinstance(present, pa.ChunkedArray) else present.to_numpy(zero_copy_only=False)
    )


def distinct_values(ordered: npt.NDArray[np.generic]) -> int:
    """Returns how many distinct values a sorted array holds."""
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if len(ordered) else 0


def _distinct_decimals(column: Column) -> int:
    """Decimals that differ may fall on one double."""
    return cast("int", pc.count_distinct(column, mode="only_valid").as_py())


def _moments(values: Floats) -> tuple[float, float]:
    """Mean and variance by way of the median, which is never farther from the mean than the deviation."""
    if not len(values) or not np.isfinite(values[[0, -1]]).all():
        return np.nan, np.nan
    if values[0] == values[-1]:
        return float(values[0]), 0.0
    n, median = len(values), float(values[len(values) // 2])
    shift = squares = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, n, _CACHED):
            around = values[start : start + _CACHED] - median
            shift += float(around.sum())
            squares += float(np.einsum("i,i->", around, around))
        shift /= n
        mean, variance = median + shift, max(squares / n - shift * shift, 0.0)
    return (mean if np.isfinite(mean) else np.nan), (variance if np.isfinite(variance) else np.nan)
