"""Columns of numbers: read as doubles, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.domain.errors import did_you_mean
from lakemon_core.profiling.kinds import Kind, kind_of
from lakemon_core.profiling.levels import as_chunked

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Item = TypeVar("Item", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A column as doubles: NaN where a row has none; `problem` says why no row has one."""

    values: Floats
    problem: str = ""

    @property
    def known(self) -> Flags:
        """Rows with a number; infinities are numbers."""
        return ~np.isnan(self.values)


def read_numbers(rows: pa.Table, name: str | None, key: str) -> Numbers:
    """Reads a column as doubles; nulls and NaN are missing.

    Args:
        rows: the table.
        name: the column; None when the config names none.
        key: the key of `model:` that names it, for the problem.
    """
    if name is None:
        return _absent(rows, f"model.{key} is not set")
    if name not in rows.schema.names:
        return _absent(rows, f"the table has no column {name!r}")
    column = as_chunked(rows.column(name))
    if pa.types.is_null(column.type):
        return Numbers(np.full(len(rows), np.nan))
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if kind_of(column.type) is not Kind.NUMERIC:
        return _absent(rows, f"column {name!r} is of type {column.type}: no number")
    return Numbers(doubles(column.cast(pa.float64(), safe=False)))


def doubles(column: pa.ChunkedArray) -> Floats:
    """Returns a column of doubles, NaN for null; without nulls and in one piece it is not copied."""
    return (column.fill_null(np.nan) if column.null_count else column).to_numpy()


def kept(values: npt.NDArray[Item], rows: Flags) -> npt.NDArray[Item]:
    """Returns the values of some rows; no copy when it is all of them."""
    return values if rows.all() else values.compress(rows)


def prediction_problems(rows: pa.Table, name: str, quantile_cols: Mapping[float, str]) -> Iterator[str]:
    """Yields what is wrong with predictions and predicted quantiles, one sentence each.

    Args:
        rows: the table.
        name: column of the prediction.
        quantile_cols: level → column, lowest level first.
    """
    if not len(rows):
        yield "there are no predictions"
        return
    for column in (name, *quantile_cols.values()):
        yield from _problems(rows, column)
    for low, high in pairwise(quantile_cols.values()):
        crossed = read_numbers(rows, low, "").values > read_numbers(rows, high, "").values
        if crossed.any():
            yield f"{low} lies above {high} in {int(crossed.sum())} of {len(rows)} rows"


def _problems(rows: pa.Table, name: str) -> Iterator[str]:
    if name not in rows.schema.names:
        yield f"there is no column {name!r}. {did_you_mean(name, rows.schema.names)}"
        return
    found = read_numbers(rows, name, "")
    if found.problem:
        yield found.problem
        return
    missing, infinite = int((~found.known).sum()), int(np.isinf(found.values).sum())
    if missing:
        yield f"{name} is null or NaN in {missing} of {len(rows)} rows"
    if infinite:
        yield f"{name} is infinite in {infinite} of {len(rows)} rows"


def _absent(rows: pa.Table, problem: str) -> Numbers:
    return Numbers(np.full(len(rows), np.nan), problem)
