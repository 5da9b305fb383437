"""Writing: tables that are made or grow, rows on their way, and each write as one commit."""

from lakemon_databricks.tables.writing.writer import Writing

__all__ = ["Writing"]
