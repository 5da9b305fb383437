"""Groups of rows, measured: columns, quality and custom aggregates, of the whole and of every slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import Aggregates, CustomMetrics
from lakemon_core.lifecycle.measuring.slices import Series, Slicing, series_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from lakemon_core.ports import QualityResult
    from lakemon_core.profiling.categorical.vocabulary import Vocabularies
    from lakemon_core.profiling.layout import Place, Section
    from lakemon_core.profiling.measure import ColumnPlan, Group, GroupKey


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One measured group with its custom aggregates."""

    group: Group
    aggregates: Aggregates

    @property
    def series(self) -> Series:
        """Model and slice."""
        return series_of(self.group.key)


@dataclass(frozen=True, slots=True)
class Ruler:
    """Measures groups of rows of one table.

    Attributes:
        plan: the columns.
        quality: `ModelType.quality`; None without labels.
        quality_columns: that it reads.
        slicing: the slices.
        custom: the custom metrics.
        vocabularies: of the columns of categories: windows that share them are compared without texts.
    """

    plan: ColumnPlan
    quality: Callable[[pa.Table], QualityResult] | None
    quality_columns: tuple[str, ...]
    slicing: Slicing
    custom: CustomMetrics
    vocabularies: Vocabularies

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
    ) -> list[list[Measured]]:
        """Measures every window of a table: all models together, then each, the whole and every slice.

        Args:
            rows: of the table.
            keys: of each window, for all models together.
            model_id: name of the model id column; None without one.
            windows: of each row, the number of its window, -1 for none; None puts all rows into one window.

        Returns:
            the groups that hold rows, by window.
        """
        import numpy as np

        from lakemon_core.profiling.layout import Labels, in_order, lay_out

        rows = self.slicing.labelled(rows)
        numbers = np.zeros(len(rows), dtype=np.int64) if windows is None else windows
        models = Labels.of(rows.column(model_id)) if model_id else Labels.none(len(rows))
        sections = lay_out(numbers, len(keys), models, self.slicing.labels(rows))
        found: dict[Place, Measured] = {}
        for section in sections:
            found |= self._section(rows, section, keys)
        groups: list[list[Measured]] = [[] for _ in keys]
        for place in in_order(list(found), [one.key for one in self.slicing.slices]):
            groups[place.window].append(found[place])
        return groups

    def _section(
        self, rows: pa.Table, section: Section, keys: Sequence[GroupKey]
    ) -> Mapping[Place, Measured]:
        from lakemon_core.profiling.measure import Group, summarize_section

        sizes = section.parts.sizes()
        with ThreadPoolExecutor(1, thread_name_prefix="lakemon-quality") as pool:
            asked = pool.submit(self._quality, rows, section)
            summaries = summarize_section(rows, section, self.plan, self.vocabularies)
            quality = asked.result()
        aggregates = self._aggregates(rows, section)
        found: dict[Place, Measured] = {}
        for place, members in section.groups.items():
            key = replace(
                keys[place.window],
                model_id=place.model_id,
                slice_key=place.slice_key,
                slice_value=place.slice_value,
            )
            count = int(sizes[list(members)].sum())
            group = Group(key, count, summaries[place], self.plan, quality.get(place))
            found[place] = Measured(group, aggregates.get(place, Aggregates()))
        return found

    def _quality(self, rows: pa.Table, section: Section) -> Mapping[Place, QualityResult]:
        from lakemon_core.profiling.measure import each_group

        if self.quality is None:
            return {}
        return each_group(rows, section, self.quality_columns, self.quality)

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
