"""Types of Databricks SQL and of Arrow, there and back."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa

from lakemon_databricks.statements.names import column_sql

MOMENT = pa.timestamp("us", "UTC")
_ARROW: dict[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "BYTE": pa.int8(),
    "TINYINT": pa.int8(),
    "SHORT": pa.int16(),
    "SMALLINT": pa.int16(),
    "INT": pa.int32(),
    "INTEGER": pa.int32(),
    "LONG": pa.int64(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "REAL": pa.float32(),
    "DOUBLE": pa.float64(),
    "STRING": pa.string(),
    "BINARY": pa.binary(),
    "DATE": pa.date32(),
    "TIMESTAMP": MOMENT,
    "TIMESTAMP_NTZ": pa.timestamp("us"),
    "VOID": pa.null(),
}
_SQL: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "STRING",
    pa.binary(): "BINARY",
    pa.date32(): "DATE",
    MOMENT: "TIMESTAMP",
    pa.timestamp("us"): "TIMESTAMP_NTZ",
}
_TOKEN = re.compile(r"\s*(`(?:[^`]|``)*`|\d+|[A-Za-z_][\w ]*?(?=\s*[<>(),:`]|\s*$)|[<>(),:])")


def arrow_schema(columns: Iterable[tuple[str, str]]) -> pa.Schema:
    """Returns the schema of a result from names and type texts, e.g. `ARRAY<STRUCT<a: INT>>`."""
    return pa.schema([(name, arrow_type(text)) for name, text in columns])


def arrow_type(text: str) -> pa.DataType:
    """Returns the Arrow type of a type text; one that we do not know is read as text."""
    tokens = _TOKEN.findall(re.sub(r"\s+(NOT NULL|COLLATE \w+|COMMENT '[^']*')", "", text))
    return _Reader(tokens).kind()


class _Reader:
    """Reads a type text, token by token."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def kind(self) -> pa.DataType:
        word = self._next().strip().upper()
        if word == "ARRAY":
            return pa.list_(pa.field("element", self._inside()[0]))
        if word == "MAP":
            key, value = self._inside()
            return pa.map_(key, value)
        if word == "STRUCT":
            return pa.struct(self._fields())
        if word in {"DECIMAL", "NUMERIC", "DEC"}:
            return pa.decimal128(*self._numbers())
        return _ARROW.get(word, pa.string())

    def _inside(self) -> list[pa.DataType]:
        self._next()
        kinds = [self.kind()]
        while self._next() == ",":
            kinds.append(self.kind())
        return kinds

    def _fields(self) -> list[pa.Field]:
        fields: list[pa.Field] = []
        self._next()
        while self._peek() != ">":
            name = self._next().strip()
            if self._peek() == ":":
                self._next()
            fields.append(pa.field(_bare(name), self.kind()))
            if self._peek() == ",":
                self._next()
        self._next()
        return fields

    def _numbers(self) -> tuple[int, int]:
        if self._peek() != "(":
            return 10, 0
        self._next()
        precision = int(self._next())
        scale = 0
        while (part := self._next()) != ")":
            scale = int(part) if part.isdigit() else scale
        return precision, scale

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token


def _bare(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def sql_type(kind: pa.DataType, *, texts: bool = False) -> str:
    """Returns a stored Arrow type as Databricks SQL writes it.

    Args:
        kind: as `lakemon_core.profiling.table_types.stored_type` gives it.
        texts: writes STRING for every plain type, for reading JSON before it is cast.
    """
    if pa.types.is_struct(kind):
        inner = ", ".join(f"{column_sql(field.name)}: {sql_type(field.type, texts=texts)}" for field in kind)
        return f"STRUCT<{inner}>"
    if pa.types.is_map(kind):
        return f"MAP<STRING, {sql_type(kind.item_type, texts=texts)}>" if texts else _map(kind)
    if pa.types.is_list(kind):
        return f"ARRAY<{sql_type(kind.value_type, texts=texts)}>"
    if texts:
        return "STRING"
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return _SQL[kind]


def _map(kind: pa.MapType) -> str:
    return f"MAP<{sql_type(kind.key_type)}, {sql_type(kind.item_type)}>"
