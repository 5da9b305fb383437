"""Files of rows, read in batches: Parquet, CSV and Arrow."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lakemon_core.domain.errors import DataError, did_you_mean
from lakemon_local.files.csv_file import csv_batches, csv_types

BATCH_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of an open file.

    Attributes:
        schema: of the rows.
        rows: how many; None when only reading to the end tells.
        batches: streams them, once.
    """

    schema: pa.Schema
    rows: int | None
    batches: Iterator[pa.RecordBatch]


@contextmanager
def open_source(path: Path, table: pa.Schema | None) -> Generator[Source]:
    """Opens a file for reading; its ending says the format.

    Args:
        path: the file.
        table: schema of the table it goes to: columns of a CSV file that are text there stay text.

    Raises:
        DataError: LM321 for an unknown ending, LM322 when the file cannot be read, also underway.
    """
    opener = _OPENERS[ending(path, tuple(_OPENERS))]
    try:
        with opener(path, table) as source:
            yield source
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            "LM322",
            f"the file cannot be read: {str(error).splitlines()[0]};",
            where=str(path),
            cure="look whether it is whole and is what its ending says.",
        ) from error


def ending(path: Path, known: tuple[str, ...]) -> str:
    """Returns the ending of a file name, e.g. `.csv.gz`.

    Raises:
        DataError: LM321 when it is none of the known ones.
    """
    name = path.name.lower()
    found = next((end for end in known if name.endswith(end)), None)
    if found is None:
        raise DataError(
            "LM321",
            f"{path.name!r} has no ending that says its format;",
            cure=f"use one of {', '.join(known)}.",
        )
    return found


def existing(path: Path) -> Path:
    """Returns the path with links resolved.

    Raises:
        DataError: LM320 when nothing is there, with the nearest name beside it.
    """
    if path.exists():
        return path.resolve()
    folder = path.absolute().parent
    beside = [other.name for other in folder.iterdir()] if folder.is_dir() else []
    cure = did_you_mean(path.name, beside) if beside else f"The folder {folder} holds nothing."
    raise DataError("LM320", f"{path} does not exist.", cure=cure)


@contextmanager
def _parquet(path: Path, table: pa.Schema | None) -> Generator[Source]:
    del table
    # Reading ahead would hold the whole file in memory.
    with pq.ParquetFile(path, pre_buffer=False) as file:
        yield Source(file.schema_arrow, file.metadata.num_rows, file.iter_batches(BATCH_ROWS))


@contextmanager
def _csv(path: Path, table: pa.Schema | None) -> Generator[Source]:
    found = csv_types(path)
    for field in table or ():
        if field.name in found.columns and pa.types.is_string(field.type):
            found.columns[field.name] = field.type
    with csv_batches(path, found.columns) as reader:
        yield Source(reader.schema, found.rows, iter(reader))


@contextmanager
def _arrow(path: Path, table: pa.Schema | None) -> Generator[Source]:
    """Opens an Arrow file, or the stream form of it."""
    del table
    with pa.memory_map(str(path)) as data:
        try:
            file = pa.ipc.open_file(data)
        except pa.ArrowInvalid:
            data.seek(0)
            stream = pa.ipc.open_stream(data)
            yield Source(stream.schema, None, _sliced(stream))
        else:
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
            yield Source(file.schema, None, _sliced(batches))


def _sliced(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(start, BATCH_ROWS)


_OPENERS: dict[str, Callable[[Path, pa.Schema | None], AbstractContextManager[Source]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".csv.gz": _csv,
    ".tsv": _csv,
    ".arrow": _arrow,
    ".arrows": _arrow,
    ".feather": _arrow,
    ".ipc": _arrow,
}
