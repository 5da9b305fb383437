"""Databricks' data profiling: told what to measure, refreshed, waited for."""

from lakemon_databricks.profiling.lake_profiling import LakeProfiling

__all__ = ["LakeProfiling"]
