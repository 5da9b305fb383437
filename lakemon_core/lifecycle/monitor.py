"""Monitor: new rows are unpacked, labels joined, and every window that changed is measured again, whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from lakemon_core.domain.run import StageStatus
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.baseline import Baseline, measure_baseline
from lakemon_core.lifecycle.due import (
    Watermark,
    between,
    changed_windows,
    chunks,
    definition_of,
    due_windows,
    existing_windows,
    span_of,
)  # fmt: skip
from lakemon_core.lifecycle.labels import merge_labels
from lakemon_core.lifecycle.retention import apply_retention
from lakemon_core.ports import Condition, UnpackResult

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.profiling.measure import ColumnPlan, Group


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
    labels = merge_labels(context)
    expired = apply_retention(context)
    refresh = Refresh.prepare(context, expired.cutoff)
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
    if labels.conflicts:
        detail["labels_conflicting"] = labels.conflicts
    if refresh.skipped:
        detail["columns_skipped"] = dict(refresh.skipped)
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
    plan: ColumnPlan
    quality: tuple[str, ...]
    model_id: str | None
    baseline: Baseline
    cutoff: Window | None

    @classmethod
    def prepare(cls, context: RunContext, cutoff: Window | None) -> Refresh:
        """Pins the versions and plans the columns; reads no rows."""
        from lakemon_core.profiling.measure import plan_columns

        info = context.backend.tables.info(context.monitor.inference_table.name)
        roles = context.roles
        columns = info.schema.names
        baseline = Baseline.of(context)
        return cls(
            context=context,
            version=info.version,
            definition=definition_of(context.monitor, roles, baseline.version),
            plan=plan_columns(info.schema, roles),
            quality=_quality_columns(context, columns),
            model_id=roles.model_id if roles.model_id in columns else None,
            baseline=baseline,
            cutoff=cutoff,
        )

    @property
    def granularities(self) -> Sequence[Granularity]:
        """All lengths of windows of the config."""
        return self.context.monitor.monitoring.granularities

    @property
    def skipped(self) -> Mapping[str, str]:
        """Columns that are not measured, with the reason."""
        return self.plan.skipped

    def bring_up(self, granularity: Granularity) -> tuple[Window, ...]:
        """Measures what is due and writes it; returns the windows that were measured or became empty."""
        ledger = self.context.backend.ledger
        table = self.context.monitor.inference_table.name
        key = f"measured:{table}:{granularity}"
        mark = Watermark.read(ledger.get(key))
        now = Watermark(self.definition, self.version)
        if mark == now:
            return ()
        same = mark is not None and mark.definition == self.definition
        changed = changed_windows(self.context, granularity, mark.version) if mark and same else None
        if changed is not None and self.cutoff is not None:
            changed = {window for window in changed if window.start >= self.cutoff.start}
        touched = self._measure(granularity, changed)
        ledger.put(key, now.text())
        return touched

    def _measure(self, granularity: Granularity, changed: set[Window] | None) -> tuple[Window, ...]:
        if changed is not None and not changed:
            return ()
        span = span_of(changed, granularity) if changed else None
        existing = existing_windows(self.context, granularity, self.version, span)
        due = due_windows(changed, existing, granularity)
        emptied = sorted((changed or set()) - set(existing))
        baseline = measure_baseline(self.context, self.baseline, self.plan)
        profile: list[dict[str, object]] = []
        drift: list[dict[str, object]] = []
        for done, groups in enumerate(self._groups(granularity, due, existing), start=1):
            self.context.progress.update(f"measuring windows of {granularity}", done, len(due))
            self._rows_of(groups, baseline, profile, drift)
        writer = MetricWriter(self, granularity, everything=changed is None)
        writer.write([*due, *emptied], profile, drift, baseline)
        return tuple(sorted([*due, *emptied]))

    def _groups(
        self, granularity: Granularity, due: Sequence[Window], existing: Mapping[Window, int]
    ) -> Iterator[tuple[Sequence[Group], Mapping[str, Group]]]:
        """Yields each due window's groups with those of the window just before it, by model id."""
        wanted = set(due)
        needed = [w for w in existing if w in wanted or granularity.following(w) in wanted]
        before: Window | None = None
        previous: dict[str, Group] = {}
        for part in chunks(needed, existing):
            for window, groups in self._read(granularity, part):
                adjacent = before is not None and before.end == window.start
                if window in wanted:
                    yield groups, (previous if adjacent else {})
                before, previous = window, {group.key.model_id: group for group in groups}

    def _read(self, granularity: Granularity, part: Sequence[Window]) -> Iterator[tuple[Window, list[Group]]]:
        """Reads one chunk of windows and measures its groups: all models together, then each."""
        from lakemon_core.profiling.measure import GroupKey, measure, split

        roles = self.context.roles
        columns = list(dict.fromkeys([roles.timestamp, *self._columns()]))
        rows = self.context.backend.tables.scan(
            self.context.monitor.inference_table.name,
            columns=columns,
            where=between(roles.timestamp, Window(part[0].start, part[-1].end)),
            version=self.version,
        ).read_all()
        quality = self.context.model_type.quality if self.quality else None
        wanted = set(part)
        found = split(rows, granularity, roles.timestamp, self.model_id)
        for window, parts in groupby(found, key=itemgetter(0)):
            if window not in wanted:
                continue
            groups: list[Group] = []
            whole: pa.Table | None = None
            for _, model_id, part_rows in parts:
                key = GroupKey(window, str(granularity), model_id, None, None, "INPUT")
                if part_rows is whole:
                    groups.append(replace(groups[0], key=key))
                else:
                    groups.append(measure(part_rows, key, self.plan, quality))
                whole = whole or part_rows
            yield window, groups

    def _columns(self) -> list[str]:
        parts = [name for name, *_ in self.plan.columns]
        if self.model_id:
            parts.append(self.model_id)
        return [*parts, *self.quality]

    def _rows_of(
        self,
        found: tuple[Sequence[Group], Mapping[str, Group]],
        baseline: Mapping[str, Group],
        profile: list[dict[str, object]],
        drift: list[dict[str, object]],
    ) -> None:
        from lakemon_core.profiling.measure import ALL_MODELS, profile_rows

        groups, previous = found
        column = self.context.roles.model_id
        for group in groups:
            profile += profile_rows(group, column, table_version=self.version, config_hash=self.definition)
            if everything := baseline.get(ALL_MODELS):
                drift += self._drift(group, baseline.get(group.key.model_id, everything), "BASELINE")
            if before := previous.get(group.key.model_id):
                drift += self._drift(group, before, "CONSECUTIVE")

    def _drift(self, group: Group, reference: Group, drift_type: str) -> list[dict[str, object]]:
        from lakemon_core.profiling.measure import drift_rows

        return drift_rows(
            group,
            reference,
            drift_type,
            self.context.roles.model_id,
            smoothing=self.context.monitor.monitoring.psi_smoothing,
            table_version=self.version,
            config_hash=self.definition,
        )


def _quality_columns(context: RunContext, known: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns that quality reads; none where the table lacks labels or predictions."""
    roles = context.roles
    if roles.label not in known or roles.prediction not in known:
        return ()
    wanted = (roles.prediction, roles.prediction_proba, roles.label, *context.model_type.quality_columns())
    return tuple(column for column in wanted if column is not None and column in known)


@dataclass(frozen=True, slots=True)
class MetricWriter:
    """Replaces whole windows in the two metric tables; `everything` replaces all of a granularity."""

    refresh: Refresh
    granularity: Granularity
    everything: bool

    def write(
        self,
        windows: Sequence[Window],
        profile: Sequence[Mapping[str, object]],
        drift: Sequence[Mapping[str, object]],
        baseline: Mapping[str, Group],
    ) -> None:
        """Writes both tables, each in one commit: a reader never sees half a window."""
        import pyarrow as pa

        from lakemon_core.profiling.schemas import drift_schema, profile_schema

        context = self.refresh.context
        model_id = context.roles.model_id
        context.progress.update(f"writing {len(profile)} profile and {len(drift)} drift rows")
        schema = profile_schema(model_id, context.model_type.quality_fields())
        rows = pa.Table.from_pylist([dict(row) for row in profile], schema=schema)
        self._replace("profile_metrics", rows, windows)
        rows = pa.Table.from_pylist([dict(row) for row in drift], schema=drift_schema(model_id))
        self._replace("drift_metrics", rows, windows)
        if self.everything and baseline and self.granularity == self.refresh.granularities[0]:
            self._write_baseline(baseline, schema)

    def _replace(self, kind: str, rows: pa.Table, windows: Sequence[Window]) -> None:
        where = [Condition("granularity", "=", str(self.granularity))]
        if not self.everything:
            where.append(Condition(("window", "start"), "in", tuple(window.start for window in windows)))
        table = self.refresh.context.monitor.metric_table(kind)
        self.refresh.context.backend.tables.replace(table, rows, where=where)

    def _write_baseline(self, baseline: Mapping[str, Group], schema: pa.Schema) -> None:
        import pyarrow as pa

        from lakemon_core.profiling.measure import profile_rows

        context = self.refresh.context
        version, definition = self.refresh.baseline.version, self.refresh.definition
        rows = [
            row
            for group in baseline.values()
            for row in profile_rows(
                group, context.roles.model_id, table_version=version, config_hash=definition
            )
        ]
        context.backend.tables.replace(
            context.monitor.metric_table("profile_metrics"),
            pa.Table.from_pylist(rows, schema=schema),
            where=[Condition("log_type", "=", "BASELINE")],
        )
