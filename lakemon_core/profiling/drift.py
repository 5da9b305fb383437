"""How far one column has moved from its reference: two summaries in, the columns of a drift row out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from lakemon_core.profiling.blocks import wasserstein_of_blocks
from lakemon_core.profiling.columns import CategoricalSummary, NumericSummary, Summary, TimestampSummary
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
from lakemon_core.profiling.profile import no_values, percent, zeros
from lakemon_core.profiling.quantiles import BINS, binned, inner_edges
from lakemon_core.profiling.schemas import DRIFT_STATISTICS
from lakemon_core.profiling.significance import ChiSquaredTest, KsTest, chi_squared_test, ks_test

__all__ = [
    "ChiSquaredTest",
    "KsTest",
    "chi_squared_test",
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

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Values = dict[str, Any]

_VERSION = 1
_BINNED = ("population_stability_index", "tv_distance", "l_infinity_distance", "js_distance")
_NUMERIC = ("ks_test", "wasserstein_distance", "wasserstein_normalized", "out_of_range", *_BINNED)
_CATEGORICAL = ("chi_squared_test", "cramers_v", "new_category_share", *_BINNED)
_DELTAS = ("percent_null_delta", "percent_distinct_delta")
_COMPARED: dict[type[Summary], tuple[str, ...]] = {
    NumericSummary: ("count_delta", "avg_delta", "percent_zeros_delta", *_DELTAS, *_NUMERIC),
    CategoricalSummary: ("count_delta", "new_categories", *_DELTAS, *_CATEGORICAL),
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
    match current, reference:
        case NumericSummary(), NumericSummary():
            values, reasons = _numeric(current, reference, smoothing)
        case CategoricalSummary(), CategoricalSummary():
            values, reasons = _categorical(current, reference, smoothing)
        case TimestampSummary(), TimestampSummary():
            values, reasons = _common_deltas(current, reference), {}
        case _:
            return unavailable(current, f"the reference is {_kind(reference)}, the column {_kind(current)}")
    nowhere = [name for name, value in values.items() if value is None and name not in reasons]
    reasons |= dict.fromkeys(nowhere, "there are no rows")
    values |= {"n": _size(current), "n_reference": _size(reference)}
    return dict.fromkeys(DRIFT_STATISTICS) | values | {"reasons": reasons}


def unavailable(current: Summary, why: str) -> Values:
    """Returns the drift columns of a column that cannot be compared: None, with the reason."""
    names = _COMPARED[type(current)]
    return dict.fromkeys(DRIFT_STATISTICS) | {"n": _size(current), "reasons": dict.fromkeys(names, why)}


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


def _numeric(
    current: NumericSummary, reference: NumericSummary, smoothing: str
) -> tuple[Values, dict[str, str]]:
    values = _common_deltas(current, reference) | {"count_delta": current.count - reference.count}
    values["avg_delta"] = _difference(current.mean, reference.mean)
    values["percent_zeros_delta"] = _delta(
        percent(zeros(current), current.rows), percent(zeros(reference), reference.rows)
    )
    missing = _missing(current, reference)
    if missing:
        return values, dict.fromkeys(("avg_delta", *_NUMERIC), missing)
    distances, reasons = _wasserstein(current, reference)
    if values["avg_delta"] is None:
        reasons["avg_delta"] = "an average does not exist"
    p, q = reference.bins, binned(current.values, reference.bin_edges)
    values |= distances | _binned_distances(p, q, smoothing)
    statistic, pvalue = ks_test(current.values, reference.values)
    values["ks_test"] = {"statistic": statistic, "pvalue": pvalue}
    values["out_of_range"] = _out_of_range(current.values, reference.values)
    values["method"] = f"psi:quantile{BINS}:{smoothing}:{_VERSION}"
    return values, reasons


def _wasserstein(current: NumericSummary, reference: NumericSummary) -> tuple[Values, dict[str, str]]:
    both = ("wasserstein_distance", "wasserstein_normalized")
    if current.infinite or reference.infinite:
        return {}, dict.fromkeys(both, "there are infinite values")
    distance = _distance(current, reference)
    if not math.isfinite(distance):
        return {}, dict.fromkeys(both, "the result exceeds the range of a double")
    if reference.values[0] == reference.values[-1]:
        return {both[0]: distance}, {both[1]: "the reference is constant"}
    if not reference.variance > 0:
        return {both[0]: distance}, {both[1]: "the spread of the reference exceeds the range of a double"}
    return {both[0]: distance, both[1]: distance / math.sqrt(reference.variance)}, {}


def _distance(current: NumericSummary, reference: NumericSummary) -> float:
    with np.errstate(over="ignore"):
        if current.blocks is not None and reference.blocks is not None:
            distance = wasserstein_of_blocks(current.blocks, reference.blocks)
            if distance is not None:
                return distance
        return wasserstein_distance(current.values, reference.values)


def _out_of_range(ordered: Floats, reference: Floats) -> float:
    """Returns the share of numbers below the least or above the greatest of the reference."""
    below = np.searchsorted(ordered, reference[0], side="left")
    up_to_greatest = np.searchsorted(ordered, reference[-1], side="right")
    return float(1 - (up_to_greatest - below) / len(ordered))


def _categorical(
    current: CategoricalSummary, reference: CategoricalSummary, smoothing: str
) -> tuple[Values, dict[str, str]]:
    p, q = _aligned(current, reference)
    values = _common_deltas(current, reference) | {
        "count_delta": current.count - reference.count,
        "new_categories": len(p) - len(reference.levels),
    }
    missing = _missing(current, reference)
    if missing:
        return values, dict.fromkeys(_CATEGORICAL, missing)
    test = chi_squared_test(p, q)
    values |= _binned_distances(p, q, smoothing)
    values["chi_squared_test"] = {"statistic": test.statistic, "pvalue": test.pvalue}
    values["cramers_v"] = test.cramers_v
    values["new_category_share"] = float(q[len(reference.levels) :].sum() / q.sum())
    values["method"] = f"psi:levels:{smoothing}:{_VERSION}"
    return values, {}


def _aligned(current: CategoricalSummary, reference: CategoricalSummary) -> tuple[Counts, Counts]:
    """Counts over the union of levels: those of the reference, then new ones."""
    place = pc.index_in(current.levels, value_set=reference.levels).fill_null(-1).to_numpy()
    new = place < 0
    q = np.zeros(len(reference.levels), dtype=np.int64)
    q[place[~new]] = current.counts[~new]
    p = np.append(reference.counts, np.zeros(int(new.sum()), dtype=np.int64))
    return p, np.append(q, current.counts[new])


def _binned_distances(p: Counts, q: Counts, smoothing: str) -> Values:
    occurring = (p + q) > 0
    p, q = p[occurring], q[occurring]
    bins, n, m = len(p), int(q.sum()), int(p.sum())
    return {
        "population_stability_index": psi(p, q, smoothing),
        "tv_distance": tv_distance(p, q),
        "l_infinity_distance": l_infinity_distance(p, q),
        "js_distance": js_distance(p, q),
        "psi_chance_level": psi_chance_level(bins, n, m),
        "tv_chance_level": tv_chance_level(p, q),
        "js_chance_level": js_chance_level(bins, n, m),
        "bins": bins,
    }


def _common_deltas(current: Summary, reference: Summary) -> Values:
    return {
        "percent_null_delta": _delta(
            percent(current.nulls, current.rows), percent(reference.nulls, reference.rows)
        ),
        "percent_distinct_delta": _delta(_percent_distinct(current), _percent_distinct(reference)),
    }


def _percent_distinct(summary: Summary) -> float | None:
    distinct = len(summary.levels) if isinstance(summary, CategoricalSummary) else summary.distinct
    return percent(distinct, summary.rows)


def _delta(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else now - then


def _difference(now: float, then: float) -> float | None:
    return now - then if math.isfinite(now - then) else None


def _missing(current: Summary, reference: Summary) -> str:
    """Says which side has nothing to compare; empty when both have."""
    if not _size(current):
        return f"in the window {no_values(current)}"
    return "" if _size(reference) else f"in the reference {no_values(reference)}"


def _size(summary: Summary) -> int:
    return len(summary.values) if isinstance(summary, NumericSummary) else summary.count


def _kind(summary: Summary) -> str:
    return type(summary).__name__.removesuffix("Summary").lower()
