"""One reading of the table: some columns of all windows that are due, each with what it is compared with."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, pairwise
from typing import TYPE_CHECKING, Protocol

from lakemon_core.domain.window import Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.ahead import ahead
from lakemon_core.lifecycle.measuring.groups import Measured, Ruler
from lakemon_core.lifecycle.measuring.memory import give_back
from lakemon_core.lifecycle.measuring.slices import Series
from lakemon_core.lifecycle.references import References
from lakemon_core.lifecycle.table_windows import between, chunks
from lakemon_core.ports import ClosableColumns, ReadsByColumn

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.profiling.column_source import Columns


_LARGE = 100_000
"""Rows of a window that take longer to sort than to compare."""


class TakesGroups(Protocol):
    """What a reading fills: a `Sheet`, as a rule."""

    def add(self, found: Iterable[Measured], references: Mapping[str, Mapping[Series, Measured]]) -> None:
        """Takes the groups of one window, and other windows' groups by drift type and series."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads windows and measures them.

    Attributes:
        context: names tables and columns.
        version: of the inference table.
        model_id: name of the model id column; None where the table has none.
        ruler: measures groups.
        granularity: of the windows.
        fitting: rows of windows that may be read together.
    """

    context: RunContext
    version: int
    model_id: str | None
    ruler: Ruler
    granularity: Granularity
    fitting: int

    def fill(
        self, sheet: TakesGroups, due: Sequence[Window], existing: Mapping[Window, int], done: int, total: int
    ) -> None:
        """Adds the due windows to a sheet, in order.

        Args:
            sheet: takes them.
            due: windows to measure.
            existing: all windows with their rows.
            done: windows that progress has counted before.
            total: windows that progress counts.
        """
        timestamp = self.context.roles.timestamp
        lookbacks = self.context.monitor.monitoring.lookbacks
        counted = list(existing) if self.granularity.rows else []
        earlier = References(
            lookbacks, self.granularity, self.ruler, counted, self.rows, timestamp, self.model_id
        )
        number = count(done + 1)
        for window, found, before in self._groups(due, existing):
            progress = self.context.progress
            progress.update(f"measuring windows of {self.granularity}", next(number), total)
            sheet.add(found, {"CONSECUTIVE": before} | earlier.of(window))
            del found, before  # the next one is measured without them in memory

    def _groups(
        self, due: Sequence[Window], existing: Mapping[Window, int]
    ) -> Iterator[tuple[Window, Sequence[Measured], Mapping[Series, Measured]]]:
        """Yields each due window's groups with those of the window just before it, by series."""
        wanted = set(due)
        pairs = pairwise(existing)
        needed = wanted.union(one for one, after in pairs if after in wanted and self._is_next(one, after))
        before: Window | None = None
        previous: dict[Series, Measured] = {}
        parts = chunks(sorted(needed), existing, self.fitting)
        measure = partial(self._measured, wanted=wanted)
        together = self._goes_ahead(max(existing.values(), default=0))
        for measured in ahead(parts, measure) if together else map(measure, parts):
            while measured:
                window, groups = measured.popleft()
                if window in wanted:
                    yield window, groups, (previous if self._is_next(before, window) else {})
                before, previous = window, {group.series: group for group in groups}

    def _goes_ahead(self, largest: int) -> bool:
        """Whether the next windows are measured while one is compared, given the rows of the largest.

        With few rows there are so many short steps that the threads would wait for each other; with slices
        that is so where NumPy takes the place of the compiled loops, which do not hold the interpreter lock.
        """
        from lakemon_core.profiling.numeric.kernel import compiled

        return largest >= _LARGE and (compiled() is not None or not self.ruler.slicing.slices)

    def _is_next(self, before: Window | None, window: Window) -> bool:
        """Whether the window follows on the one before; between windows of rows there is nothing."""
        return before is not None and (self.granularity.rows is not None or before.end == window.start)

    def _measured(
        self, part: Sequence[Window], wanted: Collection[Window]
    ) -> deque[tuple[Window, list[Measured]]]:
        """Reads one chunk of windows and measures its groups: all models together, then each, with slices."""
        from lakemon_core.profiling.measure import ALL_MODELS, GroupKey
        from lakemon_core.profiling.windows import window_numbers

        granularity = str(self.granularity)
        keys = [GroupKey(window, granularity, ALL_MODELS, None, None, "INPUT") for window in part]
        told = {number for number, window in enumerate(part) if window in wanted}
        with self._opened(Window(part[0].start, part[-1].end)) as (rows, columns):
            numbers = window_numbers(rows.column(self.context.roles.timestamp), part)
            measured = self.ruler.measure(rows, keys, self.model_id, numbers, told=told, columns=columns)
        del rows, columns
        give_back()
        return deque(zip(part, measured, strict=True))

    @contextmanager
    def _opened(self, span: Window) -> Generator[tuple[pa.Table, Columns | None]]:
        """Gives the rows of a span of time: all their columns, or those that come one by one apart."""
        import pyarrow as pa

        opened = self._by_column(span)
        if opened is None:
            yield self.rows(span), None
            return
        with closing(opened):
            rows = pa.table({name: opened.column(name) for name in self._shared})
            rows = self.ruler.vocabularies.encoded(rows)
            yield rows, _Apart(rows, opened)

    def _by_column(self, span: Window) -> ClosableColumns | None:
        """Opens the rows of a span of time to read column by column; None where they are read together."""
        tables = self.context.backend.tables
        if not isinstance(tables, ReadsByColumn) or len(self.ruler.slicing.slices) > 1:
            return None
        return tables.by_column(
            self.context.monitor.inference_table.name,
            columns=self._columns,
            where=between(self.context.roles.timestamp, span),
            version=self.version,
        )

    def rows(self, span: Window) -> pa.Table:
        """Reads the rows of a span of time."""
        reader = self.context.backend.tables.scan(
            self.context.monitor.inference_table.name,
            columns=self._columns,
            where=between(self.context.roles.timestamp, span),
            version=self.version,
            views=True,
        )
        rows = self.ruler.vocabularies.encoded(reader.read_all())
        del reader
        give_back()
        return rows

    @property
    def _columns(self) -> list[str]:
        return list(dict.fromkeys([*self._shared, *(name for name, *_ in self.ruler.plan.columns)]))

    @property
    def _shared(self) -> list[str]:
        """What tells rows apart, and what is needed beside each column."""
        told_by = [self.context.roles.timestamp, *([self.model_id] if self.model_id else [])]
        return list(dict.fromkeys([*told_by, *self.ruler.columns, *self.ruler.quality_columns]))


@dataclass(frozen=True, slots=True, eq=False)
class _Apart:
    """Columns of opened rows; those that were read for all are not read again."""

    rows: pa.Table
    opened: ClosableColumns

    @property
    def column_names(self) -> list[str]:
        return self.opened.column_names

    def column(self, name: str, /) -> pa.ChunkedArray:
        return (self.rows if name in self.rows.column_names else self.opened).column(name)
