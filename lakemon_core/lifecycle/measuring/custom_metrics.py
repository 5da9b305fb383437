"""Custom metrics at work: aggregates of rows, then what is derived from metrics, then drift of two groups."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.errors import DataError, LakemonError
from lakemon_core.domain.names import plain
from lakemon_core.expressions import TABLE, TYPES, CustomMetric, MetricKind, PlannedMetric, read_metrics
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import Expressions

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
Pair = tuple[Row, Row, Row]
"""A drift row, the profile row of its group and that of its reference."""

_CURRENT, _REFERENCE = "current_df", "base_df"


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Custom metrics of one group of rows: column → metric → value, or why there is none."""

    values: Mapping[str, Mapping[str, object]] = field(default_factory=dict[str, Mapping[str, object]])
    reasons: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


@dataclass(frozen=True, slots=True)
class CustomMetrics:
    """The custom metrics of one monitor, translated for one table.

    Attributes:
        planned: each metric for each of its columns, in the order of the config.
        schema: of the profile table, custom columns included.
        engine: runs them.
    """

    planned: tuple[PlannedMetric, ...] = ()
    schema: pa.Schema | None = None
    engine: Expressions | None = field(default=None, compare=False)

    @classmethod
    def of(cls, context: RunContext, schema: pa.Schema, measured: Sequence[str]) -> CustomMetrics:
        """Translates the custom metrics of a run and tries each on a table without rows.

        Args:
            context: names them.
            schema: of the inference table.
            measured: columns that have rows in the metric tables.

        Raises:
            DataError: LM330 to LM337; the message names the metric.
        """
        engine = context.backend.expressions
        metrics = custom_metrics_of(context)
        if engine is None or not metrics:
            return cls()
        built_in = _built_in(context)
        planned: list[PlannedMetric] = []
        for metric in metrics:
            with _naming(metric):
                own = list(metric.planned(context.roles, schema.names, built_in.names))
                _refuse_unmeasured(own, measured)
            planned += own
            if metric.kind is not MetricKind.DRIFT:
                built_in = built_in.append(_field(metric))
        made = cls(tuple(planned), built_in, engine)
        made.bind(schema)
        return made

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that aggregates read."""
        used = (name for one in self._of(MetricKind.AGGREGATE) for name in one.translated.columns)
        return tuple(dict.fromkeys(used))

    @property
    def drifts(self) -> bool:
        """Whether there are metrics of two groups."""
        return bool(self._of(MetricKind.DRIFT))

    def fields(self, *, drift: bool) -> list[tuple[str, pa.DataType]]:
        """Returns the columns that the profile or the drift table has more."""
        wanted = [one.metric for one in self.planned if (one.metric.kind is MetricKind.DRIFT) is drift]
        return [(metric.name, _field(metric).type) for metric in dict.fromkeys(wanted)]

    def aggregate(self, rows: pa.Table) -> Aggregates:
        """Computes the aggregates of one group; those whose columns the rows lack have a reason."""
        values: dict[str, dict[str, object]] = {}
        reasons: dict[str, dict[str, str]] = {}
        able: dict[str, PlannedMetric] = {}
        for place, one in enumerate(self._of(MetricKind.AGGREGATE)):
            missing = [name for name in one.translated.columns if name not in rows.schema.names]
            if missing:
                why = f"the table has no column {missing[0]!r}"
                reasons.setdefault(one.column, {})[one.metric.name] = why
            else:
                able[str(place)] = one
        found, failed = _each(able, lambda sql: self._aggregates(rows, sql))
        for place, one in able.items():
            values.setdefault(one.column, {})[one.metric.name] = found.get(place)
            if place in failed:
                reasons.setdefault(one.column, {})[one.metric.name] = failed[place]
        return Aggregates(values, reasons)

    def derive(self, profile: Sequence[Row]) -> None:
        """Fills the derived metrics of profile rows, in the order of the config."""
        for one in self._of(MetricKind.DERIVED):
            rows = [row for row in profile if row["column_name"] == one.column]
            schema = self._picked(one.translated.columns)
            cells = [{name: row.get(name) for name in schema.names} for row in rows]
            self._fill(one, rows, cells, schema)

    def compare(self, pairs: Sequence[Pair]) -> None:
        """Fills the drift metrics of drift rows."""
        for one in self._of(MetricKind.DRIFT):
            names = [field.name for field in self._comparable()]
            own = [pair for pair in pairs if pair[0]["column_name"] == one.column]
            cells = [
                {
                    side: {name: row.get(name) for name in names}
                    for side, row in ((_CURRENT, now), (_REFERENCE, then))
                }
                for _, now, then in own
            ]
            self._fill(one, [row for row, _, _ in own], cells, self._both)

    def _fill(self, one: PlannedMetric, rows: Sequence[Row], cells: list[Row], schema: pa.Schema) -> None:
        import pyarrow as pa

        if not rows:
            return
        table = pa.Table.from_pylist(cells, schema=schema)
        found, failed = _each({"value": one}, lambda sql: self._values(table, sql))
        values = found.get("value") or [None] * len(rows)
        for row, value in zip(rows, values, strict=True):
            row[one.metric.name] = value
            if value is None:
                why = failed.get("value", "the definition gives NULL")
                row["reasons"] = {**(row.get("reasons") or {}), one.metric.name: why}

    def _of(self, kind: MetricKind) -> list[PlannedMetric]:
        return [one for one in self.planned if one.metric.kind is kind]

    def _aggregates(self, rows: pa.Table, sql: Mapping[str, str]) -> Mapping[str, Any]:
        assert self.engine is not None
        names = [name for name in self.columns if name in rows.schema.names] or rows.schema.names[:1]
        return self.engine.aggregate(rows.select(names), sql)

    def _values(self, rows: pa.Table, sql: Mapping[str, str]) -> Mapping[str, Any]:
        assert self.engine is not None
        found = self.engine.evaluate(rows, sql)
        return {name: found.column(name).to_pylist() for name in sql}

    def _picked(self, names: Sequence[str]) -> pa.Schema:
        import pyarrow as pa

        assert self.schema is not None
        return pa.schema([self.schema.field(name) for name in names or ("count",)])

    @property
    def _both(self) -> pa.Schema:
        """The two sides that a drift metric compares."""
        import pyarrow as pa

        inside = pa.struct(self._comparable())
        return pa.schema([(_CURRENT, inside), (_REFERENCE, inside)])

    def _comparable(self) -> list[pa.Field]:
        """Columns of the profile table that a drift metric may name: numbers, texts and structs of them."""
        import pyarrow as pa

        assert self.schema is not None
        nested = (pa.types.is_list, pa.types.is_map)
        return [one for one in self.schema if not any(test(one.type) for test in nested)]

    def bind(self, schema: pa.Schema) -> None:
        """Binds every metric to the types of its columns."""
        import pyarrow as pa

        no_rows = {
            MetricKind.AGGREGATE: schema.empty_table(),
            MetricKind.DERIVED: pa.schema(self._comparable()).empty_table(),
            MetricKind.DRIFT: self._both.empty_table(),
        }
        for one in self.planned:
            with _naming(one.metric):
                self._values(no_rows[one.metric.kind], {"value": one.translated.sql})


def custom_metrics_of(context: RunContext) -> list[CustomMetric]:
    """Reads the custom metrics of the config.

    Raises:
        DataError: LM335, LM336.
    """
    definitions = context.monitor.monitoring.custom_metrics
    if not definitions:
        return []
    from lakemon_core.profiling.schemas import drift_schema

    quality = (metric.name for metric in context.model_type.metrics)
    drift = drift_schema(context.roles.model_id).names
    return read_metrics(definitions, {*_built_in(context).names, *drift, *quality})


def _built_in(context: RunContext) -> pa.Schema:
    from lakemon_core.profiling.schemas import profile_schema

    return profile_schema(context.roles.model_id, context.model_type.quality_fields())


def _field(metric: CustomMetric) -> pa.Field:
    import pyarrow as pa

    types = {"text": pa.string(), "timestamptz": pa.timestamp("us", tz="UTC"), "double": pa.float64()}
    types |= {"float": pa.float32(), "bigint": pa.int64(), "integer": pa.int32()}
    types |= {"boolean": pa.bool_(), "date": pa.date32()}
    return pa.field(metric.name, types[TYPES[metric.data_type].lower()])


def _refuse_unmeasured(planned: Sequence[PlannedMetric], measured: Sequence[str]) -> None:
    for one in planned:
        if one.column != TABLE and one.column not in measured:
            raise DataError(
                "LM333",
                f"input column {plain(one.column)!r} is not measured, it has no row to write to;",
                cure="use :table as input column and name the column in the definition.",
            )


@contextmanager
def _naming(metric: CustomMetric) -> Generator[None]:
    """Says which metric an error is about."""
    try:
        yield
    except LakemonError as error:
        where = f"monitoring.custom_metrics {metric.name}:"
        raise DataError(error.code, error.what, where=where, cure=error.cure) from error


def _each(
    wanted: Mapping[str, PlannedMetric], run: Callable[[Mapping[str, str]], Mapping[str, Any]]
) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Runs all metrics at once or, when one of them fails, each on its own; returns values and failures."""
    sql = {place: one.translated.sql for place, one in wanted.items()}
    if not sql:
        return {}, {}
    try:
        return run(sql), {}
    except DataError as error:
        if len(sql) == 1:
            return {}, dict.fromkeys(sql, error.what.rstrip(";"))
    found: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for place, one in wanted.items():
        values, reasons = _each({place: one}, run)
        found |= values
        failed |= reasons
    return found, failed
