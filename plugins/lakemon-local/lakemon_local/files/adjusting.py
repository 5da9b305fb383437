"""Rows of a file as a table should hold them: with a time, without some columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.ports import Adjustment
from lakemon_core.profiling.table_types import check_columns
from lakemon_local.files.source import Source


def adjusted(source: Source, adjustment: Adjustment, path: Path) -> Source:
    """Returns the rows as they are wanted; a column of times that is added comes first.

    Raises:
        DataError: LM302 for a column to leave out that is not there, LM325 for one to add that is.
    """
    names = source.schema.names
    check_columns(adjustment.left_out, source.schema, str(path))
    kept = [number for number, name in enumerate(names) if name not in adjustment.left_out]
    fields = [source.schema.field(number) for number in kept]
    added: list[pa.Scalar] = []
    if adjustment.at is not None:
        column, moment = adjustment.at
        if any(field.name == column for field in fields):
            what = f"the file has a column {column!r} already;"
            raise DataError("LM325", what, where=str(path), cure="leave out --at, or that column.")
        fields.insert(0, pa.field(column, pa.timestamp("us", "UTC")))
        added.append(pa.scalar(moment, fields[0].type))
    schema = pa.schema(fields)

    def rows(batch: pa.RecordBatch) -> pa.RecordBatch:
        first = [pa.repeat(value, batch.num_rows) for value in added]
        return pa.RecordBatch.from_arrays([*first, *map(batch.column, kept)], schema=schema)

    return replace(source, schema=schema, batches=map(rows, source.batches))
