import subprocess
import sys

import pyarrow as pa
import pytest
from lakemon_forecasting import Forecasting, ForecastingConfig
from pydantic import ValidationError


def test_series_horizon_origin_and_quantiles_are_no_features(forecasting):
    roles = forecasting(quantile_cols={0.9: "hi", 0.1: "lo"}).roles()
    assert set(roles.others) == {"series", "h", "issued", "lo", "hi"}
    assert roles.timestamp == "timestamp"


def test_horizon_and_series_are_slices_of_their_own(forecasting):
    assert tuple(forecasting().slices()) == ("h", "series")
    odd = forecasting(series_col=None, series_cols=["shop id", "a`b"], horizon_col=None)
    assert tuple(odd.slices()) == ("`shop id`", "`a``b`")
    assert tuple(Forecasting(ForecastingConfig()).slices()) == ()


@pytest.mark.parametrize(("keys", "message"), [
    ({"series_col": "a", "series_cols": ["b"]}, "series_col and series_cols are both set"),
    ({"series_col": "h", "horizon_col": "h"}, "horizon_col and series_col both name column 'h'"),
    ({"issued_at_col": "timestamp"}, "issued_at_col and timestamp_col both name"),
    ({"series_cols": ["a", "a"]}, "series_cols and series_cols both name column 'a'"),
    ({"season_length": 0}, "greater than or equal to 1"),
    ({"seasonlength": 7}, "Extra inputs are not permitted"),
])  # fmt: skip
def test_what_does_not_fit_together_is_refused(keys, message):
    with pytest.raises(ValidationError) as caught:
        ForecastingConfig(**keys)
    assert message in str(caught.value)


def test_every_metric_names_a_column_that_quality_fills(forecasting):
    columns = {name for name, _ in forecasting().quality_fields()}
    assert {metric.column for metric in forecasting().metrics} <= columns
    assert [one.name for one in forecasting().metrics if one.higher_is_better] == ["skill", "coverage"]
    two_sided = [one.name for one in forecasting().metrics if one.two_sided]
    assert two_sided == ["bias", "relative_bias", "tracking_signal"]


def test_rules_follow_what_the_config_names():
    def metrics(**keys):
        return [rule.metric for rule in Forecasting(ForecastingConfig(**keys)).default_rules()]

    assert metrics() == ["null_rate"]
    assert metrics(label_col="y") == ["null_rate", "mase", "relative_bias"]
    assert "feature_drift" in metrics(features=("temp",))
    assert metrics(label_col="y", quantile_cols={0.1: "lo", 0.9: "hi"})[-1] == "coverage"


def test_what_is_wrong_with_times_and_series_is_said_in_sentences(forecasting, day):
    rows = pa.table({
        "timestamp": [day(3), day(4)],
        "serie": ["a", "b"],
        "h": pa.array([1, None], pa.int64()),
        "issued": [day(2), day(5)],
        "prediction": [1.0, 2.0],
    })  # fmt: skip
    assert tuple(forecasting().check_predictions(rows)) == (
        "there is no column 'series'. Did you mean \"serie\"?",
        "h is null in 1 of 2 rows",
        "issued lies after timestamp in 1 of 2 rows",
    )


def test_origins_with_and_without_zone_compare(forecasting, day):
    rows = pa.table({"timestamp": [day(3)], "issued": [day(3).replace(tzinfo=None)], "h": [0],
                     "series": ["a"], "prediction": [1.0]})  # fmt: skip
    assert tuple(forecasting().check_predictions(rows)) == ()
    assert tuple(forecasting().check_predictions(rows.slice(0, 0))) == ("there are no predictions",)


def test_an_answer_becomes_columns(forecasting):
    model_type = forecasting(quantile_cols={0.1: "lo", 0.9: "hi"})
    assert model_type.unpack({"prediction": 4, "lo": 3.5, "hi": 9.0}, None) == {
        "prediction": 4, "lo": 3.5, "hi": 9.0
    }  # fmt: skip
    assert model_type.unpack(2.5, None) == {"prediction": 2.5}
    with pytest.raises(ValueError, match="a list of 2 values came for one number"):
        model_type.unpack([1.0, 2.0], None)


def test_importing_the_plugin_loads_no_heavy_library():
    heavy = "{'numpy', 'pyarrow', 'scipy', 'pandas'}"
    code = f"import sys, lakemon_forecasting; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
