"""Compiled loops of a distribution that offers them; without one NumPy does the same, in more time."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

KERNELS = "lakemon.kernels"
"""Entry-point group: name → module or object that is a `Kernel`."""

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Integers = npt.NDArray[Any]
"""Of 32 or 64 bits, signed."""


@runtime_checkable
class Kernel(Protocol):
    """The loops that may be compiled, as in `lakemon_kernel`; samples are ascending `float64` without NaN."""

    def blocks(
        self, values: Floats, edges: Floats, integrals: Floats, /
    ) -> tuple[float, float, float, float]:
        """Cuts a finite sample into a power of two of blocks of equal mass: fills in edges and integrals.

        Returns:
            its median; of the values less the median the mean, and the mean of the squares; and the sum of
            the absolute integrals.
        """
        ...

    def ks_statistic(self, x: Floats, x_ranks: Counts | None, y: Floats, y_ranks: Counts | None, /) -> float:
        """Returns the Kolmogorov-Smirnov statistic of two samples of distinct values; x best is the shorter.

        Ranks say how many numbers lie below each value, and, last, how many there are; None where all differ.
        """
        ...

    def wasserstein(
        self,
        x: Floats,
        x_blocks: tuple[Floats, Floats],
        y: Floats,
        y_blocks: tuple[Floats, Floats],
        y_sums: Floats | None,
        /,
    ) -> float:
        """Returns the Wasserstein distance of two samples in as many blocks: integrals and edges of each.

        `y_sums` are the sums of y less its median, from that to each place, for a y that is much longer.
        """
        ...

    def wasserstein_of_steps(
        self, x: Floats, x_ranks: Counts | None, y: Floats, y_ranks: Counts | None, /
    ) -> float:
        """Returns the same of two samples of distinct values with ranks as above: the integral of |F - G|."""
        ...

    def spread(self, values: Floats, ranks: Counts | None, centre: float, /) -> tuple[float, float]:
        """Returns the sums of the distances of all numbers from a centre, and of their squares."""
        ...

    def tally(self, integers: Integers, least: int, counts: Counts, /) -> int:
        """Adds to each count how often an integer occurs, from the least on; returns how many are outside."""
        ...

    def merge(self, one: Floats, other: Floats, merged: Floats, /) -> None:
        """Fills in all values of two samples, in order."""
        ...

    def quantiles(self, values: Floats, ranks: Counts | None, found: Floats, /) -> None:
        """Fills in evenly spaced quantiles of distinct values, from the least to the largest; ranks as above.

        Linear between two values as NumPy's default; NaN where their difference is not finite.
        """
        ...


def compiled() -> Kernel | None:
    """Returns the compiled loops; None where NumPy takes their place."""
    return _chosen()[0]


def loops() -> str:
    """Says which loops measure here, and why."""
    return _chosen()[1]


@cache
def _chosen() -> tuple[Kernel | None, str]:
    """Returns the first kernel, by name, that works, and one sentence."""
    why = "lakemon-kernel is not installed"
    for entry in sorted(entry_points(group=KERNELS)):
        try:
            kernel = entry.load()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it is told, and NumPy measures
            why = str(error) or type(error).__name__
            continue
        if isinstance(kernel, Kernel):
            return kernel, f"compiled loops measure: {entry.name}, {entry.value}"
        why = f"{entry.value} is no kernel for this version of lakemon"
    return None, f"NumPy measures, in more time: {why}"
