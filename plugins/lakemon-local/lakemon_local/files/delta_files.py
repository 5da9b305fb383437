"""Imports files into Delta tables and exports tables into files, in batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import Adjustment, Progress, WriteResult
from lakemon_core.profiling.table_types import narrowest
from lakemon_local.files.adjusting import adjusted
from lakemon_local.files.source import BATCH_ROWS, Source, existing, open_source
from lakemon_local.files.target import open_target
from lakemon_local.tables import DeltaTables


class DeltaFiles:
    """Files in and out of the tables of a workspace; implements the port `TableFiles`."""

    def __init__(self, tables: DeltaTables) -> None:
        self._tables = tables

    def import_file(
        self,
        name: TableName,
        path: Path,
        *,
        mode: str,
        progress: Progress,
        adjustment: Adjustment | None = None,
    ) -> WriteResult:
        """Reads a file in batches into a table in one commit, or uses a Delta folder in place.

        The same content under the same path changes nothing when it comes again. Types are never cast with
        loss; those of a CSV file are found by reading it once before.

        Args:
            name: the table.
            path: `.parquet`, `.csv`, `.csv.gz`, `.tsv`, `.arrow`, `.feather` or `.ipc`, or a Delta folder.
            mode: `append`, `replace` all rows, or `create` a table that is not there yet.
            progress: told rows and bytes.
            adjustment: how the rows differ from those of the file; None takes them as they are.

        Returns:
            rows written; for a Delta folder that is new here, the rows it holds.

        Raises:
            DataError: LM302 no such column to leave out, LM303 types that do not fit, LM320 no such file,
                LM321 unknown ending, LM322 cannot be read, LM323 `create` for a table that is there, LM325
                the file has the column of `at`, or a Delta folder should be adjusted.
        """
        source = existing(path)
        if source.is_dir():
            if adjustment is not None:
                what = "a Delta folder is used in place, as it is;"
                raise DataError("LM325", what, where=str(path), cure="leave out --at and --leave-out.")
            return self._use_in_place(name, source)
        mark = _mark(source, progress, adjustment)
        if self._tables.holds_import(name, mark, alone=mode == "replace"):
            return WriteResult(self._tables.info(name).version)
        if mode == "create" and self._tables.exists(name):
            raise DataError("LM323", f"{name} is there already;", cure="use --mode append or --mode replace.")
        known = self._tables.info(name).schema if self._tables.exists(name) else None
        with open_source(source, known) as opened:
            wanted = adjusted(opened, adjustment, path) if adjustment else opened
            rows = pa.RecordBatchReader.from_batches(wanted.schema, _told(wanted, source, progress))
            return self._tables.import_rows(name, rows, mark, replace=mode == "replace")

    def export_file(self, name: TableName, path: Path, *, progress: Progress) -> int:
        """Writes all rows of a table into `.parquet`, `.csv`, `.arrow`, `.feather` or `.ipc`.

        The file appears when it is whole.

        Returns:
            how many rows.

        Raises:
            DataError: LM301 unknown table, LM321 unknown ending, LM324 when the disk refuses.
        """
        rows = self._tables.scan(name)
        done = 0
        with open_target(path, rows.schema) as write:
            for batch in _gathered(rows):
                write(batch)
                done += batch.num_rows
                progress.update(f"writing {path.name}: {done:,} rows")
        return done

    def _use_in_place(self, name: TableName, folder: Path) -> WriteResult:
        is_new = not self._tables.exists(name)
        info = self._tables.register(name, folder)
        if not is_new:
            return WriteResult(info.version)
        rows = sum(batch.num_rows for batch in self._tables.scan(name, columns=[narrowest(info.schema)]))
        return WriteResult(info.version, inserted=rows)


def _gathered(rows: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Joins the small batches of a scan, for each becomes a row group of its own in Parquet."""
    waiting: list[pa.RecordBatch] = []
    for batch in rows:
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= BATCH_ROWS:
            yield pa.concat_batches(waiting)
            waiting = []
    if waiting:
        yield pa.concat_batches(waiting)


def _mark(path: Path, progress: Progress, adjustment: Adjustment | None) -> str:
    """Returns what makes an import this one: a digest of the path, the content, and what is adjusted."""
    size = path.stat().st_size
    named = f"{path} {adjustment}" if adjustment else str(path)
    digest = hashlib.blake2b(named.encode(), digest_size=16)
    with path.open("rb") as file:
        done = 0
        while block := file.read(1 << 22):
            digest.update(block)
            done += len(block)
            progress.update(f"reading {path.name} ({size / 1e6:,.1f} MB)", done, size)
    return f"lakemon-import:{digest.hexdigest()}"


def _told(source: Source, path: Path, progress: Progress) -> Iterator[pa.RecordBatch]:
    """Passes batches on and tells how far it is."""
    done = 0
    size = path.stat().st_size / 1e6
    for batch in source.batches:
        done += batch.num_rows
        progress.update(f"importing {path.name} ({size:,.1f} MB)", done, source.rows)
        yield batch
