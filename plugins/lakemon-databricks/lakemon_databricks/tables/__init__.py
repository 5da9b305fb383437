"""Unity Catalog tables behind the port `Tables`, all through SQL statements."""

from lakemon_databricks.tables.lake_tables import LakeTables

__all__ = ["LakeTables"]
