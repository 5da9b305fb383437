"""A plain measurement, so that metric tables of Databricks' schema appear: counts, nulls, means.

It knows whole tables and no slices; a test that needs true numbers gives its own `monitors.measure`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from fakes.databricks.lake.types import type_text

from .rules import GRANULARITIES

_WINDOW = pa.struct([("start", pa.timestamp("us", "UTC")), ("end", pa.timestamp("us", "UTC"))])
_TEST = pa.struct([("statistic", pa.float64()), ("pvalue", pa.float64())])
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_STEPS = {
    "5 minutes": timedelta(minutes=5),
    "30 minutes": timedelta(minutes=30),
    "1 hour": timedelta(hours=1),
    "1 day": timedelta(days=1),
    "1 week": timedelta(weeks=1),
    "2 weeks": timedelta(weeks=2),
    "3 weeks": timedelta(weeks=3),
    "4 weeks": timedelta(weeks=4),
    "1 month": timedelta(days=30),
    "1 year": timedelta(days=365),
}
"""Months and years are 30 and 365 days: the reference is plain."""
_MEASURES = {
    "avg": pc.mean,
    "stddev": pc.stddev,
    "min": pc.min,
    "max": pc.max,
    "median": pc.approximate_median,
}
Config = dict[str, Any]


def profile_schema(model_id: str | None) -> pa.Schema:
    """Returns the columns of the profile metrics, as far as the reference fills or names them."""
    model = [(model_id, pa.string())] if model_id else []
    doubles = ("avg", "stddev", "min", "max", "median")
    shares = ("percent_null", "percent_zeros", "percent_distinct")
    return pa.schema(
        [
            *(("window", _WINDOW), ("granularity", pa.string()), *model, ("log_type", pa.string())),
            *((name, pa.string()) for name in ("slice_key", "slice_value", "column_name", "data_type")),
            *(("logging_table_commit_version", pa.int32()), ("monitor_version", pa.int64())),
            *((name, pa.int64()) for name in ("count", "num_nulls", "distinct_count", "num_zeros")),
            *((name, pa.float64()) for name in (*doubles, *shares)),
            ("quantiles", pa.list_(pa.float64())),
        ]
    )


def drift_schema(model_id: str | None) -> pa.Schema:
    """Returns the columns of the drift metrics, as far as the reference fills or names them."""
    model = [(model_id, pa.string())] if model_id else []
    distances = ("wasserstein_distance", "population_stability_index", "tv_distance", "l_infinity_distance")
    return pa.schema(
        [
            *(("window", _WINDOW), ("granularity", pa.string()), *model, ("monitor_version", pa.int64())),
            *((name, pa.string()) for name in ("slice_key", "slice_value", "column_name", "data_type")),
            *(("drift_type", pa.string()), ("window_cmp", _WINDOW), ("count_delta", pa.int64())),
            *((name, pa.float64()) for name in ("avg_delta", "percent_null_delta", "percent_distinct_delta")),
            *(("ks_test", _TEST), ("chi_squared_test", _TEST)),
            *((name, pa.float64()) for name in (*distances, "js_distance")),
        ]
    )


def measured(config: Config, rows: pa.Table, baseline: pa.Table | None) -> tuple[pa.Table, pa.Table | None]:
    """Returns profile rows per window, model and column, and drift of counts and means."""
    part = config.get("inference_log") or config.get("time_series") or {}
    model_id = part.get("model_id_column")
    profile: list[Config] = []
    for name in part.get("granularities") or []:
        profile += _profile(config, rows, part, GRANULARITIES[name])
    if baseline is not None:
        profile += _columns(baseline, {**_keys(config, "BASELINE"), **({model_id: "*"} if model_id else {})})
    drift = _drift(profile, model_id)
    table = pa.Table.from_pylist(drift, schema=drift_schema(model_id)) if drift else None
    return pa.Table.from_pylist(profile, schema=profile_schema(model_id)), table


def _keys(config: Config, log_type: str) -> Config:
    return {"log_type": log_type, "monitor_version": config["monitor_version"]}


def _profile(config: Config, rows: pa.Table, part: Config, granularity: str) -> list[Config]:
    starts = _starts(rows.column(part["timestamp_column"]), granularity)
    found: list[Config] = []
    for start in sorted(set(starts)):
        inside = rows.filter(pa.array([each == start for each in starts]))
        window = {"start": start, "end": start + _STEPS[granularity]}
        keys = {**_keys(config, "INPUT"), "granularity": granularity, "window": window}
        found += _of_models(inside, keys, part.get("model_id_column"))
    return found


def _starts(moments: pa.ChunkedArray, granularity: str) -> list[datetime]:
    """Returns the start of the window of each moment, counted in steps from a Monday."""
    step = _STEPS[granularity]
    utc = moments.cast(pa.timestamp("us", "UTC")).to_pylist()
    return [_MONDAY + (moment - _MONDAY) // step * step for moment in utc]


def _of_models(rows: pa.Table, keys: Config, model_id: str | None) -> list[Config]:
    if not model_id:
        return _columns(rows, keys)
    found = _columns(rows, {**keys, model_id: "*"})
    models = rows.column(model_id).cast(pa.string())
    for model in pc.unique(models).to_pylist():
        found += _columns(rows.filter(pc.equal(models, model)), {**keys, model_id: model})
    return found


def _columns(rows: pa.Table, keys: Config) -> list[Config]:
    found = [{**keys, "column_name": ":table", "count": rows.num_rows}]
    for name, column in zip(rows.column_names, rows.columns, strict=True):
        kind = type_text(column.type).lower()
        found.append({**keys, "column_name": name, "data_type": kind, **_numbers(column)})
    return found


def _numbers(column: pa.ChunkedArray) -> Config:
    count = len(column) - column.null_count
    numbers: Config = {
        "count": count,
        "num_nulls": column.null_count,
        "percent_null": 100.0 * column.null_count / len(column),
    }
    if not pa.types.is_nested(column.type):
        numbers["distinct_count"] = pc.count_distinct(column).as_py()
    if count and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        values = column.cast(pa.float64())
        numbers |= {name: measure(values).as_py() for name, measure in _MEASURES.items()}
    return numbers


def _drift(profile: list[Config], model_id: str | None) -> list[Config]:
    """Compares every INPUT row with the window before it and with the BASELINE row of its column."""
    baseline = {row["column_name"]: row for row in profile if row["log_type"] == "BASELINE"}
    inputs = {
        (row["granularity"], row.get(model_id or ""), row["column_name"], row["window"]["start"]): row
        for row in profile
        if row["log_type"] == "INPUT"
    }
    found: list[Config] = []
    for (granularity, model, column, start), row in inputs.items():
        before = next(
            (
                other
                for (g, m, c, _), other in inputs.items()
                if (g, m, c) == (granularity, model, column) and other["window"]["end"] == start
            ),
            None,
        )
        if before:
            found.append(_compared(row, before, "CONSECUTIVE", before["window"]))
        if column in baseline:
            found.append(_compared(row, baseline[column], "BASELINE", None))
    return found


def _compared(row: Config, other: Config, drift_type: str, window: Config | None) -> Config:
    keys = {
        key: value for key, value in row.items() if key not in {"count", "avg", "percent_null", "log_type"}
    }
    delta = {
        f"{name}_delta": row[name] - other[name]
        for name in ("count", "avg", "percent_null")
        if row.get(name) is not None and other.get(name) is not None
    }
    return {**keys, **delta, "drift_type": drift_type, "window_cmp": window}
