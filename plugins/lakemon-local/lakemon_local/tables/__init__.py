"""Tables of a workspace: Delta in folders, read by Delta's own engine, queried with DuckDB."""

from lakemon_local.tables.delta_tables import DeltaTables

__all__ = ["DeltaTables"]
