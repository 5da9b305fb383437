"""A plain measurement, so that metric tables of Databricks' schema appear: counts, nulls, means.

It knows whole tables and no slices; a test that needs true numbers gives its own `monitors.measure`.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from .rules import GRANULARITIES

_WINDOW = pa.struct([("start", pa.timestamp("us", "UTC")), ("end", pa.timestamp("us", "UTC"))])
_TEST = pa.struct([("statistic", pa.float64()), ("pvalue", pa.float64())])
_STEPS = {
    "5 minutes": "5 minutes",
    "30 minutes": "30 minutes",
    "1 hour": "1 hour",
    "1 day": "1 day",
    "1 week": "7 days",
    "2 weeks": "14 days",
    "3 weeks": "21 days",
    "4 weeks": "28 days",
    "1 month": "1 month",
    "1 year": "1 year",
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
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("logged", rows)
    moment = f'"{part["timestamp_column"]}"::TIMESTAMPTZ'
    bucket = f"time_bucket(INTERVAL '{_STEPS[granularity]}', {moment})"
    starts = connection.sql(f"SELECT DISTINCT {bucket} AS start FROM logged ORDER BY 1").to_arrow_table()
    found: list[Config] = []
    for start in starts.column("start").to_pylist():
        found += _window(connection, config, part, granularity, bucket, start)
    connection.close()
    return found


def _window(
    connection: duckdb.DuckDBPyConnection,
    config: Config,
    part: Config,
    granularity: str,
    bucket: str,
    start: Any,
) -> list[Config]:
    given = {"start": start}
    inside = connection.sql(f"SELECT * FROM logged WHERE {bucket} = $start", params=given).to_arrow_table()
    step = f"SELECT $start::TIMESTAMPTZ + INTERVAL '{_STEPS[granularity]}' AS stop"
    end = connection.sql(step, params=given).to_arrow_table().column("stop")[0].as_py()
    keys = {**_keys(config, "INPUT"), "granularity": granularity, "window": {"start": start, "end": end}}
    model_id = part.get("model_id_column")
    if not model_id:
        return _columns(inside, keys)
    found = _columns(inside, {**keys, model_id: "*"})
    connection.register("inside", inside)
    for model in connection.sql(f'SELECT DISTINCT "{model_id}"::VARCHAR AS m FROM inside').to_arrow_table()[
        "m"
    ]:
        of_model = {"model": model.as_py()}
        chosen = f'SELECT * FROM inside WHERE "{model_id}"::VARCHAR = $model'
        found += _columns(
            connection.sql(chosen, params=of_model).to_arrow_table(), {**keys, model_id: model.as_py()}
        )
    return found


def _columns(rows: pa.Table, keys: Config) -> list[Config]:
    found = [{**keys, "column_name": ":table", "count": rows.num_rows}]
    connection = duckdb.connect()
    connection.register("part", rows)
    for name, kind in zip(rows.column_names, rows.schema.types, strict=True):
        found.append(
            {**keys, "column_name": name, "data_type": str(kind), **_numbers(connection, name, kind)}
        )
    connection.close()
    return found


def _numbers(connection: duckdb.DuckDBPyConnection, name: str, kind: pa.DataType) -> Config:
    column = '"' + name.replace('"', '""') + '"'
    wanted = f"count({column}) AS count, count(*) - count({column}) AS num_nulls"
    wanted += f", count(DISTINCT {column}) AS distinct_count"
    wanted += f", 100.0 * (1 - count({column}) / count(*)) AS percent_null"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        wanted += f", avg({column}) AS avg, stddev({column}) AS stddev, median({column})::DOUBLE AS median"
        wanted += f", min({column})::DOUBLE AS min, max({column})::DOUBLE AS max"
    return connection.sql(f"SELECT {wanted} FROM part").to_arrow_table().to_pylist()[0]


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
