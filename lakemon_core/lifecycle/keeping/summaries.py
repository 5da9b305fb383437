"""Summaries of columns as a description and arrays, and back: their classes, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.profiling.categorical.summary import CategoricalSummary
from lakemon_core.profiling.categorical.vocabulary import Vocabulary
from lakemon_core.profiling.columns import Summary
from lakemon_core.profiling.numeric.blocks import Blocks
from lakemon_core.profiling.numeric.sample import Sample
from lakemon_core.profiling.numeric.summary import NumericSummary
from lakemon_core.profiling.timestamps import TimestampSummary

Array = npt.NDArray[Any]
Packed = dict[str, Any]


def _names(kept: Any) -> list[str]:
    return [one.name for one in fields(kept)]


_CLASSES: Mapping[str, type[Any]] = {
    one.__name__: one for one in (NumericSummary, CategoricalSummary, TimestampSummary, Sample, Blocks)
}
_FOUND: Mapping[str, tuple[str, ...]] = {
    NumericSummary.__name__: ("_moments", "zeros", "bin_edges", "bins"),
    Sample.__name__: ("blocks", "marks"),
}
"""What comparing finds of an object of a class, and is kept with it if it was found."""
FIELDS = {name: [*_names(each), *_FOUND.get(name, ())] for name, each in _CLASSES.items()}
"""Of each class; what was kept with other fields is of no use."""


@dataclass(slots=True)
class Packing:
    """Takes summaries apart; what several of them share is kept once.

    Attributes:
        places: of the summaries, in order.
        objects: each as what JSON takes; a list of one number stands for another object.
        arrays: of the objects.
    """

    places: list[Any] = field(default_factory=list[Any])
    objects: list[Packed] = field(default_factory=list[Packed])
    arrays: list[Array] = field(default_factory=list[Array])
    _known: dict[int, tuple[object, int]] = field(default_factory=dict[int, tuple[object, int]])

    @classmethod
    def of(cls, summaries: Iterable[Summary]) -> Packing:
        """Packs the summaries of one column."""
        made = cls()
        made.places += [made._packed(one) for one in summaries]
        return made

    @property
    def size(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays)

    def _packed(self, value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        if value is None or isinstance(value, int | float | str):
            return value
        if id(value) not in self._known:
            self.objects.append(self._written(value))
            self._known[id(value)] = value, len(self.objects) - 1
        return [self._known[id(value)][1]]

    def _written(self, value: Any) -> Packed:
        if isinstance(value, np.ndarray):
            self.arrays.append(np.ascontiguousarray(cast("Array", value)))
            return {"array": len(self.arrays) - 1}
        if isinstance(value, Vocabulary):
            ends, texts = _split(value.levels)
            return {"text": value.text, "ends": self._packed(ends), "texts": self._packed(texts)}
        if isinstance(value, tuple):
            return {"all": [self._packed(part) for part in cast("tuple[object, ...]", value)]}
        kind = type(value).__name__
        parts = {name: getattr(value, name) for name in _names(value)}
        parts |= {name: vars(value)[name] for name in _FOUND.get(kind, ()) if name in vars(value)}
        if isinstance(value, Sample) and value.untied:
            parts["ranks"] = None  # 0, 1, 2 ...
        return {"class": kind} | {name: self._packed(part) for name, part in parts.items()}


@dataclass(slots=True)
class Unpacking:
    """Puts together what `Packing` took apart.

    Attributes:
        objects: as they were packed.
        arrays: likewise.
    """

    objects: Sequence[Packed]
    arrays: Sequence[Array]
    _made: dict[int, Any] = field(default_factory=dict[int, Any])

    def summaries(self, places: Sequence[Any]) -> list[Summary]:
        """Returns the summaries at some places."""
        return [self._unpacked(place) for place in places]

    def _unpacked(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        place = cast("list[int]", value)[0]
        if place not in self._made:
            self._made[place] = self._object(self.objects[place])
        return self._made[place]

    def _object(self, packed: Packed) -> Any:
        if "array" in packed:
            return self.arrays[packed["array"]]
        if "all" in packed:
            return tuple(self._unpacked(part) for part in packed["all"])
        parts = {name: self._unpacked(part) for name, part in packed.items() if name != "class"}
        if "ends" in parts:
            return Vocabulary.of(_joined(parts["ends"], parts["texts"]), text=parts["text"])
        found = {name: parts.pop(name) for name in _FOUND.get(packed["class"], ()) if name in parts}
        if packed["class"] == Sample.__name__ and parts["ranks"] is None:
            made = Sample.without_ties(parts["values"], parts["parts"])
        else:
            made = _CLASSES[packed["class"]](**parts)
        if found:
            vars(made).update(found)
        return made


def _split(texts: pa.LargeStringArray) -> tuple[Array, Array]:
    """Returns where each text ends, after a zero, and the bytes of all."""
    _, ends, content = texts.buffers()
    places = np.frombuffer(ends, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    if not len(places):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    all_bytes = np.frombuffer(content, np.uint8) if content is not None else np.zeros(0, np.uint8)
    return places - places[0], all_bytes[places[0] : places[-1]]


def _joined(ends: Array, content: Array) -> pa.LargeStringArray:
    return pa.LargeStringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(content))
