"""Columns of the inference table: their types, and the SQL that reads each from a text of JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lakemon_databricks.statements.sql_types import MOMENT, sql_type

_SIGNATURE: Mapping[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
    "binary": pa.binary(),
    "datetime": MOMENT,
}
_WHOLE = "DECIMAL(38, 6)"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the inference table.

    Attributes:
        name: of it.
        kind: its type.
        sql: its value, of that type.
        text: the text that the value was read from: where that is there and the value is not, it did not fit.
            Empty where nothing can fail.
    """

    name: str
    kind: pa.DataType
    sql: str
    text: str = ""

    @property
    def misfit(self) -> str:
        """SQL that is true where a value came that does not fit; empty where nothing can fail."""
        return f"({self.text} IS NOT NULL AND {self.sql} IS NULL)" if self.text else ""


def type_of_signature(kind: str) -> pa.DataType:
    """Returns the column type for a type of a signature; what is no plain value is kept as JSON text."""
    return _SIGNATURE.get(kind, pa.string())


def type_of_value(value: object, outputs: Sequence[str]) -> pa.DataType:
    """Returns the column type for a value of a prediction.

    Args:
        value: as the model type reads it.
        outputs: types of the signature's outputs: a model of doubles may answer a whole number.
    """
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, int):
        return pa.float64() if {"double", "float"} & set(outputs) else pa.int64()
    if isinstance(value, float):
        return pa.float64()
    return pa.map_(pa.string(), pa.float64()) if isinstance(value, Mapping) else pa.string()


def read_text(name: str, kind: pa.DataType, text: str) -> Column:
    """Returns a column that is read from a text; nothing is cast with loss: what does not fit is null."""
    if pa.types.is_string(kind):
        return Column(name, kind, text)
    if pa.types.is_integer(kind):
        # A number such as 3.0 is whole, 3.5 is not; the text of either is no BIGINT to every engine.
        whole = f"try_cast({text} AS {_WHOLE})"
        target = f"try_cast({whole} AS {sql_type(kind)})"
        return Column(name, kind, f"CASE WHEN {target} = {whole} THEN {target} END", text)
    if pa.types.is_timestamp(kind):
        return Column(name, kind, moment_sql(text), text)
    if pa.types.is_binary(kind):
        return Column(name, kind, f"unbase64({text})", text)
    if pa.types.is_nested(kind):
        return Column(name, kind, f"from_json({text}, '{sql_type(kind)}')", text)
    return Column(name, kind, f"try_cast({text} AS {sql_type(kind)})", text)


def moment_sql(text: str) -> str:
    """Returns a moment, UTC: ISO 8601, or a number since 1970.

    Seconds are below 1e11, milliseconds below 1e14, microseconds below 1e17, else it counts nanoseconds.
    """
    number = f"try_cast({text} AS DOUBLE)"
    micros = (
        f"CASE WHEN abs({number}) < 1e11 THEN {number} * 1e6 WHEN abs({number}) < 1e14 THEN {number} * 1e3"
        f" WHEN abs({number}) < 1e17 THEN {number} ELSE {number} / 1e3 END"
    )
    return (
        f"CASE WHEN {number} IS NOT NULL THEN timestamp_micros(try_cast(round({micros}) AS BIGINT))"
        f" ELSE try_cast({text} AS TIMESTAMP) END"
    )
