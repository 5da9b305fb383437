"""Model serving endpoints: deploy, wait, ask, and find again what was logged."""

from lakemon_databricks.serving.databricks_serving import DatabricksServing

__all__ = ["DatabricksServing"]
