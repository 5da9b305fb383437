from typing import Any

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Counts = npt.NDArray[np.int64]

def blocks(values: _Floats, edges: _Floats, integrals: _Floats, /) -> tuple[float, float, float, float]:
    """Cuts a finite sample into blocks of equal mass: fills in their edges and integrals.

    Returns:
        its median; of the values less the median the mean, and the mean of the squares; and the sum of the
        absolute integrals.
    """

def ks_statistic(x: _Floats, x_ranks: _Counts | None, y: _Floats, y_ranks: _Counts | None, /) -> float:
    """Returns D of two samples of distinct values.

    Ranks say how many numbers lie below each value, and, last, how many there are; None where all differ. It
    is fastest where x is the shorter.
    """

def wasserstein(
    x: _Floats,
    x_blocks: tuple[_Floats, _Floats],
    y: _Floats,
    y_blocks: tuple[_Floats, _Floats],
    y_sums: _Floats | None,
    /,
) -> float:
    """Returns the first Wasserstein distance of two samples in as many blocks: integrals and edges of each.

    `y_sums` are the sums of y less its median, from that to each place, for a y that is many times longer.
    """

def wasserstein_of_steps(
    x: _Floats, x_ranks: _Counts | None, y: _Floats, y_ranks: _Counts | None, /
) -> float:
    """Returns the same of distinct values with ranks as above: the integral of |F - G|."""

def spread(values: _Floats, ranks: _Counts | None, centre: float, /) -> tuple[float, float]:
    """Returns the sums of the distances of all numbers from a centre, and of their squares."""

def tally(integers: npt.NDArray[Any], least: int, counts: _Counts, /) -> int:
    """Adds to each count how often an integer occurs, from the least on; returns how many are outside.

    Integers are `int32` or `int64`.
    """

def merge(one: _Floats, other: _Floats, merged: _Floats, /) -> None:
    """Fills in all values of two samples, in order."""

def quantiles(values: _Floats, ranks: _Counts | None, found: _Floats, /) -> None:
    """Fills in quantiles of distinct values, evenly spaced from the least to the largest; ranks as above."""
