"""Results of statements on the wire: manifest, chunks, JSON strings, Arrow streams, CSV."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from fakes.databricks.lake.types import type_name, type_text


def manifest(rows: pa.Table, chunks: Sequence[pa.Table], format_: str, *, truncated: bool) -> dict[str, Any]:
    """Returns the manifest of a result."""
    counted = []
    offset = 0
    for index, chunk in enumerate(chunks):
        counted.append({"chunk_index": index, "row_offset": offset, "row_count": chunk.num_rows})
        offset += chunk.num_rows
    return {
        "format": format_,
        "schema": {
            "column_count": rows.num_columns,
            "columns": [_column(position, field) for position, field in enumerate(rows.schema)],
        },
        "total_chunk_count": len(chunks),
        "chunks": counted,
        "total_row_count": rows.num_rows,
        "total_byte_count": rows.nbytes,
        "truncated": truncated,
    }


def _column(position: int, field: pa.Field) -> dict[str, Any]:
    column: dict[str, Any] = {
        "name": field.name,
        "type_text": type_text(field.type),
        "type_name": type_name(field.type),
        "position": position,
    }
    if pa.types.is_decimal(field.type):
        column |= {"type_precision": field.type.precision, "type_scale": field.type.scale}
    return column


def split(rows: pa.Table, rows_a_chunk: int) -> list[pa.Table]:
    """Returns the rows in chunks; none for an empty result."""
    return [rows.slice(start, rows_a_chunk) for start in range(0, rows.num_rows, rows_a_chunk)]


def json_array(chunk: pa.Table) -> list[list[str | None]]:
    """Returns rows whose values are strings or None, whatever their type."""
    columns = [
        [_text(value, field.type) for value in column.to_pylist()] for field, column in _columns(chunk)
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _columns(chunk: pa.Table) -> list[tuple[pa.Field, pa.ChunkedArray]]:
    return list(zip(chunk.schema, chunk.columns, strict=True))


def _text(value: object, kind: pa.DataType) -> str | None:
    if value is None:
        return None
    if pa.types.is_nested(kind):
        return json.dumps(_nested(value, kind), separators=(",", ":"))
    return _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        moment = value.strftime("%Y-%m-%dT%H:%M:%S.") + (
            f"{value.microsecond:06d}" if value.microsecond % 1000 else f"{value.microsecond // 1000:03d}"
        )
        return moment + ("Z" if value.tzinfo else "")
    if isinstance(value, float):
        return _double(value)
    return str(value)


def _double(value: float) -> str:
    """As Java writes doubles: `NaN`, `Infinity`, `1.0E10`."""
    if value != value:
        return "NaN"
    if value in {float("inf"), float("-inf")}:
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    rest = "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{digits[0]}.{rest}E{int(exponent) + len(digits) - 1}"


def _nested(value: Any, kind: pa.DataType) -> Any:
    """As structs, arrays and maps look inside of a JSON text: every plain value is a string."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {field.name: _nested(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return {_plain(key): _nested(item, kind.item_type) for key, item in value}
    if pa.types.is_list(kind):
        return [_nested(item, kind.value_type) for item in value]
    return value if isinstance(value, str) else _plain(value)


def encoded(chunk: pa.Table, format_: str) -> bytes:
    """Returns a chunk as the file behind an external link."""
    if format_ == "ARROW_STREAM":
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, chunk.schema) as writer:
            writer.write_table(chunk)
        return sink.getvalue()
    rows = json_array(chunk)
    if format_ == "CSV":
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(chunk.schema.names)
        writer.writerows(rows)
        return text.getvalue().encode()
    return json.dumps(rows).encode()
