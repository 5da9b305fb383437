"""How far a column of numbers has moved from its reference."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lakemon_core.profiling.comparison import (
    BINNED,
    VERSION,
    Values,
    common_deltas,
    delta,
    finite_difference,
    nothing_to_compare,
    padded,
    sample_distances,
)
from lakemon_core.profiling.distances import Samples, wasserstein_distance
from lakemon_core.profiling.numeric.blocks import Blocks
from lakemon_core.profiling.numeric.quantiles import BINS, binned
from lakemon_core.profiling.numeric.sample import Sample
from lakemon_core.profiling.numeric.summary import NumericSummary
from lakemon_core.profiling.numeric.wasserstein import (
    COUNTABLE,
    wasserstein_of_blocks,
    wasserstein_of_steps,
)
from lakemon_core.profiling.profile import percent
from lakemon_core.profiling.significance import ks_tests

Pair = tuple[NumericSummary, NumericSummary]
"""A column in some rows, and in those it is compared with."""
Found = tuple[Values, dict[str, str]]

_TOGETHER = 256
"""Pairs that are compared together: more take more memory and save little time."""
_FEW = 8_192
"""Distinct numbers of both sides that are compared one by one."""
NUMERIC = ("ks_test", "wasserstein_distance", "wasserstein_normalized", "out_of_range", *BINNED)
"""Columns of the drift table that only numbers have, or that need values on both sides."""


def compare_numbers(pairs: Sequence[Pair], smoothing: str) -> list[Found]:
    """Returns the drift columns of a column of numbers that exist, and why others do not.

    Args:
        pairs: the column in some groups of rows, each with its reference; they are compared together.
        smoothing: of PSI.
    """
    starts = range(0, len(pairs), _TOGETHER)
    return [one for start in starts for one in _compared(pairs[start : start + _TOGETHER], smoothing)]


def _compared(pairs: Sequence[Pair], smoothing: str) -> list[Found]:
    found = [_deltas(*pair) for pair in pairs]
    full = [(pair, *one) for pair, one in zip(pairs, found, strict=True) if not one[1]]
    if not full:
        return found
    samples = [(current.sample, reference.sample) for (current, reference), *_ in full]
    tests = ks_tests(samples)
    distances = sample_distances(_in_bins([pair for pair, *_ in full]), smoothing)
    moves = _wasserstein([pair for pair, *_ in full])
    for (pair, values, reasons), test, of_bins, (moved, missing) in zip(
        full, tests, distances, moves, strict=True
    ):
        if values["avg_delta"] is None:
            reasons["avg_delta"] = "an average does not exist"
        reasons.update(missing)
        values.update(moved | of_bins)
        values["ks_test"] = {"statistic": test.statistic, "pvalue": test.pvalue}
        values["out_of_range"] = _out_of_range(pair[0].sample, pair[1].sample)
        values["method"] = f"psi:quantile{BINS}:{smoothing}:{VERSION}"
    return found


def _deltas(current: NumericSummary, reference: NumericSummary) -> Found:
    values = common_deltas(current, reference) | {"count_delta": current.count - reference.count}
    values["avg_delta"] = finite_difference(current.mean, reference.mean)
    values["percent_zeros_delta"] = delta(
        percent(current.zeros, current.rows), percent(reference.zeros, reference.rows)
    )
    missing = nothing_to_compare(current, reference)
    return values, dict.fromkeys(("avg_delta", *NUMERIC), missing) if missing else {}


def _in_bins(pairs: Sequence[Pair]) -> Samples:
    """Counts both sides of each pair by the bins of its reference."""
    most = padded(max(len(reference.bins) for _, reference in pairs))
    p, q = np.zeros((2, len(pairs), most))
    for row, (current, reference) in enumerate(pairs):
        p[row, : len(reference.bins)] = reference.bins
        q[row, : len(reference.bins)] = binned(current.sample, reference.bin_edges)
    return Samples.of(p, q)


def _wasserstein(pairs: Sequence[Pair]) -> list[Found]:
    """Returns the Wasserstein distance of each pair, plain and in deviations of its reference."""
    finite = [number for number, (x, y) in enumerate(pairs) if not (x.infinite or y.infinite)]
    distances = dict(zip(finite, _distances([pairs[number] for number in finite]), strict=True))
    both = ("wasserstein_distance", "wasserstein_normalized")
    found: list[Found] = []
    for number, (_, reference) in enumerate(pairs):
        distance = distances.get(number)
        if distance is None:
            found.append(({}, dict.fromkeys(both, "there are infinite values")))
        elif not math.isfinite(distance):
            found.append(({}, dict.fromkeys(both, "the result exceeds the range of a double")))
        elif len(reference.sample.values) == 1:
            found.append(({both[0]: distance}, {both[1]: "the reference is constant"}))
        elif not reference.variance > 0:
            why = "the spread of the reference exceeds the range of a double"
            found.append(({both[0]: distance}, {both[1]: why}))
        else:
            scale = math.sqrt(reference.variance)
            found.append(({both[0]: distance, both[1]: distance / scale}, {}))
    return found


def _distances(pairs: Sequence[Pair]) -> list[float]:
    """Returns the distance of each pair of finite samples; infinite where it exceeds a double."""
    found: dict[int, float | None] = {}
    large: dict[int, tuple[Blocks, Blocks]] = {}
    with np.errstate(over="ignore"):
        for number, (x, y) in enumerate((current.sample, reference.sample) for current, reference in pairs):
            if len(x.values) + len(y.values) <= _FEW and x.n * y.n <= COUNTABLE:
                found[number] = wasserstein_of_steps(x, y)
            elif x.blocks is not None and y.blocks is not None:
                large[number] = x.blocks, y.blocks
        found |= dict(zip(large, wasserstein_of_blocks(list(large.values())), strict=True))
        return [_or_by_values(found.get(number), *pair) for number, pair in enumerate(pairs)]


def _or_by_values(distance: float | None, current: NumericSummary, reference: NumericSummary) -> float:
    return wasserstein_distance(current.values, reference.values) if distance is None else distance


def _out_of_range(sample: Sample, reference: Sample) -> float:
    """Returns the share of numbers below the least or above the greatest of the reference."""
    within = sample.up_to(reference.values[-1:]) - sample.below(reference.values[:1])
    return float(1 - within[0] / sample.n)
