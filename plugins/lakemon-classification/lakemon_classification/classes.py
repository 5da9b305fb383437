"""The classes of a column of labels or predictions: codes of the rows, and text for each class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakemon_classification.config import class_text
from lakemon_classification.vocabulary import Codes
from lakemon_core.profiling.levels import as_chunked, encode

_NEAR = 2**4
"""Whole numbers that lie this close together are all taken for classes, whether they occur or not."""
_WIDEST = 2**12
"""Whole numbers that lie this close together are counted by place; others are looked up."""


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """A column as codes of its classes.

    Attributes:
        names: distinct texts; not all of them need occur.
        codes: per row the position of its class, -1 for null. May be memory of the table: not to be written.
    """

    names: tuple[str, ...]
    codes: Codes


def read_classes(rows: pa.Table, name: str | None) -> Classes:
    """Reads the classes of a column; without the column every row is null."""
    if name is None or name not in rows.schema.names:
        return no_classes(len(rows))
    column = as_chunked(rows.column(name))
    if column.null_count == len(column):
        return no_classes(len(rows))
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        found = _by_place(column)
        if found is not None:
            return found
    encoded = encode(column)
    return Classes(tuple(encoded.levels.to_pylist()), encoded.codes)


def no_classes(rows: int) -> Classes:
    """Returns a column of nulls."""
    return Classes((), np.broadcast_to(np.int64(-1), rows))


def _by_place(column: pa.ChunkedArray) -> Classes | None:
    """Reads Booleans and whole numbers that lie close together; None for others."""
    is_truth = pa.types.is_boolean(column.type)
    column = column.cast(pa.int8()) if is_truth else column
    if (ends := _ends(column)) is None:
        return None
    low, high = ends
    if high - low >= _WIDEST or not -(2**63) < low <= high < 2**63:
        return None
    numbers = column.cast(pa.int64())
    codes = (numbers.fill_null(low - 1) if numbers.null_count else numbers).to_numpy()
    codes = codes - low if low else codes
    used = np.arange(high - low + 1)
    if len(used) > _NEAR:
        used, codes = _numbered(codes + 1, len(used) + 1)
    texts = (class_text(bool(value) if is_truth else value) for value in (used + low).tolist())
    return Classes(tuple(texts), codes)


def _ends(column: pa.ChunkedArray) -> tuple[int, int] | None:
    """Returns the smallest and the largest number; None of nulls alone."""
    if column.null_count or not len(column):
        low, high = pc.min_max(column).as_py().values()
        return None if low is None else (low, high)
    numbers = column.to_numpy()
    return int(numbers.min()), int(numbers.max())


def _numbered(slots: Codes, size: int) -> tuple[Codes, Codes]:
    """Returns the slots above 0 that occur, less 1, and per row the number of its own among them.

    Rows in slot 0 have the number -1.
    """
    occurs = np.bincount(slots, minlength=size) > 0
    occurs[0] = False
    return np.flatnonzero(occurs) - 1, np.where(occurs, np.cumsum(occurs) - 1, -1).take(slots)
