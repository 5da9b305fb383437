"""Reads the probabilities, in whichever shape they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lakemon_classification.config import ClassificationConfig
from lakemon_core.domain.errors import did_you_mean
from lakemon_core.profiling.levels import as_chunked, encode
from lakemon_core.profiling.quality.readings import doubles

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64] | slice

MOST_NUMBERS = 2**27
"""Probabilities are held as classes x rows doubles: at most 1 GiB, so 1,000,000 rows of 134 classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Probabilities:
    """Probabilities of all rows.

    Attributes:
        names: class of each line of `by_class`, as written; empty for one line of p(positive).
        by_class: classes x rows; NaN where a row has none.
        problem: why the column cannot be read; empty when it can.
    """

    names: tuple[str, ...]
    by_class: Floats
    problem: str = ""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.by_class.shape[1]

    @property
    def known(self) -> Flags:
        """Which rows have all their probabilities."""
        return ~_in_any_line(np.isnan(self.by_class))

    @property
    def impossible(self) -> Flags:
        """Which rows hold one outside of 0 to 1."""
        return _in_any_line((self.by_class < 0) | (self.by_class > 1))


def read_probabilities(rows: pa.Table, config: ClassificationConfig) -> Probabilities | None:
    """Reads p(positive), a map or struct class → p, a list in the order of `classes`, or a column a class.

    A class that a row's map does not name has probability 0. None when the config names no column, or the
    table lacks the one it names.
    """
    if config.proba_columns:
        return _from_columns(rows, config.proba_columns)
    name = config.prediction_proba_col
    if name is None or name not in rows.schema.names:
        return None
    column = rows.column(name)
    kind = column.type
    if _is_number(kind):
        return Probabilities((), _floats(column)[np.newaxis])
    if pa.types.is_map(kind):
        return _from_maps(column)
    if pa.types.is_struct(kind):
        return _from_structs(column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _from_lists(column, config.class_texts)
    return _unreadable(column, f"probabilities cannot be read from a column of type {kind}")


def in_columns(schema: pa.Schema, config: ClassificationConfig) -> bool:
    """Whether probabilities are a number a column, or there are none: then a row has as many as columns."""
    name = config.prediction_proba_col
    if config.proba_columns or name is None or name not in schema.names:
        return True
    return _is_number(schema.field(name).type)


def _in_any_line(flags: Flags) -> Flags:
    return flags[0] if len(flags) == 1 else np.asarray(flags.any(axis=0))


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)


def _unreadable(rows: pa.Table | pa.ChunkedArray, problem: str) -> Probabilities:
    return Probabilities((), np.full((1, len(rows)), np.nan), problem)


def _from_columns(rows: pa.Table, columns: Mapping[str, str]) -> Probabilities:
    for name in columns.values():
        if name not in rows.schema.names:
            return _unreadable(rows, absent(name, rows))
        kind = rows.schema.field(name).type
        if not _is_number(kind) and not pa.types.is_null(kind):
            return _unreadable(rows, f"column {name!r} is of type {kind}: no probability")
    by_class = np.stack([_floats(rows.column(name)) for name in columns.values()])
    return Probabilities(tuple(columns), by_class)


def _floats(column: pa.Array | pa.ChunkedArray) -> Floats:
    return doubles(as_chunked(column).cast(pa.float64()))


def _present(column: pa.ChunkedArray) -> tuple[Places, pa.Array]:
    """Returns which rows are not null, and those rows in one piece."""
    if not column.null_count:
        return slice(None), column.combine_chunks()
    places = np.flatnonzero(column.is_valid().to_numpy())
    return places, column.take(pa.array(places)).combine_chunks()


def _from_maps(column: pa.ChunkedArray) -> Probabilities:
    places, maps = _present(column)
    if not len(maps):
        return _unreadable(column, "")
    offsets = maps.offsets.to_numpy()
    keys, items = (part.slice(offsets[0], offsets[-1] - offsets[0]) for part in (maps.keys, maps.items))
    lengths = np.diff(offsets)
    if names := _same_keys(keys, lengths):
        if why := too_many(len(column), len(names)):
            return _unreadable(column, why)
        return _spread(column, names, places, _floats(items).reshape(-1, len(names)).T)
    found = encode(keys)
    names = tuple(found.levels.to_pylist())
    if why := too_many(len(column), len(names)):
        return _unreadable(column, why)
    by_class = np.zeros((len(names), len(maps)))
    by_class[found.codes, np.repeat(np.arange(len(maps)), lengths)] = _floats(items)
    return _spread(column, names, places, by_class)


def _same_keys(keys: pa.Array, lengths: npt.NDArray[np.int32]) -> tuple[str, ...]:
    """Returns the keys of every map, when all have the same in the same order; else none."""
    size = int(lengths[0])
    if not size or (lengths != size).any() or not pc.all(pc.equal(keys[size:], keys[:-size])).as_py():
        return ()
    names = tuple(encode(keys[:size]).levels.to_pylist())
    return names if len(names) == size else ()


def _spread(
    column: pa.ChunkedArray, names: tuple[str, ...], places: Places, by_class: Floats
) -> Probabilities:
    """The probabilities of the rows that have some; NaN in the others."""
    if len(column) == by_class.shape[1]:
        return Probabilities(names, np.ascontiguousarray(by_class))
    spread = np.full((len(names), len(column)), np.nan)
    spread[:, places] = by_class
    return Probabilities(names, spread)


def _from_structs(column: pa.ChunkedArray) -> Probabilities:
    names = tuple(field.name for field in column.type)
    by_class = np.stack([_floats(pc.struct_field(column, name).fill_null(0)) for name in names])
    if column.null_count:
        by_class[:, ~column.is_valid().to_numpy()] = np.nan
    return Probabilities(names, by_class)


def _from_lists(column: pa.ChunkedArray, classes: tuple[str, ...]) -> Probabilities:
    places, lists = _present(column)
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    if not classes:
        return _unreadable(column, "probabilities come as lists: set model.classes to name their order")
    if len(lengths) and (lengths != len(classes)).any():
        wrong = lengths[lengths != len(classes)][0]
        return _unreadable(column, f"a list of {wrong} probabilities came for {len(classes)} classes")
    return _spread(column, classes, places, _floats(lists.flatten()).reshape(-1, len(classes)).T)


def too_many(rows: int, classes: int) -> str:
    """Says that so many probabilities are not held at once; empty when they are."""
    if rows * classes <= MOST_NUMBERS:
        return ""
    return f"{classes} classes in {rows} rows are more probabilities than fit into memory"


def absent(name: str, rows: pa.Table) -> str:
    """Says that a table lacks a column."""
    return f"there is no column {name!r}. {did_you_mean(name, rows.schema.names)}".rstrip()
