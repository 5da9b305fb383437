"""What the drift of numbers and of categories has in common."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.columns import Summary
from lakemon_core.profiling.distances import Samples
from lakemon_core.profiling.profile import no_values, percent

Counts = npt.NDArray[np.int64]
Values = dict[str, Any]

VERSION = 1
"""Of the definitions; written in `method`."""
_GROUP = 64
BINNED = ("population_stability_index", "tv_distance", "l_infinity_distance", "js_distance")


def sample_distances(samples: Samples, smoothing: str) -> list[Values]:
    """Returns the distances of each pair of samples over the same levels or bins, and what chance gives."""
    found = {
        "population_stability_index": samples.psi(smoothing),
        "tv_distance": samples.tv_distance(),
        "l_infinity_distance": samples.l_infinity_distance(),
        "js_distance": samples.js_distance(),
        "psi_chance_level": samples.psi_chance_level(),
        "tv_chance_level": samples.tv_chance_level(),
        "js_chance_level": samples.js_chance_level(),
        "bins": samples.levels.astype(np.int64),
    }
    rows = zip(*(column.tolist() for column in found.values()), strict=True)
    return [dict(zip(found, row, strict=True)) for row in rows]


def padded(levels: int) -> int:
    """Returns how many levels to make of these so that further empty ones change no digit of any sum.

    NumPy adds up whole groups of so many numbers in another order than what is left of them.
    """
    return -(-levels // _GROUP) * _GROUP


def common_deltas(current: Summary, reference: Summary) -> Values:
    """Returns what every kind of column has: by how much the shares of nulls and of distinct values moved."""
    return {
        "percent_null_delta": delta(
            percent(current.nulls, current.rows), percent(reference.nulls, reference.rows)
        ),
        "percent_distinct_delta": delta(
            percent(current.distinct, current.rows), percent(reference.distinct, reference.rows)
        ),
    }


def delta(now: float | None, then: float | None) -> float | None:
    """Returns now less then; None when one of them does not exist."""
    return None if now is None or then is None else now - then


def finite_difference(now: float, then: float) -> float | None:
    """Returns now less then; None when that is not finite."""
    return now - then if math.isfinite(now - then) else None


def nothing_to_compare(current: Summary, reference: Summary) -> str:
    """Says which side has nothing to compare; empty when both have."""
    if not current.size:
        return f"in the window {no_values(current)}"
    return "" if reference.size else f"in the reference {no_values(reference)}"
