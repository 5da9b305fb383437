"""Measured groups to rows of the metric tables: built-in columns, fairness and custom metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.measuring.custom_metrics import Aggregates, CustomMetrics, Pair
from lakemon_core.lifecycle.measuring.fairness import fairness, fairness_fields
from lakemon_core.lifecycle.measuring.groups import Measured
from lakemon_core.lifecycle.measuring.slices import Series, Slicing

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.profiling.measure import Group

Row = dict[str, Any]


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
        lists: list[list[Row]] = []
        for one in by_series.values():
            model_id, version = self.context.roles.model_id, self.table_version
            rows = profile_rows(one.group, model_id, table_version=version, config_hash=self.definition)
            for row in rows:
                self._add_aggregates(row, one.aggregates)
            rows[0].update(self._fairness(one, by_series))
            lists.append(rows)
        self.custom.derive([row for rows in lists for row in rows])
        return lists

    def drift(self, group: Group, reference: Group, drift_type: str) -> list[Row]:
        """Returns the drift rows of a group against a reference, all but custom metrics."""
        from lakemon_core.profiling.measure import drift_rows

        return drift_rows(
            group,
            reference,
            drift_type,
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

    Rows become tables window by window, unless a custom metric compares windows and has to see them again.

    Attributes:
        scribe: writes groups down.
        baseline: the baseline's groups by series; empty without a baseline.
    """

    scribe: Scribe
    baseline: Mapping[Series, Measured]
    _profile: list[Row] = field(default_factory=list[Row])
    _drift: list[Row] = field(default_factory=list[Row])
    _done: list[tuple[pa.Table, pa.Table]] = field(default_factory=list)
    _pairs: list[Pair] = field(default_factory=list[Pair])
    _written: dict[Measured, Mapping[str, Row]] = field(default_factory=dict[Measured, Mapping[str, Row]])

    def add(self, found: Iterable[Measured], references: Mapping[str, Mapping[Series, Measured]]) -> None:
        """Adds the groups of one window; `references` are other windows' groups, by drift type and series."""
        groups = list(found)
        for one, rows in zip(groups, self.scribe.profile(groups), strict=True):
            self._profile += rows
            self._written[one] = _by_column(rows)
        for one in groups:
            model_id, *place = one.series
            everything = self.baseline.get(("*", place[0], place[1]))
            if reference := self.baseline.get((model_id, place[0], place[1]), everything):
                self._compare(one, reference, "BASELINE")
            for drift_type, groups in references.items():
                if earlier := groups.get(one.series):
                    self._compare(one, earlier, drift_type)
        if not self.scribe.custom.drifts:
            self._written.clear()
            self._settle()

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Returns all rows of the profile and the drift table, with what is computed from pairs of groups."""
        import pyarrow as pa

        self.scribe.custom.compare(self._pairs)
        self._settle()
        profile, drift = zip(*self._done, strict=True)
        return pa.concat_tables(profile), pa.concat_tables(drift)

    def _settle(self) -> None:
        """Turns the rows at hand into tables: these take a tenth of the memory."""
        import pyarrow as pa

        schemas = self.scribe.schemas()
        rows = self._profile, self._drift
        profile, drift = (pa.Table.from_pylist(*pair) for pair in zip(rows, schemas, strict=True))
        self._done.append((profile, drift))
        self._profile, self._drift = [], []

    def _compare(self, one: Measured, reference: Measured, drift_type: str) -> None:
        rows = self.scribe.drift(one.group, reference.group, drift_type)
        self._drift += rows
        if self.scribe.custom.drifts:
            now, then = self._rows(one), self._rows(reference)
            places = ((row, row["column_name"]) for row in rows)
            self._pairs += [(row, now[name], then[name]) for row, name in places if name in then]

    def _rows(self, one: Measured) -> Mapping[str, Row]:
        """Returns the profile rows of a group by column, each group's made once."""
        if one not in self._written:
            self._written[one] = _by_column(self.scribe.profile([one])[0])
        return self._written[one]


def _by_column(rows: Iterable[Row]) -> Mapping[str, Row]:
    return {row["column_name"]: row for row in rows}
