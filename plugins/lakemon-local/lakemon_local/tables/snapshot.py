"""One version of a Delta table, opened for reading.

Rows are read with `DeltaTable.scan`, Delta's own engine. The other ways that look easier are silently wrong:
counting and file lists ignore deletion vectors, and an Arrow data set of a table with mapped columns is all
null. Where a table can have neither, `plain_files` reads it at half the cost.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa
from deltalake import DeltaTable

from lakemon_core.domain.errors import DataError, LakemonError
from lakemon_core.domain.names import quote
from lakemon_core.ports import Condition
from lakemon_core.profiling.table_types import (
    check_columns,
    narrowest,
    plain_stream,
    readable,
    with_views,
)
from lakemon_local.tables.filters import predicate
from lakemon_local.tables.log import Feed, check_log, commit_mark, feed_is_on
from lakemon_local.tables.mapped_by_id import check_mapped_by_id
from lakemon_local.tables.places import Place
from lakemon_local.tables.plain_files import PlainColumns, PlainFiles

_UNREADABLE = re.compile(
    r"Unsupported table features required: \[(?P<names>[^]]*)\]|Unsupported: .*|.*catalog-managed table.*"
)
"""What Delta's library says of a table that it cannot read."""
_KEPT = 2
"""Versions that stay open: that of the inference table and that of the baseline."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of a table.

    Attributes:
        place: where the table lies.
        table: Delta's handle; writing with it fails when somebody else wrote a conflicting commit meanwhile.
        schema: as rows are handed out.
    """

    place: Place
    table: DeltaTable
    schema: pa.Schema

    @property
    def version(self) -> int:
        """The number of the version."""
        return self.table.version()

    def scan(
        self, columns: Sequence[str] | None, where: Sequence[Condition], *, views: bool = False
    ) -> pa.RecordBatchReader:
        """Streams rows; see `Tables.scan`."""
        name = str(self.place.name)
        wanted = self.schema.names if columns is None else list(dict.fromkeys(columns))
        check_columns(wanted, self.schema, name)
        filtered = predicate(where, self.schema, name)
        if views and (plain := self._plain_files(wanted, where)):
            return pa.RecordBatchReader.from_batches(plain.schema, self._explaining(plain.batches()))
        with failures(self.place):
            raw = pa.RecordBatchReader.from_stream(self.table.scan(columns=wanted, predicate=filtered))
        return self._plain(raw, wanted, views=views)

    def by_column(self, columns: Sequence[str], where: Sequence[Condition]) -> PlainColumns | None:
        """Opens rows to read their columns one by one; see `ReadsByColumn`."""
        check_columns(columns, self.schema, str(self.place.name))
        predicate(where, self.schema, str(self.place.name))
        plain = self._plain_files(columns, where)
        with failures(self.place):
            return plain.by_column(lambda: failures(self.place)) if plain else None

    def _plain_files(self, columns: Sequence[str], where: Sequence[Condition]) -> PlainFiles | None:
        with failures(self.place):
            return PlainFiles.find(self.table, self.place.folder, self._schema(columns), where)

    def _explaining(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        with failures(self.place):
            yield from batches

    def count(self, where: Sequence[Condition]) -> int:
        """Returns how many rows match."""
        return sum(batch.num_rows for batch in self.scan([narrowest(self.schema)], where))

    def changes(self, since: int, columns: Sequence[str]) -> pa.RecordBatchReader | None:
        """Streams rows that changed after version `since`; see `Tables.changes`."""
        wanted = list(dict.fromkeys(columns))
        check_columns(wanted, self.schema, str(self.place.name))
        if since == self.version:
            return self._schema(wanted).empty_table().to_reader()
        if since > self.version or not self._feeds_changes():
            return None
        if not Feed(self.place, since, self.version).is_whole():
            return None
        quoted = [quote(column) for column in wanted]
        with failures(self.place):
            raw = self.table.load_cdf(starting_version=since + 1, ending_version=self.version, columns=quoted)
        return self._plain(pa.RecordBatchReader.from_stream(raw), wanted)

    def _feeds_changes(self) -> bool:
        """Whether the feed is on and read right: delta-rs ignores deletion vectors and mapped names in it."""
        features = set(self.table.protocol().reader_features or ())
        configuration = self.table.metadata().configuration
        mapped = configuration.get("delta.columnMapping.mode", "none") != "none"
        return feed_is_on(configuration) and not mapped and "deletionVectors" not in features

    def _schema(self, columns: Sequence[str]) -> pa.Schema:
        return pa.schema([self.schema.field(column) for column in columns])

    def _plain(
        self, raw: pa.RecordBatchReader, columns: Sequence[str], *, views: bool = False
    ) -> pa.RecordBatchReader:
        schema = self._schema(columns)
        wanted = with_views(schema, raw.schema) if views else schema
        return plain_stream(raw, wanted, lambda error: explained(error, self.place))


def open_snapshot(place: Place) -> Snapshot:
    """Opens the newest version of a table that is there, to write to it: the handle moves on with the table.

    Raises:
        DataError: LM305 when its log is damaged, LM309 when it cannot be opened.
    """
    check_log(place)
    return _open(place, None)


def snapshot_to_read(place: Place, version: int | None = None) -> Snapshot:
    """Opens a version of a table that is there, the newest one when none is given, only to read it.

    A refresh reads the same versions window after window: they stay open until the file of their commit is
    another one.

    Raises:
        DataError: as `open_snapshot`; LM314 for a version that is not there.
    """
    newest = check_log(place)
    wanted = newest if version is None else version
    mark = None if wanted is None else commit_mark(place, wanted)
    return _open(place, version) if wanted is None or mark is None else _open_known(place, wanted, mark)


@lru_cache(maxsize=_KEPT)
def _open_known(place: Place, version: int, mark: tuple[int, int]) -> Snapshot:
    del mark
    return _open(place, version)


def _open(place: Place, version: int | None) -> Snapshot:
    with failures(place):
        table = DeltaTable(place.uri)
        if version is not None and version != table.version():
            if not 0 <= version < table.version():
                raise DataError(
                    "LM314", f"{place.name} has no version {version}; the newest is {table.version()}."
                )
            _go_back(table, place, version)
        check_mapped_by_id(table, place)
        schema = readable(pa.schema(table.schema().to_arrow()))
    return Snapshot(place, table, schema)


def _go_back(table: DeltaTable, place: Place, version: int) -> None:
    newest = table.version()
    try:
        table.load_as_version(version)
    except Exception as error:
        if commit_mark(place, version) is not None:
            raise
        raise DataError(
            "LM314",
            f"version {version} of {place.name} cannot be read any more: its log was cleaned up;",
            cure=f"the newest is {newest}.",
        ) from error


@contextmanager
def failures(place: Place) -> Generator[None]:
    """Says in our words what goes wrong in Delta's library."""
    try:
        yield
    except LakemonError:
        raise
    except Exception as error:
        raise explained(error, place) from error


def _features(needed: re.Match[str]) -> str:
    """Returns names of table features as Delta writes them; Delta's library writes TypeWidening."""
    names = [name for name in (needed["names"] or "").split(", ") if name]
    return ", ".join(name[0].lower() + name[1:] for name in names) or needed[0]


def explained(error: BaseException, place: Place) -> BaseException:
    """Returns an error of Delta's library as ours: its first line, without the backtrace of its engine."""
    if isinstance(error, LakemonError):
        return error
    first = str(error).strip().splitlines() or [type(error).__name__]
    where = f"{place.name} ({place.folder})"
    if needed := _UNREADABLE.search(first[0]):
        return DataError(
            "LM309",
            f"Delta's library cannot read what this table needs: {_features(needed)};",
            where=where,
            cure="let its owner drop it (ALTER TABLE … DROP FEATURE …), or import a copy of its rows.",
        )
    return DataError(
        "LM309",
        f"Delta cannot do it: {first[0]};",
        where=where,
        cure="look whether files of the table are missing, the disk is full or another program writes to it.",
    )
