"""Monitor where the lake measures by itself: it is told what, its rows are completed and written as ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from lakemon_core.domain.lookback import Lookback
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.baseline import Baseline
from lakemon_core.lifecycle.due import Watermark, definition_of
from lakemon_core.lifecycle.lake.completing import TABLE, complete_drift, complete_profile
from lakemon_core.lifecycle.lake.earlier import Earlier
from lakemon_core.lifecycle.lake.fairness import complete_fairness
from lakemon_core.lifecycle.lake.quality import LakeQuality, Place
from lakemon_core.lifecycle.lake.raw import RawMetrics, Row, window_of
from lakemon_core.lifecycle.lake.writing import LakeWriter
from lakemon_core.lifecycle.measuring.custom_metrics import CustomMetrics, Pair
from lakemon_core.lifecycle.table_windows import changed_windows, existing_windows
from lakemon_core.ports import LakeProfiles, QualityResult

_FIRST = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LakeRefresh:
    """One refresh of the metric tables from what the lake measures; used as `monitor.Refresh` is.

    Attributes:
        context: the run.
        lake: measures.
        version: of the inference table.
        definition: hash of what the numbers depend on.
        baseline_version: of what the windows are compared with.
        quality: measures quality.
        earlier: compares windows with what the lake does not.
        cutoff: the span that retention keeps.
        not_measured: granularity → windows that the lake does not measure, with the reason.
    """

    context: RunContext
    lake: LakeProfiles
    version: int
    definition: str
    baseline_version: int | None
    quality: LakeQuality
    earlier: Earlier
    cutoff: Window | None
    not_measured: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def prepare(cls, context: RunContext, lake: LakeProfiles, cutoff: Window | None) -> LakeRefresh:
        """Pins the versions; asks nothing of the lake yet."""
        info = context.backend.tables.info(context.monitor.inference_table.name)
        baseline = Baseline.of(context)
        definition = definition_of(context.monitor, context.roles, baseline.version)
        return cls(
            context=context,
            lake=lake,
            version=info.version,
            definition=definition,
            baseline_version=baseline.version,
            quality=LakeQuality.of(context, lake, info.schema.names),
            earlier=Earlier(context, lake, info.schema, info.version, definition),
            cutoff=cutoff,
        )

    @property
    def granularities(self) -> Sequence[Granularity]:
        """All lengths of windows of the config."""
        return self.context.monitor.monitoring.granularities

    @property
    def left_out(self) -> Mapping[str, object]:
        """What the lake did not measure or make, with the reason."""
        asked = "_raw" in vars(self)
        missing = self._raw.metrics.missing if asked else {}
        named = {"windows_not_measured": self.not_measured, "not_made": missing}
        return {name: dict(found) for name, found in named.items() if found}

    def bring_up(self, granularity: Granularity) -> tuple[Window, ...]:
        """Completes and writes the windows that changed; returns them. The lake is asked once for all."""
        mark, now = Watermark.noted(self.context, granularity), Watermark(self.definition, self.version)
        if mark == now:
            return ()
        same = mark is not None and mark.definition == self.definition
        changed = changed_windows(self.context, granularity, mark.version) if mark and same else None
        if changed is not None and self.cutoff is not None:
            changed = {window for window in changed if window.start >= self.cutoff.start}
        due = self._due(granularity, changed) if changed is None or changed else ()
        if due:
            self._complete(granularity, due, everything=changed is None)
        now.note(self.context, granularity)
        return due

    def _due(self, granularity: Granularity, changed: set[Window] | None) -> tuple[Window, ...]:
        """Returns the windows of the lake that are due, and notes those that it does not measure any more."""
        measured = self._raw.windows(granularity)
        if older := self._older(granularity, changed, measured[0].start if measured else None):
            kept = self._raw.metrics.oldest
            why = (
                f"the lake measures the last {kept.days} days only"
                if kept
                else "the lake did not measure them"
            )
            windows = f"{len(older)} windows from {older[0].start:%Y-%m-%d} on: {why}"
            self.not_measured[str(granularity)] = windows
        return due_in_lake(measured, changed, granularity, self.earlier.lookbacks)

    def _older(
        self, granularity: Granularity, changed: set[Window] | None, first: datetime | None
    ) -> Sequence[Window]:
        """Returns our windows that end before the lake's first one, in order."""
        if changed is not None:
            return sorted(one for one in changed if first is None or one.end <= first)
        span = Window(_FIRST, first) if first else None
        existing = existing_windows(self.context, granularity, self.version, span)
        return [one for one in existing if first is None or one.end <= first]

    @cached_property
    def _raw(self) -> RawMetrics:
        """The lake's own tables, once they are up to date."""
        metrics = self.lake.bring_up(self.context.model_type, progress=self.context.progress)
        return RawMetrics(self.context, metrics)

    @cached_property
    def _writer(self) -> LakeWriter:
        drift = self._raw.metrics.drift
        profile = self._raw.schema(self._raw.metrics.profile)
        return LakeWriter(self.context, self._custom, profile, self._raw.schema(drift) if drift else None)

    @cached_property
    def _custom(self) -> CustomMetrics:
        """The custom metrics that the lake leaves to us."""
        return CustomMetrics.of_lake(self.context, self.lake, self._raw.metrics.left_to_us)

    @cached_property
    def _baseline(self) -> list[Row]:
        """Completed rows of the baseline; the model type has learnt from it then."""
        rows = self._raw.baseline()
        qualities = self.quality.of_baseline(self._places(rows))
        stamp = self._stamp(self.baseline_version)
        return self._profile(rows, qualities, stamp)

    def _complete(self, granularity: Granularity, due: Sequence[Window], *, everything: bool) -> None:
        self.context.progress.update(f"completing {len(due)} windows of {granularity}")
        baseline = self._baseline
        drift = self._raw.drift(granularity, due)
        compared = [window for row in drift if (window := window_of(row["window_cmp"]))]
        inputs = self._raw.inputs(granularity, sorted({*due, *compared}))
        # A custom metric that compares windows reads what is completed of the window before as well.
        needed = sorted({*due, *compared}) if self._custom.drifts else list(due)
        wanted = _in(needed, inputs)
        qualities = self.quality.of_windows(needed, self._places(wanted), self.version)
        profile = self._profile(wanted, qualities, self._stamp(self.version))
        known = self._by_place([*profile, *baseline])
        completed = self._drift(drift, inputs, baseline)
        self._custom.compare(self._pairs(completed, known))
        completed += self.earlier.drift(granularity, due, known)
        self._writer.write(granularity, _in(due, profile), completed, None if everything else due)
        if everything and granularity == self.granularities[0]:
            self._writer.write_baseline(baseline)

    def _profile(
        self, rows: Sequence[Row], qualities: Mapping[Place, QualityResult], stamp: Row
    ) -> list[Row]:
        raw, prediction = self._raw, self.context.roles.prediction
        completed = [complete_profile(row, qualities.get(raw.place(row)), stamp) for row in rows]
        if self.context.model_type.problem_type == "CLASSIFICATION":
            complete_fairness(completed, raw.place, prediction)
        self._custom.derive(completed)
        return completed

    def _by_place(self, profile: Sequence[Row]) -> dict[tuple[Place, str], Row]:
        return {(self._raw.place(row), row["column_name"]): row for row in profile}

    def _pairs(self, drift: Sequence[Row], known: Mapping[tuple[Place, str], Row]) -> list[Pair]:
        """Returns each drift row with the completed rows of its group and of what it was compared with."""
        if not self._custom.drifts:
            return []
        raw = self._raw
        pairs: list[Pair] = []
        for row in drift:
            now = known.get((raw.place(row), row["column_name"]))
            then = next((known[key] for key in _references(raw, row) if key in known), None)
            if now is not None and then is not None:
                pairs.append((row, now, then))
        return pairs

    def _drift(self, drift: Sequence[Row], inputs: Sequence[Row], baseline: Sequence[Row]) -> list[Row]:
        raw, smoothing = self._raw, self.context.monitor.monitoring.psi_smoothing
        known = self._by_place([*inputs, *baseline])
        stamp = self._stamp(self.version)

        return [
            complete_drift(
                row,
                known.get((raw.place(row), row["column_name"])),
                next((known[key] for key in _references(raw, row) if key in known), None),
                stamp,
                smoothing,
            )
            for row in drift
        ]

    def _places(self, rows: Sequence[Row]) -> list[Place]:
        return [self._raw.place(row) for row in rows if row["column_name"] == TABLE]

    def _stamp(self, version: int | None) -> Row:
        return {"table_version": version, "config_hash": self.definition}


def _in(windows: Sequence[Window], rows: Sequence[Row]) -> list[Row]:
    """Returns the rows of windows."""
    wanted = set(windows)
    return [row for row in rows if window_of(row["window"]) in wanted]


def _references(raw: RawMetrics, row: Row) -> Iterator[tuple[Place, str]]:
    """Yields where the row may stand that a drift row was compared with: of its model, or of all together."""
    window, column = window_of(row["window_cmp"]), row["column_name"]
    model, key, value = raw.series(row)
    yield (window, model, key, value), column
    if window is None:
        yield (None, "*", key, value), column


def due_in_lake(
    existing: Sequence[Window],
    changed: set[Window] | None,
    granularity: Granularity,
    lookbacks: Sequence[Lookback] = (),
) -> tuple[Window, ...]:
    """Returns the lake's windows that overlap one that changed, and those whose drift looks back at them.

    Args:
        existing: windows of the lake, in order.
        changed: ours; None means all.
        granularity: of the windows.
        lookbacks: references beside the window just before.
    """
    if changed is None:
        return tuple(existing)
    hit = {one for one in existing if _meets(one, changed)}
    ends = {one.end for one in hit}
    looking = {
        window for one in lookbacks for seen in hit | changed for window in one.dependents(seen, granularity)
    }
    return tuple(one for one in existing if one in hit or one.start in ends or _meets(one, looking))


def _meets(window: Window, others: Iterable[Window]) -> bool:
    return any(window.start < one.end and one.start < window.end for one in others)
