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
Name = tuple[str | None, ...]
"""One text for each series column; None for null."""


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
            pairs, codes = np.unique(codes * len(texts) + found.codes + 1, return_inverse=True)
            names = [(*names[pair // len(texts)], texts[pair % len(texts)]) for pair in pairs.tolist()]
        return cls(codes.astype(np.int64, copy=False), names)


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
        known = column.is_valid().to_numpy()
        return cls(column.cast(pa.int64()).fill_null(0).to_numpy(), known)


def grouped(*codes: Codes) -> Codes:
    """Numbers the distinct combinations from 0, and returns per row the number of its own."""
    found = np.zeros(len(codes[0]), dtype=np.int64)
    for each in codes:
        _, dense = np.unique(each, return_inverse=True)
        size = int(dense.max(initial=0)) + 1
        _, found = np.unique(found * size + dense, return_inverse=True)
    return found.astype(np.int64, copy=False)
