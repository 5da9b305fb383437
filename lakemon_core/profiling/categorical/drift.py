"""How far a column of categories has moved from its reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    padded,
    sample_distances,
)
from lakemon_core.profiling.distances import Samples
from lakemon_core.profiling.significance import chi_squared_tests

Counts = npt.NDArray[np.int64]
Levels = tuple[npt.NDArray[np.generic], npt.NDArray[np.generic], npt.NDArray[np.generic]]
"""Counts of a reference and of a column, and how many levels have both."""
Pair = tuple[CategoricalSummary, CategoricalSummary]
"""A column in some rows, and in those it is compared with."""
Found = tuple[Values, dict[str, str]]

_LARGEST = 2**63 - 1
_TOGETHER = 1 << 17
"""Levels of pairs that are compared together, empty ones included."""

CATEGORICAL = ("chi_squared_test", "cramers_v", "new_category_share", *BINNED)
"""Columns of the drift table that only categories have, or that need values on both sides."""


def compare_categories(pairs: Sequence[Pair], smoothing: str) -> list[Found]:
    """Returns the drift columns of a column of categories that exist, and why others do not.

    Args:
        pairs: the column in some groups of rows, each with its reference; they are compared together.
        smoothing: of PSI.
    """
    found: list[Found] = []
    full: list[tuple[Values, Levels]] = []
    for current, reference in pairs:
        p, q = _aligned(current, reference)
        new = p == 0
        values = common_deltas(current, reference) | {
            "count_delta": current.count - reference.count,
            "new_categories": int(np.count_nonzero(q[new])),
        }
        missing = nothing_to_compare(current, reference)
        found.append((values, dict.fromkeys(CATEGORICAL, missing) if missing else {}))
        if not missing:
            values["new_category_share"] = float(q[new].sum() / current.count)
            full.append((values, _few_levels(p, q)))
    for some in _few_at_once(full):
        samples = _samples([levels for _, levels in some])
        tests, distances = chi_squared_tests(samples), sample_distances(samples, smoothing)
        for (values, _), test, distance in zip(some, tests, distances, strict=True):
            values.update(distance)
            values["chi_squared_test"] = {"statistic": test.statistic, "pvalue": test.pvalue}
            values["cramers_v"] = test.cramers_v
            values["method"] = f"psi:levels:{smoothing}:{VERSION}"
    return found


def _few_at_once(pairs: Sequence[tuple[Values, Levels]]) -> Iterator[Sequence[tuple[Values, Levels]]]:
    """Yields neighbouring pairs whose levels together take little memory."""
    some: list[tuple[Values, Levels]] = []
    most = 0
    for pair in pairs:
        most = max(most, len(pair[1][0]))
        if some and (len(some) + 1) * most > _TOGETHER:
            yield some
            some, most = [], len(pair[1][0])
        some.append(pair)
    if some:
        yield some


def _samples(pairs: Sequence[Levels]) -> Samples:
    found = np.zeros((3, len(pairs), padded(max(len(p) for p, _, _ in pairs))))
    for row, levels in enumerate(pairs):
        for side, counts in enumerate(levels):
            found[side, row, : len(counts)] = counts
    return Samples.of(*found)


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


def _few_levels(p: Counts, q: Counts) -> Levels:
    """Returns counts of the reference and of the column, and how many levels have them both.

    Many levels share few pairs of counts. These are in order: what is summed over them does not depend on
    when a level was seen first.
    """
    width = int(q.max()) + 1
    if (int(p.max()) + 1) * width > _LARGEST:
        order = np.lexsort((q, p))
        order = order[(p + q)[order] > 0]
        return p[order], q[order], np.ones(len(order), dtype=np.int64)
    keys, levels = np.unique(p * width + q, return_counts=True)
    start = 1 if keys[0] == 0 else 0
    reference, now = np.divmod(keys[start:], width)
    return reference, now, levels[start:]
