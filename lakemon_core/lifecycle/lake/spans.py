"""Custom metrics of spans of time for which a lake has no row: what a window looks back at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.window import Window
from lakemon_core.expressions import MetricKind, PlannedMetric
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import CustomMetrics
from lakemon_core.lifecycle.measuring.slices import Series, series_of
from lakemon_core.lifecycle.table_windows import between
from lakemon_core.ports import LakeProfiles

if TYPE_CHECKING:
    from lakemon_core.profiling.measure import Group

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpanMetrics:
    """Completes profile rows of a span by what drift metrics of the config read.

    Attributes:
        context: names tables and columns.
        lake: computes aggregates where the rows lie.
        custom: all custom metrics of the config.
        version: of the inference table.
        slices: column that holds the value of a slice → the slice.
        model_id: column of the model's version; None when the table has none.
    """

    context: RunContext
    lake: LakeProfiles
    custom: CustomMetrics
    version: int
    slices: Mapping[str, str]
    model_id: str | None
    _sums: dict[Window, Mapping[Series, Row]] = field(default_factory=dict[Window, Mapping[Series, Row]])

    def columns(self) -> frozenset[str]:
        """Returns the columns that have drift metrics."""
        planned = self.custom.planned
        return frozenset(one.column for one in planned if one.metric.kind is MetricKind.DRIFT)

    def rows(self, group: Group) -> dict[str, Row]:
        """Returns the profile rows of a span's group by column, those that drift metrics compare."""
        from lakemon_core.profiling.measure import profile_rows

        wanted = self.columns()
        rows: list[Row] = [
            row for row in profile_rows(group, self.context.roles.model_id) if row["column_name"] in wanted
        ]
        sums = self._summed(group.key.window).get(series_of(group.key), {})
        for place, one in self._aggregates().items():
            for row in rows:
                if row["column_name"] == one.column:
                    row[one.metric.name] = sums.get(place)
        self.custom.derive(rows)
        return {row["column_name"]: row for row in rows}

    def _aggregates(self) -> dict[str, PlannedMetric]:
        """Returns the metrics that are computed from rows, by the column of their result."""
        planned = enumerate(self.custom.planned)
        return {f"m{place}": one for place, one in planned if one.metric.kind is MetricKind.AGGREGATE}

    def _summed(self, span: Window | None) -> Mapping[Series, Row]:
        wanted = {place: one.translated.sql for place, one in self._aggregates().items()}
        if span is None or not wanted:
            return {}
        if span not in self._sums:
            rows = self.lake.summed(
                self.context.monitor.inference_table.name,
                aggregates=wanted,
                slices=self.slices,
                model_id=self.model_id,
                where=between(self.context.roles.timestamp, span),
                version=self.version,
            )
            found = rows.to_pylist()
            self._sums[span] = {(row["model"], row["slice_key"], row["slice_value"]): row for row in found}
        return self._sums[span]
