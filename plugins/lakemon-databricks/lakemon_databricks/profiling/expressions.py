"""Expressions of the config, run by the warehouse: over tables, and over a few rows of ours sent as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_databricks.statements import Binding, StatementFailed, Statements, column_sql
from lakemon_databricks.tables.writing.rows import chunks, row_texts, source_sql

_PLACE = "lakemon_place"


def evaluate(statements: Statements, rows: pa.Table, columns: Mapping[str, str]) -> pa.Table:
    """Returns a value for each row and expression; see `LakeProfiles.evaluate`."""
    placed = rows.add_column(0, _PLACE, pa.array(range(len(rows)), pa.int64()))
    wanted = [column_sql(_PLACE), *_named(columns)]
    sql = f"SELECT {', '.join(wanted)} FROM ({source_sql(placed.schema, ':rows')})"  # noqa: S608 - names quoted, values are parameters, expressions are of the config
    parts = [_read(statements, sql, text) for text in chunks(row_texts(placed))] or [
        _read(statements, sql, "[]")
    ]
    return pa.concat_tables(parts).sort_by(_PLACE).drop_columns(_PLACE)


def aggregate(statements: Statements, rows: pa.Table, columns: Mapping[str, str]) -> Mapping[str, object]:
    """Returns a value of all rows for each expression; see `LakeProfiles.aggregate`."""
    placed = rows.add_column(0, _PLACE, pa.array(range(len(rows)), pa.int64()))
    sql = f"SELECT {', '.join(_named(columns))} FROM ({source_sql(placed.schema, ':rows')})"  # noqa: S608 - as above
    return _read(statements, sql, f"[{','.join(row_texts(placed))}]").to_pylist()[0]


def slice_columns(slices: Mapping[str, str]) -> list[str]:
    """Returns each slice as a column of texts.

    Args:
        slices: name of the column → expression.

    Raises:
        DataError: LM330 for what is not one expression.
    """
    from lakemon_core.expressions.parse import parse

    written = {label: parse(text).sql(dialect="databricks") for label, text in slices.items()}
    return [f"CAST(({text}) AS STRING) AS {column_sql(label)}" for label, text in written.items()]


def sums_sql(
    source: str,
    aggregates: Mapping[str, str],
    slices: Mapping[str, str],
    model_id: str | None,
    binding: Binding,
) -> str:
    """Returns the SELECT of aggregates of all rows, of each model and slice value; see `LakeProfiles.summed`.

    Args:
        source: SQL of the rows, what stands after FROM.
        aggregates: column → expression.
        slices: column → expression.
        model_id: column; None without one.
        binding: takes the values.
    """
    sums = ", ".join(_named(aggregates))
    rows = f"SELECT {', '.join(['*', *slice_columns(slices)])} FROM {source}"  # noqa: S608 - as above
    models = [None, model_id] if model_id else [None]
    parts = [
        _sum_sql(sums, rows, model, label, binding.add(slices[label]) if label else "NULL")
        for model in models
        for label in (None, *slices)
    ]
    return " UNION ALL ".join(parts)


def _sum_sql(sums: str, rows: str, model: str | None, label: str | None, key: str) -> str:
    groups = [column_sql(name) for name in (model, label) if name]
    named = [
        f"CAST({column_sql(model)} AS STRING) AS model" if model else "'*' AS model",
        f"CAST({key} AS STRING) AS slice_key",
        f"{column_sql(label)} AS slice_value" if label else "CAST(NULL AS STRING) AS slice_value",
    ]
    where = " AND ".join(f"{name} IS NOT NULL" for name in groups)
    grouped = f" WHERE {where} GROUP BY {', '.join(groups)}" if groups else ""
    return f"SELECT {', '.join(named)}, {sums} FROM ({rows}){grouped}"  # noqa: S608 - as above


def _named(columns: Mapping[str, str]) -> list[str]:
    return [f"{sql} AS {column_sql(name)}" for name, sql in columns.items()]


def _read(statements: Statements, sql: str, text: str) -> pa.Table:
    try:
        return statements.read(sql, {"rows": text})
    except StatementFailed as failed:
        _refuse(failed)


def _refuse(failed: StatementFailed) -> NoReturn:
    """Says that an expression does not fit; a warehouse that is gone or forbidden stays what it is."""
    if not failed.of_statement:
        raise failed
    raise DataError(
        "LM337",
        f"an expression does not fit the rows: {failed.said};",
        cure="compare columns with values of their type, by functions that Databricks SQL has.",
    ) from failed
