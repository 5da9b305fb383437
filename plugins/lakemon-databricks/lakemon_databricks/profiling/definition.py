"""What data profiling shall measure, in words of neither of its two APIs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from lakemon_core import expressions
from lakemon_core.domain.monitor import Monitor, Roles
from lakemon_core.ports import ModelType

MOST_EMAILS = 5


_SPARK_NAMES = {"bigint": "long", "int": "integer"}
"""SQL's names of types → those of Spark's JSON."""


@dataclass(frozen=True, slots=True)
class CustomMetric:
    """A custom metric; `kind` is aggregate, derived or drift, `data_type` a type as Spark's JSON names it."""

    name: str
    kind: str
    definition: str
    input_columns: tuple[str, ...]
    data_type: str

    @classmethod
    def of(cls, read: expressions.CustomMetric) -> CustomMetric:
        """Takes a metric of the config."""
        spark_name = _SPARK_NAMES.get(read.data_type, read.data_type)
        return cls(read.name, str(read.kind), read.definition, read.inputs, spark_name)

    @property
    def output_data_type(self) -> str:
        """The JSON of a Spark StructField, which is how both APIs write a type."""
        return json.dumps({"metadata": {}, "name": "output", "nullable": True, "type": self.data_type})


def data_type_of(output_data_type: str) -> str:
    """Returns the type in the JSON of a Spark StructField, however it is spaced and ordered."""
    try:
        return str(json.loads(output_data_type)["type"])
    except (
        ValueError,
        KeyError,
        TypeError,
    ):  # what nobody understands is kept, so it differs from the config
        return output_data_type


@dataclass(frozen=True, slots=True)
class ProfilingSettings:
    """How data profiling is used.

    Attributes:
        api: `data_quality`, `quality_monitors`, or `auto` for the first that the workspace has.
        schema: where Databricks writes its own two tables, `catalog.schema`.
        assets_dir: folder of the workspace for Databricks' dashboard.
        emails: told when a refresh fails.
        seconds: how long a refresh may take, with all of its waiting.
    """

    api: str
    schema: str
    assets_dir: str
    emails: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What is measured of a table, and where it is written.

    Attributes:
        output_schema: `catalog.schema` of the two metric tables.
        problem_type: CLASSIFICATION or REGRESSION; empty for a time series without predictions.
        timestamp: column.
        granularities: lengths of windows.
        prediction: column; only with a problem type, as the next two.
        model_id: column.
        label: column; None while the table has none.
        proba: column; the older API alone takes it.
        baseline: table to compare with; empty for none.
        slices: expressions.
        metrics: custom ones.
        schedule: quartz cron expression and time zone; empty for none.
        emails: told when a refresh fails, at most five.
    """

    output_schema: str
    problem_type: str
    timestamp: str
    granularities: tuple[str, ...]
    prediction: str = ""
    model_id: str = ""
    label: str | None = None
    proba: str | None = None
    baseline: str = ""
    slices: tuple[str, ...] = ()
    metrics: tuple[CustomMetric, ...] = ()
    schedule: tuple[str, str] | None = None
    emails: tuple[str, ...] = ()

    def differences(self, other: Profile) -> tuple[str, ...]:
        """Returns the attributes in which two differ."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) != getattr(other, one.name))


_QUALITY = {
    "CLASSIFICATION": ("accuracy_score", "confusion_matrix", "precision", "recall", "f1_score"),
    "REGRESSION": (
        "mean_squared_error", "root_mean_squared_error", "mean_average_error",
        "mean_absolute_percentage_error", "r2_score",
    ),
}  # fmt: skip
"""Columns of quality in data profiling's own profile table, by its problem type."""


def _computable(
    definitions: Sequence[Mapping[str, object]], roles: Roles, problem_type: str
) -> Iterator[expressions.CustomMetric]:
    """Yields the custom metrics that read nothing but rows, and columns that data profiling makes.

    Args:
        definitions: of the config.
        roles: name the columns.
        problem_type: of the quality that data profiling measures; empty where it measures none.
    """
    from lakemon_core.profiling.schemas import PROFILE_STATISTICS

    known = {*PROFILE_STATISTICS, *_QUALITY.get(problem_type, ())}
    for metric in expressions.read_metrics(definitions, ()):
        if metric.kind is not expressions.MetricKind.AGGREGATE:
            planned = metric.planned(roles, dialect=expressions.DATABRICKS)
            read = {name for one in planned for name in one.translated.fields or one.translated.columns}
            if not read <= known:
                continue
        if metric.kind is not expressions.MetricKind.DRIFT:
            known.add(metric.name)
        yield metric


def profile_of(
    monitor: Monitor, model_type: ModelType, columns: Sequence[str], settings: ProfilingSettings
) -> Profile:
    """Returns what the config asks for.

    Args:
        monitor: the config.
        model_type: names the columns and Databricks' problem type, if there is one.
        columns: of the table.
        settings: where it is written, and who is told of failures.
    """
    roles, problem_type = model_type.roles(), model_type.problem_type
    spec, schedule = monitor.monitoring, monitor.monitoring.schedule
    serves = bool(problem_type) and {roles.prediction, roles.model_id} <= set(columns)
    judged = problem_type if serves and roles.label in columns else ""
    return Profile(
        output_schema=settings.schema,
        problem_type=problem_type if serves else "",
        timestamp=roles.timestamp,
        granularities=tuple(map(str, spec.granularities)),
        prediction=roles.prediction if serves else "",
        model_id=roles.model_id if serves else "",
        label=roles.label if serves and roles.label in columns else None,
        proba=roles.prediction_proba if serves and roles.prediction_proba in columns else None,
        baseline=str(spec.baseline_table) if spec.baseline_table else "",
        slices=tuple(dict.fromkeys([*model_type.slices(), *spec.slicing_exprs])),
        metrics=tuple(map(CustomMetric.of, _computable(spec.custom_metrics, roles, judged or ""))),
        schedule=(schedule["quartz_cron_expression"], schedule["timezone_id"]) if schedule else None,
        emails=settings.emails[:MOST_EMAILS],
    )
