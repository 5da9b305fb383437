"""What the drift of numbers and of categories has in common."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.columns import Summary
from lakemon_core.profiling.distances import Samples, js_chance_level, psi_chance_level
from lakemon_core.profiling.profile import no_values, percent

Counts = npt.NDArray[np.int64]
Values = dict[str, Any]

VERSION = 1
"""Of the definitions; written in `method`."""
BINNED = ("population_stability_index", "tv_distance", "l_infinity_distance", "js_distance")


def binned_distances(p: Counts, q: Counts, smoothing: str) -> Values:
    """Returns the distances of counts over the same bins, reference first, and what chance gives."""
    occurring = (p + q) > 0
    if not occurring.all():
        p, q = p[occurring], q[occurring]
    return sample_distances(Samples.of(p, q), smoothing)


def sample_distances(samples: Samples, smoothing: str) -> Values:
    """Returns the same of samples; each of their levels occurs."""
    levels, n, m = samples.levels, int(samples.n), int(samples.m)
    return {
        "population_stability_index": samples.psi(smoothing),
        "tv_distance": samples.tv_distance(),
        "l_infinity_distance": samples.l_infinity_distance(),
        "js_distance": samples.js_distance(),
        "psi_chance_level": psi_chance_level(levels, n, m),
        "tv_chance_level": samples.tv_chance_level(),
        "js_chance_level": js_chance_level(levels, n, m),
        "bins": levels,
    }


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
