"""References that a lake does not know (last week, last year, those of the config): measured from the rows.

The lake compares a window with the baseline and the window just before. For everything else the rows of the
windows that are due, and of the spans they look back at, are read and measured by the kernels of every other
backend; so the numbers are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.lookback import Lookback
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.expressions import MetricKind, Translated
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.lake.completing import TABLE
from lakemon_core.lifecycle.lake.quality import Place, slice_label
from lakemon_core.lifecycle.lake.spans import SpanMetrics
from lakemon_core.lifecycle.measuring.custom_metrics import CustomMetrics, Pair
from lakemon_core.lifecycle.measuring.groups import Measured, Ruler, quality_columns
from lakemon_core.lifecycle.measuring.memory import Load, Room, Turn
from lakemon_core.lifecycle.measuring.reading import Reading
from lakemon_core.lifecycle.measuring.slices import Series, Slice, Slicing, series_of
from lakemon_core.lifecycle.table_windows import between
from lakemon_core.ports import LakeProfiles

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.profiling.measure import Comparison

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Earlier:
    """Compares windows with earlier ones.

    Attributes:
        context: the run.
        lake: reads rows with the values of their slices.
        schema: of the inference table.
        version: of the inference table.
        definition: hash of what the numbers depend on.
    """

    context: RunContext
    lake: LakeProfiles
    schema: pa.Schema
    version: int
    definition: str

    @property
    def lookbacks(self) -> tuple[Lookback, ...]:
        """What windows are compared with, beside what the lake does."""
        return self.context.monitor.monitoring.lookbacks

    def drift(
        self, granularity: Granularity, due: Sequence[Window], profile: Mapping[tuple[Place, str], Row]
    ) -> list[Row]:
        """Returns the drift rows of windows against each of these references; a missing one leaves them out.

        Args:
            granularity: of the windows.
            due: windows, in order.
            profile: completed profile rows of the windows, by place and column; slices are those of the lake.
        """
        if not (self.lookbacks and due):
            return []
        whole = (profile.get(((window, "*", None, None), TABLE), {}) for window in due)
        rows_of = {window: int(row.get("count") or 0) for window, row in zip(due, whole, strict=True)}
        ruler = self._ruler({place for place, _ in profile})
        notes = Notes(self.context, self.version, self.definition, profile, self._spans(ruler))
        turns = self._turns(ruler, rows_of)
        for number, turn in enumerate(turns):
            notes.whole = turn.whole
            reading = LakeReading(
                self.context,
                self.version,
                self._model_id,
                ruler.turn(turn.columns, whole=turn.whole),
                granularity,
                turn.rows,
                self.lake,
            )
            reading.fill(notes, due, rows_of, number * len(due), len(turns) * len(due))
        notes.settle()
        return notes.rows

    @property
    def _model_id(self) -> str | None:
        name = self.context.roles.model_id
        return name if name in self.schema.names else None

    def _ruler(self, places: Iterable[Place]) -> Ruler:
        from lakemon_core.profiling.categorical.vocabulary import Vocabularies
        from lakemon_core.profiling.measure import plan_columns

        values: dict[str, set[str]] = {}
        for _, _, key, value in places:
            if key is not None and value is not None:
                values.setdefault(key, set()).add(value)
        slices = tuple(_read_already(key, frozenset(found)) for key, found in values.items())
        custom, quality = CustomMetrics.none(self.context), ()
        if self._drift_metrics:
            quality = quality_columns(self.context, self.schema.names)
        return Ruler(
            plan_columns(self.schema, self.context.roles),
            self.context.model_type.quality_of_groups if quality else None,
            quality,
            Slicing(slices),
            custom,
            Vocabularies(),
            judges_references=self._drift_metrics,
        )

    @property
    def _drift_metrics(self) -> bool:
        """Whether the config has metrics that compare windows."""
        kinds = {str(one["type"]) for one in self.context.monitor.monitoring.custom_metrics}
        return MetricKind.DRIFT in kinds

    def _spans(self, ruler: Ruler) -> SpanMetrics | None:
        if not self._drift_metrics:
            return None
        names = {str(one["name"]) for one in self.context.monitor.monitoring.custom_metrics}
        custom = CustomMetrics.of_lake(self.context, self.lake, names)
        slices = {one.label: one.key for one in ruler.slicing.slices}
        return SpanMetrics(self.context, self.lake, custom, self.version, slices, self._model_id)

    def _turns(self, ruler: Ruler, rows_of: Mapping[Window, int]) -> list[Turn]:
        window = max(rows_of.values())
        load = Load(window, sum(one.windows for one in self.lookbacks) * window, 0)
        room = Room(
            self.context.monitor.monitoring.memory,
            models=self._model_id is not None,
            slices=len(ruler.slicing.slices),
            others=2 + len(ruler.slicing.slices),
            of_quality=len(ruler.quality_columns),
        )
        return room.turns(ruler.plan.columns, self.context.roles.prediction, load)


def _read_already(key: str, values: frozenset[str]) -> Slice:
    """Returns a slice whose value the lake has put into a column of its own."""
    return Slice(key, Translated(key, "", (), column=slice_label(key)), boolean=False, values=values)


@dataclass(frozen=True, slots=True)
class LakeReading(Reading):
    """Reads windows from a lake, with the value of each slice."""

    lake: LakeProfiles

    def _goes_ahead(self, largest: int) -> bool:
        return largest > 0  # it waits for the lake, not for the other thread

    def _by_column(self, span: Window) -> None:
        """None: the lake answers all columns with the values of the slices."""

    def rows(self, span: Window) -> pa.Table:
        """Reads the rows of a span of time."""
        timestamp = self.context.roles.timestamp
        columns = [timestamp, *(one.name for one in self.ruler.plan.columns), *self.ruler.quality_columns]
        columns += [self.model_id] if self.model_id else []
        found = self.lake.rows(
            self.context.monitor.inference_table.name,
            columns=list(dict.fromkeys(columns)),
            slices={one.label: one.key for one in self.ruler.slicing.slices},
            where=between(timestamp, span),
            version=self.version,
        )
        return self.ruler.vocabularies.encoded(found)


@dataclass(slots=True)
class Notes:
    """The drift rows of one refresh of one granularity, as they come about; stands where `Sheet` does.

    Attributes:
        context: names columns.
        version: of the inference table.
        definition: hash of what the numbers depend on.
        profile: completed profile rows of the windows, by place and column.
        spans: completes the rows of references; None without metrics that compare windows.
        whole: whether rows of `:table` are written; all but the last turn of columns leave them out.
        rows: that came about.
    """

    context: RunContext
    version: int
    definition: str
    profile: Mapping[tuple[Place, str], Row]
    spans: SpanMetrics | None
    whole: bool = True
    rows: list[Row] = field(default_factory=list[Row])
    _pairs: list[Pair] = field(default_factory=list[Pair])

    def add(self, found: Iterable[Measured], references: Mapping[str, Mapping[Series, Measured]]) -> None:
        """Compares the groups of one window with all references but the window just before."""
        from lakemon_core.profiling.measure import Comparison

        self._compare([
            Comparison(one.group, reference.group, drift_type)
            for one in found
            for drift_type, earlier in references.items()
            if drift_type != "CONSECUTIVE" and (reference := earlier.get(one.series))
        ])  # fmt: skip

    def settle(self) -> None:
        """Fills the custom metrics that compare windows."""
        if self.spans is not None:
            self.spans.custom.compare(self._pairs)

    def _compare(self, comparisons: Sequence[Comparison]) -> None:
        from lakemon_core.profiling.measure import drift_rows

        lists = drift_rows(
            comparisons,
            self.context.roles.model_id,
            smoothing=self.context.monitor.monitoring.psi_smoothing,
            table_version=self.version,
            config_hash=self.definition,
        )
        for one, found in zip(comparisons, lists, strict=True):
            rows = [row for row in found if self.whole or row["column_name"] != TABLE]
            self.rows += rows
            self._pair(one, rows)

    def _pair(self, one: Comparison, rows: Iterable[Row]) -> None:
        """Notes what custom metrics compare."""
        if self.spans is None:
            return
        then, place = self.spans.rows(one.reference), (one.group.key.window, *series_of(one.group.key))
        for row in rows:
            column = str(row["column_name"])
            if column in then and (now := self.profile.get((place, column))):
                self._pairs.append((row, now, then[column]))
