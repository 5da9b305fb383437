"""Rows of a lake's metric tables to rows of ours: its values as they are, and what it lacks beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lakemon_core.ports import QualityResult

if TYPE_CHECKING:
    from lakemon_core.profiling.columns import CategoricalSummary

Row = dict[str, Any]
TABLE = ":table"
METHOD = "data_profiling:1"
"""Method of values that the lake has computed."""

_BINS = 10
_NUMBERS = ("population_stability_index", "ks_test", "wasserstein_distance", "wasserstein_normalized")
_NOT_FOR_NUMBERS = ("js_distance", "tv_distance", "l_infinity_distance", "out_of_range")


def complete_profile(row: Mapping[str, Any], quality: QualityResult | None, stamp: Row) -> Row:
    """Returns a profile row with the quality of its group; `stamp` tells the version and the config.

    Args:
        row: of the lake.
        quality: of the group; only the row `:table` has it.
        stamp: further columns.
    """
    complete: Row = {**row, **stamp, "reasons": {}, "method": METHOD}
    if quality is None or row["column_name"] != TABLE:
        return complete
    ends = {name: {"lower": low, "upper": high} for name, (low, high) in quality.intervals.items()}
    return complete | {
        **quality.values,
        "reasons": dict(quality.reasons),
        "intervals": ends,
        "counts": dict(quality.counts),
    }


def complete_drift(
    row: Mapping[str, Any],
    current: Mapping[str, Any] | None,
    reference: Mapping[str, Any] | None,
    stamp: Row,
    smoothing: str,
) -> Row:
    """Returns a drift row with its sizes, chance levels and effect sizes.

    Categories are compared again from the counts that the profile keeps, by the kernels of every other
    backend, as long as it keeps all of them (Databricks: the 100 most frequent).

    Args:
        row: of the lake.
        current: profile row of the same column and group; None when the lake has none.
        reference: the same of what it was compared with.
        stamp: further columns.
        smoothing: of PSI.
    """
    sizes = {"n": _size(current), "n_reference": _size(reference)}
    complete: Row = {**row, **sizes, **stamp, "reasons": {}, "method": METHOD}
    if row["column_name"] == TABLE or current is None or reference is None:
        return complete
    if current.get("frequent_items") is None:
        return complete | _numbers(complete, reference)
    return complete | _categories(current, reference, smoothing)


def _size(profile: Mapping[str, Any] | None) -> int | None:
    if profile is None:
        return None
    return int(profile["count"] or 0) - int(profile.get("num_nan") or 0)


def _numbers(row: Mapping[str, Any], reference: Mapping[str, Any]) -> Row:
    from lakemon_core.profiling.distances import psi_chance_level

    n, m = row["n"] or 0, row["n_reference"] or 0
    spread = _spread(reference.get("stddev"), m)
    distance = row.get("wasserstein_distance")
    normalized = distance / spread if distance is not None and spread else None
    bins = min(_BINS, int(reference.get("distinct_count") or _BINS))
    values: Row = {
        "wasserstein_normalized": normalized,
        "psi_chance_level": psi_chance_level(bins, n, m) if n and m else None,
        "bins": bins,
    }
    known = {**row, **values}
    reasons = {name: "the lake has not measured it" for name in _NUMBERS if known.get(name) is None}
    reasons |= dict.fromkeys(_NOT_FOR_NUMBERS, "the lake measures it for categories only")
    if distance is not None and not spread:
        reasons["wasserstein_normalized"] = "the reference is constant"
    return values | {"reasons": {name: why for name, why in reasons.items() if known.get(name) is None}}


def _spread(stddev: float | None, n: int) -> float | None:
    """Returns the population's deviation from that of a sample."""
    return stddev * math.sqrt((n - 1) / n) if stddev and n > 1 else None


def _categories(current: Mapping[str, Any], reference: Mapping[str, Any], smoothing: str) -> Row:
    from lakemon_core.profiling.categorical.drift import compare_categories

    now, then = summary_of(current), summary_of(reference)
    if now is not None and then is not None:
        values, reasons = compare_categories([(now, then)], smoothing)[0]
        return values | {"reasons": reasons}
    why = "the lake keeps the counts of its most frequent categories only"
    missing = ("cramers_v", "new_category_share", "psi_chance_level", "js_chance_level", "tv_chance_level")
    return {"reasons": dict.fromkeys(("new_categories", *missing), why)}


def summary_of(profile: Mapping[str, Any] | None) -> CategoricalSummary | None:
    """Returns the levels of a column with their counts; None when the profile does not keep all of them."""
    import numpy as np
    import pyarrow as pa

    from lakemon_core.profiling.categorical.summary import CategoricalSummary
    from lakemon_core.profiling.categorical.vocabulary import Vocabulary

    if profile is None:
        return None
    items: Sequence[Mapping[str, Any]] = profile.get("frequent_items") or ()
    count, nulls = int(profile["count"] or 0), int(profile["num_nulls"] or 0)
    tally = np.array([int(item["count"]) for item in items], dtype=np.int64)
    if tally.sum() != count:
        return None
    vocabulary = Vocabulary(text=profile["data_type"] == "string")
    codes = vocabulary.encode(pa.array([item["item"] for item in items], pa.string()))
    return CategoricalSummary(count + nulls, nulls, vocabulary, codes, tally)
