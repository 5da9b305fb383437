"""Custom metrics at work: aggregates of rows, then what is derived from metrics, then drift of two groups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.errors import DataError, LakemonError
from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.names import plain
from lakemon_core.expressions import (
    DATABRICKS,
    DUCKDB,
    TABLE,
    CustomMetric,
    Dialect,
    MetricKind,
    PlannedMetric,
    read_metrics,
)
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import Expressions

if TYPE_CHECKING:
    import pyarrow as pa

    from lakemon_core.profiling.measure import ColumnPlan

Row = dict[str, Any]
Pair = tuple[Row, Row, Row]
"""A drift row, the profile row of its group and that of its reference."""

NULL = "the definition gives NULL"
"""Reason of a value that a definition computes as null."""
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
        engine: runs them; None where they are only looked at.
        dialect: that the engine speaks.
    """

    planned: tuple[PlannedMetric, ...]
    schema: pa.Schema
    engine: Expressions | None
    dialect: Dialect = DUCKDB

    @classmethod
    def of(cls, context: RunContext, schema: pa.Schema) -> CustomMetrics:
        """Translates the custom metrics of a run for a table with this schema.

        Raises:
            DataError: LM330 to LM337; the message names the metric.
        """
        made = cls.none(context)
        for metric in custom_metrics_of(context) if made.engine else ():
            with _naming(metric):
                made = made.plus(metric, context.roles, schema)
        return made

    @classmethod
    def none(cls, context: RunContext) -> CustomMetrics:
        """Returns what a run without custom metrics has."""
        return cls((), _built_in(context), context.backend.expressions)

    @classmethod
    def looked_at(cls, context: RunContext, engine: Expressions | None, dialect: Dialect) -> CustomMetrics:
        """Returns no metrics yet, to look at them one by one; without an engine no types are checked."""
        return cls((), _built_in(context), engine, dialect)

    @classmethod
    def of_lake(cls, context: RunContext, engine: Expressions, left: Collection[str]) -> CustomMetrics:
        """Takes the metrics that a lake leaves to us; those that it measures are known by their columns.

        Args:
            context: names columns.
            engine: the lake, which runs Databricks SQL.
            left: names of metrics.
        """
        made = cls((), _built_in(context), None, DATABRICKS)
        for metric in custom_metrics_of(context):
            more = made.plus(metric, context.roles, None)
            made = more if metric.name in left else replace(more, planned=made.planned)
        return replace(made, engine=engine)

    def plus(self, metric: CustomMetric, roles: Roles, schema: pa.Schema | None) -> CustomMetrics:
        """Returns these metrics and one more, which may name those before it.

        Args:
            metric: the next of the config.
            roles: give the columns that parameters name.
            schema: of the inference table; None while there is no table, then columns are not checked.

        Raises:
            DataError: LM330 to LM337.
        """
        import pyarrow as pa

        from lakemon_core.profiling.measure import plan_columns

        names = schema.names if schema else None
        own = tuple(metric.planned(roles, names, self.schema.names, self.dialect))
        if schema is not None:
            _refuse_unmeasured(own, plan_columns(schema, roles))
        for one in own:
            self._bind(one, schema)
        more = [] if metric.kind is MetricKind.DRIFT else [_field(metric)]
        return replace(self, planned=(*self.planned, *own), schema=pa.schema([*self.schema, *more]))

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
            if found.get(place) is None:
                reasons.setdefault(one.column, {})[one.metric.name] = failed.get(place, NULL)
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
            inside = self._inside(one)
            names = inside.names
            own = [pair for pair in pairs if pair[0]["column_name"] == one.column]
            cells = [
                {
                    side: {name: row.get(name) for name in names}
                    for side, row in ((_CURRENT, now), (_REFERENCE, then))
                }
                for _, now, then in own
            ]
            self._fill(one, [row for row, _, _ in own], cells, _both(inside))

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
                why = failed.get("value", NULL)
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

        return pa.schema([self.schema.field(name) for name in names or ("count",)])

    def _inside(self, one: PlannedMetric) -> pa.Schema:
        """Returns what a drift metric reads of each of its two sides."""
        import pyarrow as pa

        read = set(one.translated.fields) or {"count"}  # a side that has no field at all is none
        return pa.schema([field for field in self._comparable() if field.name in read])

    def _comparable(self) -> list[pa.Field]:
        """Columns of the profile table that a drift metric may name: numbers, texts and structs of them."""
        import pyarrow as pa

        nested = (pa.types.is_list, pa.types.is_map)
        return [one for one in self.schema if not any(test(one.type) for test in nested)]

    def _bind(self, one: PlannedMetric, schema: pa.Schema | None) -> None:
        """Tries a metric on a table without rows, so that wrong types are found before the first row."""
        import pyarrow as pa

        if one.metric.kind is MetricKind.DRIFT:
            schema = _both(self._inside(one))
        elif one.metric.kind is MetricKind.DERIVED:
            schema = pa.schema(self._comparable())
        if schema is not None and self.engine is not None:
            read = [name for name in one.translated.columns if name in schema.names]
            rows, sql = schema.empty_table().select(read), {"value": one.translated.sql}
            if one.metric.kind is MetricKind.AGGREGATE:
                self.engine.aggregate(rows, sql)
            else:
                self.engine.evaluate(rows, sql)


def _both(inside: pa.Schema) -> pa.Schema:
    """Returns the two sides that a drift metric compares."""
    import pyarrow as pa

    side = pa.struct(list(inside))
    return pa.schema([(_CURRENT, side), (_REFERENCE, side)])


def custom_metrics_of(context: RunContext) -> list[CustomMetric]:
    """Reads the custom metrics of the config.

    Raises:
        DataError: LM335, LM336.
    """
    return read_metrics(context.monitor.monitoring.custom_metrics, taken_names(context))


def taken_names(context: RunContext) -> set[str]:
    """Returns what a custom metric may not be called: columns of the metric tables, and quality metrics."""
    from lakemon_core.profiling.schemas import drift_schema

    quality = (metric.name for metric in context.model_type.metrics)
    return {*_built_in(context).names, *drift_schema(context.roles.model_id).names, *quality}


def _built_in(context: RunContext) -> pa.Schema:
    from lakemon_core.profiling.schemas import profile_schema

    return profile_schema(context.roles.model_id, context.model_type.quality_fields())


def _field(metric: CustomMetric) -> pa.Field:
    import pyarrow as pa

    types = {"text": pa.string(), "timestamptz": pa.timestamp("us", tz="UTC"), "double": pa.float64()}
    types |= {"float": pa.float32(), "bigint": pa.int64(), "integer": pa.int32()}
    types |= {"boolean": pa.bool_(), "date": pa.date32()}
    return pa.field(metric.name, types[DUCKDB.types[metric.data_type].lower()])


def _refuse_unmeasured(planned: Sequence[PlannedMetric], plan: ColumnPlan) -> None:
    measured = {TABLE, *(column.name for column in plan.columns)}
    for one in planned:
        if one.column not in measured:
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
