import math
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from lakemon_core.profiling.schemas import profile_schema


def history_of(day, **series):
    """One row a series and day."""
    names = [name for name, labels in series.items() for _ in labels]
    labels = [label for labels in series.values() for label in labels]
    days = [day(step) for labels in series.values() for step, _ in enumerate(labels)]
    return pa.table({"timestamp": days, "series": names, "y": pa.array(labels, pa.float64())})


def forecasts_of(day, *rows):
    """Rows of series, target day, horizon, forecast and actual."""
    names, targets, horizons, forecasts, actuals = zip(*rows, strict=True)
    return pa.table({
        "timestamp": [day(target) for target in targets],
        "series": pa.array(names),
        "h": pa.array(horizons, pa.int64()),
        "issued": [day(target - (h or 0)) for target, h in zip(targets, horizons, strict=True)],
        "prediction": pa.array(forecasts, pa.float64()),
        "y": pa.array(actuals, pa.float64()),
    })  # fmt: skip


@pytest.fixture(scope="module")
def fitted(forecasting, day):
    """Series `up` has scale 2, `still` never changes, `short` has one value."""

    def model_type(**keys):
        found = forecasting(**keys)
        found.fit_baseline(history_of(day, up=[1, 3, 5, 7], still=[4, 4, 4], short=[9]))
        return found

    return model_type


def test_series_without_a_scale_are_left_out_counted_and_named(fitted, day):
    rows = forecasts_of(
        day,
        ("up", 9, 1, 5, 4),
        ("up", 10, 1, 5, 8),
        ("still", 9, 1, 5, 4),
        ("short", 9, 1, 5, 4),
        ("new", 9, 1, 5, 4),
    )
    found = fitted().quality(rows)
    assert found.values["mase"] == (0.5 + 1.5) / 2
    assert (found.counts["mase"], found.n) == (2, 5)
    assert found.values["unscaled_series"] == 3
    assert found.reasons["mase"] == (
        "3 of 4 series have no scale and are left out: 'new' (not in the history), "
        "'short' (no two values a season apart in the history), "
        "'still' (never changes over a season in the history)"
    )
    assert found.values["mean_average_error"] == (1 + 3 + 1 + 1 + 1) / 5


@pytest.mark.parametrize(("name", "why"), [
    ("still", "no series has a scale: 'still' (never changes over a season in the history)"),
    ("new", "no series has a scale: 'new' (not in the history)"),
])  # fmt: skip
def test_a_series_without_a_scale_has_no_scaled_error(fitted, day, name, why):
    found = fitted().quality(forecasts_of(day, (name, 9, 1, 5, 4), (name, 10, 1, 5, 4)))
    for column in ("mase", "rmsse", "skill"):
        assert (found.values[column], found.reasons[column]) == (None, why)


def test_a_naive_that_never_missed_still_counts_for_skill(fitted, day):
    rows = forecasts_of(day, ("up", 9, 1, 5, 4), ("still", 9, 1, 5, 4))
    assert fitted().quality(rows).values["skill"] == 1 - (1 + 1) / (2 + 0)


def test_rows_too_far_ahead_for_the_history_are_left_out_of_skill(fitted, day):
    rows = forecasts_of(day, ("up", 9, 1, 5, 4), ("up", 9, 4, 5, 4))
    found = fitted().quality(rows)
    assert found.values["skill"] == 0.5
    assert found.reasons["skill"] == "1 of 2 rows have no naive forecast in the history and are left out"
    far = fitted().quality(rows.slice(1))
    assert far.reasons["skill"] == "the history is too short for a naive forecast this far ahead"


def test_without_a_baseline_only_what_needs_it_is_missing(forecasting, day):
    found = forecasting().quality(forecasts_of(day, ("up", 9, 1, 5, 4), ("up", 9, 2, 6, 4)))
    why = "no training history: monitoring.baseline_table is not set"
    missing = {"mase", "rmsse", "skill", "relative_revision"}
    assert {column for column, reason in found.reasons.items() if reason == why} == missing
    assert (found.values["mean_average_error"], found.values["revision"]) == (1.5, 1.0)
    assert found.values["unscaled_series"] is None


@pytest.mark.parametrize(("drop", "why"), [
    ("series", "the baseline has no column 'series'"),
    ("timestamp", "the baseline has no times in column 'timestamp'"),
    ("y", "no history in the baseline: the table has no column 'y'"),
])  # fmt: skip
def test_a_baseline_that_is_no_history_says_what_it_lacks(forecasting, day, drop, why):
    model_type = forecasting()
    model_type.fit_baseline(history_of(day, up=[1, 3]).drop_columns([drop]))
    found = model_type.quality(forecasts_of(day, ("up", 9, 1, 5, 4)))
    assert found.reasons["mase"] == why


def test_a_baseline_of_forecasts_with_their_actuals_is_a_history(forecasting, day):
    rows = [("up", step, h, 0, 1 + 2 * step) for step in range(4) for h in (1, 2, 3)]
    model_type = forecasting()
    model_type.fit_baseline(forecasts_of(day, *rows))
    assert model_type.quality(forecasts_of(day, ("up", 9, 1, 5, 4))).values["mase"] == 0.5


def test_two_labels_for_one_time_leave_no_scale(forecasting, day):
    torn = pa.concat_tables([history_of(day, up=[1, 3, 5]), history_of(day, up=[1, 4])])
    model_type = forecasting()
    model_type.fit_baseline(torn)
    found = model_type.quality(forecasts_of(day, ("up", 9, 1, 5, 4)))
    assert (
        found.reasons["mase"]
        == "no series has a scale: 'up' (two labels for one time, or an infinite one, in the history)"
    )


@pytest.mark.parametrize("horizon", [10**15, -3, None])
def test_any_horizon_has_an_answer(fitted, day, horizon):
    rows = forecasts_of(day, ("up", 9, 1, 5, 4)).drop_columns(["h"])
    found = fitted().quality(rows.append_column("h", pa.array([horizon], pa.int64())))
    assert found.values["mase"] == 0.5
    assert found.values["skill"] == (None if horizon == 10**15 else 0.5)


def test_a_horizon_that_is_no_number_counts_as_one_season(fitted, day):
    rows = forecasts_of(day, ("up", 9, 1, 5, 4)).drop_columns(["h"])
    found = fitted().quality(rows.append_column("h", pa.array(["1 day"])))
    assert found.values["skill"] == 0.5


def test_an_infinite_label_in_the_history_leaves_no_scale(forecasting, day):
    model_type = forecasting()
    model_type.fit_baseline(history_of(day, up=[1, 3, math.inf]))
    found = model_type.quality(forecasts_of(day, ("up", 9, 1, 5, 4)))
    assert found.values["mase"] is None
    assert "an infinite one" in found.reasons["mase"]


def test_numbers_that_are_too_large_are_said(fitted, day):
    found = fitted().quality(forecasts_of(day, ("up", 9, 1, 1e200, 4), ("up", 10, 1, 1e200, 4)))
    assert found.values["root_mean_squared_error"] is None
    assert found.reasons["rmsse"] == "the numbers are too large for doubles"
    assert found.values["mase"] > 1e199
    most = np.finfo(np.float64).max
    found = fitted().quality(forecasts_of(day, ("up", 9, 1, most, -most), ("up", 10, 1, most, -most)))
    assert found.reasons["smape"] == found.reasons["mean_average_error"] == found.reasons["rmsse"]


def test_a_missing_label_keeps_its_place_in_the_season(forecasting, day):
    model_type = forecasting(season_length=2)
    model_type.fit_baseline(history_of(day, up=[1, 10, None, 20, 5, 30]))
    found = model_type.quality(forecasts_of(day, ("up", 9, 1, 6, 1)))
    assert found.values["mase"] == 5 / 10


def test_a_label_that_came_beside_a_missing_one_counts(forecasting, day):
    model_type = forecasting()
    model_type.fit_baseline(pa.concat_tables([history_of(day, up=[None, 3]), history_of(day, up=[1])]))
    assert model_type.quality(forecasts_of(day, ("up", 9, 1, 5, 4))).values["mase"] == 0.5


@pytest.mark.parametrize("times", [
    [date(2026, 1, 1) + timedelta(days=step) for step in range(4)], [2020, 2021, 2022, 2023],
])  # fmt: skip
def test_times_may_be_dates_or_whole_numbers(forecasting, day, times):
    model_type = forecasting(series_col=None)
    model_type.fit_baseline(pa.table({"timestamp": times[::-1], "y": [7.0, 5.0, 3.0, 1.0]}))
    assert model_type.quality(forecasts_of(day, ("up", 9, 1, 5, 4))).values["mase"] == 0.5


def test_several_columns_name_a_series(forecasting, day):
    history = history_of(day, a=[1, 3, 5], b=[1, 2, 3])
    shop = pa.array([1, 1, 1, None, None, None], pa.int64())
    model_type = forecasting(series_col=None, series_cols=["series", "shop"])
    model_type.fit_baseline(history.append_column("shop", shop))
    rows = forecasts_of(day, ("a", 9, 1, 5, 4), ("b", 9, 1, 5, 4), ("a", 9, 1, 5, 4))
    found = model_type.quality(rows.append_column("shop", pa.array([1.0, None, 2.0])))
    assert found.values["mase"] == (0.5 + 1) / 2
    assert found.reasons["mase"].endswith("'a/2' (not in the history)")


def test_a_series_column_that_the_table_lacks_is_named(fitted, day):
    rows = forecasts_of(day, ("up", 9, 1, 5, 4)).drop_columns(["series"])
    found = fitted().quality(rows)
    assert found.reasons["mase"] == "the table has no column 'series'"
    assert found.values["mean_average_error"] == 1


def test_revisions_are_changes_between_consecutive_origins_of_one_target(fitted, day):
    rows = forecasts_of(
        day,
        ("up", 9, 1, 10, None), ("up", 9, 3, 4, None), ("up", 9, 2, 5, None),
        ("up", 10, 2, 8, None), ("still", 9, 1, 3, None), ("still", 9, 2, None, None),
    )  # fmt: skip
    found = fitted().quality(rows)
    assert found.values["revision"] == ((5 - 4) + (10 - 5)) / 2
    assert found.values["relative_revision"] == found.values["revision"] / 2
    assert (found.counts["revision"], found.n) == (2, 0)
    assert found.reasons["mean_average_error"] == "no row has a label"


def test_revisions_of_series_without_a_scale_are_left_out_of_the_relative_ones(fitted, day):
    rows = forecasts_of(day, ("new", 9, 1, 3, 1), ("new", 9, 2, 5, 1), ("up", 9, 1, 3, 1), ("up", 9, 2, 9, 1))
    found = fitted().quality(rows)
    assert (found.values["revision"], found.values["relative_revision"]) == ((2 + 6) / 2, 6 / 2)
    assert found.reasons["relative_revision"].startswith(
        "1 of 2 series have no scale and are left out: 'new'"
    )


def test_without_origins_the_horizon_orders_the_forecasts(forecasting, day):
    rows = forecasts_of(day, ("up", 9, 1, 10, 1), ("up", 9, 3, 4, 1), ("up", 9, 2, 5, 1))
    assert forecasting(issued_at_col=None).quality(rows).values["revision"] == 3
    bare = forecasting(issued_at_col=None, horizon_col=None).quality(rows)
    assert bare.reasons["revision"] == "neither issued_at_col nor horizon_col tells the origins"


def test_two_models_do_not_revise_each_other(forecasting, day):
    rows = forecasts_of(
        day, ("up", 9, 1, 10, 1), ("up", 9, 2, 4, 1), ("up", 9, 1, 20, 1), ("up", 9, 2, 18, 1)
    )
    found = forecasting().quality(rows.append_column("model_id", pa.array(["1", "1", "2", "2"])))
    assert found.values["revision"] == (6 + 2) / 2


def test_zero_against_zero_is_no_error_in_smape(forecasting, day):
    rows = forecasts_of(day, ("up", 9, 1, 0, 0), ("up", 10, 1, 1, 0), ("up", 11, 1, 3, 1))
    assert forecasting().quality(rows).values["smape"] == (0 + 2 + 1) / 3


def test_a_perfect_forecast_has_no_tracking_signal(forecasting, day):
    found = forecasting().quality(forecasts_of(day, ("up", 9, 1, 2, 2), ("up", 10, 1, 3, 3)))
    assert found.values["tracking_signal"] is None
    assert "every forecast is right" in found.reasons["tracking_signal"]
    assert found.values["mean_average_error"] == 0


def test_infinite_forecasts_and_actuals_are_said(forecasting, day):
    found = forecasting().quality(forecasts_of(day, ("up", 9, 1, math.inf, 2), ("up", 9, 2, 3, 3)))
    why = "the label or the prediction is infinite in 1 rows"
    assert found.reasons["mase"] == found.reasons["smape"] == found.reasons["mean_average_error"] == why
    assert found.reasons["revision"] == "a forecast is infinite"


def test_no_rows_are_no_error(fitted, day):
    found = fitted().quality(forecasts_of(day, ("up", 9, 1, 1, 1)).slice(0, 0))
    assert (found.n, found.rows, found.values["mase"]) == (0, 0, None)


def test_the_order_of_rows_changes_nothing(fitted, day):
    random = np.random.default_rng(4)
    rows = forecasts_of(day, *[
        (name, target, h, float(random.integers(0, 9)), float(random.integers(0, 9)))
        for name in ("up", "still", "new") for target in range(5, 12) for h in range(1, 5)
    ])  # fmt: skip
    first = fitted().quality(rows)
    again = fitted().quality(rows.take(random.permutation(len(rows))))
    assert again.reasons == first.reasons
    measured = {column: value for column, value in first.values.items() if isinstance(value, float)}
    assert {"mase", "revision", "tracking_signal"} <= set(measured)
    for column, value in measured.items():
        assert again.values[column] == pytest.approx(value, rel=1e-12)


def test_values_fit_their_columns(fitted, day):
    values = fitted().quality(forecasts_of(day, ("up", 9, 1, 5, 4), ("up", 9, 2, 5, 4))).values
    schema = profile_schema("model_id", fitted().quality_fields())
    assert set(values) == {name for name, _ in fitted().quality_fields()}
    (row,) = pa.Table.from_pylist([dict(values)], schema=schema).to_pylist()
    assert row["mase"] == values["mase"]
