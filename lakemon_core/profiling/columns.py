"""One column of one group of rows, summarized: all statistics follow from its summary."""

from __future__ import annotations

import pyarrow as pa

from lakemon_core.profiling.categorical.summary import CategoricalSummary, Lengths, summarize_categories
from lakemon_core.profiling.kinds import Kind, kind_of, spark_type, unsupported_reason
from lakemon_core.profiling.numeric.summary import NumericSummary, summarize_numbers
from lakemon_core.profiling.timestamps import TimestampSummary, summarize_timestamps

__all__ = [
    "CategoricalSummary",
    "Kind",
    "Lengths",
    "NumericSummary",
    "Summary",
    "TimestampSummary",
    "kind_of",
    "spark_type",
    "summarize",
    "unsupported_reason",
]

Column = pa.Array | pa.ChunkedArray
Summary = NumericSummary | CategoricalSummary | TimestampSummary


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
        return summarize_numbers(_decoded(column))
    if kind is Kind.TIMESTAMP:
        return summarize_timestamps(_decoded(column))
    return summarize_categories(column)


def _decoded(column: Column) -> Column:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
