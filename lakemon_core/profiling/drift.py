"""How far one column has moved from its reference: two summaries in, the columns of a drift row out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lakemon_core.profiling.categorical.drift import CATEGORICAL, compare_categories
from lakemon_core.profiling.columns import CategoricalSummary, NumericSummary, Summary, TimestampSummary
from lakemon_core.profiling.comparison import common_deltas
from lakemon_core.profiling.distances import (
    expected_tv,
    js_chance_level,
    js_distance,
    l_infinity_distance,
    psi,
    psi_chance_level,
    tv_chance_level,
    tv_distance,
    wasserstein_distance,
)
from lakemon_core.profiling.numeric.drift import NUMERIC, compare_numbers
from lakemon_core.profiling.numeric.quantiles import inner_edges
from lakemon_core.profiling.schemas import DRIFT_STATISTICS
from lakemon_core.profiling.significance import ChiSquaredTest, KsTest, chi_squared_test, ks_test

__all__ = [
    "ChiSquaredTest",
    "KsTest",
    "chi_squared_test",
    "column_drifts",
    "drift_values",
    "expected_tv",
    "inner_edges",
    "js_chance_level",
    "js_distance",
    "ks_test",
    "l_infinity_distance",
    "psi",
    "psi_chance_level",
    "table_drift_values",
    "tv_chance_level",
    "tv_distance",
    "unavailable",
    "wasserstein_distance",
]

Values = dict[str, Any]

_DELTAS = ("percent_null_delta", "percent_distinct_delta")
_COMPARED: dict[type[Summary], tuple[str, ...]] = {
    NumericSummary: ("count_delta", "avg_delta", "percent_zeros_delta", *_DELTAS, *NUMERIC),
    CategoricalSummary: ("count_delta", "new_categories", *_DELTAS, *CATEGORICAL),
    TimestampSummary: _DELTAS,
}


def drift_values(current: Summary, reference: Summary, *, smoothing: str = "add_half") -> Values:
    """Returns every statistics column of the drift table for one column of one group.

    What does not apply to the kind of column is None; what applies but does not exist is None and named in
    `reasons`. Deltas are current less reference.

    Args:
        current: the column in its window.
        reference: the same column in the baseline, or in the window before; it gives the bins.
        smoothing: of PSI, `add_half` or `clip`.
    """
    return column_drifts([(current, reference)], smoothing=smoothing)[0]


def column_drifts(pairs: Sequence[tuple[Summary, Summary]], *, smoothing: str = "add_half") -> list[Values]:
    """Returns `drift_values` of columns in groups of rows, each with its reference.

    They are compared all together, which costs little more than one pair.
    """
    numbers: dict[int, tuple[NumericSummary, NumericSummary]] = {}
    categories: dict[int, tuple[CategoricalSummary, CategoricalSummary]] = {}
    found: dict[int, Values] = {}
    for number, (current, reference) in enumerate(pairs):
        match current, reference:
            case NumericSummary(), NumericSummary():
                numbers[number] = current, reference
            case CategoricalSummary(), CategoricalSummary():
                categories[number] = current, reference
            case TimestampSummary(), TimestampSummary():
                found[number] = _row(current, reference, common_deltas(current, reference), {})
            case _:
                why = f"the reference is {_kind(reference)}, the column {_kind(current)}"
                found[number] = unavailable(current, why)
    compared = dict(zip(numbers, compare_numbers(list(numbers.values()), smoothing), strict=True))
    compared |= zip(categories, compare_categories(list(categories.values()), smoothing), strict=True)
    found |= {number: _row(*pairs[number], *one) for number, one in compared.items()}
    return [found[number] for number in range(len(pairs))]


def _row(current: Summary, reference: Summary, values: Values, reasons: dict[str, str]) -> Values:
    nowhere = [name for name, value in values.items() if value is None and name not in reasons]
    reasons |= dict.fromkeys(nowhere, "there are no rows")
    values |= {"n": current.size, "n_reference": reference.size}
    return dict.fromkeys(DRIFT_STATISTICS) | values | {"reasons": reasons}


def unavailable(current: Summary, why: str) -> Values:
    """Returns the drift columns of a column that cannot be compared: None, with the reason."""
    names = _COMPARED[type(current)]
    return dict.fromkeys(DRIFT_STATISTICS) | {"n": current.size, "reasons": dict.fromkeys(names, why)}


def table_drift_values(
    rows: int, reference_rows: int, filled: Iterable[str], before: Iterable[str]
) -> Values:
    """Returns the drift columns of the row `:table`.

    Args:
        rows: rows of the window.
        reference_rows: rows of the reference.
        filled: columns with at least one value in the window.
        before: the same in the reference.
    """
    now, then = set(filled), set(before)
    return dict.fromkeys(DRIFT_STATISTICS) | {
        "count_delta": rows - reference_rows,
        "non_null_columns_delta": {"added": len(now - then), "missing": len(then - now)},
        "n": rows,
        "n_reference": reference_rows,
        "reasons": {},
    }


def _kind(summary: Summary) -> str:
    return type(summary).__name__.removesuffix("Summary").lower()
