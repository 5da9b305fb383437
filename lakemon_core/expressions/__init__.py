"""Databricks SQL that users write, for slices and custom metrics: checked, then written for who runs it."""

from lakemon_core.expressions.columns import Shape
from lakemon_core.expressions.definitions import (
    TABLE,
    CustomMetric,
    MetricKind,
    PlannedMetric,
    read_metrics,
)
from lakemon_core.expressions.dialects import DATABRICKS, DUCKDB, Dialect
from lakemon_core.expressions.translate import Translated, translate

__all__ = [
    "DATABRICKS",
    "DUCKDB",
    "TABLE",
    "CustomMetric",
    "Dialect",
    "MetricKind",
    "PlannedMetric",
    "Shape",
    "Translated",
    "read_metrics",
    "translate",
]
