"""Types of columns: what Arrow calls them, and what Databricks calls them."""

from __future__ import annotations

import pyarrow as pa

_PLAIN: tuple[tuple[pa.DataType, str, str], ...] = (
    (pa.int64(), "BIGINT", "LONG"),
    (pa.int32(), "INT", "INT"),
    (pa.int16(), "SMALLINT", "SHORT"),
    (pa.int8(), "TINYINT", "BYTE"),
    (pa.uint32(), "BIGINT", "LONG"),
    (pa.uint64(), "BIGINT", "LONG"),
    (pa.float64(), "DOUBLE", "DOUBLE"),
    (pa.float32(), "FLOAT", "FLOAT"),
    (pa.bool_(), "BOOLEAN", "BOOLEAN"),
    (pa.string(), "STRING", "STRING"),
    (pa.large_string(), "STRING", "STRING"),
    (pa.binary(), "BINARY", "BINARY"),
    (pa.large_binary(), "BINARY", "BINARY"),
    (pa.date32(), "DATE", "DATE"),
    (pa.null(), "VOID", "NULL"),
)


def type_text(kind: pa.DataType) -> str:
    """Returns the SQL text of a type, e.g. `STRUCT<start: TIMESTAMP, end: TIMESTAMP>`."""
    if pa.types.is_struct(kind):
        return f"STRUCT<{', '.join(f'{_name(field.name)}: {type_text(field.type)}' for field in kind)}>"
    if pa.types.is_map(kind):
        return f"MAP<{type_text(kind.key_type)}, {type_text(kind.item_type)}>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"ARRAY<{type_text(kind.value_type)}>"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz else "TIMESTAMP_NTZ"
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return next((text for plain, text, _ in _PLAIN if plain == kind), "STRING")


def type_name(kind: pa.DataType) -> str:
    """Returns the name of a type in manifests and table columns, e.g. `LONG`, `STRUCT`."""
    text = type_text(kind).partition("<")[0].partition("(")[0]
    return next((name for _, plain, name in _PLAIN if plain == text), text)


def _name(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"
