"""Databricks SQL that users write, for slices and custom metrics: checked, then translated for DuckDB."""

from lakemon_core.expressions.definitions import CustomMetric, MetricKind, PlannedMetric, read_metrics
from lakemon_core.expressions.translate import Shape, Translated, translate

__all__ = [
    "CustomMetric",
    "MetricKind",
    "PlannedMetric",
    "Shape",
    "Translated",
    "read_metrics",
    "translate",
]
