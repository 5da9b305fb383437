"""How often integers of a narrow range occur."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lakemon_core.profiling.numeric.kernel import compiled

Counts = npt.NDArray[np.int64]

_COMPILED = {np.dtype(np.int32), np.dtype(np.int64)}


def counted(integers: npt.NDArray[np.integer[Any]] | npt.NDArray[np.bool_], least: int, most: int) -> Counts:
    """Returns how often each integer from the least to the most occurs.

    Args:
        integers: all within these.
        least: the first that is counted.
        most: the last.
    """
    kernel = compiled()
    if kernel is None or integers.dtype not in _COMPILED:
        return np.bincount(np.subtract(integers, least, dtype=np.int64), minlength=most - least + 1)
    counts = np.zeros(most - least + 1, dtype=np.int64)
    kernel.tally(integers, least, counts)
    return counts
