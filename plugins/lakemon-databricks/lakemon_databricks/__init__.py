"""The Databricks backend of lakemon: serving endpoints, Unity Catalog tables, data profiling."""

from lakemon_databricks.backend import DatabricksBackend

__all__ = ["DatabricksBackend"]
