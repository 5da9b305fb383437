"""Quality where the lake measures the columns: the model type's own kernel over the few columns it reads.

So quality, its intervals and its reasons are those of every other backend, for every model type, also where
the lake knows no such metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lakemon_core.domain.names import TableName
from lakemon_core.domain.window import Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.slices import slice_texts
from lakemon_core.lifecycle.table_windows import between
from lakemon_core.ports import Condition, LakeProfiles, QualityResult

if TYPE_CHECKING:
    import pyarrow as pa

Place = tuple[Window | None, str, str | None, str | None]
"""Window, model id, slice key and slice value of a group."""


@dataclass(frozen=True, slots=True)
class LakeQuality:
    """Measures quality for the groups that a lake has profiled.

    Attributes:
        context: the run.
        lake: reads rows with their slices.
        columns: that quality reads; empty where there are no labels or predictions.
        model_id: column of the model's version; None when the table has none.
    """

    context: RunContext
    lake: LakeProfiles
    columns: tuple[str, ...]
    model_id: str | None

    @classmethod
    def of(cls, context: RunContext, lake: LakeProfiles, known: Sequence[str]) -> LakeQuality:
        """Plans what is read of a table with the columns `known`."""
        roles, model_type = context.roles, context.model_type
        wanted = (roles.prediction, roles.prediction_proba, roles.label, *model_type.quality_columns())
        there = tuple(dict.fromkeys(one for one in wanted if one and one in known))
        complete = roles.label in known and roles.prediction in known
        return cls(
            context, lake, there if complete else (), roles.model_id if roles.model_id in known else None
        )

    def of_windows(
        self, windows: Sequence[Window], places: Sequence[Place], version: int
    ) -> Mapping[Place, QualityResult]:
        """Measures the groups of windows, which are those of the lake: its weeks may begin on another day.

        Args:
            windows: in order.
            places: the groups that the lake has profiled; others are left out.
            version: of the inference table.
        """
        if not self.columns or not windows:
            return {}
        timestamp = self.context.roles.timestamp
        name = self.context.monitor.inference_table.name
        where = between(timestamp, Window(windows[0].start, windows[-1].end))
        rows = self.read(name, [timestamp], places, where, version)
        return {
            place: self.context.model_type.quality(part)
            for window in windows
            for place, part in self.groups(window, _within(rows, timestamp, window), places)
        }

    def of_baseline(self, places: Sequence[Place]) -> Mapping[Place, QualityResult]:
        """Measures the groups of the baseline, and lets the model type learn from it."""
        name = self.context.monitor.monitoring.baseline_table
        if name is None or not self.columns:
            return {}
        known = self.context.backend.tables.info(name).schema.names
        roles = self.context.roles
        own = LakeQuality.of(self.context, self.lake, known)
        learnt = [one for one in self.columns if one in known]
        features = [one for one in roles.feature_columns(known) if one not in learnt]
        rows = own.read(name, [*learnt, *features], places)
        self.context.model_type.fit_baseline(rows)
        if not own.columns:
            return {}
        found = own.groups(None, rows, places)
        return {place: self.context.model_type.quality(part) for place, part in found}

    def read(
        self,
        name: TableName,
        more: Sequence[str],
        places: Sequence[Place],
        where: Sequence[Condition] = (),
        version: int | None = None,
    ) -> pa.Table:
        """Reads what quality needs of a table, and `more`, with the values of the slices of `places`."""
        parts: list[str] = [*more, *self.columns, *([self.model_id] if self.model_id else [])]
        keys = {key for _, _, key, _ in places if key is not None}
        slices = {slice_label(text): text for text in slice_texts(self.context) if text in keys}
        return self.lake.rows(
            name, columns=list(dict.fromkeys(parts)), slices=slices, where=where, version=version
        )

    def groups(
        self, window: Window | None, rows: pa.Table, places: Sequence[Place]
    ) -> Iterator[tuple[Place, pa.Table]]:
        """Yields the groups of one window, or of the baseline, that are among `places`, with their rows."""
        import pyarrow.compute as pc

        from lakemon_core.profiling.layout import split_models

        of_models = dict(split_models(rows, self.model_id))
        for place in places:
            at, model, key, value = place
            if at != window or model not in of_models:
                continue
            part = of_models[model]
            if key is None:
                yield place, part
            elif slice_label(key) in part.schema.names:
                yield place, part.filter(pc.equal(part[slice_label(key)], value))


def _within(rows: pa.Table, timestamp: str, window: Window) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    moments = rows[timestamp].cast(pa.timestamp("us", "UTC"))
    inside = pc.and_(pc.greater_equal(moments, window.start), pc.less(moments, window.end))
    return rows.filter(inside)


def slice_label(key: str) -> str:
    """Returns the column that holds the value of a slice in rows that a lake has read."""
    return f"lakemon slice {key}"
