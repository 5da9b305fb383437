"""Databricks SQL that users write, for slices and custom metrics: checked, then translated for DuckDB."""

from lakemon_core.expressions.definitions import (
    TABLE,
    TYPES,
    CustomMetric,
    MetricKind,
    PlannedMetric,
    read_metrics,
)
from lakemon_core.expressions.translate import Shape, Translated, translate

__all__ = [
    "TABLE",
    "TYPES",
    "CustomMetric",
    "MetricKind",
    "PlannedMetric",
    "Shape",
    "Translated",
    "read_metrics",
    "translate",
]
