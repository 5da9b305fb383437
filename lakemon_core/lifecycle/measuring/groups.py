"""Groups of rows, measured: columns, quality and custom aggregates, of the whole and of every slice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lakemon_core.lifecycle.measuring.custom_metrics import Aggregates, CustomMetrics
from lakemon_core.lifecycle.measuring.slices import Series, Slicing, series_of

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.ports import QualityResult
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

    def at(self, key: GroupKey) -> Measured:
        """Returns the same measurement for another place whose rows are the same."""
        return replace(self, group=replace(self.group, key=key))


@dataclass(frozen=True, slots=True)
class Ruler:
    """Measures groups of rows of one table.

    Attributes:
        plan: the columns.
        quality: `ModelType.quality`; None without labels.
        slicing: the slices.
        custom: the custom metrics.
    """

    plan: ColumnPlan
    quality: Callable[[pa.Table], QualityResult] | None
    slicing: Slicing
    custom: CustomMetrics

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that slices and custom metrics read."""
        return (*self.slicing.columns, *self.custom.columns)

    def measure(self, rows: pa.Table, key: GroupKey) -> list[Measured]:
        """Measures all of the rows, then every slice of them.

        Args:
            rows: labelled by the slicing.
            key: of the whole.
        """
        found = [self._one(rows, key)]
        for slice_key, value, part in self.slicing.parts(rows):
            place = replace(key, slice_key=slice_key, slice_value=value)
            found.append(found[0].at(place) if part is rows else self._one(part, place))
        return found

    def _one(self, rows: pa.Table, key: GroupKey) -> Measured:
        from lakemon_core.profiling.measure import measure

        return Measured(measure(rows, key, self.plan, self.quality), self.custom.aggregate(rows))
