"""SQL over the tables of a workspace, run by DuckDB on what Delta streams."""
