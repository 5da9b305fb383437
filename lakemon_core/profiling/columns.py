"""What a column of one group of rows holds: its kind, and the summary from which all statistics follow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lakemon_core.profiling.blocks import Blocks
from lakemon_core.profiling.levels import encode
from lakemon_core.profiling.quantiles import binned, inner_edges

Column = pa.Array | pa.ChunkedArray
Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_CACHED = 1 << 15
"""Numbers that are worked on together: they stay in the cache of a core."""
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class Kind(StrEnum):
    """How a column is measured."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    UNSUPPORTED = "unsupported"


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


@dataclass(frozen=True, slots=True)
class TimestampSummary:
    """A timestamp or date column, in seconds since 1970-01-01 UTC; None where there are no values."""

    rows: int
    nulls: int
    distinct: int
    least: float | None = None
    most: float | None = None
    median: float | None = None

    @property
    def count(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls


Summary = NumericSummary | CategoricalSummary | TimestampSummary


def kind_of(arrow_type: pa.DataType, *, categorical: bool = False) -> Kind:
    """Returns how a column of this type is measured; `categorical` treats numbers and times as categories."""
    plain = _plain(arrow_type)
    kind = _natural_kind(plain)
    forced = categorical and kind in {Kind.NUMERIC, Kind.TIMESTAMP}
    return Kind.CATEGORICAL if forced else kind


def unsupported_reason(arrow_type: pa.DataType) -> str:
    """Says why a column of this type is not measured."""
    return f"columns of type {arrow_type} are not measured"


def spark_type(arrow_type: pa.DataType) -> str:
    """Returns the Spark name of a type that is measured, e.g. `bigint` for int64."""
    plain = _plain(arrow_type)
    if pa.types.is_decimal(plain):
        return f"decimal({plain.precision},{plain.scale})"
    if pa.types.is_timestamp(plain):
        return "timestamp"
    if pa.types.is_date(plain):
        return "date"
    return "string" if is_text(plain) else _SPARK_NAMES.get(str(plain), str(plain))


def is_text(plain: pa.DataType) -> bool:
    """Whether a type is one of Arrow's texts."""
    types = pa.types
    return types.is_string(plain) or types.is_large_string(plain) or types.is_string_view(plain)


_SPARK_NAMES = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "int",
    "uint32": "bigint",
    "uint64": "decimal(20,0)",
    "halffloat": "float",
    "float": "float",
    "double": "double",
    "bool": "boolean",
    "null": "void",
}


def _plain(arrow_type: pa.DataType) -> pa.DataType:
    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def _natural_kind(plain: pa.DataType) -> Kind:
    types = pa.types
    if types.is_integer(plain) or types.is_floating(plain) or types.is_decimal(plain):
        return Kind.NUMERIC
    if types.is_timestamp(plain) or types.is_date(plain):
        return Kind.TIMESTAMP
    if types.is_boolean(plain):
        return Kind.BOOLEAN
    return Kind.CATEGORICAL if is_text(plain) or types.is_null(plain) else Kind.UNSUPPORTED


def summarize(column: Column, kind: Kind) -> Summary:
    """Summarizes one column of one group of rows.

    Args:
        column: Arrow array or chunked array, plain or dictionary-encoded.
        kind: from `kind_of`; CATEGORICAL and BOOLEAN take every type that is measured, by its text form.

    Raises:
        ValueError: for UNSUPPORTED.
    """
    if kind is Kind.UNSUPPORTED:
        raise ValueError(unsupported_reason(column.type))
    if kind is Kind.NUMERIC:
        return _numeric(_decoded(column))
    if kind is Kind.TIMESTAMP:
        return _timestamp(_decoded(column))
    return _categorical(column)


def _decoded(column: Column) -> Column:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _numeric(column: Column) -> NumericSummary:
    numbers = np.sort(_native(column))
    if numbers.dtype.kind == "f":
        numbers = numbers[: np.searchsorted(numbers, np.nan)]
    values = np.add(numbers, 0.0, dtype=np.float64)
    distinct = _distinct_decimals(column) if pa.types.is_decimal(column.type) else _distinct(numbers)
    mean, variance = _moments(values)
    nans = len(column) - column.null_count - len(values)
    return NumericSummary(len(column), column.null_count, nans, values, distinct, mean, variance)


def _native(column: Column) -> npt.NDArray[np.generic]:
    """The values without nulls, in a type NumPy sorts: decimals become doubles."""
    present = column.drop_null()
    if pa.types.is_decimal(present.type):
        present = present.cast(pa.float64())
    return (
        present.to_numpy() if isinstance(present, pa.ChunkedArray) else present.to_numpy(zero_copy_only=False)
    )


def _distinct(ordered: npt.NDArray[np.generic]) -> int:
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


def _timestamp(column: Column) -> TimestampSummary:
    rows, nulls = len(column), column.null_count
    if rows == nulls:
        return TimestampSummary(rows, nulls, 0)
    days = pa.types.is_date32(column.type)
    ticks = np.sort(_native(column.cast(pa.int32() if days else pa.int64())).astype(np.int64))
    middle = int(ticks[(len(ticks) - 1) // 2]) + int(ticks[len(ticks) // 2])
    length = _tick_seconds(column.type)
    return TimestampSummary(
        rows=rows,
        nulls=nulls,
        distinct=_distinct(ticks),
        least=float(int(ticks[0]) * length),
        most=float(int(ticks[-1]) * length),
        median=float(middle * length / 2),
    )


def _tick_seconds(arrow_type: pa.DataType) -> Fraction:
    """Length of one step of a timestamp or date type, in seconds."""
    if pa.types.is_date32(arrow_type):
        return Fraction(86400)
    unit = "ms" if pa.types.is_date64(arrow_type) else arrow_type.unit
    return Fraction(1, _PER_SECOND[unit])


def _categorical(column: Column) -> CategoricalSummary:
    encoded = encode(column)
    counts = np.bincount(encoded.codes[encoded.codes >= 0], minlength=len(encoded.levels))
    order = _by_count(encoded.levels, counts)
    levels, counts = encoded.levels.take(pa.array(order)), counts[order]
    nulls = len(column) - int(counts.sum())
    text = is_text(_plain(column.type))
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
