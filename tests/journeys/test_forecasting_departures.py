"""Forecasting on real flights: departures a day of each airport, forecast every day for two weeks ahead."""

from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest
from utilsforecast import losses

from lakemon_core.demo import flights as nyc

CONFIG = """\
model: {name: departures, type: forecasting, timestamp_col: day, series_col: origin, horizon_col: horizon,
        issued_at_col: issued, season_length: 7, label_col: departures, quantile_cols: {0.1: lo, 0.9: hi}}
environments:
  dev:
    catalog: nyc
    schema: plan
    inference_table: {labels: {table: actuals, on: [origin, day], label_col: departures}}
    monitoring: {baseline_table: history, granularities: ["1 month"]}
"""
AIRPORTS = ("EWR", "JFK", "LGA")
HORIZONS = range(1, 15)
LOGS = "nyc.monitoring.inference_logs"


@pytest.fixture(scope="module")
def departures():
    """Scheduled departures by day and airport."""
    flights = pd.read_csv(nyc._data_folder() / "flights.csv.zip", usecols=["year", "month", "day", "origin"])
    day = pd.to_datetime(flights[["year", "month", "day"]]).dt.tz_localize("UTC")
    return flights.groupby([day, "origin"]).size().unstack().astype(float)


@pytest.fixture(scope="module")
def forecasts(departures):
    """For each day of April to June: from 14 origins, the mean of the same weekday in the last four weeks."""
    rows = []
    for day in pd.date_range("2013-04-01", "2013-06-30", tz="UTC"):
        for horizon in HORIZONS:
            issued = day - timedelta(days=horizon)
            weeks = [day - timedelta(weeks=week) for week in range(1, 10)]
            known = departures.loc[[week for week in weeks if week <= issued][:4]].mean()
            rows += [(day, airport, issued, horizon, known[airport]) for airport in AIRPORTS]
    found = pd.DataFrame(rows, columns=["day", "origin", "issued", "horizon", "prediction"])
    return found.assign(lo=found["prediction"] * 0.97, hi=found["prediction"] * 1.03, departures=float("nan"))


def tidy(departures, first, last):
    """One row a day and airport, naive UTC as most files have it."""
    rows = departures.loc[first:last].stack().rename("departures").rename_axis(["day", "origin"])
    rows = rows.reset_index()
    return pa.Table.from_pandas(rows.assign(day=rows["day"].dt.tz_localize(None)), preserve_index=False)


@pytest.fixture(scope="module")
def run(project, departures, forecasts):
    """After two runs: with the actuals of April, then with those of May too."""
    naive = {name: forecasts[name].dt.tz_localize(None) for name in ("day", "issued")}
    made = project("departures", CONFIG, {
        "nyc.plan.inference_logs": pa.Table.from_pandas(forecasts.assign(**naive), preserve_index=False),
        "nyc.plan.history": tidy(departures, "2013-01-01", "2013-03-31"),
        "nyc.plan.actuals": tidy(departures, "2013-04-01", "2013-04-30"),
    })  # fmt: skip
    made.first = made.json("run")
    import pyarrow.parquet as pq

    pq.write_table(tidy(departures, "2013-05-01", "2013-05-31"), made.folder / "may.parquet")
    made.lakemon("table", "import", "nyc.plan.actuals", "may.parquet", "--mode", "append")
    made.second = made.json("run")
    return made


@pytest.fixture(scope="module")
def quality(run):
    """Quality rows by month, slice key and slice value."""
    rows = run.table(f"{LOGS}_profile_metrics").to_pylist()
    return {
        (row["window"]["start"].month, row["slice_key"], row["slice_value"]): row
        for row in rows
        if row["column_name"] == ":table" and row["log_type"] == "INPUT" and row["model_id"] == "*"
    }


def stage(document, name):
    return next(stage for stage in document["stages"] if stage["name"] == name)["detail"]


def test_an_actual_is_matched_to_all_forecasts_that_await_it(run, quality):
    assert stage(run.first, "monitor")["labels_merged"] == 30 * 3 * len(HORIZONS)
    assert stage(run.second, "monitor")["labels_merged"] == 31 * 3 * len(HORIZONS)
    assert stage(run.second, "monitor")["windows"] == 2
    counts = [quality[month, None, None]["label_count"] for month in (4, 5, 6)]
    assert counts == [30 * 3 * 14, 31 * 3 * 14, 0]


def test_the_scale_is_the_seasonal_naive_of_january_to_march(quality):
    scales = [
        quality[4, "origin", airport]["mean_average_error"] / quality[4, "origin", airport]["mase"]
        for airport in AIRPORTS
    ]
    assert sum(scales) / 3 == pytest.approx(4.36, abs=0.005)


@pytest.mark.parametrize("month", [4, 5])
@pytest.mark.parametrize("horizon", HORIZONS)
def test_errors_by_horizon_agree_with_utilsforecast(quality, departures, forecasts, month, horizon):
    row = quality[month, "horizon", str(horizon)]
    rows = forecasts[(forecasts["day"].dt.month == month) & (forecasts["horizon"] == horizon)]
    actual = departures.stack().rename("y").rename_axis(["day", "origin"]).reset_index()
    rows = rows.merge(actual, on=["day", "origin"]).rename(columns={"prediction": "m"})
    keys = {"models": ["m"], "id_col": "origin", "target_col": "y"}
    assert row["mean_average_error"] == pytest.approx(losses.mae(rows, **keys)["m"].mean(), rel=1e-9)
    train = actual[actual["day"] < "2013-04-01"].sort_values(["origin", "day"])
    scaled = losses.mase(rows, **keys, seasonality=7, train_df=train, time_col="day")["m"].mean()
    assert row["mase"] == pytest.approx(scaled, rel=1e-9)


def test_a_month_without_actuals_still_knows_how_forecasts_were_revised(quality, forecasts):
    row = quality[6, None, None]
    assert row["mean_average_error"] is None
    assert dict(row["reasons"])["mean_average_error"] == "no row has a label"
    june = forecasts[forecasts["day"].dt.month == 6].sort_values("issued")
    changes = june.groupby(["day", "origin"])["prediction"].diff().abs()
    assert row["revision"] == pytest.approx(changes.mean(), rel=1e-9)


def test_forecasts_are_better_a_week_ahead_than_two(quality):
    near, far = (quality[4, "horizon", horizon]["mean_average_error"] for horizon in ("7", "14"))
    assert near < far


def test_signals_carry_what_each_number_rests_on(run):
    signals = run.table(f"{LOGS}_signals").to_pylist()
    april = {
        one["signal"]: one
        for one in signals
        if one["window"]["start"].month == 4 and one["slice_key"] is None and one["model_id"] == "*"
    }
    assert april["mase"]["lower"] < april["mase"]["value"] < april["mase"]["upper"]
    assert april["revision"]["n"] == 30 * 3 * 13
    assert april["mase"]["maturity"] == 1
