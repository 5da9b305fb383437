"""Arrow rows as a source of a statement: JSON text in one parameter, cast to their types by the warehouse.

Every plain value goes as text and every column under a number, so neither a value nor a name can mean
anything to SQL or to the JSON reader, and NaN, long integers and decimals arrive as they are.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from lakemon_databricks.statements import column_sql, text_sql
from lakemon_databricks.statements.parameters import moment_text
from lakemon_databricks.statements.sql_types import sql_type

CHUNK_CHARACTERS = 4_000_000
"""A statement may hold 16 MiB; text may take four bytes a character."""


def row_texts(rows: pa.Table) -> Iterator[str]:
    """Yields each row as a JSON object of texts; equal rows give equal texts."""
    writers = [_writer(field.type) for field in rows.schema]
    names = [f"c{at}" for at in range(len(writers))]
    for batch in rows.to_batches(max_chunksize=10_000):
        columns = [column.to_pylist() for column in batch.columns]
        for cells in zip(*columns, strict=True):
            found = {
                name: write(cell)
                for name, write, cell in zip(names, writers, cells, strict=True)
                if cell is not None
            }
            yield json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def chunks(texts: Iterator[str]) -> Iterator[str]:
    """Groups rows into JSON arrays of bounded length."""
    group: list[str] = []
    size = 0
    for text in texts:
        if group and size + len(text) > CHUNK_CHARACTERS:
            yield f"[{','.join(group)}]"
            group, size = [], 0
        group.append(text)
        size += len(text)
    if group:
        yield f"[{','.join(group)}]"


def source_sql(schema: pa.Schema, parameter: str) -> str:
    """Returns the SELECT that turns one JSON array back into typed rows."""
    fields = ", ".join(f"c{at}: {sql_type(field.type, texts=True)}" for at, field in enumerate(schema))
    columns = ", ".join(
        f"{_cast(f'r.c{at}', field.type)} AS {column_sql(field.name)}" for at, field in enumerate(schema)
    )
    shape = text_sql(f"ARRAY<STRUCT<{fields}>>")
    return f"SELECT {columns} FROM (SELECT explode(from_json({parameter}, {shape})) AS r)"  # noqa: S608 - names are quoted, values are parameters


def _cast(expression: str, kind: pa.DataType) -> str:
    if pa.types.is_binary(kind):
        return f"unbase64({expression})"
    return expression if pa.types.is_string(kind) else f"CAST({expression} AS {sql_type(kind)})"


def _writer(kind: pa.DataType) -> Callable[[Any], Any]:
    """Returns what turns a value of a type into JSON whose plain values are texts."""
    if pa.types.is_struct(kind):
        inner = {field.name: _nullable(_writer(field.type)) for field in kind}
        return lambda value: {name: write(value[name]) for name, write in inner.items()}
    if pa.types.is_map(kind):
        key, item = _writer(kind.key_type), _nullable(_writer(kind.item_type))
        return lambda value: {key(name): item(one) for name, one in sorted(value)}
    if pa.types.is_list(kind):
        element = _nullable(_writer(kind.value_type))
        return lambda value: [element(one) for one in value]
    return _plain_writer(kind)


def _plain_writer(kind: pa.DataType) -> Callable[[Any], str]:
    if pa.types.is_boolean(kind):
        return lambda value: "true" if value else "false"
    if pa.types.is_floating(kind):
        return _number
    if pa.types.is_timestamp(kind):
        return moment_text
    if pa.types.is_binary(kind):
        return lambda value: base64.b64encode(value).decode()
    return str


def _number(value: float) -> str:
    text = repr(value)
    return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity", "-0.0": "0.0"}.get(text, text)


def _nullable(write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else write(value)
