"""Quality of one group of rows: predicted numbers and quantiles against labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lakemon_core.domain.estimate import Estimate
from lakemon_core.ports import NumericModelConfig, QualityMetric, QualityResult
from lakemon_core.profiling.quality.estimates import ratio_of
from lakemon_core.profiling.quality.losses import (
    Pairs,
    Quantiles,
    by_quantile,
    point_metrics,
    quantile_metrics,
)

_BY_LEVEL = pa.map_(pa.string(), pa.float64())
_FIELDS = (
    ("mean_squared_error", pa.float64()),
    ("root_mean_squared_error", pa.float64()),
    ("mean_average_error", pa.float64()),
    ("mean_absolute_percentage_error", pa.float64()),
    ("r2_score", pa.float64()),
    ("wape", pa.float64()),
    ("bias", pa.float64()),
    ("relative_bias", pa.float64()),
    ("pinball_loss", pa.float64()),
    ("coverage", pa.float64()),
    ("interval_width", pa.float64()),
    ("winkler_score", pa.float64()),
    ("pinball_by_quantile", _BY_LEVEL),
    ("quantile_coverage", _BY_LEVEL),
    ("zero_labels", pa.int64()),
    ("label_count", pa.int64()),
)


def quality_fields() -> Sequence[tuple[str, pa.DataType]]:
    """Returns the profile columns of regression: Databricks' first, then ours."""
    return _FIELDS


@np.errstate(over="ignore", invalid="ignore")  # sums that are too large are reasons, not warnings
def measure_quality(
    rows: pa.Table, config: NumericModelConfig, metrics: Sequence[QualityMetric]
) -> QualityResult:
    """Measures the rows that have a label and a prediction; rows are taken as independent."""
    pairs = Pairs.of(rows, config.label_col, config.prediction_col)
    quantiles = Quantiles.of(rows, config.quantile_cols, config.interval, config.label_col)
    estimates = {**point_metrics(pairs), "r2_score": r_squared(pairs), **quantile_metrics(quantiles)}
    values = {
        **by_quantile(quantiles),
        "zero_labels": int((pairs.label == 0).sum()),
        "label_count": pairs.labels,
    }
    return QualityResult.of(estimates, metrics, values, n=pairs.labels, rows=len(rows))


def r_squared(pairs: Pairs) -> Estimate:
    """Returns 1 - Σ (y - f)² / Σ (y - ȳ)²; labels that are all equal have none."""
    if pairs.problem:
        return Estimate.unknown(pairs.problem)
    label = pairs.label
    if label.min() == label.max():
        return Estimate.unknown("all labels are equal", len(label))
    return ratio_of(np.square(pairs.miss), np.square(label - label.mean())).complement
