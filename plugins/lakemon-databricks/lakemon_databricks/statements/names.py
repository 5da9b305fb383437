"""Names and texts as Databricks SQL writes them; values never come here, they are parameters."""

from __future__ import annotations

from lakemon_core.domain.names import TableName


def column_sql(name: str) -> str:
    """Returns an identifier in backticks."""
    return "`" + name.replace("`", "``") + "`"


def table_sql(name: TableName) -> str:
    """Returns a three-level name, each part in backticks."""
    return ".".join(column_sql(part) for part in (name.catalog, name.schema, name.table))


def text_sql(text: str) -> str:
    """Returns a text literal, for the few places that take no parameter (types, properties)."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
