"""How far a column of categories has moved from its reference."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from lakemon_core.profiling.categorical.summary import CategoricalSummary
from lakemon_core.profiling.comparison import (
    BINNED,
    VERSION,
    Values,
    binned_distances,
    common_deltas,
    nothing_to_compare,
)
from lakemon_core.profiling.significance import chi_squared_test

Counts = npt.NDArray[np.int64]

CATEGORICAL = ("chi_squared_test", "cramers_v", "new_category_share", *BINNED)
"""Columns of the drift table that only categories have, or that need values on both sides."""


def compare_categories(
    current: CategoricalSummary, reference: CategoricalSummary, smoothing: str
) -> tuple[Values, dict[str, str]]:
    """Returns the drift columns of a column of categories that exist, and why others do not."""
    p, q = _aligned(current, reference)
    values = common_deltas(current, reference) | {
        "count_delta": current.count - reference.count,
        "new_categories": len(p) - len(reference.levels),
    }
    missing = nothing_to_compare(current, reference)
    if missing:
        return values, dict.fromkeys(CATEGORICAL, missing)
    test = chi_squared_test(p, q)
    values |= binned_distances(p, q, smoothing)
    values["chi_squared_test"] = {"statistic": test.statistic, "pvalue": test.pvalue}
    values["cramers_v"] = test.cramers_v
    values["new_category_share"] = float(q[len(reference.levels) :].sum() / q.sum())
    values["method"] = f"psi:levels:{smoothing}:{VERSION}"
    return values, {}


def _aligned(current: CategoricalSummary, reference: CategoricalSummary) -> tuple[Counts, Counts]:
    """Counts over the union of levels: those of the reference, then new ones."""
    place = pc.index_in(current.levels, value_set=reference.levels).fill_null(-1).to_numpy()
    new = place < 0
    q = np.zeros(len(reference.levels), dtype=np.int64)
    q[place[~new]] = current.counts[~new]
    p = np.append(reference.counts, np.zeros(int(new.sum()), dtype=np.int64))
    return p, np.append(q, current.counts[new])
