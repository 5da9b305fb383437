"""The training history of each series, and how far the seasonal naive misses on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.profiling.quality.readings import read_numbers
from lakemon_forecasting.config import ForecastingConfig
from lakemon_forecasting.rows import Codes, Flags, Instants, Name, Series

Floats = npt.NDArray[np.float64]

UNKNOWN = "not in the history"
TORN = "two labels for one time, or an infinite one, in the history"
SHORT = "no two values a season apart in the history"
STILL = "never changes over a season in the history"


@dataclass(frozen=True, slots=True, eq=False)
class Naive:
    """Mean |y(t) - y(t - lag)| and mean of its square by series; NaN where the history has no such pair."""

    absolute: Floats
    square: Floats


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Labels of the baseline, series by series in the order of time.

    Attributes:
        places: series → its position.
        codes: per label the position of its series.
        labels: one a series and time; NaN where it is missing.
        torn: which series have different labels for one time, or an infinite one.
        problem: why there is no history.
    """

    places: Mapping[Name, int]
    codes: Codes
    labels: Floats
    torn: Flags
    problem: str = ""
    _naive: dict[int, Naive] = field(default_factory=dict[int, Naive])

    @classmethod
    def absent(cls, problem: str) -> History:
        """A history of nothing."""
        empty = np.zeros(0, dtype=np.int64)
        return cls({}, empty, empty.astype(np.float64), empty.astype(np.bool_), problem)

    @classmethod
    def of(cls, rows: pa.Table, config: ForecastingConfig) -> History:
        """Reads the baseline: a row for each series and time, or forecasts with their actuals."""
        missing = [name for name in config.series if name not in rows.schema.names]
        if missing:
            return cls.absent(f"the baseline has no column {missing[0]!r}")
        label = read_numbers(rows, config.label_col, "label_col")
        if label.problem:
            return cls.absent(f"no history in the baseline: {label.problem}")
        times = Instants.of(rows, config.timestamp_col)
        if times is None:
            return cls.absent(f"the baseline has no times in column {config.timestamp_col!r}")
        series = Series.of(rows, config.series)
        order = np.lexsort((label.values, times.ticks, series.codes))
        order = order[times.known[order]]
        return cls._of_sorted(series, series.codes[order], times.ticks[order], label.values[order])

    @classmethod
    def _of_sorted(cls, series: Series, codes: Codes, ticks: Codes, labels: Floats) -> History:
        """Keeps the first label of each series and time: NaN sorts last."""
        again = np.zeros(len(codes), dtype=np.bool_)
        again[1:] = (codes[1:] == codes[:-1]) & (ticks[1:] == ticks[:-1])
        other = again & ~np.isnan(labels)
        other[1:] &= labels[1:] != labels[:-1]
        torn = np.bincount(codes[other | np.isinf(labels)], minlength=len(series.names)) > 0
        places = {name: place for place, name in enumerate(series.names)}
        return cls(places, codes[~again], labels[~again], torn)

    def places_of(self, names: Sequence[Name]) -> Codes:
        """Returns the position of each series, -1 for those that are not in the history."""
        return np.array([self.places.get(name, -1) for name in names], dtype=np.int64)

    @property
    def longest(self) -> int:
        """Times of the series that has most."""
        return int(np.bincount(self.codes).max(initial=0))

    def naive(self, lag: int) -> Naive:
        """Returns the errors of the naive forecast y(t - lag), t counted in rows of the series."""
        if lag not in self._naive:
            self._naive[lag] = self._measured(lag)
        return self._naive[lag]

    def _measured(self, lag: int) -> Naive:
        size = len(self.torn)
        with np.errstate(over="ignore", invalid="ignore"):
            change = np.abs(self.labels[lag:] - self.labels[:-lag])
            squares = np.square(change)
        same = (self.codes[lag:] == self.codes[:-lag]) & np.isfinite(change)
        codes = self.codes[lag:][same]
        counts = np.bincount(codes, minlength=size).astype(np.float64)
        counts[(counts == 0) | self.torn] = np.nan
        sums = (np.bincount(codes, weights=part[same], minlength=size) for part in (change, squares))
        return Naive(*(each / counts for each in sums))

    def why_unscaled(self, place: int, lag: int) -> str:
        """Says why a series has no scale; empty when it has one."""
        if place < 0:
            return UNKNOWN
        if self.torn[place]:
            return TORN
        scale = self.naive(lag).absolute[place]
        if np.isnan(scale):
            return SHORT
        return "" if scale > 0 else STILL
