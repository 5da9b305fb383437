"""A column of numbers: its summary, for one group of rows or for all groups of a table at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.profiling.lazy import lazy
from lakemon_core.profiling.levels import as_chunked, missing_rows
from lakemon_core.profiling.numeric.quantiles import binned, inner_edges
from lakemon_core.profiling.numeric.sample import EXACT, Numbers, Sample
from lakemon_core.profiling.parts import Parts

Column = pa.Array | pa.ChunkedArray
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)

_EXACT_DIGITS = 15
"""Decimals of so many digits have a double of their own."""


@dataclass(frozen=True, eq=False)
class NumericSummary:
    """All values of a numeric column. What drift needs besides is found once, when it is asked for.

    Attributes:
        rows: all rows of the group.
        nulls: rows without a value.
        nans: rows whose value is NaN; they are values, but no numbers.
        sample: the numbers.
        tokens: one integer for each distinct value of a type with values that share a double: integers
            beyond 2^53, decimals of more than 15 digits; None for all others.
    """

    rows: int
    nulls: int
    nans: int
    sample: Sample
    tokens: Counts | None = None

    @classmethod
    def merged(cls, parts: Sequence[NumericSummary]) -> NumericSummary:
        """Returns the summary of the rows of several groups that share none."""
        if len(parts) == 1:
            return parts[0]
        tokens = [part.tokens for part in parts if part.tokens is not None]
        return cls(
            sum(part.rows for part in parts),
            sum(part.nulls for part in parts),
            sum(part.nans for part in parts),
            Sample.merged([part.sample for part in parts]),
            np.unique(np.concatenate(tokens)) if tokens else None,
        )

    @property
    def count(self) -> int:
        """Rows with a value, NaN included."""
        return self.rows - self.nulls

    @property
    def size(self) -> int:
        """Numbers: values other than NaN."""
        return self.sample.n

    @property
    def values(self) -> Floats:
        """All numbers, sorted."""
        return self.sample.ordered

    @property
    def distinct(self) -> int:
        """Distinct numbers, in the column's own type."""
        return len(self.sample.values if self.tokens is None else self.tokens)

    @lazy
    def _moments(self) -> tuple[float, float]:
        return self.sample.moments()

    @property
    def mean(self) -> float:
        """Of the numbers; NaN without any, with an infinite one, or when the sum overflows."""
        return self._moments[0]

    @property
    def variance(self) -> float:
        """Of the numbers, ddof 0; NaN as for `mean`."""
        return self._moments[1]

    @property
    def infinite(self) -> bool:
        """Whether a value is infinite."""
        return not self.sample.finite

    @lazy
    def zeros(self) -> int:
        """How many values are zero."""
        zero = np.zeros(1)
        return int(self.sample.up_to(zero)[0] - self.sample.below(zero)[0])

    @lazy
    def bin_edges(self) -> Floats:
        """Inner edges of bins that each hold a tenth of the numbers."""
        return inner_edges(self.sample)

    @lazy
    def bins(self) -> Counts:
        """Numbers in each of these bins."""
        return binned(self.sample, self.bin_edges)


def summarize_numbers(column: Column) -> NumericSummary:
    """Summarizes a column of integers, floats or decimals."""
    return summarize_number_parts(column, Parts.whole(len(column)))[0]


def summarize_number_parts(column: Column, parts: Parts) -> list[NumericSummary]:
    """Summarizes a column of integers, floats or decimals in every part of its rows."""
    chunked = as_chunked(column)
    numbers = _numbers(chunked)
    wide = _tokens(chunked, numbers)
    tokens = None if wide is None else parts.arranged(wide)
    numbers = parts.arranged(numbers)
    missing = parts.arranged(missing_rows(chunked)) if chunked.null_count else None
    if missing is not None and numbers.dtype.kind == "f":
        np.copyto(numbers, np.nan, where=missing)  # goes to the end when they are put in order, at no cost
    return [_summary(numbers[span], _some(missing, span), _some(tokens, span)) for span in parts.spans()]


def _some(values: npt.NDArray[Scalar] | None, span: slice) -> npt.NDArray[Scalar] | None:
    return None if values is None else values[span]


def _summary(numbers: Numbers, missing: Flags | None, tokens: Counts | None) -> NumericSummary:
    """Summarizes numbers, which are put in order as they lie; of floats, missing ones are NaN."""
    rows, nulls = len(numbers), 0
    if missing is not None and (nulls := int(np.count_nonzero(missing))) and numbers.dtype.kind != "f":
        numbers = np.compress(~missing, numbers)
        tokens = None if tokens is None else np.compress(~missing, tokens)
    sample = Sample.of(numbers, own=True)
    return NumericSummary(
        rows, nulls, rows - nulls - sample.n, sample, None if tokens is None else np.unique(tokens)
    )


def _numbers(column: pa.ChunkedArray) -> Numbers:
    """The values as NumPy sorts them; what stands for nulls has no meaning."""
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    chunk = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    plain = pa.Array.from_buffers(chunk.type, len(chunk), [None, chunk.buffers()[1]], offset=chunk.offset)
    return plain.to_numpy()


def _tokens(column: pa.ChunkedArray, numbers: Numbers) -> Counts | None:
    """One integer for each value where distinct ones may share a double; None where they cannot."""
    kind = column.type
    if pa.types.is_decimal(kind) and kind.precision > _EXACT_DIGITS:
        encoded = column.cast(pa.decimal256(kind.precision, kind.scale)).combine_chunks().dictionary_encode()
        return encoded.indices.fill_null(0).to_numpy().astype(np.int64)
    if kind not in {pa.int64(), pa.uint64()}:
        return None
    beyond = len(numbers) and (int(numbers.max()) > EXACT or int(numbers.min()) < -EXACT)
    return numbers.view(np.int64) if beyond else None


def native(column: Column) -> Numbers:
    """Returns the values without nulls, in a type NumPy sorts."""
    return _numbers(as_chunked(column.drop_null()))


def distinct_values(ordered: Numbers) -> int:
    """Returns how many distinct values a sorted array holds."""
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + 1 if len(ordered) else 0
