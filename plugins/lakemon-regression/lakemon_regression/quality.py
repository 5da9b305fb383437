"""Quality of one group of rows: predicted numbers and quantiles against labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lakemon_core.domain.estimate import Estimate
from lakemon_core.ports import NumericModelConfig, QualityMetric, QualityResult
from lakemon_core.profiling.quality.estimates import Sums, added, cut
from lakemon_core.profiling.quality.losses import (
    Pairs,
    Quantiles,
    point_metrics,
    quantile_metrics,
    zero_labels,
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


def measure_quality(
    rows: pa.Table, config: NumericModelConfig, metrics: Sequence[QualityMetric]
) -> QualityResult:
    """Measures the rows that have a label and a prediction; rows are taken as independent."""
    pairs = Pairs.of(rows, config.label_col, config.prediction_col)
    quantiles = Quantiles.of(rows, config.quantile_cols, config.interval, config.label_col)
    of_quantiles, by_level = quantile_metrics(quantiles)
    estimates = {**point_metrics(pairs), "r2_score": r_squared(pairs), **of_quantiles}
    values = {**by_level, "zero_labels": zero_labels(pairs), "label_count": pairs.labels}
    return QualityResult.of(estimates, metrics, values, n=pairs.labels, rows=len(rows))


@np.errstate(over="ignore", invalid="ignore")
def r_squared(pairs: Pairs) -> Estimate:
    """Returns 1 - Σ (y - f)² / Σ (y - ȳ)²; labels that are all equal have none."""
    if pairs.problem:
        return Estimate.unknown(pairs.problem)
    label, prediction = pairs.label, pairs.prediction
    if label.min() == label.max():
        return Estimate.unknown("all labels are equal", len(label))
    mean = label.mean()
    sums = added(
        {"r2": Sums.of(np.square(prediction[block] - label[block]), np.square(label[block] - mean))}
        for block in cut(len(label))
    )
    return sums["r2"].ratio().complement
