from dataclasses import replace
from math import inf, nan

import pytest

from lakemon_core.alerting.rules import fingerprint, named
from lakemon_core.alerting.wording import title_of
from lakemon_core.domain.rule import Compare, Rule, Status
from lakemon_core.domain.run import Severity

OK, BREACHED, UNKNOWN = Status.OK, Status.BREACHED, Status.UNKNOWN


@pytest.fixture
def numeric(make_signal):
    """The drift signals of a numeric feature in one week."""

    def signals(column="temp", *, psi=3.0, js=0.5, p_value=1e-9, name="feature_drift", **more):
        return [
            make_signal(f"{name}:psi", psi, column=column, **{"chance_level": 0.01} | more),
            make_signal(f"{name}:js_distance", js, column=column, **more),
            make_signal(f"{name}:ks_test", 0.4, column=column, p_value=p_value, **more),
        ]

    return signals


@pytest.fixture
def categorical(make_signal):
    """The drift signals of a categorical feature in one week."""

    def signals(column="carrier", *, psi=3.0, js=0.5, p_value=1e-9, name="feature_drift", **more):
        return [
            make_signal(f"{name}:psi", psi, column=column, chance_level=0.01, **more),
            make_signal(f"{name}:js_distance", js, column=column, **more),
            make_signal(f"{name}:chi_squared_test", 50.0, column=column, p_value=p_value, **more),
        ]

    return signals


def statuses(verdicts):
    return [verdict.status for verdict in verdicts]


@pytest.mark.parametrize(
    ("rule", "name", "value", "status"),
    [
        (Rule("row_count", 100), "row_count", 99, BREACHED),
        (Rule("row_count", 100), "row_count", 100, OK),
        (Rule("row_count", 100, op="<="), "row_count", 100, BREACHED),
        (Rule("row_count", 100, op=">"), "row_count", 101, BREACHED),
        (Rule("roc_auc", 0.7), "roc_auc", 0.69, BREACHED),
        (Rule("roc_auc", 0.7), "roc_auc", 0.71, OK),
        (Rule("log_loss", 0.6), "log_loss", 0.61, BREACHED),
        (Rule("log_loss", 0.6), "log_loss", 0.59, OK),
        (Rule("bias", 5), "bias", 5.1, BREACHED),
        (Rule("bias", 5), "bias", -5.1, BREACHED),
        (Rule("bias", 5), "bias", -5, OK),
        (Rule("bias", 5, op=">"), "bias", -5.1, OK),
        (Rule("null_rate", 0.05), "null_rate", 0.06, BREACHED),
        (Rule("null_rate", 0.05), "null_rate", 0.05, OK),
        (Rule("null_rate", 0.05, op=">="), "null_rate", 0.05, BREACHED),
        (Rule("new_categories", 0), "new_categories", 1, BREACHED),
        (Rule("acme.latency", 5), "acme.latency", 6, BREACHED),
        (Rule("acme.latency", 5), "acme.latency", inf, BREACHED),
    ],
)
def test_a_value_is_judged_by_the_direction_of_its_metric(judged, make_signal, rule, name, value, status):
    assert statuses(judged(rule, [make_signal(name, value)])) == [status]


def test_a_bias_below_its_limit_reads_as_one(judged, make_signal):
    (verdict,) = judged(Rule("bias", 5), [make_signal("bias", -14.7)])
    assert title_of(verdict) == "bias -14.7 < -5"


def test_freshness_has_no_window_and_needs_no_samples(judged, make_signal):
    signal = make_signal("freshness", 30.0, n=1, window=None, granularity="")
    (verdict,) = judged(Rule("freshness", 24), [signal])
    assert (verdict.status, verdict.window) == (BREACHED, None)


def test_every_feature_is_a_series_of_its_own(judged, numeric):
    verdicts = judged(Rule("feature_drift", 0.2), [*numeric("temp"), *numeric("wind", psi=0.1)])
    assert [(one.signal.column, one.status) for one in verdicts] == [("temp", BREACHED), ("wind", OK)]
    assert len({one.fingerprint for one in verdicts}) == 2


@pytest.mark.parametrize(
    "rule", [Rule("feature_drift.wind.speed", 0.2), Rule("feature_drift", 0.2, column="wind.speed")]
)
def test_a_rule_may_be_about_one_feature(judged, numeric, rule):
    verdicts = judged(rule, [*numeric("temp"), *numeric("wind.speed")])
    assert [one.signal.column for one in verdicts] == ["wind.speed"]


def test_numeric_columns_are_judged_by_psi_and_categorical_ones_by_js(judged, numeric, categorical):
    verdicts = judged(Rule("feature_drift", 0.2), [*numeric("temp"), *categorical("carrier")])
    assert {one.signal.column: one.signal.statistic for one in verdicts} == {
        "temp": "psi",
        "carrier": "js_distance",
    }


def test_a_rule_may_name_its_statistic(judged, numeric, categorical):
    verdicts = judged(
        Rule("feature_drift", 0.2, statistic="psi"), [*numeric("temp"), *categorical("carrier")]
    )
    assert [one.signal.statistic for one in verdicts] == ["psi", "psi"]


def test_drift_within_chance_is_no_breach_and_no_recovery(judged, make_signal):
    small = make_signal("feature_drift:psi", 0.3, column="temp", n=50, chance_level=0.34)
    (verdict,) = judged(Rule("feature_drift", 0.2), [small])
    assert (verdict.status, verdict.recovered) == (OK, False)
    assert verdict.reason == "chance alone gives up to 0.34 at these row counts"


def test_drift_that_equals_chance_is_chance(judged, make_signal):
    equal = make_signal("feature_drift:psi", 0.34, column="temp", n=50, chance_level=0.34)
    assert statuses(judged(Rule("feature_drift", 0.2), [equal])) == [OK]


def test_drift_beyond_threshold_and_chance_is_a_breach(judged, make_signal):
    large = make_signal("feature_drift:psi", 0.35, column="temp", n=50, chance_level=0.34)
    assert statuses(judged(Rule("feature_drift", 0.2), [large])) == [BREACHED]


@pytest.mark.parametrize(
    ("p_value", "status"), [(0.2, OK), (0.05, BREACHED), (1e-6, BREACHED), (None, BREACHED)]
)
def test_a_statistic_without_chance_level_takes_the_test_of_its_column(judged, categorical, p_value, status):
    verdicts = judged(Rule("feature_drift", 0.1), categorical(js=0.2, p_value=p_value))
    assert statuses(verdicts) == [status]


def test_the_test_of_another_window_says_nothing(judged, categorical):
    signals = [*categorical(js=0.2, p_value=0.9), *categorical(js=0.2, p_value=1e-9, week_number=1)]
    assert statuses(judged(Rule("feature_drift", 0.1), signals)) == [OK, BREACHED]


def test_few_rows_are_unknown_with_the_reason(judged, make_signal):
    (verdict,) = judged(Rule("null_rate", 0.05), [make_signal("null_rate", 1.0, column="temp", n=29)])
    assert (verdict.status, verdict.recovered) == (UNKNOWN, False)
    assert verdict.reason == "rests on 29 rows, the rule wants 30"


def test_as_many_rows_as_the_rule_wants_are_enough(judged, make_signal):
    assert statuses(judged(Rule("roc_auc", 0.7), [make_signal("roc_auc", 0.6, n=30)])) == [BREACHED]


def test_few_rows_are_no_excuse_for_few_rows(judged, make_signal):
    assert statuses(judged(Rule("row_count", 100), [make_signal("row_count", 3.0, n=3)])) == [BREACHED]


@pytest.mark.parametrize(("value", "reason"), [(None, "one class only"), (nan, "the value is not a number")])
def test_a_value_that_could_not_be_computed_is_unknown(judged, make_signal, value, reason):
    (verdict,) = judged(Rule("roc_auc", 0.7), [make_signal("roc_auc", value, reason="one class only")])
    assert (verdict.status, verdict.reason, verdict.recovered) == (UNKNOWN, reason, False)


def test_a_window_in_progress_is_not_judged(judged, make_signal, week):
    signals = [make_signal(value=1.0, week_number=number) for number in range(3)]
    verdicts = judged(Rule("row_count", 100), signals, now=week(2).start)
    assert [one.window for one in verdicts] == [week(0), week(1)]


def test_a_window_is_judged_from_the_moment_it_ends(judged, make_signal, week):
    assert statuses(judged(Rule("row_count", 100), [make_signal(value=1.0)], now=week(0).end)) == [BREACHED]


@pytest.mark.parametrize(
    ("value", "status", "severity", "limit", "recovered"),
    [
        (0.35, BREACHED, Severity.CRITICAL, 0.3, False),
        (0.25, BREACHED, Severity.WARNING, 0.2, False),
        (0.15, OK, Severity.CRITICAL, 0.2, False),
        (0.1, OK, Severity.CRITICAL, 0.2, True),
    ],
)
def test_warn_critical_and_recover_are_three_limits(
    judged, make_signal, value, status, severity, limit, recovered
):
    rule = Rule("null_rate", 0.3, warn=0.2, recover=0.1)
    (verdict,) = judged(rule, [make_signal("null_rate", value, column="temp")])
    assert (verdict.status, verdict.severity, verdict.limit, verdict.recovered) == (
        status, severity, limit, recovered,
    )  # fmt: skip


@pytest.mark.parametrize(("value", "recovered"), [(0.69, False), (0.72, False), (0.75, True), (0.8, True)])
def test_recover_follows_the_direction_of_the_metric(judged, make_signal, value, recovered):
    (verdict,) = judged(Rule("roc_auc", 0.7, recover=0.75), [make_signal("roc_auc", value)])
    assert verdict.recovered is recovered


def test_a_breach_takes_the_severity_of_its_rule(judged, make_signal):
    rule = Rule("row_count", 100, severity=Severity.INFO)
    assert judged(rule, [make_signal(value=1.0)])[0].severity is Severity.INFO


def test_only_all_versions_and_the_whole_table_are_judged(judged, make_signal):
    signals = [
        make_signal(),
        make_signal(model_id="3"),
        make_signal(slice_key="origin", slice_value="JFK"),
    ]
    (verdict,) = judged(Rule("row_count", 100), signals)
    assert verdict.signal is signals[0]


def test_a_rule_may_be_about_a_slice(judged, make_signal):
    signals = [make_signal(), make_signal(slice_key="origin", slice_value="JFK", value=1.0)]
    (verdict,) = judged(Rule("row_count", 100, slice="origin=JFK"), signals)
    assert verdict.status is BREACHED


def test_a_rule_compares_with_its_own_reference(judged, make_signal):
    signals = [
        make_signal("feature_drift:psi", 0.1, column="temp"),
        make_signal("feature_drift:psi", 0.9, column="temp", compare=Compare.PREVIOUS),
    ]
    assert statuses(judged(Rule("feature_drift", 0.2), signals)) == [OK]
    assert statuses(judged(Rule("feature_drift", 0.2, compare=Compare.PREVIOUS), signals)) == [BREACHED]


def test_a_rule_judges_its_own_granularity_or_the_first_of_the_config(judged, make_signal):
    signals = [make_signal(), make_signal(granularity="1 day", value=1.0)]
    assert statuses(judged(Rule("row_count", 100), signals)) == [OK]
    assert statuses(judged(Rule("row_count", 100, granularity="1 day"), signals)) == [BREACHED]
    assert statuses(judged(Rule("row_count", 100), signals, granularity="")) == [OK]


def test_a_breach_names_the_features_that_drifted_most_in_its_window(judged, make_signal, numeric):
    features = [
        signal for number in range(8) for signal in numeric(f"f{number}", psi=float(number), chance_level=0.5)
    ]
    elsewhere = numeric("elsewhere", psi=99.0, week_number=1)
    output = numeric("prediction", psi=99.0, js=99.0, name="prediction_drift")
    (verdict,) = judged(Rule("roc_auc", 0.7), [make_signal("roc_auc", 0.6), *features, *elsewhere, *output])
    assert [one["column"] for one in verdict.contributors] == ["f7", "f6", "f5", "f4", "f3"]
    assert verdict.contributors[0] == {"column": "f7", "statistic": "psi", "value": 7.0}


def test_features_within_chance_stand_beside_no_breach(judged, make_signal, numeric):
    features = [
        *numeric("noise", psi=0.4, chance_level=0.5),
        *numeric("real", psi=0.4, chance_level=0.01),
        *numeric("unsure", psi=0.3, chance_level=None),
    ]
    (verdict,) = judged(Rule("roc_auc", 0.7), [make_signal("roc_auc", 0.6), *features])
    assert [one["column"] for one in verdict.contributors] == ["real", "unsure"]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (Rule("roc_acu", 0.7), 'no signal roc_acu was measured. Did you mean "roc_auc"?'),
        (
            Rule("feature_drift.tmp", 0.2),
            'feature_drift was not measured for column tmp. Did you mean "temp"?',
        ),
        (
            Rule("feature_drift", 0.2, compare=Compare.PREVIOUS),
            "feature_drift was not measured against previous (no rows lie that far back yet)",
        ),
        (
            Rule("roc_auc", 0.7, slice="origin=JFK"),
            "no finished window has roc_auc for this rule's slice, statistic and granularity yet",
        ),
    ],
)
def test_a_rule_that_finds_nothing_is_unknown_and_says_why(judged, make_signal, numeric, rule, reason):
    (verdict,) = judged(rule, [make_signal("roc_auc", 0.8), *numeric("temp")])
    assert (verdict.status, verdict.window, verdict.reason) == (UNKNOWN, None, reason)


def test_a_rule_that_finds_nothing_stands_where_it_looked(judged, make_signal):
    rule = Rule("null_rate", 0.1, column="temp", slice="origin=JFK", on_no_data="alert")
    (verdict,) = judged(rule, [make_signal()])
    signal = verdict.signal
    assert (signal.column, signal.slice_key, signal.slice_value, signal.n) == ("temp", "origin", "JFK", 0)
    assert (signal.granularity, signal.statistic, signal.model_id) == ("1 week", "null_rate", "*")
    assert verdict.rule.on_no_data == "keep"
    (whole,) = judged(Rule("null_rate", 0.1, statistic="psi", granularity="1 day"), [make_signal()])
    assert (whole.signal.column, whole.signal.slice_key, whole.signal.slice_value) == (":table", None, None)
    assert (whole.signal.granularity, whole.signal.statistic) == ("1 day", "psi")


def test_a_missing_baseline_is_named(judged, make_signal):
    signal = make_signal("feature_drift:psi", 0.9, column="temp", compare=Compare.PREVIOUS)
    (verdict,) = judged(Rule("feature_drift", 0.2), [signal])
    assert "monitoring.baseline_table is missing" in verdict.reason


def test_the_fingerprint_is_of_names_only(judged, make_signal):
    rule = Rule("row_count", 100, id="volume")
    before = judged(rule, [make_signal(value=1.0)])[0].fingerprint
    other = replace(rule, threshold=5, for_windows=(2, 3), severity=Severity.INFO)
    assert judged(other, [make_signal(value=9.0, week_number=3)])[0].fingerprint == before
    assert judged(replace(rule, id="other"), [make_signal()])[0].fingerprint != before
    assert len(before) == 16
    assert int(before, 16) >= 0


def test_no_two_places_share_a_fingerprint():
    place = {"environment": "e", "model": "m", "rule": "r", "column": "c", "slice_text": "s", "model_id": "*"}
    variants = [place, *({**place, key: "x"} for key in place)]
    shifted = {**place, "rule": "rc", "column": ""}
    assert len({fingerprint(**one) for one in [*variants, shifted]}) == len(variants) + 1


def test_rules_of_one_name_get_names_of_their_own():
    rules = named([Rule("psi", 0.1), Rule("psi", 0.3), Rule("other", 1), Rule("psi", 0.5)])
    assert [rule.name for rule in rules] == ["psi", "psi#2", "other", "psi#3"]
    assert named(rules) == rules


def test_verdicts_come_in_the_order_of_the_rules_and_each_series_in_window_order(judged, make_signal, week):
    signals = [
        make_signal(name, 5.0, column=column, week_number=number)
        for number in (2, 0, 1)
        for column in ("b", "a")
        for name in ("null_rate", "new_categories")
    ]
    verdicts = judged([Rule("null_rate", 1), Rule("new_categories", 1)], signals)
    assert [(one.rule.metric, one.signal.column, one.window) for one in verdicts] == [
        (metric, column, week(number))
        for metric in ("null_rate", "new_categories")
        for column in ("a", "b")
        for number in range(3)
    ]


def test_hostile_names_are_judged_like_any_other(judged, make_signal):
    from lakemon_core.testing.sinks import HOSTILE

    signals = [make_signal("null_rate", 0.9, column=name) for name in HOSTILE]
    verdicts = judged(Rule("null_rate", 0.5), signals)
    assert statuses(verdicts) == [BREACHED] * len(HOSTILE)
    assert len({one.fingerprint for one in verdicts}) == len(HOSTILE)
