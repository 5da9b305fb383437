"""The classes of a column of labels or predictions: codes of the rows, and text for each class."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakemon_classification.config import class_text
from lakemon_classification.vocabulary import Codes
from lakemon_core.profiling.levels import Encoded, as_chunked, encode

_WIDEST = 2**12
"""Whole numbers that lie this close together are counted by place; others are looked up."""


def read_classes(rows: pa.Table, name: str | None) -> Encoded:
    """Returns per row the position of its class among those that occur, -1 for null, and their texts.

    Without the column every row is null.
    """
    missing = name is None or name not in rows.schema.names
    column = as_chunked(pa.nulls(len(rows)) if missing else rows.column(name))
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        found = _by_place(column)
        if found is not None:
            return found
    encoded = encode(column)
    used, codes = _numbered(encoded.codes + 1, len(encoded.levels) + 1)
    return Encoded(codes, encoded.levels.take(pa.array(used - 1)))


def _by_place(column: pa.ChunkedArray) -> Encoded | None:
    """Encodes Booleans and whole numbers that lie close together; None for others."""
    is_truth = pa.types.is_boolean(column.type)
    column = column.cast(pa.int8()) if is_truth else column
    low, high = pc.min_max(column).as_py().values()
    if low is None or high - low >= _WIDEST or not -(2**63) < low <= high < 2**63:
        return None
    null = low - 1
    numbers = column.cast(pa.int64())
    numbers = (numbers.fill_null(null) if numbers.null_count else numbers).to_numpy()
    used, codes = _numbered(numbers - null, high - null + 1)
    texts = [class_text(bool(value) if is_truth else value) for value in (used + null).tolist()]
    return Encoded(codes, pa.array(texts, pa.large_string()))


def _numbered(slots: Codes, size: int) -> tuple[Codes, Codes]:
    """Returns the slots above 0 that occur, and per row the number of its own among them; -1 in slot 0.

    The array of slots is used up.
    """
    occurs = np.bincount(slots, minlength=size) > 0
    occurs[0] = False
    used = np.flatnonzero(occurs)
    if len(used) == size - 1:
        slots -= 1
        return used, slots
    number = np.where(occurs, np.cumsum(occurs) - 1, -1)
    return used, number.take(slots)
