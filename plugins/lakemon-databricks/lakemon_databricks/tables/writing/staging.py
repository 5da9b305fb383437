"""Rows on their way to the warehouse: in one parameter, or in a table that is dropped afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain

import pyarrow as pa

from lakemon_core.domain.names import TableName
from lakemon_databricks.statements import Statements, Value, column_sql, table_sql
from lakemon_databricks.statements.sql_types import sql_type
from lakemon_databricks.tables.writing.rows import chunks, row_texts, source_sql

_ORDER = "__lakemon_at"


@dataclass(frozen=True, slots=True)
class Source:
    """Rows as a SELECT, with the parameters that it needs."""

    sql: str
    values: dict[str, Value] = field(default_factory=dict[str, Value])


@contextmanager
def staged(statements: Statements, name: TableName, rows: pa.Table) -> Generator[Source]:
    """Gives rows to one statement: what fits into a parameter goes so, more lies in a table beside `name`."""
    found = chunks(row_texts(rows))
    first, second = next(found, "[]"), next(found, None)
    if second is None:
        yield Source(source_sql(rows.schema, ":rows"), {"rows": first})
        return
    beside = table_sql(name.sibling(table=f"lakemon_staged_{uuid.uuid4().hex}"))
    columns = ", ".join(f"{column_sql(one.name)} {sql_type(one.type)}" for one in rows.schema)
    statements.run(
        f"CREATE TABLE {beside} ({columns}, {_ORDER} BIGINT)"
        " TBLPROPERTIES ('delta.columnMapping.mode' = 'name')"
    )
    try:
        for number, text in enumerate(chain([first, second], found)):
            _stage(statements, beside, rows.schema, number, text)
        yield Source(f"SELECT * EXCEPT ({_ORDER}) FROM {beside}")  # noqa: S608 - the name is our own
    finally:
        statements.run(f"DROP TABLE IF EXISTS {beside}")


def _stage(statements: Statements, beside: str, schema: pa.Schema, number: int, text: str) -> None:
    """Adds one chunk, once, even when the statement runs twice."""
    chunk = source_sql(schema, ":rows")
    sql = (
        f"INSERT INTO {beside} REPLACE WHERE {_ORDER} = CAST(:number AS BIGINT)"  # noqa: S608 - the name is our own
        f" SELECT *, CAST(:number AS BIGINT) FROM ({chunk})"
    )
    statements.run(sql, {"number": number, "rows": text})
