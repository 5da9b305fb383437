"""Reads the column of probabilities, in whichever of three shapes it comes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lakemon_classification.config import ClassificationConfig
from lakemon_core.profiling.levels import as_chunked, encode

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """Probabilities of all rows.

    Attributes:
        names: class of each column of the matrix, as written; empty for one column of p(positive).
        matrix: rows x classes; NaN where a row has none.
        problem: why the column cannot be read; empty when it can.
    """

    names: tuple[str, ...]
    matrix: Floats
    problem: str = ""

    @property
    def known(self) -> Flags:
        """Which rows have all their probabilities."""
        return ~np.asarray(np.isnan(self.matrix).any(axis=1))

    @property
    def impossible(self) -> Flags:
        """Which rows hold one outside of 0 to 1."""
        return np.asarray(((self.matrix < 0) | (self.matrix > 1)).any(axis=1))


def read_probabilities(column: pa.ChunkedArray, config: ClassificationConfig) -> Probabilities:
    """Reads p(positive), a map or struct class → p, or a list in the order of `classes`.

    A class that a row's map does not name has probability 0.
    """
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return Probabilities((), _floats(column)[:, np.newaxis])
    if pa.types.is_map(kind):
        return _from_maps(column)
    if pa.types.is_struct(kind):
        return _from_structs(column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _from_lists(column, config.class_texts)
    return _unreadable(column, f"probabilities cannot be read from a column of type {kind}")


def _unreadable(column: pa.ChunkedArray, problem: str) -> Probabilities:
    return Probabilities((), np.full((len(column), 1), np.nan), problem)


def _floats(column: pa.Array | pa.ChunkedArray) -> Floats:
    return as_chunked(column).cast(pa.float64()).fill_null(np.nan).to_numpy()


def _present(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """Returns which rows are not null, and those rows, freshly laid out."""
    places = np.flatnonzero(column.is_valid().to_numpy())
    return places, column.take(pa.array(places)).combine_chunks()


def _from_maps(column: pa.ChunkedArray) -> Probabilities:
    places, maps = _present(column)
    if not len(maps):
        return _unreadable(column, "")
    keys = encode(maps.keys)
    matrix = np.full((len(column), len(keys.levels)), np.nan)
    matrix[places] = 0
    rows = np.repeat(places, np.diff(maps.offsets.to_numpy()))
    matrix[rows, keys.codes] = _floats(maps.items)
    return Probabilities(tuple(keys.levels.to_pylist()), matrix)


def _from_structs(column: pa.ChunkedArray) -> Probabilities:
    names = tuple(field.name for field in column.type)
    missing = ~column.is_valid().to_numpy()
    matrix = np.column_stack([_floats(pc.struct_field(column, name).fill_null(0)) for name in names])
    matrix[missing] = np.nan
    return Probabilities(names, matrix)


def _from_lists(column: pa.ChunkedArray, classes: tuple[str, ...]) -> Probabilities:
    places, lists = _present(column)
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    if not classes:
        return _unreadable(column, "probabilities come as lists: set model.classes to name their order")
    if len(lengths) and (lengths != len(classes)).any():
        wrong = lengths[lengths != len(classes)][0]
        return _unreadable(column, f"a list of {wrong} probabilities came for {len(classes)} classes")
    matrix = np.full((len(column), len(classes)), np.nan)
    matrix[places] = _floats(lists.flatten()).reshape(-1, len(classes))
    return Probabilities(classes, matrix)
