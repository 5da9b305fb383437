import json
import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lakemon_regression import Regression
from scipy import stats
from sklearn import metrics

from lakemon_core.profiling.intervals import wilson
from lakemon_core.profiling.schemas import profile_schema

Z = stats.norm.ppf(0.975)
QUANTILES = {0.1: "lo", 0.5: "mid", 0.9: "hi"}
LOSSES = ("mean_squared_error", "root_mean_squared_error", "mean_average_error", "bias", "r2_score")


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


@pytest.fixture(scope="module")
def rows():
    """Labels with nulls and zeros, predictions with nulls, and three quantiles."""
    random = np.random.default_rng(11)
    label = np.round(random.gamma(2, 20, 500)) * (random.random(500) > 0.05)
    prediction = label + random.normal(3, 6, 500)
    spread = random.uniform(5, 12, 500)
    return pa.table({
        "label": pa.array(label, mask=random.random(500) < 0.1),
        "prediction": pa.array(prediction, mask=random.random(500) < 0.04),
        "lo": prediction - spread,
        "mid": prediction,
        "hi": prediction + spread,
    })  # fmt: skip


@pytest.fixture(scope="module")
def known(rows):
    """Label and prediction of the rows that have both."""
    frame = rows.to_pandas().dropna()
    return frame["label"].to_numpy(), frame["prediction"].to_numpy()


@pytest.fixture(scope="module")
def result(regression, rows):
    return regression(quantile_cols=QUANTILES).quality(rows)


def test_errors_agree_with_scikit_learn(result, known):
    label, prediction = known
    values = result.values
    assert values["mean_squared_error"] == close(metrics.mean_squared_error(label, prediction))
    assert values["root_mean_squared_error"] == close(metrics.root_mean_squared_error(label, prediction))
    assert values["mean_average_error"] == close(metrics.mean_absolute_error(label, prediction))
    assert values["r2_score"] == close(metrics.r2_score(label, prediction))
    some = label != 0
    mape = metrics.mean_absolute_percentage_error(label[some], prediction[some])
    assert values["mean_absolute_percentage_error"] == close(mape)
    assert values["wape"] == close(np.abs(label - prediction).sum() / np.abs(label).sum())
    assert values["bias"] == close((prediction - label).mean())
    assert values["relative_bias"] == close((prediction - label).sum() / np.abs(label).sum())


def test_quantiles_agree_with_scikit_learn(result, rows):
    frame = rows.to_pandas()
    frame = frame[frame["label"].notna()]
    losses = {
        f"{level:g}": metrics.mean_pinball_loss(frame["label"], frame[column], alpha=level)
        for level, column in QUANTILES.items()
    }
    values = result.values
    assert values["pinball_by_quantile"] == {level: close(loss) for level, loss in losses.items()}
    assert values["pinball_loss"] == close(np.mean(list(losses.values())))
    assert values["quantile_coverage"]["0.9"] == close((frame["label"] <= frame["hi"]).mean())
    inside = ((frame["lo"] <= frame["label"]) & (frame["label"] <= frame["hi"])).mean()
    assert values["coverage"] == close(inside)
    assert result.intervals["coverage"] == close(wilson(inside, len(frame)))
    assert values["interval_width"] == close((rows.to_pandas()["hi"] - rows.to_pandas()["lo"]).mean())
    outside = np.maximum(frame["lo"] - frame["label"], 0) + np.maximum(frame["label"] - frame["hi"], 0)
    assert values["winkler_score"] == close((frame["hi"] - frame["lo"] + 2 / 0.2 * outside).mean())


def test_rows_are_counted_by_what_a_metric_rests_on(result, rows, known):
    labels = len(rows) - rows["label"].null_count
    zeros = int((known[0] == 0).sum())
    assert (result.n, result.rows, result.values["label_count"]) == (labels, 500, labels)
    assert result.counts["mae"] == result.counts["r2"] == len(known[0])
    assert result.counts["mape"] == len(known[0]) - zeros
    assert "coverage" not in result.counts
    assert result.counts["sharpness"] == 500
    assert result.values["zero_labels"] == zeros > 0
    assert result.reasons == {
        "mean_absolute_percentage_error": f"{zeros} of {len(known[0])} labels are 0: they are left out"
    }


def test_every_metric_has_an_interval_around_its_value(regression, result):
    for metric in regression().metrics:
        low, high = result.intervals[metric.name]
        assert low < result.values[metric.column] < high


def test_intervals_follow_the_documented_formulas(result, known):
    label, prediction = known
    miss = prediction - label
    half = Z * stats.sem(np.abs(miss))
    assert result.intervals["mae"] == close((np.abs(miss).mean() - half, np.abs(miss).mean() + half))
    root = math.sqrt((miss**2).mean())
    half = Z * stats.sem(miss**2) / (2 * root)
    assert result.intervals["rmse"] == close((root - half, root + half))
    wape = np.abs(miss).sum() / label.sum()
    half = Z * stats.sem(np.abs(miss) - wape * label) / label.mean()
    assert result.intervals["wape"] == close((wape - half, wape + half))


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=30))
def test_errors_agree_with_scikit_learn_on_any_numbers(pairs):
    label, prediction = map(np.array, zip(*pairs, strict=True))
    table = pa.table({"label": label, "prediction": prediction})
    values = Regression(Regression.Config(label_col="label")).quality(table).values
    assert values["mean_squared_error"] == close(metrics.mean_squared_error(label, prediction))
    assert values["mean_average_error"] == close(metrics.mean_absolute_error(label, prediction))
    if np.ptp(label) > 1e-3:
        assert values["r2_score"] == pytest.approx(metrics.r2_score(label, prediction), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("arrow_type", [
    pa.int8(), pa.uint16(), pa.int64(), pa.float32(), pa.float64(), pa.decimal128(9, 2),
    pa.dictionary(pa.int32(), pa.int64()),
])  # fmt: skip
def test_numbers_of_any_type_are_read(regression, arrow_type):
    plain = [Decimal(1), Decimal(4), None] if pa.types.is_decimal(arrow_type) else [1, 4, None]
    rows = pa.table({"label": pa.array(plain, arrow_type), "prediction": [2.0, 2.0, 9.0]})
    assert regression().quality(rows).values["mean_average_error"] == 1.5


def test_nan_is_missing_and_chunks_make_no_difference(regression):
    whole = pa.table({"label": [1.0, math.nan, 3.0, 4.0], "prediction": [1.5, 2.0, math.nan, 5.0]})
    parts = pa.concat_tables([whole.slice(0, 3), whole.slice(3)])
    assert regression().quality(parts) == regression().quality(whole.combine_chunks())
    assert regression().quality(whole).values["mean_average_error"] == 0.75


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"prediction": [1.0]}, "the table has no column 'label'"),
        ({"label": [1.0]}, "the table has no column 'prediction'"),
        ({"label": ["a"], "prediction": [1.0]}, "column 'label' is of type string: no number"),
        ({"label": [True], "prediction": [1.0]}, "column 'label' is of type bool: no number"),
        ({"label": pa.nulls(2), "prediction": [1.0, 2.0]}, "no row has a label"),
        ({"label": [1.0, None], "prediction": [None, 2.0]}, "no row has both a label and a prediction"),
        ({"label": [1.0, 2.0], "prediction": [math.inf, 2.0]},
         "the label or the prediction is infinite in 1 rows"),
        ({"label": pa.array([], pa.float64()), "prediction": pa.array([], pa.float64())},
         "no row has a label"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_none_and_says_why(regression, columns, why):
    result = regression().quality(pa.table(columns))
    assert {result.values[column] for column in LOSSES} == {None}
    assert {result.reasons[column] for column in LOSSES} == {why}
    assert not result.intervals


@pytest.mark.parametrize(
    ("label", "column", "why"),
    [
        ([2.0, 2.0, 2.0], "r2_score", "all labels are equal"),
        ([0.0, 0.0, 0.0], "mean_absolute_percentage_error", "all labels are 0"),
        ([0.0, 0.0, 0.0], "wape", "all labels are 0"),
        ([0.0, 0.0, 0.0], "relative_bias", "all labels are 0"),
        ([1e200, -1e200, 1.0], "mean_squared_error", "the numbers are too large for doubles"),
        ([1.0, 2.0, 3.0], "coverage", "model.quantile_cols is not set"),
    ],
)
def test_a_single_metric_may_be_missing(regression, label, column, why):
    result = regression().quality(pa.table({"label": label, "prediction": [1.0, 2.0, 4.0]}))
    assert (result.values[column], result.reasons[column]) == (None, why)
    assert result.values["bias"] is not None


def test_one_row_has_values_and_no_intervals(regression):
    result = regression().quality(pa.table({"label": [2.0], "prediction": [3.0]}))
    assert (result.values["bias"], result.values["wape"]) == (1.0, 0.5)
    assert result.intervals == {}


def test_quantiles_on_one_side_of_the_median_are_no_interval(regression):
    rows = pa.table({"label": [1.0, 2.0], "prediction": [1.0, 2.0], "hi": [3.0, 3.0]})
    result = regression(quantile_cols={0.9: "hi"}).quality(rows)
    assert result.values["pinball_loss"] == close(0.1 * 1.5)
    assert result.reasons["coverage"] == "quantile_cols has no levels on both sides of 0.5"


@pytest.mark.parametrize(("hi", "why"), [
    ({}, "the table has no column 'hi'"),
    ({"hi": [math.inf, 3.0]}, "a label or predicted quantile is infinite"),
])  # fmt: skip
def test_quantiles_that_cannot_be_read_leave_the_other_metrics(regression, hi, why):
    rows = pa.table({"label": [1.0, 2.0], "prediction": [1.0, 2.5], "lo": [0.0, 0.0], **hi})
    result = regression(quantile_cols={0.1: "lo", 0.9: "hi"}).quality(rows)
    assert result.reasons["pinball_loss"] == result.reasons["coverage"] == why
    assert result.values["mean_average_error"] == 0.25


def test_the_order_of_rows_changes_nothing(regression, rows, result):
    shuffled = rows.take(np.random.default_rng(3).permutation(len(rows)))
    again = regression(quantile_cols=QUANTILES).quality(shuffled)
    for metric in regression().metrics:
        assert again.values[metric.column] == close(result.values[metric.column])


def test_values_fit_their_columns(regression, result):
    schema = profile_schema("model_id", regression().quality_fields())
    (row,) = pa.Table.from_pylist([dict(result.values)], schema=schema).to_pylist()
    assert dict(row["quantile_coverage"]) == result.values["quantile_coverage"]
    assert json.dumps(row["mean_average_error"]) == json.dumps(result.values["mean_average_error"])
