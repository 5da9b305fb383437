"""Quality of one group of rows: forecasts against actuals, the seasonal naive and each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.domain.estimate import Estimate
from lakemon_core.ports import QualityMetric, QualityResult
from lakemon_core.profiling.quality.estimates import Groups, mean_of, ratio_of
from lakemon_core.profiling.quality.losses import (
    Pairs,
    Quantiles,
    point_metrics,
    quantile_metrics,
    zero_labels,
)
from lakemon_core.profiling.quality.readings import kept, read_numbers
from lakemon_forecasting.config import ForecastingConfig
from lakemon_forecasting.history import History
from lakemon_forecasting.revisions import Revisions, revision_metrics
from lakemon_forecasting.rows import Codes, Instants, Series, numbered, ranked
from lakemon_forecasting.scaled import SCALED, Scale, scaled_metrics

Floats = npt.NDArray[np.float64]
Estimates = dict[str, Estimate]

_BY_LEVEL = pa.map_(pa.string(), pa.float64())
_FIELDS = (
    ("mean_squared_error", pa.float64()),
    ("root_mean_squared_error", pa.float64()),
    ("mean_average_error", pa.float64()),
    ("mean_absolute_percentage_error", pa.float64()),
    ("wape", pa.float64()),
    ("smape", pa.float64()),
    ("mase", pa.float64()),
    ("rmsse", pa.float64()),
    ("skill", pa.float64()),
    ("bias", pa.float64()),
    ("relative_bias", pa.float64()),
    ("tracking_signal", pa.float64()),
    ("pinball_loss", pa.float64()),
    ("coverage", pa.float64()),
    ("interval_width", pa.float64()),
    ("winkler_score", pa.float64()),
    ("revision", pa.float64()),
    ("relative_revision", pa.float64()),
    ("pinball_by_quantile", _BY_LEVEL),
    ("quantile_coverage", _BY_LEVEL),
    ("series_count", pa.int64()),
    ("unscaled_series", pa.int64()),
    ("zero_labels", pa.int64()),
    ("label_count", pa.int64()),
)


def quality_fields() -> Sequence[tuple[str, pa.DataType]]:
    """Returns the profile columns of forecasting: Databricks' columns of regression among ours."""
    return _FIELDS


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """A group of rows: whose they are, and which of them wait for the same actual.

    Attributes:
        table: the rows.
        series: of each row.
        target: per row the number of its series and target time.
        scale: what the seasonal naive misses.
    """

    table: pa.Table
    series: Series
    target: Codes
    scale: Scale

    @classmethod
    def of(cls, table: pa.Table, config: ForecastingConfig, history: History) -> Forecasts:
        """Reads series and target times; where a series column is missing, all rows are of one series."""
        missing = [name for name in config.series if name not in table.schema.names]
        series = Series.of(table, () if missing else config.series)
        if missing:
            history = History.absent(f"the table has no column {missing[0]!r}")
        times = Instants.of(table, config.timestamp_col)
        target = series.codes
        if times is not None:
            moments, moment = ranked(times.ticks)
            size = len(series.names) * moments
            target = numbered(series.codes * moments + moment, size)[1]
        return cls(table, series, target, Scale.of(history, series, config.season_length))


@np.errstate(over="ignore", invalid="ignore")  # sums that are too large are reasons, not warnings
def measure_quality(
    rows: pa.Table, config: ForecastingConfig, metrics: Sequence[QualityMetric], history: History
) -> QualityResult:
    """Measures the rows that have an actual and a forecast; revisions need no actual."""
    forecasts = Forecasts.of(rows, config, history)
    pairs = Pairs.of(rows, config.label_col, config.prediction_col)
    quantiles = Quantiles.of(rows, config.quantile_cols, config.interval, config.label_col)
    awaiting = Groups.of(forecasts.target)
    groups = awaiting.where(pairs.rows)
    of_quantiles, by_level = quantile_metrics(quantiles, awaiting.where(quantiles.rows))
    revisions = Revisions.of(rows, config, forecasts.series, forecasts.target)
    estimates = {
        **point_metrics(pairs, groups),
        **_relative(pairs, groups),
        **_scaled(pairs, config, forecasts, groups),
        **of_quantiles,
        **revision_metrics(revisions, forecasts.scale),
    }
    codes = forecasts.series.codes
    values = {
        **by_level,
        "series_count": len(forecasts.series.names),
        "unscaled_series": None if forecasts.scale.problem else len(forecasts.scale.unscaled(codes)),
        "zero_labels": zero_labels(pairs),
        "label_count": pairs.labels,
    }
    return QualityResult.of(estimates, metrics, values, n=pairs.labels, rows=len(rows))


def _relative(pairs: Pairs, groups: Groups) -> Estimates:
    """Returns sMAPE, where 0 against 0 counts as 0, and the tracking signal."""
    if pairs.problem:
        return dict.fromkeys(("smape", "tracking_signal"), Estimate.unknown(pairs.problem))
    miss = pairs.miss
    away, size = np.abs(miss), np.abs(pairs.label) + np.abs(pairs.prediction)
    shares = 2 * away / np.where(size > 0, size, 1)
    right = "every forecast is right: there is no deviation to compare with"
    return {
        "smape": mean_of(shares, groups),
        "tracking_signal": ratio_of(miss, away, groups, zero=right).times(len(miss)),
    }


def _scaled(pairs: Pairs, config: ForecastingConfig, forecasts: Forecasts, groups: Groups) -> Estimates:
    if pairs.problem:
        return dict.fromkeys(SCALED, Estimate.unknown(pairs.problem))
    horizon = read_numbers(forecasts.table, config.horizon_col, "horizon_col").values
    codes = kept(forecasts.series.codes, pairs.rows)
    return scaled_metrics(pairs.miss, codes, kept(horizon, pairs.rows), forecasts.scale, groups)
