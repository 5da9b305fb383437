import math
import subprocess
import sys

import pyarrow as pa
import pytest
from lakemon_regression import RegressionConfig
from pydantic import ValidationError


def test_quantiles_are_no_features(regression):
    roles = regression(quantile_cols={0.9: "hi", 0.1: "lo"}).roles()
    assert roles.others == ("lo", "hi")
    assert roles.feature_columns(["timestamp", "x", "lo", "hi", "prediction", "label"]) == ("x",)


def test_levels_may_be_written_as_text():
    config = RegressionConfig.model_validate({"quantile_cols": {"0.9": "hi", "0.1": "lo"}})
    assert list(config.quantile_cols.items()) == [(0.1, "lo"), (0.9, "hi")]
    assert config.interval == (0.1, 0.9)


@pytest.mark.parametrize(("keys", "message"), [
    ({"label_col": "prediction"}, "label_col and prediction_col both name column 'prediction'"),
    ({"features": ["x", "timestamp"]}, "features lists 'timestamp', which is timestamp_col"),
    ({"quantile_cols": {0.1: "prediction"}}, "quantile_cols.0.1 and prediction_col both name"),
    ({"quantile_cols": {0.1: "q", 0.9: "q"}}, "quantile_cols.0.9 and quantile_cols.0.1 both name"),
    ({"quantile_cols": {10: "lo"}}, "less than 1"),
    ({"quantile_cols": {"low": "lo"}}, "valid number"),
    ({"lable_col": "y"}, "Extra inputs are not permitted"),
])  # fmt: skip
def test_what_does_not_fit_together_is_refused(keys, message):
    with pytest.raises(ValidationError) as caught:
        RegressionConfig(**keys)
    assert message in str(caught.value)


def test_every_metric_names_a_column_that_quality_fills(regression):
    columns = {name for name, _ in regression().quality_fields()}
    assert {metric.column for metric in regression().metrics} <= columns
    better = [metric.name for metric in regression().metrics if metric.higher_is_better]
    assert better == ["r2", "coverage"]
    assert [one.name for one in regression().metrics if one.two_sided] == ["bias", "relative_bias"]


def test_rules_exist_without_a_config_and_quality_rules_only_with_labels(regression):
    bare = {rule.metric for rule in regression(label_col=None).default_rules()}
    labelled = {rule.metric for rule in regression().default_rules()}
    full = regression(quantile_cols={0.05: "lo", 0.95: "hi"}).default_rules()
    assert labelled - bare == {"r2", "relative_bias"}
    assert {rule.metric for rule in full} - labelled == {"coverage"}
    assert next(rule.threshold for rule in full if rule.metric == "coverage") == 0.8
    assert all(rule.default for rule in full)


@pytest.mark.parametrize(("columns", "sentences"), [
    ({"prediction": [1.0, 2.0], "lo": [0.0, 1.0], "hi": [2, 3]}, ()),
    ({"prediction": [1.0, None], "lo": [0.0, 1.0], "hi": [2.0, 3.0]},
     ("prediction is null or NaN in 1 of 2 rows",)),
    ({"prediction": [math.inf, math.nan], "lo": [0.0, 1.0], "hi": [2.0, 3.0]},
     ("prediction is null or NaN in 1 of 2 rows", "prediction is infinite in 1 of 2 rows")),
    ({"prediction": ["a", "b"], "lo": [0.0, 4.0], "hi": [2.0, 3.0]},
     ("column 'prediction' is of type string: no number", "lo lies above hi in 1 of 2 rows")),
    ({"predictions": [1.0], "lo": [0.0], "hi": [2.0]},
     ("there is no column 'prediction'. Did you mean \"predictions\"?",)),
    ({"prediction": pa.array([], pa.float64())}, ("there are no predictions",)),
])  # fmt: skip
def test_what_is_wrong_with_predictions_is_said_in_sentences(regression, columns, sentences):
    model_type = regression(quantile_cols={0.1: "lo", 0.9: "hi"})
    assert tuple(model_type.check_predictions(pa.table(columns))) == sentences


@pytest.mark.parametrize(("answer", "columns"), [
    (3, {"prediction": 3}),
    (2.5, {"prediction": 2.5}),
    (None, {"prediction": None}),
    ([2.5], {"prediction": 2.5}),
    ({"0": 2.5}, {"prediction": 2.5}),
    ({"prediction": 1.0, "lo": 0.5, "hi": 2.0, "note": "x"}, {"prediction": 1.0, "lo": 0.5, "hi": 2.0}),
    ({"prediction": 1.0, "hi": None}, {"prediction": 1.0, "hi": None}),
])  # fmt: skip
def test_an_answer_becomes_columns(regression, answer, columns):
    found = regression(quantile_cols={0.1: "lo", 0.9: "hi"}).unpack(answer, None)
    assert found == columns
    assert {type(value) for value in found.values()} <= {float, type(None)}


@pytest.mark.parametrize(("answer", "message"), [
    ("3", "a str is no number"),
    (True, "a bool is no number"),
    ([1.0, 2.0], "a list of 2 values came for one number"),
    ([], "a list of 0 values"),
    ({"lo": 1.0, "hi": 2.0}, "a dict with the keys hi, lo holds no 'prediction'"),
    ({}, "(none)"),
])  # fmt: skip
def test_an_answer_that_is_no_number_is_refused(regression, answer, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at below
        regression(quantile_cols={0.1: "lo", 0.9: "hi"}).unpack(answer, None)
    assert message in str(caught.value)


def test_importing_the_plugin_loads_no_heavy_library():
    heavy = "{'numpy', 'pyarrow', 'scipy', 'pandas'}"
    code = f"import sys, lakemon_regression; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
