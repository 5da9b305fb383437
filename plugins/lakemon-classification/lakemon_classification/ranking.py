"""How well scores rank: exact with ties."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def roc_auc(positive: Flags, scores: Floats) -> float:
    """Returns the share of pairs of a positive and a negative row in which the positive one scores higher.

    Ties count half (Mann-Whitney). NaN unless there are rows of both kinds.
    """
    hits, others = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(hits) or not len(others):
        return math.nan
    below, up_to = np.searchsorted(others, hits, "left"), np.searchsorted(others, hits, "right")
    return int((below + up_to).sum()) / (2 * len(hits) * len(others))


def average_precision(positive: Flags, scores: Floats) -> float:
    """Returns the sum over thresholds of (gain of recall) x precision, equal scores being one threshold.

    NaN without positive rows.
    """
    hits, everything = np.sort(scores[positive]), np.sort(scores)
    if not len(hits):
        return math.nan
    thresholds, counts = np.unique(hits, return_counts=True)
    found = len(hits) - np.searchsorted(hits, thresholds, "left")
    chosen = len(everything) - np.searchsorted(everything, thresholds, "left")
    return float(np.sum(counts / len(hits) * (found / chosen)))
