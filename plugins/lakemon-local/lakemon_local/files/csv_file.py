"""CSV files: types that fit every value of a column, found by reading the file once before."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

_BLOCK_BYTES = 8 << 20
_NULLS = ["", "NA", "N/A", "n/a", "NULL", "null", "None"]
"""Without quotes these mean that there is no value; `nan` is a number."""
_NO_NUMBER = r"^[+-]?(0[0-9xX]|\d{19,}$)"
"""Leading zeros, hexadecimals and more digits than a bigint holds are codes: no number keeps them."""
_CANDIDATES = (
    pa.int64(),
    pa.float64(),
    pa.bool_(),
    pa.date32(),
    pa.timestamp("us"),
    pa.timestamp("us", "UTC"),
    pa.string(),
)
_WIDER = {pa.int64(): pa.float64(), pa.date32(): pa.timestamp("us")}
"""What may hold all values that were seen so far, when the next one does not fit; else it is text."""


@dataclass(slots=True)
class CsvTypes:
    """What one reading of a CSV file found.

    Attributes:
        columns: name → type that fits every value; null where no row has one.
        rows: how many.
    """

    columns: dict[str, pa.DataType]
    rows: int = 0

    def look_at(self, batch: pa.RecordBatch) -> None:
        """Widens types where a batch of texts asks for it."""
        self.rows += batch.num_rows
        for name, texts in zip(batch.schema.names, batch.columns, strict=True):
            self.columns[name] = _fitting(texts.drop_null(), self.columns[name])


def csv_types(path: Path) -> CsvTypes:
    """Reads a CSV file once and finds the narrowest type for every column.

    A column is one of bigint, double, boolean (true, false), date, timestamp or text.

    Raises:
        pyarrow.ArrowInvalid: when the file does not parse; the message names the row.
    """
    names = _open(path, {}, use_threads=False).schema.names
    as_text = dict.fromkeys(names, pa.string())
    found = CsvTypes(dict.fromkeys(names, pa.null()))
    for batch in _open(path, as_text, use_threads=False):
        found.look_at(batch)
    return found


def csv_batches(path: Path, types: Mapping[str, pa.DataType]) -> pcsv.CSVStreamingReader:
    """Streams a CSV file with the given types."""
    return _open(path, types, use_threads=True)


def _fitting(texts: pa.Array, known: pa.DataType) -> pa.DataType:
    if not len(texts) or pa.types.is_string(known):
        return known
    if pa.types.is_null(known):
        return next(kind for kind in _CANDIDATES if _fits(texts, kind))
    if _fits(texts, known):
        return known
    wider = _WIDER.get(known, pa.string())
    return wider if _fits(texts, wider) else pa.string()


def _fits(texts: pa.Array, kind: pa.DataType) -> bool:
    if pa.types.is_string(kind):
        return True
    if pa.types.is_boolean(kind):
        return bool(pc.all(pc.is_in(pc.utf8_lower(texts), pa.array(["true", "false"]))).as_py())
    if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and _is_code(texts):
        return False
    try:
        texts.cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _is_code(texts: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, _NO_NUMBER)).as_py())


def _open(path: Path, types: Mapping[str, pa.DataType], *, use_threads: bool) -> pcsv.CSVStreamingReader:
    """Opens a CSV file as a stream; only without threads do errors tell the row."""
    return pcsv.open_csv(
        path,
        read_options=pcsv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=use_threads),
        parse_options=pcsv.ParseOptions(newlines_in_values=True, delimiter=_delimiter(path)),
        convert_options=pcsv.ConvertOptions(
            column_types=types,
            null_values=_NULLS,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _delimiter(path: Path) -> str:
    """Returns what separates the columns: the first of comma, semicolon, tab, bar that the header has."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        header = file.readline(1 << 20)
    return next((mark for mark in ",;\t|" if mark.encode() in header), ",")
