"""Tables that are made or grow, and what is noted in their properties."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import pyarrow as pa

from lakemon_core.domain.names import TableName
from lakemon_databricks.statements import StatementFailed, Statements, column_sql, table_sql, text_sql
from lakemon_databricks.statements.sql_types import sql_type

_PLAIN = re.compile(r"[^ ,;{}()\n\t=]+")
_FEED = "'delta.enableChangeDataFeed' = 'true'"
_MAPPED = "'delta.columnMapping.mode' = 'name'"
"""Lets names hold spaces and the like, which Parquet does not take."""


def make_table(statements: Statements, name: TableName, schema: pa.Schema) -> None:
    """Makes a table with a change feed, and its schema if need be; one that is there is left alone."""
    properties = [_FEED] if _are_plain(schema.names) else [_FEED, _MAPPED]
    sql = (
        f"CREATE TABLE IF NOT EXISTS {table_sql(name)} ({_columns(schema)})"
        f" TBLPROPERTIES ({', '.join(properties)})"
    )
    try:
        statements.run(sql)
    except StatementFailed as failed:
        if failed.error_class != "SCHEMA_NOT_FOUND":
            raise
        statements.run(f"CREATE SCHEMA IF NOT EXISTS {column_sql(name.catalog)}.{column_sql(name.schema)}")
        statements.run(sql)


def add_columns(statements: Statements, name: TableName, added: Sequence[pa.Field]) -> None:
    """Adds columns at the end; one that another writer has added meanwhile is left as it is."""
    if not _are_plain(field.name for field in added):
        statements.run(f"ALTER TABLE {table_sql(name)} SET TBLPROPERTIES ({_MAPPED})")
    try:
        statements.run(f"ALTER TABLE {table_sql(name)} ADD COLUMNS ({_columns(added)})")
    except StatementFailed as failed:
        if failed.error_class not in {"FIELDS_ALREADY_EXISTS", "FIELD_ALREADY_EXISTS"}:
            raise


def batch_number(statements: Statements, name: TableName, writer: str) -> int:
    """Returns the last number that a writer has noted; -1 when it has not."""
    rows = statements.read(f"SHOW TBLPROPERTIES {table_sql(name)}").to_pylist()
    noted = {row["key"]: row["value"] for row in rows}
    return int(noted.get(_batch_key(writer), -1))


def note_batch(statements: Statements, name: TableName, batch: tuple[str, int]) -> None:
    """Notes that a batch is in the table."""
    key, number = text_sql(_batch_key(batch[0])), int(batch[1])
    statements.run(f"ALTER TABLE {table_sql(name)} SET TBLPROPERTIES ({key} = '{number}')")


def _batch_key(writer: str) -> str:
    return f"lakemon.batch.{writer}"


def _columns(fields: Iterable[pa.Field]) -> str:
    return ", ".join(f"{column_sql(field.name)} {sql_type(field.type)}" for field in fields)


def _are_plain(names: Iterable[str]) -> bool:
    return all(_PLAIN.fullmatch(name) for name in names)
