"""Whose rows these are: series and times of a table as integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.profiling.columns import Kind, kind_of
from lakemon_core.profiling.levels import as_chunked, encode

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Name = tuple[str | None, ...]
"""One text for each series column; None for null."""

_ROOMY = 4
"""Codes are numbered by place while there are at most so many places a row."""


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The series of all rows.

    Attributes:
        codes: per row the position of its series among `names`.
        names: the series that occur.
    """

    codes: Codes
    names: Sequence[Name]

    @classmethod
    def of(cls, rows: pa.Table, columns: Sequence[str]) -> Series:
        """Reads the series; without columns all rows are of one."""
        codes = np.zeros(len(rows), dtype=np.int64)
        names: list[Name] = [()]
        for column in columns:
            found = encode(rows.column(column))
            texts = [None, *found.levels.to_pylist()]
            pairs, codes = numbered(codes * len(texts) + found.codes + 1, len(names) * len(texts))
            names = [(*names[pair // len(texts)], texts[pair % len(texts)]) for pair in pairs.tolist()]
        return cls(codes, names)


@dataclass(frozen=True, slots=True, eq=False)
class Instants:
    """A column of times as ticks in its own unit: they order and tell apart; `known` is False for nulls."""

    ticks: Codes
    known: Flags

    @classmethod
    def of(cls, rows: pa.Table, name: str | None) -> Instants | None:
        """Reads timestamps, dates or whole numbers; None for a column that is absent or of another type."""
        if name is None or name not in rows.schema.names:
            return None
        column = as_chunked(rows.column(name))
        if pa.types.is_date32(column.type):
            column = column.cast(pa.int32())
        elif kind_of(column.type) is not Kind.TIMESTAMP and not pa.types.is_integer(column.type):
            return None
        return cls(column.cast(pa.int64()).fill_null(0).to_numpy(), column.is_valid().to_numpy())


def numbered(codes: Codes, size: int) -> tuple[Codes, Codes]:
    """Returns which of the codes 0 to size - 1 occur, and per row the number of its own among them."""
    if size > _ROOMY * max(len(codes), 2**10):
        occurring, numbers = np.unique(codes, return_inverse=True)
        return occurring, numbers.astype(np.int64, copy=False)
    occurs = np.bincount(codes, minlength=size) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1).take(codes)


def ranked(values: Codes | Floats) -> tuple[int, Codes]:
    """Returns how many distinct numbers there are, and per row the rank of its own, from 0."""
    found = pa.array(values).dictionary_encode()
    order = np.argsort(found.dictionary.to_numpy())
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return len(order), rank.take(found.indices.to_numpy())
