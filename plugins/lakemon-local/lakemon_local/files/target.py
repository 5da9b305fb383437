"""Files that tables are written into: whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from lakemon_core.domain.errors import DataError
from lakemon_local.files.source import ending


@contextmanager
def open_target(path: Path, schema: pa.Schema) -> Generator[Callable[[pa.RecordBatch], None]]:
    """Opens a file for writing and hands out the function that writes a batch.

    The file appears under its name when all is written and on disk; a file that was there is replaced then.

    Raises:
        DataError: LM321 for an unknown ending, LM324 when the disk refuses.
    """
    writer = _WRITERS[ending(path, tuple(_WRITERS))]
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            with writer(file, schema) as write:
                yield write
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise DataError(
            "LM324",
            f"the file cannot be written: {error.strerror or error};",
            where=str(path),
            cure="look whether the folder is there, may be written and has space.",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _parquet(file: Any, schema: pa.Schema) -> Generator[Callable[[pa.RecordBatch], None]]:
    with pq.ParquetWriter(file, schema) as writer:
        yield writer.write_batch


@contextmanager
def _arrow(file: Any, schema: pa.Schema) -> Generator[Callable[[pa.RecordBatch], None]]:
    with pa.ipc.new_file(file, schema) as writer:
        yield writer.write_batch


@contextmanager
def _csv(file: Any, schema: pa.Schema) -> Generator[Callable[[pa.RecordBatch], None]]:
    """CSV has no nested values: structs, maps and lists become JSON, binary values hexadecimal."""
    flat = pa.schema([pa.field(field.name, _flat_type(field.type)) for field in schema])
    with pcsv.CSVWriter(file, flat) as writer:
        yield lambda batch: writer.write_batch(_flattened(batch, flat))


def _flat_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_nested(kind) or pa.types.is_binary(kind) else kind


def _flattened(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        column if column.type == field.type else pa.array(map(_as_text, column.to_pylist()), pa.string())
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.record_batch(columns, schema=schema)


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(value, ensure_ascii=False, default=str)


_WRITERS: dict[str, Callable[[Any, pa.Schema], AbstractContextManager[Callable[[pa.RecordBatch], None]]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".ipc": _arrow,
}
