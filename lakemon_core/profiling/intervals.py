"""Confidence intervals of quality metrics."""

from math import sqrt


def wilson(share: float, n: float) -> tuple[float, float]:
    """Returns the 95 % Wilson score interval of a share of n.

    Source: Wilson (1927); z = 1.959963984540054.
    """
    z = 1.959963984540054
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
