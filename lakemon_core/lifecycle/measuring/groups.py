"""Groups of rows, measured: columns, quality and custom aggregates, of the whole and of every slice."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lakemon_core.expressions import TABLE
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import Aggregates, CustomMetrics
from lakemon_core.lifecycle.measuring.slices import Series, Slicing, series_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from lakemon_core.ports import QualityResult
    from lakemon_core.profiling.categorical.vocabulary import Vocabularies
    from lakemon_core.profiling.column_source import Columns
    from lakemon_core.profiling.columns import Summary
    from lakemon_core.profiling.layout import Place, Section
    from lakemon_core.profiling.measure import ColumnPlan, Group, GroupKey, PlannedColumn


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One measured group with its custom aggregates."""

    group: Group
    aggregates: Aggregates = field(default_factory=Aggregates)

    @property
    def series(self) -> Series:
        """Model and slice."""
        return series_of(self.group.key)


@dataclass(frozen=True, slots=True)
class Filled:
    """Columns with values, by group, that were found in turns before the last one."""

    _found: dict[GroupKey, frozenset[str]] = field(default_factory=dict)
    _same: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    def note(self, key: GroupKey, names: Iterable[str]) -> None:
        """Adds columns of a group."""
        found = self._found.get(key, frozenset()).union(names)
        self._found[key] = self._same.setdefault(found, found)

    def of(self, key: GroupKey) -> frozenset[str]:
        """Returns all that was noted of a group."""
        return self._found.get(key, frozenset())


@dataclass(frozen=True, slots=True)
class Ruler:
    """Measures groups of rows of one table.

    Attributes:
        plan: the columns.
        quality: `ModelType.quality_of_groups`; None without labels.
        quality_columns: that it reads.
        slicing: the slices.
        custom: the custom metrics.
        vocabularies: of the columns of categories: windows that share them are compared without texts.
        whole: whether this is the last turn of the columns, which measures what concerns the table as well.
        order: all columns, those of other turns included.
        filled: what the turns before have found.
        judges_references: whether references need quality and aggregates, for a metric of two groups.
    """

    plan: ColumnPlan
    quality: Callable[[pa.Table, Sequence[slice], Sequence[Sequence[int]]], Sequence[QualityResult]] | None
    quality_columns: tuple[str, ...]
    slicing: Slicing
    custom: CustomMetrics
    vocabularies: Vocabularies
    whole: bool = True
    order: tuple[str, ...] = ()
    filled: Filled = field(default_factory=Filled)
    judges_references: bool = False

    def turn(self, columns: tuple[PlannedColumn, ...], *, whole: bool) -> Ruler:
        """Returns the ruler of some of the columns; quality and `:table` belong to the last turn."""
        own = {column.name for column in columns} | ({TABLE} if whole else set())
        planned = tuple(one for one in self.custom.planned if one.column in own)
        return replace(
            self,
            plan=replace(self.plan, columns=columns),
            quality=self.quality if whole else None,
            quality_columns=self.quality_columns if whole else (),
            custom=replace(self.custom, planned=planned),
            whole=whole,
            order=tuple(column.name for column in self.plan.columns),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that slices and custom metrics read."""
        return (*self.slicing.columns, *self.custom.columns)

    def measure(
        self,
        rows: pa.Table,
        keys: Sequence[GroupKey],
        model_id: str | None,
        windows: npt.NDArray[np.int64] | None = None,
        *,
        told: Container[int] | None = None,
        columns: Columns | None = None,
    ) -> list[list[Measured]]:
        """Measures every window of a table: all models together, then each, the whole and every slice.

        Args:
            rows: of the table.
            keys: of each window, for all models together.
            model_id: name of the model id column; None without one.
            windows: of each row, the number of its window, -1 for none; None puts all rows into one window.
            told: numbers of the windows that are more than a reference; None for all. The others have neither
                quality nor aggregates, unless a metric of two groups asks for those of both.
            columns: the planned columns of the same rows, read one by one; None where the table has them.

        Returns:
            the groups that hold rows, by window.
        """
        import numpy as np

        from lakemon_core.profiling.layout import Labels, in_order, lay_out

        rows = self.slicing.labelled(rows)
        numbers = np.zeros(len(rows), dtype=np.int64) if windows is None else windows
        models = Labels.of(rows.column(model_id)) if model_id else Labels.none(len(rows))
        sections = lay_out(numbers, len(keys), models, self.slicing.labels(rows))
        judged = None if self.judges_references else told
        found: dict[Place, Measured] = {}
        for section in sections:
            found |= self._section(rows, columns or rows, section, keys, judged)
        groups: list[list[Measured]] = [[] for _ in keys]
        for place in in_order(list(found), [one.key for one in self.slicing.slices]):
            groups[place.window].append(found[place])
        return groups

    def _section(
        self,
        rows: pa.Table,
        columns: Columns,
        section: Section,
        keys: Sequence[GroupKey],
        told: Container[int] | None,
    ) -> Mapping[Place, Measured]:
        from lakemon_core.profiling.measure import summarize_section

        sizes = section.parts.sizes()
        whole = section if told is None else section.of_windows(told)
        with ThreadPoolExecutor(1, thread_name_prefix="lakemon-quality") as pool:
            asked = pool.submit(self._quality, rows, whole)
            summaries = summarize_section(columns, section, self.plan, self.vocabularies)
            quality = asked.result()
        aggregates = self._aggregates(rows, whole)
        found: dict[Place, Measured] = {}
        for place, members in section.groups.items():
            series = place.model_id, place.slice_key, place.slice_value
            count = int(sizes[list(members)].sum())
            group = self.summarized(keys[place.window], series, count, summaries[place])
            group = replace(group, quality=quality.get(place))
            found[place] = Measured(group, aggregates.get(place, Aggregates()))
        return found

    def summarized(self, key: GroupKey, series: Series, rows: int, columns: Mapping[str, Summary]) -> Group:
        """Returns a group whose columns were summarized, without quality.

        Args:
            key: of all rows that it is among.
            series: which of them it holds.
            rows: how many.
            columns: their summaries.
        """
        from lakemon_core.profiling.measure import Group

        model_id, slice_key, slice_value = series
        own = replace(key, model_id=model_id, slice_key=slice_key, slice_value=slice_value)
        return Group(own, rows, columns, self.plan, self._filled(own, columns))

    def _filled(self, key: GroupKey, columns: Mapping[str, Summary]) -> tuple[str, ...]:
        """Returns the columns of a group that have values, and after the last turn those of all turns."""
        from lakemon_core.profiling.measure import filled

        own = filled(columns)
        if not self.whole:
            self.filled.note(key, own)
        elif before := self.filled.of(key):
            return tuple(name for name in self.order if name in before or name in own)
        return own

    def _quality(self, rows: pa.Table, section: Section) -> Mapping[Place, QualityResult]:
        from lakemon_core.profiling.measure import groups_together

        if self.quality is None:
            return {}
        return groups_together(rows, section, self.quality_columns, self.quality)

    def _aggregates(self, rows: pa.Table, section: Section) -> Mapping[Place, Aggregates]:
        from lakemon_core.profiling.measure import each_group

        if not self.custom.planned:
            return {}
        columns = (*self.custom.columns, rows.schema.names[0])
        return each_group(rows, section, columns, self.custom.aggregate)


def quality_columns(context: RunContext, known: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns that quality reads; none where the table lacks labels or predictions."""
    roles = context.roles
    if roles.label not in known or roles.prediction not in known:
        return ()
    wanted = (roles.prediction, roles.prediction_proba, roles.label, *context.model_type.quality_columns())
    return tuple(column for column in wanted if column is not None and column in known)
