"""Golden numbers, and utilsforecast on a panel of series."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from utilsforecast import losses

from lakemon_core.profiling.intervals import wilson

SEASON = 7
NAMES = ["a", "b", "c", "d"]


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.fixture(scope="module")
def golden():
    return json.loads(Path(__file__).with_name("golden.json").read_text())


@pytest.fixture(scope="module")
def golden_rows(golden, day):
    forecast = np.array(golden["f"])
    return pa.table({
        "timestamp": [day(10 + step) for step in range(6)],
        "series": ["only"] * 6,
        "y": golden["y"],
        "prediction": forecast,
        "lo": forecast - 0.8,
        "hi": forecast + 0.4,
    })  # fmt: skip


@pytest.mark.parametrize("season", [1, 2])
def test_golden_numbers(forecasting, golden, golden_rows, day, season):
    model_type = forecasting(season_length=season, quantile_cols={0.1: "lo", 0.9: "hi"})
    history = {"timestamp": [day(step) for step in range(7)], "series": ["only"] * 7, "y": golden["train"]}
    model_type.fit_baseline(pa.table(history))
    values = model_type.quality(golden_rows).values
    assert values["mean_average_error"] == close(golden["mae"])
    assert values["root_mean_squared_error"] == close(golden["rmse"])
    assert values["mean_absolute_percentage_error"] == close(golden["mape_without_zero"])
    assert values["wape"] == close(golden["wape"])
    assert values["smape"] == close(golden["smape"])
    assert values["bias"] == close(golden["bias"])
    assert values["relative_bias"] == close(golden["relative_bias"])
    assert values["tracking_signal"] == close(6 * golden["bias"] / golden["mae"])
    assert values["mase"] == close(golden[f"mase_{season}"])
    assert values["coverage"] == close(golden["coverage"])
    assert values["winkler_score"] == close(golden["winkler"])
    assert values["interval_width"] == close(1.2)
    if season == 1:
        assert values["rmsse"] == close(golden["rmsse_1"])


def test_golden_pinball_losses(forecasting, golden, golden_rows):
    for level, loss in golden["pinball"].items():
        rows = golden_rows.append_column("q", golden_rows["prediction"])
        found = forecasting(quantile_cols={level: "q"}).quality(rows)
        assert found.values["pinball_loss"] == close(loss)
        assert found.values["pinball_by_quantile"] == {level: close(loss)}


@pytest.fixture(scope="module")
def panel(day):
    """History and later forecasts of four series with a weekly pattern, seven horizons each."""
    random = np.random.default_rng(21)
    level = dict(zip(NAMES, [20, 200, 3, 50], strict=True))
    history = pd.DataFrame([
        {"series": name, "timestamp": day(step), "y": level[name] * (1 + 0.3 * (step % SEASON)) + noise}
        for name in NAMES for step, noise in enumerate(random.normal(0, level[name] / 9, 70))
    ])  # fmt: skip
    rows = pd.DataFrame([
        {"series": name, "timestamp": day(80 + step), "h": h, "issued": day(80 + step - h),
         "y": level[name] * (1 + 0.3 * (step % SEASON))}
        for name in NAMES for step in range(14) for h in range(1, 8)
    ])  # fmt: skip
    size = rows["series"].map(level).to_numpy()
    rows["prediction"] = rows["y"] + size * random.normal(0.05, 0.1, len(rows)) * rows["h"] ** 0.5
    rows["lo"], rows["hi"] = rows["prediction"] - 0.15 * size, rows["prediction"] + 0.15 * size
    for frame in (history, rows):  # pandas warns of times with a zone on their way to Arrow
        times = frame.select_dtypes("datetimetz").columns
        frame[times] = frame[times].apply(lambda column: column.dt.tz_localize(None))
    return history.sample(frac=1, random_state=1), rows.sample(frac=1, random_state=2)


@pytest.fixture(scope="module")
def measured(forecasting, panel):
    """Quality of any part of the panel's forecasts."""
    history, rows = panel
    model_type = forecasting(season_length=SEASON, quantile_cols={0.1: "lo", 0.9: "hi"})
    model_type.fit_baseline(pa.Table.from_pandas(history, preserve_index=False))

    def measure(keep=None):
        part = rows if keep is None else rows[keep(rows)]
        return model_type.quality(pa.Table.from_pandas(part, preserve_index=False))

    return measure


def oracle(loss, rows, history=None, **keys):
    """Value of one of utilsforecast's losses by series."""
    frame = rows.assign(timestamp=0, issued=0).rename(
        columns={"prediction": "m", "lo": "m-lo-80", "hi": "m-hi-80"}
    )
    if history is not None:
        train = history.sort_values(["series", "timestamp"])
        keys |= {"train_df": train, "seasonality": SEASON, "time_col": "timestamp"}
    models = {"m": keys.pop("column")} if "column" in keys else ["m"]
    found = getattr(losses, loss)(frame, models=models, id_col="series", target_col="y", **keys)
    return found.set_index("series")["m"]


@pytest.mark.parametrize(("column", "loss", "scaled"), [
    ("mean_average_error", "mae", False),
    ("mean_squared_error", "mse", False),
    ("root_mean_squared_error", "rmse", False),
    ("mean_absolute_percentage_error", "mape", False),
    ("wape", "wape", False),
    ("bias", "bias", False),
    ("mase", "mase", True),
    ("rmsse", "rmsse", True),
])  # fmt: skip
@pytest.mark.parametrize("name", NAMES)
def test_errors_of_a_series_agree_with_utilsforecast(panel, measured, column, loss, scaled, name):
    history, rows = panel
    expected = oracle(loss, rows, history if scaled else None)[name]
    assert measured(lambda rows: rows["series"] == name).values[column] == close(expected)


@pytest.mark.parametrize("name", NAMES)
def test_quantiles_of_a_series_agree_with_utilsforecast(panel, measured, name):
    _, rows = panel
    values = measured(lambda rows: rows["series"] == name).values
    assert values["coverage"] == close(oracle("coverage", rows, level=80)[name])
    assert values["winkler_score"] == close(oracle("winkler_score", rows, level=80)[name])
    assert values["smape"] == close(2 * oracle("smape", rows)[name])
    for level, column in ((0.1, "lo"), (0.9, "hi")):
        loss = oracle("quantile_loss", rows.assign(q=rows[column]), column="q", q=level)[name]
        assert values["pinball_by_quantile"][f"{level:g}"] == close(loss)


def test_scaled_errors_of_all_series_weigh_every_row_alike(panel, measured):
    history, rows = panel
    values = measured().values
    assert values["mase"] == close(oracle("mase", rows, history).mean())
    assert values["rmsse"] == close(np.sqrt((oracle("rmsse", rows, history) ** 2).mean()))
    assert (values["series_count"], values["unscaled_series"]) == (4, 0)


def test_skill_compares_with_what_the_seasonal_naive_missed_at_the_same_horizon(panel, measured):
    history, rows = panel
    naive = history.sort_values("timestamp").groupby("series")["y"].apply(
        lambda y: y.diff(SEASON).abs().mean()
    )  # fmt: skip
    missed = (rows["prediction"] - rows["y"]).abs().sum()
    assert measured().values["skill"] == close(1 - missed / rows["series"].map(naive).sum())


def test_horizons_beyond_a_season_are_compared_with_the_season_that_was_known(forecasting, panel):
    history, rows = panel
    model_type = forecasting(season_length=SEASON)
    model_type.fit_baseline(pa.Table.from_pandas(history, preserve_index=False))
    far = rows.assign(h=rows["h"] + SEASON)
    found = model_type.quality(pa.Table.from_pandas(far, preserve_index=False)).values["skill"]
    naive = history.sort_values("timestamp").groupby("series")["y"].apply(
        lambda y: y.diff(2 * SEASON).abs().mean()
    )  # fmt: skip
    missed = (rows["prediction"] - rows["y"]).abs().sum()
    assert found == close(1 - missed / rows["series"].map(naive).sum())


def test_errors_by_horizon_add_up_to_the_whole(panel, measured):
    whole = measured()
    parts = [measured(lambda rows, h=h: rows["h"] == h) for h in range(1, 8)]
    assert sum(part.n for part in parts) == whole.n == 4 * 14 * 7
    for column in ("mean_average_error", "mase", "bias", "coverage", "winkler_score"):
        assert np.mean([part.values[column] for part in parts]) == close(whole.values[column])
    assert parts[0].values["mase"] < parts[6].values["mase"]


def test_intervals_take_the_forecasts_of_one_actual_together(panel, measured):
    _, rows = panel
    miss = (rows["prediction"] - rows["y"]).rename("miss")
    residuals = (miss - miss.mean()).groupby([rows["series"], rows["timestamp"]]).sum()
    count = len(residuals)
    error = np.sqrt((residuals**2).sum() * count / (count - 1)) / len(rows)
    half = 1.959963984540054 * error
    assert measured().intervals["bias"] == close((miss.mean() - half, miss.mean() + half))


def test_seven_forecasts_that_miss_as_one_count_as_one(forecasting):
    """The interval of coverage is that of the actuals, however often each is forecast."""
    inside = [True] * 30 + [False] * 10
    rows = pd.DataFrame(
        {
            "timestamp": list(np.repeat(pd.date_range("2026-01-01", periods=40), 7)),
            "series": "a",
            "h": [*range(1, 8)] * 40,
            "prediction": 10.0,
            "lo": 5.0,
            "hi": 15.0,
            "y": np.repeat(np.where(inside, 11.0, 20.0), 7),
        }
    )
    model_type = forecasting(quantile_cols={0.1: "lo", 0.9: "hi"})
    found = model_type.quality(pa.Table.from_pandas(rows, preserve_index=False))
    assert found.values["coverage"] == 0.75
    assert found.intervals["coverage"] == close(wilson(0.75, 39))


def test_every_metric_has_an_interval_around_its_value(forecasting, measured):
    found = measured()
    assert found.reasons == {}
    for metric in forecasting().metrics:
        low, high = found.intervals[metric.name]
        assert low < found.values[metric.column] < high or metric.name == "coverage"
