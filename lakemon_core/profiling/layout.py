"""Which groups a table has: every window, all models together and each, and the slices of all of them.

Rows are told apart once, into parts that share none; a group is made of some of them. So what is found of a
part is found once, however many groups it belongs to.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.profiling.levels import encode
from lakemon_core.profiling.parts import Parts, some_rows

Codes = npt.NDArray[np.signedinteger]
"""Small ones in few bytes: that is how fast rows are told apart."""
Members = tuple[int, ...]

ALL_MODELS = "*"
"""The model id that stands for all models together."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What tells rows apart: a model id, or the value of a slice.

    Attributes:
        names: what the codes stand for, in order.
        codes: of each row, -1 without a name.
    """

    names: tuple[str, ...]
    codes: Codes

    @classmethod
    def of(cls, column: pa.ChunkedArray, wanted: frozenset[str] | None = None) -> Labels:
        """Reads the values of a column as text; those that are not wanted are no names."""
        encoded = encode(column)
        levels = encoded.levels.to_pylist()
        occurs = np.zeros(len(levels) + 1, dtype=np.bool_)
        occurs[encoded.codes] = True  # that of null, -1, is the last
        there = (level for level, found in zip(levels, occurs.tolist(), strict=False) if found)
        names = sorted(level for level in there if wanted is None or level in wanted)
        place = {name: code for code, name in enumerate(names)}
        rank = np.array([*(place.get(level, -1) for level in levels), -1], dtype=_kind(len(names)))
        return cls(tuple(names), rank[encoded.codes])

    @classmethod
    def none(cls, rows: int) -> Labels:
        """Returns the labels of rows that have none."""
        return cls((), np.full(rows, -1, dtype=_kind(0)))


@dataclass(frozen=True, slots=True)
class Place:
    """Which group: the number of its window, its model id, slice key and slice value."""

    window: int
    model_id: str
    slice_key: str | None
    slice_value: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Parts of a table, and the groups that are made of them."""

    parts: Parts
    groups: Mapping[Place, Members]

    def of_windows(self, wanted: Container[int]) -> Section:
        """Returns the groups of some windows only, given by their numbers."""
        groups = {place: members for place, members in self.groups.items() if place.window in wanted}
        return Section(self.parts, groups)


def lay_out(
    windows: Codes, count: int, models: Labels, slices: Mapping[str, Labels] | None = None
) -> list[Section]:
    """Finds the groups of a table: without slices one section, else one for each slice key.

    Args:
        windows: of each row, the number of its window; rows with -1 are in no group.
        count: of windows.
        models: of each row.
        slices: slice key → value of each row.

    Returns:
        sections whose groups hold at least a row; those of whole windows and models are in the first one.
    """
    if not slices:
        return [_section(windows, count, models, None, Labels.none(len(windows)), wholes=True)]
    return [
        _section(windows, count, models, key, labels, wholes=not place)
        for place, (key, labels) in enumerate(slices.items())
    ]


def in_order(places: Sequence[Place], slices: Sequence[str]) -> list[Place]:
    """Sorts groups: by window, all models first, the whole before its slices, these as configured."""
    rank = {key: place for place, key in enumerate(slices, start=1)}

    def order(place: Place) -> tuple[int, bool, str, int, str]:
        key = rank[place.slice_key] if place.slice_key is not None else 0
        return place.window, place.model_id != ALL_MODELS, place.model_id, key, place.slice_value or ""

    return sorted(places, key=order)


def _section(
    windows: Codes, count: int, models: Labels, key: str | None, values: Labels, *, wholes: bool
) -> Section:
    """Makes a part of every window, model (or none) and value (or none) that occur together."""
    shape = count, len(models.names) + 1, len(values.names) + 1
    codes = windows.astype(_kind(shape[0] * shape[1] * shape[2]))
    for size, one in zip(shape[1:], (models.codes, values.codes), strict=True):
        codes *= size
        codes += one.astype(codes.dtype, copy=False)
        codes += 1
    outside = (windows < 0) if wholes else (windows < 0) | (values.codes < 0)
    codes[outside] = -1
    parts = Parts.of(codes, shape[0] * shape[1] * shape[2])
    filled = parts.sizes().reshape(shape) > 0
    numbers = (np.cumsum(filled) - 1).reshape(shape)
    found: dict[Place, Members] = {}
    for window in range(count):
        for model, span in _models(models):
            own, there = numbers[window, span], filled[window, span]
            if wholes and there.any():
                found[Place(window, model, None, None)] = tuple(own[there].tolist())
            for place, name in enumerate(values.names, start=1):
                if there[:, place].any():
                    found[Place(window, model, key, name)] = tuple(own[there[:, place], place].tolist())
    return Section(parts.filled(), found)


def _kind(count: int) -> np.dtype[np.signedinteger]:
    """Returns the smallest type of codes from -1 up to a count, that itself included."""
    return np.min_scalar_type(-count - 1)


def _models(models: Labels) -> Iterator[tuple[str, slice]]:
    """Yields each model, and all together, with where its parts stand."""
    yield ALL_MODELS, slice(None)
    for place, name in enumerate(models.names, start=1):
        yield name, slice(place, place + 1)


def split_models(rows: pa.Table, model_id: str | None = None) -> Iterator[tuple[str, pa.Table]]:
    """Yields `*` with all rows, then each model id, as text and in order, with its rows."""
    yield ALL_MODELS, rows
    if model_id is None:
        return
    models = Labels.of(rows.column(model_id))
    yield from (
        (name, some_rows(rows, members))
        for name, members in zip(models.names, Parts.of(models.codes, len(models.names)), strict=True)
    )
