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
    common_deltas,
    nothing_to_compare,
    sample_distances,
)
from lakemon_core.profiling.distances import Samples
from lakemon_core.profiling.significance import chi_squared_of

Counts = npt.NDArray[np.int64]

_LARGEST = 2**63 - 1

CATEGORICAL = ("chi_squared_test", "cramers_v", "new_category_share", *BINNED)
"""Columns of the drift table that only categories have, or that need values on both sides."""


def compare_categories(
    current: CategoricalSummary, reference: CategoricalSummary, smoothing: str
) -> tuple[Values, dict[str, str]]:
    """Returns the drift columns of a column of categories that exist, and why others do not."""
    p, q = _aligned(current, reference)
    new = p == 0
    values = common_deltas(current, reference) | {
        "count_delta": current.count - reference.count,
        "new_categories": int(np.count_nonzero(q[new])),
    }
    missing = nothing_to_compare(current, reference)
    if missing:
        return values, dict.fromkeys(CATEGORICAL, missing)
    samples = Samples.of(*_distinct_pairs(p, q))
    test = chi_squared_of(samples)
    values |= sample_distances(samples, smoothing)[0]
    values["chi_squared_test"] = {"statistic": test.statistic, "pvalue": test.pvalue}
    values["cramers_v"] = test.cramers_v
    values["new_category_share"] = float(q[new].sum() / current.count)
    values["method"] = f"psi:levels:{smoothing}:{VERSION}"
    return values, {}


def _aligned(current: CategoricalSummary, reference: CategoricalSummary) -> tuple[Counts, Counts]:
    """Counts of the reference and of the column over the same levels; some may occur in neither."""
    if current.vocabulary is not reference.vocabulary:
        return _aligned_by_text(current, reference)
    p, q = np.zeros((2, len(current.vocabulary)), dtype=np.int64)
    p[reference.codes] = reference.tally
    q[current.codes] = current.tally
    return p, q


def _aligned_by_text(current: CategoricalSummary, reference: CategoricalSummary) -> tuple[Counts, Counts]:
    """The same for summaries that do not share their codes: levels of the reference, then new ones."""
    place = pc.index_in(current.texts, value_set=reference.texts).fill_null(-1).to_numpy()
    new = place < 0
    q = np.zeros(reference.distinct, dtype=np.int64)
    q[place[~new]] = current.tally[~new]
    p = np.append(reference.tally, np.zeros(int(np.count_nonzero(new)), dtype=np.int64))
    return p, np.append(q, current.tally[new])


def _distinct_pairs(p: Counts, q: Counts) -> tuple[Counts, Counts, Counts]:
    """Returns the pairs of counts that occur and how many levels have each: many levels share few pairs."""
    width = int(q.max()) + 1
    if (int(p.max()) + 1) * width > _LARGEST:
        occurring = (p + q) > 0
        return p[occurring], q[occurring], np.ones(int(np.count_nonzero(occurring)), dtype=np.int64)
    keys, levels = np.unique(p * width + q, return_counts=True)
    start = 1 if keys[0] == 0 else 0
    reference, now = np.divmod(keys[start:], width)
    return reference, now, levels[start:]
