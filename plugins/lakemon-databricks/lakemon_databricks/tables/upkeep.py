"""Upkeep of our own tables: many small files become few, and what nobody needs any more goes."""

from __future__ import annotations

from lakemon_core.domain.names import TableName
from lakemon_databricks.statements import StatementFailed, Statements, table_sql

MANY_FILES = 32
SMALL_BYTES = 8 * 1024 * 1024
"""A table is compacted when it has more files than this and they are smaller on average."""


def compact(statements: Statements, name: TableName) -> bool:
    """Rewrites small files; a table that predictive optimization keeps in shape has none."""
    (detail,) = statements.read(f"DESCRIBE DETAIL {table_sql(name)}").to_pylist()
    files, size = int(detail["numFiles"] or 0), int(detail["sizeInBytes"] or 0)
    if files <= MANY_FILES or size / files > SMALL_BYTES:
        return False
    statements.run(f"OPTIMIZE {table_sql(name)}")
    return True


def vacuum(statements: Statements, name: TableName) -> None:
    """Removes the files that no version within 7 days needs.

    Only the owner may. Where it is refused, the lake's own upkeep does it later: the rows are gone anyway.
    """
    try:
        statements.run(f"VACUUM {table_sql(name)}")
    except StatementFailed as failed:
        if failed.error_class not in {"INSUFFICIENT_PERMISSIONS", "PERMISSION_DENIED"}:
            raise
