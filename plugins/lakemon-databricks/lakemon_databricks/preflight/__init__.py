"""What a run needs of the workspace, looked at one by one before it starts."""

from lakemon_databricks.preflight.checks import Preflight

__all__ = ["Preflight"]
