"""The levels of a column, each with a code that never changes: rows of any window are counted by it."""

from __future__ import annotations

from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lakemon_core.profiling.kinds import is_text, value_type
from lakemon_core.profiling.levels import as_chunked, codes_of, distinct_values, text_form

Codes = npt.NDArray[np.int32]

FULL = 500_000
"""Levels after which a vocabulary should take no more chunks: one of ids would never stop growing."""
FULL_BYTES = 1 << 26
"""The same for the size of its texts."""


class Vocabulary:
    """Every level that a column has shown so far; any thread may feed and read it.

    Args:
        text: whether the column holds text; only then do its levels have lengths.
    """

    def __init__(self, *, text: bool) -> None:
        self.text = text
        self._lock = Lock()
        self._full = False
        self._known: pa.Array = pa.array([], pa.large_string())
        self._levels = pa.array([], pa.large_string())
        self._lengths = np.zeros(0, dtype=np.int32)

    @classmethod
    def of(cls, levels: pa.LargeStringArray, *, text: bool) -> Vocabulary:
        """Returns the vocabulary that knows these levels, in the order of their codes."""
        made = cls(text=text)
        made._learn(levels)
        return made

    def __len__(self) -> int:
        """Returns how many levels there are."""
        return len(self._known)

    @property
    def is_full(self) -> bool:
        """Whether the next chunk should meet a new vocabulary."""
        return self._full

    @property
    def levels(self) -> pa.LargeStringArray:
        """The levels, by code."""
        known, levels = self._known, self._levels
        if len(levels) < len(known):
            levels = self._levels = known.cast(pa.large_string())
        return levels

    @property
    def lengths(self) -> npt.NDArray[np.int32]:
        """Characters of each level, by code."""
        levels, lengths = self.levels, self._lengths
        if len(lengths) < len(levels):
            lengths = self._lengths = pc.utf8_length(levels).to_numpy().astype(np.int32)
        return lengths

    def dictionary(self, column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
        """Returns a column of text as codes with their levels."""
        codes = self.encode(column)
        missing = codes < 0
        indices = pa.array(codes, mask=missing if missing.any() else None)
        return pa.DictionaryArray.from_arrays(indices, self.levels, safe=False)

    def encode(self, column: pa.Array | pa.ChunkedArray) -> Codes:
        """Returns the code of every row, -1 for null; levels not seen before get the next codes.

        Args:
            column: of any type that is measured, by its text form; views, dictionaries and plain text alike.
        """
        chunked = as_chunked(column)
        if is_text(chunked.type):
            return self._encode_texts(chunked)
        places, values = distinct_values(chunked)
        if values.equals(self.levels[: len(values)]):
            return places
        code_of = np.append(self._encode_texts(as_chunked(text_form(values))), np.int32(-1))
        return code_of.take(places)

    def _encode_texts(self, texts: pa.ChunkedArray) -> Codes:
        """Lets Arrow number the texts in the order in which they come, those that are known first."""
        with self._lock:
            known = self._known.cast(texts.type)
            encoded = pa.chunked_array([known, *texts.chunks]).dictionary_encode()
            if encoded.num_chunks and len(encoded.chunk(0).dictionary) > len(known):
                self._learn(encoded.chunk(0).dictionary)
        found = [codes_of(chunk.indices) for chunk in encoded.slice(len(known)).chunks]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int32)

    def _learn(self, levels: pa.Array) -> None:
        self._known = levels
        self._full = len(levels) >= FULL or levels.nbytes >= FULL_BYTES


class Vocabularies:
    """The vocabularies of all columns, kept for a whole refresh so that its windows share their codes."""

    def __init__(self) -> None:
        self._by_column: dict[tuple[str, bool], Vocabulary] = {}
        self._lock = Lock()

    def of(self, column: str, arrow_type: pa.DataType) -> Vocabulary:
        """Returns the vocabulary of the next chunk of a column: a new one where the last is full."""
        key = (column, is_text(value_type(arrow_type)))
        with self._lock:
            known = self._by_column.get(key)
            if known is None or known.is_full:
                known = self._by_column[key] = Vocabulary(text=key[1])
            return known

    def adopt(self, column: str, vocabulary: Vocabulary) -> None:
        """Makes a vocabulary that of a column, unless it has one."""
        with self._lock:
            self._by_column.setdefault((column, vocabulary.text), vocabulary)

    def encoded(self, rows: pa.Table) -> pa.Table:
        """Returns rows whose texts and views became dictionaries, in the codes of their vocabularies."""
        for place, field in enumerate(rows.schema):
            if is_text(field.type):
                vocabulary = self.of(field.name, field.type)
                rows = rows.set_column(place, field.name, vocabulary.dictionary(rows.column(place)))
        return rows
