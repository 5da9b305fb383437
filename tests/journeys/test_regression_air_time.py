"""Regression on real flights: how long they fly, learnt in winter, asked in summer."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from sklearn import metrics

from lakemon_core.demo import flights as nyc

CONFIG = """\
model: {name: air_time, type: regression, timestamp_col: ts, label_col: air_time}
environments:
  dev:
    catalog: nyc
    schema: flights
    monitoring:
      baseline_table: holdout
      granularities: ["1 month"]
      slicing_exprs: ["origin"]
      alerts: [{metric: bias, threshold: 5}, {metric: rmse, threshold: 15}]
"""
MONTHS = (4, 7)
FEATURES = list(nyc.FEATURES)
LOGS = "nyc.monitoring.inference_logs"


@pytest.fixture(scope="module")
def predicted():
    """Arrived flights with the prediction of a model that saw three of four of January to March."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder
    from threadpoolctl import threadpool_limits

    frame = nyc._labelled(nyc._joined(nyc._data_folder()))
    frame["month"] = frame["ts"].dt.month
    frame = frame[frame["air_time"].notna()].reset_index(drop=True)
    seen = (frame["month"] <= 3) & (frame.index % 4 != 2)
    asked = ~seen & frame["month"].isin([1, 2, 3, *MONTHS]) & frame["dest"].isin(frame.loc[seen, "dest"])
    columns = make_column_transformer((OrdinalEncoder(), list(nyc.CATEGORIES)), remainder="passthrough")
    model = make_pipeline(
        columns, HistGradientBoostingRegressor(max_iter=200, categorical_features=[0, 1, 2], random_state=13)
    )
    with threadpool_limits(1):
        model.fit(frame.loc[seen, FEATURES], frame.loc[seen, "air_time"])
        found = frame[asked].assign(prediction=model.predict(frame.loc[asked, FEATURES]))
    return found[["ts", "month", *FEATURES, "prediction", "air_time"]]


@pytest.fixture(scope="module")
def run(project, predicted):
    """The project after `lakemon run`."""
    rows = predicted.drop(columns="month")
    rows["ts"] = rows["ts"].dt.tz_localize(None)
    winter = predicted["month"] <= 3
    made = project("air_time", CONFIG, {
        "nyc.flights.inference_logs": pa.Table.from_pandas(rows[~winter], preserve_index=False),
        "nyc.flights.holdout": pa.Table.from_pandas(rows[winter], preserve_index=False),
    })  # fmt: skip
    made.first = made.json("run")
    return made


@pytest.fixture(scope="module")
def quality(run):
    """Quality rows by log type, month and airport; None for the whole table."""
    rows = run.table(f"{LOGS}_profile_metrics").to_pylist()
    return {
        (row["log_type"], row["window"]["start"].month if row["window"] else None, row["slice_value"]): row
        for row in rows
        if row["column_name"] == ":table" and row["model_id"] == "*"
    }


def test_the_model_is_good_in_winter_and_wrong_in_summer(quality):
    winter, july = quality["BASELINE", None, None], quality["INPUT", 7, None]
    assert winter["root_mean_squared_error"] == pytest.approx(7.9, abs=0.2)
    assert july["root_mean_squared_error"] == pytest.approx(20.2, abs=0.7)
    assert july["bias"] == pytest.approx(14.7, abs=0.7)
    assert abs(winter["bias"]) < 0.3


@pytest.mark.parametrize("month", MONTHS)
def test_every_number_agrees_with_scikit_learn(quality, predicted, month):
    rows = predicted[predicted["month"] == month]
    label, prediction, row = rows["air_time"], rows["prediction"], quality["INPUT", month, None]
    expected = {
        "mean_squared_error": metrics.mean_squared_error(label, prediction),
        "root_mean_squared_error": metrics.root_mean_squared_error(label, prediction),
        "mean_average_error": metrics.mean_absolute_error(label, prediction),
        "mean_absolute_percentage_error": metrics.mean_absolute_percentage_error(label, prediction),
        "r2_score": metrics.r2_score(label, prediction),
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-9)
    assert row["label_count"] == len(rows)
    assert dict(row["intervals"])["mae"]["lower"] < row["mean_average_error"]


def test_airports_add_up_to_the_whole(quality):
    parts = [quality["INPUT", 7, airport] for airport in ("EWR", "JFK", "LGA")]
    squared = [part["mean_squared_error"] for part in parts]
    counts = [part["label_count"] for part in parts]
    whole = quality["INPUT", 7, None]
    assert np.average(squared, weights=counts) == pytest.approx(whole["mean_squared_error"], rel=1e-9)


def test_bias_and_error_are_incidents(run):
    opened = {incident["rule"] for incident in run.first["incidents"]}
    assert opened == {"bias", "rmse"}
    signals = run.table(f"{LOGS}_signals").to_pylist()
    july = datetime(2013, 7, 1, tzinfo=UTC)
    (bias,) = [
        one for one in signals
        if one["signal"] == "bias" and one["window"]["start"] == july and one["slice_key"] is None
        and one["model_id"] == "*"
    ]  # fmt: skip
    assert bias["lower"] < bias["value"] < bias["upper"]
    assert bias["n"] > 27_000
    assert abs(bias["baseline"]) < 0.3
