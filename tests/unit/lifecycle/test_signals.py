"""Metric rows to signals."""

from datetime import UTC, datetime

import pytest

from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.rule import Compare
from lakemon_core.lifecycle.signalling.from_metrics import SignalMaker
from lakemon_core.ports import QualityMetric

ROLES = Roles(prediction="p", label="y", model_id="v", prediction_proba="proba")
METRICS = [
    QualityMetric("accuracy", True, "accuracy_score"),
    QualityMetric("f1", True, "f1_score", ("macro",)),
]
WINDOW = {"start": datetime(2026, 3, 1, tzinfo=UTC), "end": datetime(2026, 3, 2, tzinfo=UTC)}
PLACE = {
    "window": WINDOW,
    "granularity": "1 day",
    "v": "*",
    "slice_key": None,
    "slice_value": None,
    "table_version": 3,
    "config_hash": "abc",
    "reasons": [],
    "intervals": [],
}


def profile(column, **values):
    return PLACE | {"column_name": column, "count": 90, "num_nulls": 10} | values


def drift(column, **values):
    empty = dict.fromkeys(
        [
            "population_stability_index",
            "js_distance",
            "ks_test",
            "wasserstein_normalized",
            "tv_distance",
            "l_infinity_distance",
            "chi_squared_test",
            "cramers_v",
            "psi_chance_level",
            "tv_chance_level",
            "js_chance_level",
            "new_categories",
        ]
    )
    return (
        PLACE
        | empty
        | {"data_type": "double", "column_name": column, "drift_type": "BASELINE", "n": 90, "method": "m"}
        | values
    )


def made(signals, name, statistic=None):
    return next(one for one in signals if one.name == name and statistic in {None, one.statistic})


@pytest.fixture
def maker():
    return SignalMaker(ROLES, METRICS)


def test_null_rate_is_a_share_and_knows_its_baseline(maker):
    baseline = {("*", None, None, "a"): profile("a", count=99, num_nulls=1)}
    signal = made(maker.from_profile([profile("a")], baseline), "null_rate")
    assert (signal.value, signal.baseline, signal.n) == (0.1, 0.01, 100)


def test_missing_labels_are_no_null_rate(maker):
    assert not list(maker.from_profile([profile("y")], {}))


def test_quality_carries_interval_maturity_and_baseline(maker):
    row = profile(
        ":table",
        count=100,
        label_count=80,
        accuracy_score=0.75,
        f1_score={"macro": 0.7},
        intervals=[("accuracy", {"lower": 0.64, "upper": 0.84})],
        counts=[("accuracy", 78)],
    )
    reference = {("*", None, None, ":table"): row | {"accuracy_score": 0.8, "f1_score": {"macro": 0.9}}}
    signals = list(maker.from_profile([row], reference))
    accuracy = made(signals, "accuracy")
    assert (accuracy.value, accuracy.n, accuracy.maturity, accuracy.baseline) == (0.75, 78, 0.8, 0.8)
    assert (accuracy.lower, accuracy.upper) == (0.64, 0.84)
    assert (made(signals, "f1").value, made(signals, "f1").n) == (0.7, 80)


def test_quality_without_labels_says_so(maker):
    row = profile(":table", label_count=0, accuracy_score=None, f1_score=None)
    signal = made(maker.from_profile([row], {}), "accuracy")
    assert signal.value is None
    assert signal.reason == "no labels yet"


def test_a_value_that_is_missing_carries_the_reason_of_its_row(maker):
    row = drift("a", reasons=[("ks_test", "no values")])
    signal = made(maker.from_drift([row]), "feature_drift", "ks_test")
    assert (signal.value, signal.reason) == (None, "no values")


def test_drift_is_named_by_the_part_its_column_plays(maker):
    names = [maker.drift_name(column) for column in ("p", "proba", "y", "a")]
    assert names == ["prediction_drift", "prediction_drift", "label_drift", "feature_drift"]


def test_numeric_columns_have_no_categorical_statistics_and_the_other_way_round(maker):
    numeric = {one.statistic for one in maker.from_drift([drift("a")])}
    categorical = {one.statistic for one in maker.from_drift([drift("a", new_categories=2)])}
    assert {"ks_test", "wasserstein_distance"} <= numeric
    assert not {"chi_squared_test", "new_categories"} & numeric
    assert {"chi_squared_test", "cramers_v", "new_categories"} <= categorical
    assert "ks_test" not in categorical


def test_timestamps_have_no_drift_signal(maker):
    assert not list(maker.from_drift([drift("joined", data_type="timestamp")]))


def test_drift_carries_statistic_p_value_chance_level_and_reference(maker):
    row = drift(
        "a",
        ks_test={"statistic": 0.2, "pvalue": 0.01},
        population_stability_index=0.3,
        psi_chance_level=0.05,
        drift_type="CONSECUTIVE",
    )
    signals = list(maker.from_drift([row]))
    ks, psi = made(signals, "feature_drift", "ks_test"), made(signals, "feature_drift", "psi")
    assert (ks.value, ks.p_value, ks.compare) == (0.2, 0.01, Compare.PREVIOUS)
    assert (psi.value, psi.chance_level) == (0.3, 0.05)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (
            "psi:quantile10:add_half:1",
            {
                "psi": "psi:quantile10:add_half:1",
                "js_distance": "js_distance:quantile10:base2:1",
                "tv_distance": "tv_distance:quantile10:1",
                "ks_test": "ks_test:exact:1",
                "wasserstein_distance": "wasserstein_distance:exact:1",
            },
        ),
        ("data_profiling:1", {"psi": "psi:data_profiling:1", "ks_test": "ks_test:data_profiling:1"}),
        (None, {"psi": "psi:1", "ks_test": "ks_test:1"}),
    ],
)
def test_every_statistic_names_its_own_definition_and_version(maker, method, expected):
    signals = list(maker.from_drift([drift("a") | {"method": method}]))
    for statistic, named in expected.items():
        assert made(signals, "feature_drift", statistic).method == named
    assert all(signal.method for signal in signals)
