"""The inner loops of lakemon's distances between sorted samples, in C; threads may call them side by side.

What each computes is defined by lakemon, which does the same with NumPy where this package is missing.
Samples are ascending `float64` of one dimension without NaN. Wrong types raise `TypeError`, wrong sizes
`ValueError`.

Raises:
    ImportError: where the package was installed without a C compiler.
"""

try:
    from lakemon_kernel._kernel import (
        blocks,
        ks_statistic,
        merge,
        quantiles,
        spread,
        tally,
        wasserstein,
        wasserstein_of_steps,
    )
except ImportError as error:
    raise ImportError(
        "lakemon-kernel was installed without a C compiler; where one is, `pip install --force-reinstall"
        " --no-binary lakemon-kernel lakemon-kernel`"
    ) from error

__all__ = [
    "blocks",
    "ks_statistic",
    "merge",
    "quantiles",
    "spread",
    "tally",
    "wasserstein",
    "wasserstein_of_steps",
]
