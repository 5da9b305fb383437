"""Text form of values: what makes the category 3 of an integer column and 3.0 of a double column the same.

Booleans read `true` and `false`, whole numbers `3` whatever their type, other doubles the shortest text that
reads back the same, decimals without trailing zeros, dates and times ISO 8601 in UTC. A NaN among categories
is a missing value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Positions = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A column as codes of its levels.

    Attributes:
        codes: per row the position of its level, -1 for null.
        levels: distinct texts; not all of them need occur.
    """

    codes: npt.NDArray[np.int64]
    levels: pa.LargeStringArray


def encode(column: pa.Array | pa.ChunkedArray) -> Encoded:
    """Turns a column of any measured type into codes and levels in text form."""
    indices, values = distinct_values(column)
    merged = text_form(values).dictionary_encode()
    if len(merged.dictionary) == len(values):
        return Encoded(indices.astype(np.int64), merged.dictionary)
    code_of = np.append(codes_of(merged.indices), -1)
    return Encoded(code_of[indices].astype(np.int64), merged.dictionary)


def number_text(value: float) -> str | None:
    """Returns the text form of a double; None for NaN."""
    if math.isnan(value):
        return None
    whole = abs(value) < 2**63 and value.is_integer()
    return str(int(value)) if whole else repr(value)


def as_chunked(column: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns the column as a chunked array, without a copy."""
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def missing_rows(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Returns which rows have no value, of a column with some; many times faster than Arrow's `to_numpy`."""
    flags = column.is_null().chunks
    found = [np.unpackbits(np.frombuffer(one.buffers()[1], np.uint8), bitorder="little") for one in flags]
    spans = [slice(one.offset, one.offset + len(one)) for one in flags]
    return np.concatenate([bits[span] for bits, span in zip(found, spans, strict=True)]).view(np.bool_)


def distinct_values(column: pa.Array | pa.ChunkedArray) -> tuple[Positions, pa.Array]:
    """Returns per row the position of its value, -1 for null, and the values.

    A dictionary that comes as such may hold values twice, and some that do not occur.
    """
    indices, values = _dictionary(as_chunked(column))
    return _only_used(indices, values) if len(values) > len(indices) else (indices, values)


def text_form(values: pa.Array) -> pa.LargeStringArray:
    """Returns values as text; None for NaN."""
    kind = values.type
    if pa.types.is_floating(kind):
        return _texts(values, number_text)
    if pa.types.is_decimal(kind):
        return _texts(values, _decimal_text)
    if pa.types.is_timestamp(kind):
        values = values.view(pa.timestamp(kind.unit))
    return values.cast(pa.large_string())


def codes_of(indices: pa.Int32Array) -> Positions:
    """Returns the indices of a dictionary, -1 for null."""
    return (indices.fill_null(-1) if indices.null_count else indices).to_numpy()


def _dictionary(chunked: pa.ChunkedArray) -> tuple[Positions, pa.Array]:
    if pa.types.is_dictionary(chunked.type) and any(chunk.dictionary.null_count for chunk in chunked.chunks):
        chunked = chunked.cast(chunked.type.value_type)
    if not pa.types.is_dictionary(chunked.type):
        chunked = _encodable(chunked).dictionary_encode()
    if not chunked.num_chunks:
        return np.zeros(0, dtype=np.int32), pa.array([], type=chunked.type.value_type)
    if chunked.type.index_type != pa.int32():
        chunked = chunked.cast(pa.dictionary(pa.int32(), chunked.type.value_type))
    chunk = chunked.combine_chunks()
    return codes_of(chunk.indices), chunk.dictionary


def _encodable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Casts the few types that Arrow does not dictionary-encode; no value changes."""
    kind = column.type
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if pa.types.is_decimal(kind):
        return column.cast(pa.decimal256(kind.precision, kind.scale))
    return column.cast(pa.large_string()) if pa.types.is_null(kind) else column


def _only_used(indices: Positions, values: pa.Array) -> tuple[Positions, pa.Array]:
    used = np.flatnonzero(np.bincount(indices[indices >= 0], minlength=len(values)))
    position = np.full(len(values) + 1, -1, dtype=np.int32)
    position[used] = np.arange(len(used))
    return position[indices], values.take(pa.array(used))


def _texts(values: pa.Array, text_of: Callable[[Any], str | None]) -> pa.LargeStringArray:
    texts = [None if value is None else text_of(value) for value in values.to_pylist()]
    return pa.array(texts, type=pa.large_string())


def _decimal_text(value: Decimal) -> str:
    if not value:
        return "0"
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
