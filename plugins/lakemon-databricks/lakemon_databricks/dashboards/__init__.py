"""An AI/BI dashboard of our own over the signals, generated and published."""

from lakemon_databricks.dashboards.lakeview import Dashboards

__all__ = ["Dashboards"]
