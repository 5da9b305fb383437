"""Rows of plain Delta tables, read from their files by Arrow: text stays encoded as it lies there.

That is right only where a table is no more than its files. Reader version 1 of Delta's protocol says so: it
knows neither deletion vectors, nor mapped names, nor widened types. All other tables are read by Delta's own
engine, and so is what lies scattered over files that hold mostly other rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from lakemon_core.ports import Condition
from lakemon_local.tables.log import added_files

TEXT = pa.dictionary(pa.int32(), pa.string())
"""Type of text columns."""

_MOMENT = pa.timestamp("us", tz="UTC")
_CUT = timedelta(milliseconds=1)
"""Writers may cut moments in the log to milliseconds."""
_SCATTERED = 0.5
"""Least share of the rows of the files that must be wanted."""


@dataclass(frozen=True, slots=True)
class Span:
    """Moments from `start` up to, not with, `end`."""

    column: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, where: Sequence[Condition]) -> Span | None:
        """Reads the two conditions of a span; None for any others."""
        by_op = {one.op: one for one in where}
        if len(where) != 2 or set(by_op) != {">=", "<"} or by_op[">="].column != by_op["<"].column:
            return None
        column, start, end = by_op[">="].column, by_op[">="].value, by_op["<"].value
        if not (isinstance(column, str) and isinstance(start, datetime) and isinstance(end, datetime)):
            return None
        return cls(column, start.astimezone(UTC), end.astimezone(UTC))


@dataclass(frozen=True, slots=True)
class PlainFiles:
    """Files that hold the wanted rows.

    Attributes:
        paths: of the files.
        schema: of the rows as they are handed out.
        span: of the rows; None takes all.
    """

    paths: tuple[Path, ...]
    schema: pa.Schema
    span: Span | None

    @classmethod
    def find(
        cls, table: DeltaTable, folder: Path, schema: pa.Schema, where: Sequence[Condition]
    ) -> PlainFiles | None:
        """Chooses the files; None where Delta's own engine has to read.

        Args:
            table: at the wanted version.
            folder: it lies in.
            schema: the wanted columns, as they are handed out.
            where: what the rows must satisfy.
        """
        span = Span.of(where)
        if (where and span is None) or any("." in name for name in schema.names):
            return None
        if table.protocol().min_reader_version != 1 or table.metadata().partition_columns:
            return None
        if span is not None and pa.schema(table.schema().to_arrow()).field(span.column).type != _MOMENT:
            return None
        paths = _paths(table, folder, span)
        text = [field.with_type(TEXT) if field.type == pa.string() else field for field in schema]
        return None if paths is None else cls(paths, pa.schema(text), span)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows, file by file."""
        for path in self.paths:
            with self._opened(path) as file:
                for group in self._groups(file):
                    yield from group.read(self.schema).to_batches()

    def by_column(self, explaining: Callable[[], AbstractContextManager[None]]) -> PlainColumns:
        """Opens all files: the columns of the rows can be read one by one.

        Args:
            explaining: wraps each reading, to say in our words what goes wrong.
        """
        groups: list[_Group] = []
        with ExitStack() as opened:
            for path in self.paths:
                groups += self._groups(opened.enter_context(self._opened(path)))
            return PlainColumns(self.schema, groups, opened.pop_all(), explaining)

    def _opened(self, path: Path) -> pq.ParquetFile:
        metadata = pq.read_metadata(path)
        there = set(metadata.schema.to_arrow_schema().names)
        texts = [field.name for field in self.schema if field.type == TEXT and field.name in there]
        return pq.ParquetFile(
            path,
            metadata=metadata,
            read_dictionary=texts,
            memory_map=True,
            pre_buffer=False,
            coerce_int96_timestamp_unit="us",  # Spark's; nanoseconds hold no year after 2262
        )

    def _groups(self, file: pq.ParquetFile) -> Iterator[_Group]:
        """Yields the row groups that hold wanted rows."""
        there = frozenset(file.schema_arrow.names)
        for number in range(file.num_row_groups):
            inside = self.span is None or _inside(file, number, self.span)
            if inside is False:
                continue
            wanted = None
            if self.span is not None and not inside:
                moments = file.read_row_group(number, columns=[self.span.column], use_threads=False).column(0)
                wanted = _within(moments, self.span)
            yield _Group(file, there, number, wanted)


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """A row group of a file, which columns that has, and which of its rows are wanted; None for all."""

    file: pq.ParquetFile
    there: frozenset[str]
    number: int
    wanted: pa.ChunkedArray | None

    def read(self, schema: pa.Schema) -> pa.Table:
        """Reads some columns of the wanted rows."""
        names = [name for name in schema.names if name in self.there]
        # one thread: the other cores measure meanwhile, and what it frees can be given back
        rows = self.file.read_row_group(self.number, columns=names, use_threads=False)
        if self.wanted is not None:
            rows = rows.filter(self.wanted)
        columns = [
            _column(rows, one) if one.name in self.there else _nulls(self.count, one) for one in schema
        ]
        return pa.Table.from_arrays(columns, schema=schema)

    @property
    def count(self) -> int:
        """How many rows are wanted."""
        if self.wanted is None:
            return self.file.metadata.row_group(self.number).num_rows
        return int(pc.sum(self.wanted).as_py() or 0)


class PlainColumns:
    """Rows of plain files, one column at a time: always the same rows in the same order."""

    def __init__(
        self,
        schema: pa.Schema,
        groups: Sequence[_Group],
        opened: ExitStack,
        explaining: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._explaining = explaining
        self._schema = schema
        self._groups = groups
        self._opened = opened
        self._one_at_a_time = Lock()

    @property
    def column_names(self) -> list[str]:
        """All columns that can be asked for."""
        return self._schema.names

    def column(self, name: str) -> pa.ChunkedArray:
        """Reads one column."""
        field = self._schema.field(name)
        with self._one_at_a_time, self._explaining():
            parts = [group.read(pa.schema([field])).column(0) for group in self._groups]
        return pa.chunked_array([chunk for part in parts for chunk in part.chunks], type=field.type)

    def close(self) -> None:
        """Closes all files."""
        self._opened.close()


def _paths(table: DeltaTable, folder: Path, span: Span | None) -> tuple[Path, ...] | None:
    """Returns the files that may hold rows of the span; None where too many of their rows lie outside."""
    found: list[Path] = []
    rows = wanted = 0.0
    for action in sorted(_actions(table, span), key=lambda one: (one["modification_time"], one["path"])):
        path = folder / unquote(action["path"])
        if not path.is_relative_to(folder) or not path.exists():
            return None
        if span is not None:
            least, most = action.get(f"min.{span.column}"), action.get(f"max.{span.column}")
            if least is None or most is None or not action["num_records"]:
                return None
            least, most = least.astimezone(UTC) - _CUT, most.astimezone(UTC) + _CUT
            if most < span.start or least >= span.end:
                continue
            rows += action["num_records"]
            wanted += action["num_records"] * (min(most, span.end) - max(least, span.start)) / (most - least)
        found.append(path)
    return None if wanted < _SCATTERED * rows else tuple(found)


def _actions(table: DeltaTable, span: Span | None) -> list[dict[str, Any]]:
    """Returns what the log says of each file; of its columns only the moments of the span."""
    actions = added_files(table)
    names = ["path", "modification_time", "num_records"]
    names += [f"min.{span.column}", f"max.{span.column}"] if span is not None else []
    return actions.select([name for name in names if name in actions.schema.names]).to_pylist()


def _inside(file: pq.ParquetFile, group: int, span: Span) -> bool | None:
    """Whether all rows of a row group lie in the span; None for some, or where nobody knows."""
    metadata = file.metadata.row_group(group)
    place = file.schema_arrow.names.index(span.column)
    known = metadata.column(place)
    statistics = known.statistics if known.path_in_schema == span.column else None
    if statistics is None or not statistics.has_min_max or not statistics.has_null_count:
        return None
    least, most = statistics.min, statistics.max
    if not (isinstance(least, datetime) and least.tzinfo and isinstance(most, datetime) and most.tzinfo):
        return None
    if most < span.start or least >= span.end:
        return False
    return True if not statistics.null_count and least >= span.start and most < span.end else None


def _within(moments: pa.ChunkedArray, span: Span) -> pa.ChunkedArray:
    start, end = (pa.scalar(moment, moments.type) for moment in (span.start, span.end))
    return pc.and_(pc.greater_equal(moments, start), pc.less(moments, end))


def _column(rows: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    """Returns a column as its type."""
    column = rows.column(field.name)
    if column.type == field.type:
        return column
    if field.type == TEXT:
        values = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        return column.cast(values).cast(pa.string()).dictionary_encode()
    # nanoseconds are cut, as Delta's engine does
    return column.cast(field.type, safe=not (pa.types.is_timestamp(column.type) and column.type.unit == "ns"))


def _nulls(count: int, field: pa.Field) -> pa.ChunkedArray:
    """What a file from before there was this column has in it."""
    return pa.chunked_array([pa.nulls(count, field.type)])
