"""How columns are measured, by their type."""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa


class Kind(StrEnum):
    """How a column is measured."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    UNSUPPORTED = "unsupported"


def kind_of(arrow_type: pa.DataType, *, categorical: bool = False) -> Kind:
    """Returns how a column of this type is measured; `categorical` treats numbers and times as categories."""
    plain = value_type(arrow_type)
    kind = _natural_kind(plain)
    forced = categorical and kind in {Kind.NUMERIC, Kind.TIMESTAMP}
    return Kind.CATEGORICAL if forced else kind


def unsupported_reason(arrow_type: pa.DataType) -> str:
    """Says why a column of this type is not measured."""
    return f"columns of type {arrow_type} are not measured"


def spark_type(arrow_type: pa.DataType) -> str:
    """Returns the Spark name of a type that is measured, e.g. `bigint` for int64."""
    plain = value_type(arrow_type)
    if pa.types.is_decimal(plain):
        return f"decimal({plain.precision},{plain.scale})"
    if pa.types.is_timestamp(plain):
        return "timestamp"
    if pa.types.is_date(plain):
        return "date"
    return "string" if is_text(plain) else _SPARK_NAMES.get(str(plain), str(plain))


def is_text(plain: pa.DataType) -> bool:
    """Whether a type is one of Arrow's texts."""
    types = pa.types
    return types.is_string(plain) or types.is_large_string(plain) or types.is_string_view(plain)


_SPARK_NAMES = {
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "int",
    "uint32": "bigint",
    "uint64": "decimal(20,0)",
    "halffloat": "float",
    "float": "float",
    "double": "double",
    "bool": "boolean",
    "null": "void",
}


def value_type(arrow_type: pa.DataType) -> pa.DataType:
    """Returns the type of the values: that of a dictionary's, else the type itself."""
    return arrow_type.value_type if pa.types.is_dictionary(arrow_type) else arrow_type


def _natural_kind(plain: pa.DataType) -> Kind:
    types = pa.types
    if types.is_integer(plain) or types.is_floating(plain) or types.is_decimal(plain):
        return Kind.NUMERIC
    if types.is_timestamp(plain) or types.is_date(plain):
        return Kind.TIMESTAMP
    if types.is_boolean(plain):
        return Kind.BOOLEAN
    return Kind.CATEGORICAL if is_text(plain) or types.is_null(plain) else Kind.UNSUPPORTED
