"""Measured groups to rows of the metric tables: built-in columns, fairness and custom metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import Aggregates, CustomMetrics, Pair
from lakemon_core.lifecycle.measuring.fairness import fairness, fairness_fields
from lakemon_core.lifecycle.measuring.groups import Measured
from lakemon_core.lifecycle.measuring.slices import Series, Slicing

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.profiling.measure import Comparison, GroupKey

Row = dict[str, Any]

Compared = tuple[Measured, Measured, str]
"""A group, its reference, and the drift type."""

_TOGETHER = 32
"""Pairs of groups that are compared together: the fewer calls, the better for small windows."""
_ROWS_TOGETHER = 250_000
"""Rows of groups after which pairs do not wait for more: these rows are held in memory."""
_PAIRS = 5_000
"""Pairs of groups and columns that custom metrics compare at once."""


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes measured groups down as rows of the metric tables.

    Attributes:
        context: names columns.
        custom: the custom metrics.
        slicing: tells the Boolean slices.
        table_version: of the table that was measured.
        definition: hash of what the numbers depend on.
    """

    context: RunContext
    custom: CustomMetrics
    slicing: Slicing
    table_version: int | None
    definition: str

    def profile(self, found: Iterable[Measured]) -> list[list[Row]]:
        """Returns the profile rows of groups of one window, a list a group, all but what is derived."""
        from lakemon_core.profiling.measure import profile_rows

        by_series = {one.series: one for one in found}
        model_id, version = self.context.roles.model_id, self.table_version

        lists = [
            profile_rows(one.group, model_id, table_version=version, config_hash=self.definition)
            for one in by_series.values()
        ]
        for one, rows in zip(by_series.values(), lists, strict=True):
            for row in rows:
                self._add_aggregates(row, one.aggregates)
            rows[0].update(self._fairness(one, by_series))
        self.custom.derive([row for rows in lists for row in rows])
        return lists

    def drift(self, comparisons: Sequence[Comparison]) -> list[list[Row]]:
        """Returns the drift rows of groups against their references, all but custom metrics."""
        from lakemon_core.profiling.measure import drift_rows

        return drift_rows(
            comparisons,
            self.context.roles.model_id,
            smoothing=self.context.monitor.monitoring.psi_smoothing,
            table_version=self.table_version,
            config_hash=self.definition,
        )

    def schemas(self) -> tuple[pa.Schema, pa.Schema]:
        """Returns the schemas of the profile and the drift table: built-in columns, then ours."""
        import pyarrow as pa

        from lakemon_core.profiling.schemas import drift_schema, profile_schema

        model_type, model_id = self.context.model_type, self.context.roles.model_id
        profile = profile_schema(model_id, model_type.quality_fields())
        fair = fairness_fields() if self._judges_fairness else []
        drift = drift_schema(model_id)
        more = [pa.field(*one) for one in (*fair, *self.custom.fields(drift=False))]
        return (
            pa.schema([*profile, *more]),
            pa.schema([*drift, *(pa.field(*one) for one in self.custom.fields(drift=True))]),
        )

    def _add_aggregates(self, row: Row, found: Aggregates) -> None:
        column = row["column_name"]
        row.update(found.values.get(column, {}))
        if why := found.reasons.get(column):
            row["reasons"] = {**(row.get("reasons") or {}), **why}

    @property
    def _judges_fairness(self) -> bool:
        return self.context.model_type.problem_type == "CLASSIFICATION"

    def _fairness(self, one: Measured, all_groups: Mapping[Series, Measured]) -> Row:
        model_id, key, value = one.series
        rest = all_groups.get((model_id, key, "false"))
        boolean = {found.key for found in self.slicing.slices if found.boolean}
        if key not in boolean or value != "true" or rest is None or not self._judges_fairness:
            return {}
        prediction = self.context.roles.prediction
        predicted = (one.group.columns.get(prediction), rest.group.columns.get(prediction))
        return dict(fairness(_quality(one), _quality(rest), predicted))


def _quality(measured: Measured) -> Mapping[str, object]:
    quality = measured.group.quality
    return quality.values if quality else {}


@dataclass(slots=True)
class Sheet:
    """The rows of one refresh of one granularity, as they come about.

    Rows become tables after one window, or after a few small ones, which are compared together. A custom
    metric that compares windows sees their profile rows again: then those of the last one are kept.

    Attributes:
        scribe: writes groups down.
        baseline: the baseline's groups by series, of the columns that are measured now; empty without one.
        whole: whether rows of `:table` are written; all but the last turn of columns leave them out.
    """

    scribe: Scribe
    baseline: Mapping[Series, Measured] = field(default_factory=dict[Series, Measured])
    whole: bool = True
    _profile: list[Row] = field(default_factory=list[Row])
    _drift: list[Row] = field(default_factory=list[Row])
    _done: list[tuple[pa.Table, pa.Table]] = field(default_factory=list)
    _waiting: list[Compared] = field(default_factory=list[Compared])
    _pairs: list[Pair] = field(default_factory=list[Pair])
    _written: dict[GroupKey, Mapping[str, Row]] = field(default_factory=dict)

    def begin(self, baseline: Mapping[Series, Measured], *, whole: bool) -> None:
        """Begins a turn of columns."""
        self.baseline, self.whole = baseline, whole
        self._written.clear()

    def end(self) -> None:
        """Compares what still waits, and lets go of what belongs to a turn."""
        self._compare()
        self.begin({}, whole=self.whole)

    def add(self, found: Iterable[Measured], references: Mapping[str, Mapping[Series, Measured]]) -> None:
        """Adds the groups of one window; `references` are other windows' groups, by drift type and series."""
        groups = list(found)
        own = {one.group.key: rows for one, rows in zip(groups, self._profiled(groups), strict=True)}
        self._profile += [row for rows in own.values() for row in rows]
        self._waiting += [pair for one in groups for pair in self._references(one, references)]
        if self.scribe.custom.drifts:
            self._written |= {key: _by_column(rows) for key, rows in own.items()}
            self._compare()
            kept = {*own, *(one.group.key for one in self.baseline.values())}
            self._written = {key: rows for key, rows in self._written.items() if key in kept}
            if len(self._pairs) >= _PAIRS:
                self._settle()
        elif len(self._waiting) >= _TOGETHER or self._rows_waiting >= _ROWS_TOGETHER:
            self._compare()
            self._settle()

    @property
    def _rows_waiting(self) -> int:
        return sum(one.group.rows for one, _, _ in self._waiting)

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Returns all rows of the profile and the drift table."""
        import pyarrow as pa

        self._settle()
        profile, drift = zip(*self._done, strict=True)
        return pa.concat_tables(profile), pa.concat_tables(drift)

    def baseline_rows(self, table_version: int | None) -> pa.Table:
        """Returns the profile rows of the baseline, as one of a version of its table."""
        import pyarrow as pa

        scribe = replace(self.scribe, table_version=table_version)
        rows = [row for rows in scribe.profile(self.baseline.values()) for row in self._wanted(rows)]
        return pa.Table.from_pylist(rows, schema=scribe.schemas()[0])

    def _settle(self) -> None:
        """Compares what is to be compared, and turns the rows at hand into tables: a tenth of the memory."""
        import pyarrow as pa

        self.scribe.custom.compare(self._pairs)
        schemas = self.scribe.schemas()
        rows = self._profile, self._drift
        profile, drift = (pa.Table.from_pylist(*pair) for pair in zip(rows, schemas, strict=True))
        self._done.append((profile, drift))
        self._profile, self._drift, self._pairs = [], [], []

    def _references(
        self, one: Measured, references: Mapping[str, Mapping[Series, Measured]]
    ) -> Iterator[Compared]:
        """Yields a group with each of its references and the drift type: the baseline's first."""
        model_id, *place = one.series
        everything = self.baseline.get(("*", place[0], place[1]))
        if reference := self.baseline.get((model_id, place[0], place[1]), everything):
            yield one, reference, "BASELINE"
        for drift_type, earlier in references.items():
            if reference := earlier.get(one.series):
                yield one, reference, drift_type

    def _compare(self) -> None:
        from lakemon_core.profiling.measure import Comparison

        pairs, self._waiting = self._waiting, []
        comparisons = [Comparison(one.group, other.group, drift_type) for one, other, drift_type in pairs]
        lists = self.scribe.drift(comparisons)
        for (one, reference, _), found in zip(pairs, lists, strict=True):
            rows = self._wanted(found)
            self._drift += rows
            if self.scribe.custom.drifts:
                now, then = self._rows(one), self._rows(reference)
                places = ((row, row["column_name"]) for row in rows)
                self._pairs += [(row, now[name], then[name]) for row, name in places if name in then]

    def _rows(self, one: Measured) -> Mapping[str, Row]:
        """Returns the profile rows of a group by column, each group's made once."""
        key = one.group.key
        if key not in self._written:
            self._written[key] = _by_column(self._profiled([one])[0])
        return self._written[key]

    def _profiled(self, groups: Iterable[Measured]) -> list[list[Row]]:
        return [self._wanted(rows) for rows in self.scribe.profile(groups)]

    def _wanted(self, rows: list[Row]) -> list[Row]:
        """Leaves out the row of `:table`, which is the first one, unless it is its turn."""
        return rows if self.whole else rows[1:]


def _by_column(rows: Iterable[Row]) -> Mapping[str, Row]:
    return {row["column_name"]: row for row in rows}
