"""Monitor: new rows are unpacked, labels joined, and every window that changed is measured again, whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lakemon_core.domain.run import StageStatus
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.baseline import Baseline, measure_baseline
from lakemon_core.lifecycle.due import Watermark, begin_writing, definition_of, find_due
from lakemon_core.lifecycle.labels import merge_labels
from lakemon_core.lifecycle.lake_monitor import LakeRefresh
from lakemon_core.lifecycle.measuring.custom_metrics import CustomMetrics
from lakemon_core.lifecycle.measuring.groups import Filled, Ruler, quality_columns
from lakemon_core.lifecycle.measuring.memory import Load, Room, Turn
from lakemon_core.lifecycle.measuring.reading import Reading
from lakemon_core.lifecycle.measuring.sheet import Scribe, Sheet
from lakemon_core.lifecycle.measuring.slices import Slicing, Source
from lakemon_core.lifecycle.retention import apply_retention
from lakemon_core.lifecycle.table_windows import Due, between
from lakemon_core.lifecycle.untimed import rows_without_time
from lakemon_core.lifecycle.upkeep import keep_up
from lakemon_core.ports import Condition, UnpackResult

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Monitored:
    """What the stage leaves behind: the windows measured by granularity, on which table version."""

    status: StageStatus
    windows: Mapping[str, tuple[Window, ...]] = field(default_factory=dict[str, tuple[Window, ...]])
    table_version: int | None = None
    detail: Mapping[str, object] = field(default_factory=dict[str, object])


def monitor(context: RunContext) -> Monitored:
    """Brings the metric tables up to date with the inference table.

    Raises:
        DataError: LM301 for a missing batch table; LM302, LM304 for columns; LM303 for types.
    """
    unpacked = _unpack(context)
    name = context.monitor.inference_table.name
    if context.monitor.serving is not None and not context.backend.tables.exists(name):
        detail = {"reason": f"no requests yet: {name} is made with the first one", **_unpack_detail(unpacked)}
        return Monitored(StageStatus.NOTHING_TO_DO, detail=detail)
    compacted = keep_up(context)
    labels = merge_labels(context)
    expired = apply_retention(context)
    lake, cutoff = context.backend.profiles, expired.cutoff
    refresh = LakeRefresh.prepare(context, lake, cutoff) if lake else Refresh.prepare(context, cutoff)
    windows = {str(granularity): refresh.bring_up(granularity) for granularity in refresh.granularities}
    count = sum(map(len, windows.values()))
    detail = {
        "windows": count,
        "table": str(name),
        "table_version": refresh.version,
        "labels_merged": labels.updated,
        "rows_expired": expired.rows,
        **_unpack_detail(unpacked),
    }
    if compacted:
        detail["tables_compacted"] = [str(one) for one in compacted]
    if labels.conflicts:
        detail["labels_conflicting"] = labels.conflicts
    if untimed := rows_without_time(context):
        detail["rows_without_time"] = untimed
    detail |= refresh.left_out
    if not (count or labels.updated or (unpacked and unpacked.rows)):
        return Monitored(
            StageStatus.NOTHING_TO_DO, windows, refresh.version, detail | {"reason": "nothing new"}
        )
    return Monitored(StageStatus.DONE, windows, refresh.version, detail)


def _unpack(context: RunContext) -> UnpackResult | None:
    if context.monitor.serving is None or not context.monitor.inference_table.enabled:
        return None
    context.progress.update(f"unpacking {context.monitor.inference_table.payload}")
    return context.backend.unpack(context.model_type, progress=context.progress)


def _unpack_detail(unpacked: UnpackResult | None) -> dict[str, object]:
    if unpacked is None:
        return {}
    return {
        "requests": unpacked.requests,
        "rows_unpacked": unpacked.rows,
        "requests_failed": unpacked.failed,
        "requests_unreadable": dict(unpacked.unreadable),
    }


@dataclass(frozen=True, slots=True)
class Refresh:
    """One refresh of the metric tables from one version of the inference table."""

    context: RunContext
    version: int
    definition: str
    ruler: Ruler
    model_id: str | None
    baseline: Baseline
    cutoff: Window | None
    unsliced: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def prepare(cls, context: RunContext, cutoff: Window | None) -> Refresh:
        """Pins the versions and plans the columns; reads no rows."""
        from lakemon_core.profiling.categorical.vocabulary import Vocabularies
        from lakemon_core.profiling.measure import plan_columns

        info = context.backend.tables.info(context.monitor.inference_table.name)
        roles = context.roles
        columns = info.schema.names
        baseline = Baseline.of(context)
        quality = quality_columns(context, columns)
        custom = CustomMetrics.of(context, info.schema)
        return cls(
            context=context,
            version=info.version,
            definition=definition_of(context.monitor, roles, baseline.version, info.schema),
            ruler=Ruler(
                plan_columns(info.schema, roles),
                context.model_type.quality_of_groups if quality else None,
                quality,
                Slicing.of(context, info.schema),
                custom,
                Vocabularies(),
                judges_references=bool(custom.drifts),
            ),
            model_id=roles.model_id if roles.model_id in columns else None,
            baseline=baseline,
            cutoff=cutoff,
        )

    @property
    def granularities(self) -> Sequence[Granularity]:
        """All lengths of windows of the config."""
        return self.context.monitor.monitoring.granularities

    @property
    def left_out(self) -> Mapping[str, object]:
        """Columns and values that are not measured, with the reason."""
        named = {"columns_skipped": self.ruler.plan.skipped, "values_not_sliced": self.unsliced}
        return {name: dict(found) for name, found in named.items() if found}

    def bring_up(self, granularity: Granularity) -> tuple[Window, ...]:
        """Measures what is due and writes it; returns the windows that were measured or became empty."""
        now = Watermark(self.definition, self.version)
        if Watermark.noted(self.context, granularity) == now:
            return ()
        due = find_due(self.context, granularity, now, self.cutoff)
        if due.touched or due.everything:
            self._measure(granularity, due, now)
        now.note(self.context, granularity)
        return due.touched

    def _measure(self, granularity: Granularity, due: Due, now: Watermark) -> None:
        ruler = replace(self.ruler, slicing=self._sliced(due.span), filled=Filled())
        scribe = Scribe(self.context, ruler.custom, ruler.slicing, self.version, self.definition)
        sheet = Sheet(scribe)
        writer = MetricWriter(self, granularity, due)
        turns = self._turns(ruler, due.existing)
        for number, turn in enumerate(turns):
            own = ruler.turn(turn.columns, whole=turn.whole)
            baseline = measure_baseline(self.context, self.baseline, own, told=writer.tells_baseline)
            sheet.begin(baseline, whole=turn.whole)
            reading = Reading(self.context, self.version, self.model_id, own, granularity, turn.rows)
            total = len(due.windows)
            reading.fill(sheet, due.windows, due.existing, number * total, len(turns) * total)
            writer.keep_baseline(sheet)
            sheet.end()
            self.baseline.keep()
        begin_writing(self.context, granularity, now)
        writer.write(sheet)

    def _turns(self, ruler: Ruler, existing: Mapping[Window, int]) -> list[Turn]:
        monitoring = self.context.monitor.monitoring
        window = max(existing.values(), default=0)
        looking = sum(one.windows for one in monitoring.lookbacks) * window
        load = Load(window, looking, self.baseline.rows(self.context))
        room = Room(
            monitoring.memory,
            models=self.model_id is not None,
            slices=len(ruler.slicing.slices),
            others=2 + len(set(ruler.columns)),
            of_quality=len(ruler.quality_columns),
        )
        return room.turns(ruler.plan.columns, self.context.roles.prediction, load)

    def _sliced(self, span: Window | None) -> Slicing:
        """Returns the slices with the values most frequent in the rows of a span and in the baseline."""
        timestamp = self.context.roles.timestamp
        where = between(timestamp, span) if span else ()
        table = self.context.monitor.inference_table.name
        sources: list[Source] = [(table, self.version, where)]
        if self.baseline.name is not None:
            sources.append((self.baseline.name, self.baseline.version, ()))
        chosen = self.ruler.slicing.choose(self.context, sources)
        self.unsliced.update(chosen.left_out)
        return chosen


@dataclass(frozen=True, slots=True)
class MetricWriter:
    """Replaces whole windows in the two metric tables."""

    refresh: Refresh
    granularity: Granularity
    due: Due
    baseline: list[pa.Table] = field(default_factory=list)

    @property
    def tells_baseline(self) -> bool:
        """Whether profile rows of the baseline are due."""
        return self.due.everything and self.granularity == self.refresh.granularities[0]

    def keep_baseline(self, sheet: Sheet) -> None:
        """Keeps the profile rows of the baseline where they are due, after each turn of columns."""
        if self.tells_baseline and sheet.baseline:
            self.baseline.append(sheet.baseline_rows(self.refresh.baseline.version))

    def write(self, sheet: Sheet) -> None:
        """Writes both tables, each in one commit: a reader never sees half a window."""
        import pyarrow as pa

        profile, drift = sheet.tables()
        self.refresh.context.progress.update(f"writing {len(profile)} profile and {len(drift)} drift rows")
        self._replace("profile_metrics", profile)
        self._replace("drift_metrics", drift)
        if self.tells_baseline:  # a baseline that left the config leaves no rows behind
            table = self.refresh.context.monitor.metric_table("profile_metrics")
            rows = pa.concat_tables(self.baseline) if self.baseline else profile.slice(0, 0)
            where = [Condition("log_type", "=", "BASELINE")]
            self.refresh.context.backend.tables.replace(table, rows, where=where)

    def _replace(self, kind: str, rows: pa.Table) -> None:
        where = [Condition("granularity", "=", str(self.granularity)), *self.due.replaced]
        table = self.refresh.context.monitor.metric_table(kind)
        self.refresh.context.backend.tables.replace(table, rows, where=where)
