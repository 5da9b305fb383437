"""What the service refuses about the config of a monitor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlglot
from fakes.databricks.lake import Metastore
from fakes.databricks.web.messages import invalid
from sqlglot.errors import SqlglotError

Config = dict[str, Any]
KINDS = ("inference_log", "time_series", "snapshot")
GRANULARITIES = {
    "AGGREGATION_GRANULARITY_5_MINUTES": "5 minutes",
    "AGGREGATION_GRANULARITY_30_MINUTES": "30 minutes",
    "AGGREGATION_GRANULARITY_1_HOUR": "1 hour",
    "AGGREGATION_GRANULARITY_1_DAY": "1 day",
    "AGGREGATION_GRANULARITY_1_WEEK": "1 week",
    "AGGREGATION_GRANULARITY_2_WEEKS": "2 weeks",
    "AGGREGATION_GRANULARITY_3_WEEKS": "3 weeks",
    "AGGREGATION_GRANULARITY_4_WEEKS": "4 weeks",
    "AGGREGATION_GRANULARITY_1_MONTH": "1 month",
    "AGGREGATION_GRANULARITY_1_YEAR": "1 year",
}
"""Names of the current API → strings of the older one and of the metric tables."""
_PROBLEMS = ("INFERENCE_PROBLEM_TYPE_CLASSIFICATION", "INFERENCE_PROBLEM_TYPE_REGRESSION")
_METRIC_TYPES = tuple(
    f"DATA_PROFILING_CUSTOM_METRIC_TYPE_{kind}" for kind in ("AGGREGATE", "DERIVED", "DRIFT")
)
_COLUMNS = ("timestamp_column", "prediction_column", "model_id_column", "label_column")
_MOST_ADDRESSES = 5


def needed_columns(config: Config) -> list[str]:
    """Returns the columns that a refresh cannot do without."""
    part = config.get("inference_log") or config.get("time_series") or {}
    return [part[name] for name in _COLUMNS if part.get(name)]


def check(config: Config, columns: Sequence[str], metastore: Metastore) -> None:
    """Checks a config.

    Raises:
        Refused: 400 INVALID_PARAMETER_VALUE for the first thing that is wrong.
    """
    given = [kind for kind in KINDS if config.get(kind) is not None]
    if len(given) != 1:
        raise invalid(f"Exactly one of {', '.join(KINDS)} must be set; got {', '.join(given) or 'none'}.")
    if given[0] != "snapshot":
        _check_part(given[0], config[given[0]], columns)
    baseline = config.get("baseline_table_name")
    if baseline and baseline.lower() not in metastore.tables:
        raise invalid(f"Baseline table {baseline} does not exist.")
    for metric in config.get("custom_metrics") or []:
        _check_metric(metric)
    for expression in config.get("slicing_exprs") or []:
        _check_slice(expression)
    _check_schedule(config.get("schedule"))
    _check_addresses(config.get("notification_settings") or {})


def _check_part(kind: str, part: Config, columns: Sequence[str]) -> None:
    needed = ["timestamp_column", "granularities"]
    if kind == "inference_log":
        needed += ["problem_type", "prediction_column", "model_id_column"]
    for name in needed:
        if not part.get(name):
            raise invalid(f"{kind}.{name} is required.")
    for granularity in part["granularities"]:
        if granularity not in GRANULARITIES:
            raise invalid(f"Unknown granularity {granularity}.")
    if kind == "inference_log" and part["problem_type"] not in _PROBLEMS:
        raise invalid(f"Unknown problem_type {part['problem_type']}.")
    there = {column.lower() for column in columns}
    for column in needed_columns({kind: part}):
        if column.lower() not in there:
            raise invalid(f"Column {column} does not exist in the table.")


def _check_metric(metric: Config) -> None:
    for name in ("name", "definition", "input_columns", "output_data_type", "type"):
        if not metric.get(name):
            raise invalid(f"custom_metrics: {name} is required.")
    if metric["type"] not in _METRIC_TYPES:
        raise invalid(f"Unknown type of custom metric {metric['type']}.")
    try:
        field = json.loads(metric["output_data_type"])
    except ValueError:
        field = None
    if not isinstance(field, dict) or "type" not in field:
        raise invalid(f"output_data_type of {metric['name']} is not the JSON of a StructField.")


def _check_slice(expression: str) -> None:
    try:
        sqlglot.parse_one(f"SELECT {expression}", read="databricks")
    except SqlglotError as error:
        raise invalid(f"Slicing expression {expression!r} cannot be parsed.") from error


def _check_schedule(schedule: Config | None) -> None:
    if schedule is None:
        return
    if not schedule.get("quartz_cron_expression") or not schedule.get("timezone_id"):
        raise invalid("schedule needs quartz_cron_expression and timezone_id.")
    if not 6 <= len(schedule["quartz_cron_expression"].split()) <= 7:
        raise invalid(f"Invalid quartz cron expression {schedule['quartz_cron_expression']!r}.")
    if schedule.get("pause_status"):
        raise invalid("schedule.pause_status is read-only.")


def _check_addresses(settings: Config) -> None:
    for destination in settings.values():
        if len(destination.get("email_addresses") or []) > _MOST_ADDRESSES:
            raise invalid(f"At most {_MOST_ADDRESSES} email addresses are allowed.")
        if destination.get("destination_ids"):
            raise invalid("destination_ids are not supported for table monitors.")
