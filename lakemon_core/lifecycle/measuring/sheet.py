"""Measured groups to rows of the metric tables: built-in columns, fairness and custom metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import Aggregates, CustomMetrics, Pair
from lakemon_core.lifecycle.measuring.fairness import fairness, fairness_fields
from lakemon_core.lifecycle.measuring.groups import Measured
from lakemon_core.lifecycle.measuring.slices import Series, Slicing

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.profiling.measure import Comparison, GroupKey

Row = dict[str, Any]
Item = TypeVar("Item")

Compared = tuple[Measured, Measured, str]
"""A group, its reference, and the drift type."""

_TOGETHER = 1_000
"""Columns of pairs of groups that are compared together: the fewer calls, the better for small windows."""
_AT_HAND = 5_000
"""Rows after which they become a table: as such they take a tenth of the memory."""
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

    def profile(self, found: Sequence[Measured], by_series: Mapping[Series, Measured]) -> list[list[Row]]:
        """Returns the profile rows of some groups of one window, a list a group, what is derived included.

        Args:
            found: the groups.
            by_series: all groups of the window.
        """
        from lakemon_core.profiling.measure import profile_rows

        model_id, version = self.context.roles.model_id, self.table_version
        lists = [
            profile_rows(one.group, model_id, table_version=version, config_hash=self.definition)
            for one in found
        ]
        for one, rows in zip(found, lists, strict=True):
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

    Rows become tables after one window, or after a few small ones, which are compared together; those of very
    many columns while they come about. A custom metric that compares windows sees their profile rows again:
    then those of the last one are kept.

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
        for some, lists in self._profiled(groups):
            self._profile += [row for rows in lists for row in rows]
            if self.scribe.custom.drifts:
                self._written |= {
                    one.group.key: _by_column(rows) for one, rows in zip(some, lists, strict=True)
                }
            elif len(self._profile) >= _AT_HAND:
                self._settle()
        self._waiting += [pair for one in groups for pair in self._references(one, references)]
        if self.scribe.custom.drifts:
            self._compare()
            kept = {one.group.key for one in (*groups, *self.baseline.values())}
            self._written = {key: rows for key, rows in self._written.items() if key in kept}
            if len(self._pairs) >= _PAIRS:
                self._settle()
        elif self._columns_waiting >= _TOGETHER or self._rows_waiting >= _ROWS_TOGETHER:
            self._compare()
            self._settle()

    @property
    def _columns_waiting(self) -> int:
        return sum(len(one.group.columns) for one, _, _ in self._waiting)

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
        schema, groups = scribe.schemas()[0], list(self.baseline.values())
        parts = (lists for _, lists in self._profiled(groups, scribe))
        tables = [pa.Table.from_pylist([row for rows in lists for row in rows], schema) for lists in parts]
        return pa.concat_tables([schema.empty_table(), *tables])

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
        pairs, self._waiting = self._waiting, []
        for some in _in_turn(pairs, lambda pair: len(pair[0].group.columns)):
            self._compare_some(some)
            if not self.scribe.custom.drifts and len(self._drift) >= _AT_HAND:
                self._settle()

    def _compare_some(self, pairs: Sequence[Compared]) -> None:
        from lakemon_core.profiling.measure import Comparison

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
            ((_, (rows,)),) = self._profiled([one])
            self._written[key] = _by_column(rows)
        return self._written[key]

    def _profiled(
        self, groups: Sequence[Measured], scribe: Scribe | None = None
    ) -> Iterator[tuple[Sequence[Measured], list[list[Row]]]]:
        """Yields some groups of a window after others, with the profile rows of each."""
        by_series = {one.series: one for one in groups}
        for some in _in_turn(list(by_series.values()), lambda one: len(one.group.columns)):
            lists = (scribe or self.scribe).profile(some, by_series)
            yield some, [self._wanted(rows) for rows in lists]

    def _wanted(self, rows: list[Row]) -> list[Row]:
        """Leaves out the row of `:table`, which is the first one, unless it is its turn."""
        return rows if self.whole else rows[1:]


def _by_column(rows: Iterable[Row]) -> Mapping[str, Row]:
    return {row["column_name"]: row for row in rows}


def _in_turn(items: Iterable[Item], size: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Yields neighbours that together have as many rows as are held at once, or a single one with more."""
    some: list[Item] = []
    held = 0
    for item in items:
        if some and held + size(item) > _AT_HAND:
            yield some
            some, held = [], 0
        some.append(item)
        held += size(item)
    if some:
        yield some
