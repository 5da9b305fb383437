"""The statistics of one column: a summary in, the columns of a profile row out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.columns import CategoricalSummary, NumericSummary, Summary, TimestampSummary
from lakemon_core.profiling.numeric.quantiles import quantiles
from lakemon_core.profiling.schemas import PROFILE_STATISTICS

Floats = npt.NDArray[np.float64]
Values = dict[str, Any]

METHOD = "exact:linear_quantiles:1"
"""Definition and version of the statistics."""
QUANTILES = 1000
"""Quantiles stand at k / 1000, k from 0 to 1000."""
FREQUENT_ITEMS = 100

_OF_NUMBERS = ("avg", "stddev", "min", "max", "median", "quantiles")
_OVERFLOW = "the result exceeds the range of a double"
_INFINITE = "the column holds infinite values"


def profile_values(summary: Summary) -> Values:
    """Returns every statistics column of the profile table for one column of one group.

    What does not apply to the kind of column is None; what applies but does not exist is None and named in
    `reasons`, a dict from column to why. Percentages are shares of all rows, 0 to 100.
    """
    values, reasons = _statistics(summary)
    rows = summary.rows
    values |= {
        "count": summary.count,
        "num_nulls": summary.nulls,
        "percent_null": percent(summary.nulls, rows),
    }
    if not rows:
        shares = ("percent_null", "percent_zeros", "percent_nan", "percent_distinct")
        reasons |= {name: "there are no rows" for name in shares if name in values}
    return dict.fromkeys(PROFILE_STATISTICS) | values | {"reasons": reasons}


def table_values(rows: int, filled: Iterable[str]) -> Values:
    """Returns the statistics columns of the row `:table`: rows, and the columns with at least one value."""
    return dict.fromkeys(PROFILE_STATISTICS) | {
        "count": rows,
        "non_null_columns": list(filled),
        "reasons": {},
    }


def percent(part: int, rows: int) -> float | None:
    """Returns `part` of `rows` on the scale 0 to 100; None without rows."""
    return 100 * part / rows if rows else None


@singledispatch
def _statistics(summary: Summary) -> tuple[Values, dict[str, str]]:
    raise TypeError(f"{type(summary).__name__} is no summary of a column")


@_statistics.register
def _numeric(summary: NumericSummary) -> tuple[Values, dict[str, str]]:
    zero = summary.zeros
    values: Values = {
        "num_zeros": zero,
        "num_nan": summary.nans,
        "distinct_count": summary.distinct,
        "percent_zeros": percent(zero, summary.rows),
        "percent_nan": percent(summary.nans, summary.rows),
        "percent_distinct": percent(summary.distinct, summary.rows),
    }
    numbers = summary.sample.values
    if not len(numbers):
        return values, dict.fromkeys(_OF_NUMBERS, no_values(summary))
    points = _points(quantiles(summary.sample, QUANTILES))
    values |= {
        "avg": _existing(summary.mean),
        "stddev": _existing(_sample_deviation(summary)),
        "min": float(numbers[0]),
        "max": float(numbers[-1]),
        "median": points[QUANTILES // 2],
        "quantiles": points,
    }
    return values, _numeric_reasons(summary, values)


def _points(found: Floats) -> list[float | None]:
    points: list[float | None] = found.tolist()
    for place in np.flatnonzero(np.isnan(found)):
        points[place] = None
    return points


def _numeric_reasons(summary: NumericSummary, values: Values) -> dict[str, str]:
    why = _INFINITE if summary.infinite else _OVERFLOW
    reasons = {name: why for name in ("avg", "stddev", "median") if values[name] is None}
    if summary.size == 1:
        reasons["stddev"] = "there is only one value"
    return reasons


@_statistics.register
def _categorical(summary: CategoricalSummary) -> tuple[Values, dict[str, str]]:
    lengths, top = summary.lengths, summary.most_frequent(FREQUENT_ITEMS)
    return {
        "min_length": lengths.least if lengths else None,
        "max_length": lengths.most if lengths else None,
        "avg_length": lengths.mean if lengths else None,
        "frequent_items": [{"item": item, "count": count} for item, count in top],
        "distinct_count": summary.distinct,
        "percent_distinct": percent(summary.distinct, summary.rows),
    }, {}


@_statistics.register
def _timestamp(summary: TimestampSummary) -> tuple[Values, dict[str, str]]:
    values: Values = {
        "min": summary.least,
        "max": summary.most,
        "median": summary.median,
        "distinct_count": summary.distinct,
        "percent_distinct": percent(summary.distinct, summary.rows),
    }
    missing = () if summary.count else ("min", "max", "median")
    return values, dict.fromkeys(missing, no_values(summary))


def no_values(summary: Summary) -> str:
    """Says why a column has no values to measure."""
    if not summary.rows:
        return "there are no rows"
    return "all values are null" if not summary.count else "no value is a number"


def _sample_deviation(summary: NumericSummary) -> float:
    n = summary.size
    return math.sqrt(summary.variance * n / (n - 1)) if n > 1 else math.nan


def _existing(value: float) -> float | None:
    return value if math.isfinite(value) else None
