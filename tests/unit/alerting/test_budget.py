"""A budget of false alarms: levels, q-values, and what is usual for a series."""

from dataclasses import replace
from datetime import timedelta
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, false_discovery_control

from lakemon_core.alerting.judging.budget import Usual, adjusted, level_of
from lakemon_core.alerting.rules import judge
from lakemon_core.config import load
from lakemon_core.domain.errors import ConfigErrors
from lakemon_core.domain.rule import AlarmBudget, Rule, Status
from lakemon_core.domain.run import Severity
from lakemon_core.domain.window import Window
from lakemon_core.ports import QualityMetric

OK, BREACHED, UNKNOWN = Status.OK, Status.BREACHED, Status.UNKNOWN
WEEK = timedelta(weeks=1)
QUALITY = (
    QualityMetric("roc_auc", higher_is_better=True, column="roc_auc_score"),
    QualityMetric("bias", higher_is_better=False, column="bias", two_sided=True),
)
ONE_A_QUARTER = AlarmBudget(1, timedelta(weeks=13))


@pytest.mark.parametrize(
    ("budget", "window", "level"),
    [
        (AlarmBudget(1, WEEK), timedelta(days=1), 1 / 7),
        (AlarmBudget(1, timedelta(days=30)), timedelta(days=1), 1 / 30),
        (AlarmBudget(2, timedelta(days=365)), timedelta(hours=1), 2 / 8760),
        (AlarmBudget(1, WEEK), WEEK, 0.2),
    ],
)
def test_a_budget_is_a_share_of_quiet_windows(budget, window, level):
    assert level_of(budget, window) == pytest.approx(level)


def test_q_values_are_those_of_the_worked_example():
    p_values = (0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216)
    expected = (0.01, 0.04, 0.084, 0.084, 0.084, 0.1, 0.105714, 0.216, 0.216, 0.216)
    assert adjusted(p_values) == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_q_values_are_those_of_scipy(p_values):
    assert adjusted(p_values) == pytest.approx(list(false_discovery_control(p_values)), abs=1e-12)


@pytest.mark.parametrize(("n", "multiplier"), [(5, 8.11), (10, 4.53), (20, 3.62), (30, 3.39)])
def test_the_limit_of_few_windows_is_wide_enough_for_one_more(n, multiplier):
    """The multipliers of the population's deviation that do give 0.27 % on two sides."""
    values = np.random.default_rng(n).normal(size=n)
    usual = Usual.of(list(values))
    assert usual.limit(0.00135, 1) == pytest.approx(values.mean() + multiplier * values.std(), rel=2e-3)
    assert usual.limit(0.00135, -1) == pytest.approx(values.mean() - multiplier * values.std(), rel=2e-3)


@pytest.mark.parametrize("n", [5, 10, 30])
def test_the_share_of_false_alarms_is_the_level(n):
    values = np.random.default_rng(7).normal(size=(4000, n + 1))
    above = [row[-1] > Usual.of(list(row[:-1])).limit(0.05, 1) for row in values]
    assert np.mean(above) == pytest.approx(0.05, abs=0.012)


def test_too_few_windows_say_nothing_and_old_ones_are_history():
    assert Usual.of([1.0] * 4) is None
    assert Usual.of([1.0, nan, 1.0, 1.0, 1.0]) is None
    assert Usual.of([1000.0] * 100 + [1.0] * 30).mean == 1.0


@pytest.fixture
def with_budget(week):
    def run(rules, signals, budget=ONE_A_QUARTER):
        return judge(
            rules,
            signals,
            now=week(50).start,
            model="a.b.flights",
            environment="dev",
            metrics=QUALITY,
            granularity="1 week",
            budget=budget,
        )

    return run


@pytest.fixture
def features(make_signal):
    """PSI beyond its limit and beyond chance, with the p-value of the column's test."""

    def of(*p_values):
        return [
            signal
            for number, p_value in enumerate(p_values)
            for signal in (
                make_signal("feature_drift:psi", 0.5, column=f"c{number:03}", chance_level=0.01),
                make_signal("feature_drift:ks_test", 0.4, column=f"c{number:03}", p_value=p_value),
            )
        ]

    return of


def test_drift_must_be_rare_among_all_columns_of_its_window(with_budget, features):
    rules = [Rule("feature_drift", 0.2)]
    alone = with_budget(rules, features(0.02))
    assert [one.status for one in alone] == [BREACHED]
    among_many = with_budget(rules, features(0.02, *[0.5] * 99))
    assert {one.status for one in among_many} == {OK}
    assert among_many[0].reason == "among all columns chance gives as much (q 0.5 > 0.077)"
    assert [one.status for one in with_budget(rules, features(1e-5, *[0.5] * 99))].count(BREACHED) == 1


def test_without_a_budget_drift_keeps_to_four_alarms_a_year(judged, features):
    """A week then has the level min(5 %, 4 / 52): rare among all columns of it, not for one alone."""
    rules = Rule("feature_drift", 0.2)
    assert [one.status for one in judged(rules, features(0.02))] == [BREACHED]
    assert [one.status for one in judged(rules, features(0.06))] == [OK]
    assert {one.status for one in judged(rules, features(0.02, 0.5, 0.5))} == {OK}


def test_windows_that_are_short_need_rarer_drift(judged, features, week):
    start = week(0).start
    hours = [
        replace(one, window=Window(start, start + timedelta(hours=1)), granularity="1 hour")
        for one in features(0.001)
    ]
    (verdict,) = judged(Rule("feature_drift", 0.2), hours, granularity="1 hour")
    assert (verdict.status, verdict.recovered) == (OK, False)
    assert verdict.reason == "among all columns chance gives as much (q 0.001 > 0.00046)"


def history(make_signal, *values, name="roc_auc"):
    return [make_signal(name, value, week_number=number) for number, value in enumerate(values)]


def test_a_quality_that_is_usual_for_its_series_is_within_the_budget(with_budget, make_signal):
    signals = history(make_signal, 0.72, 0.66, 0.75, 0.69, 0.71, 0.73, 0.68, 0.67)
    verdicts = with_budget([Rule("roc_auc", 0.70)], signals)
    assert [one.status for one in verdicts][:5] == [OK, BREACHED, OK, BREACHED, OK]
    assert [one.status for one in verdicts][5:] == [OK, OK, OK]
    assert verdicts[-1].reason.endswith("usual within the budget of false alarms")
    assert (
        with_budget([Rule("roc_auc", 0.70)], [*signals, *history(make_signal, *[0.7] * 8, 0.4)[8:]])[
            -1
        ].status
        is BREACHED
    )


@pytest.mark.parametrize(
    ("rule", "name", "value", "more", "status", "p_value"),
    [
        (Rule("roc_auc", 0.7), "roc_auc", 0.66, {"upper": 0.72, "lower": 0.60}, OK, 0.096),
        (Rule("roc_auc", 0.7), "roc_auc", 0.60, {"upper": 0.66, "lower": 0.54}, BREACHED, 0.0005),
        (Rule("roc_auc", 0.7), "roc_auc", 0.66, {"upper": 0.68, "lower": 0.40}, BREACHED, 4e-5),
        (Rule("log_loss", 0.7), "log_loss", 0.74, {"upper": 1.2, "lower": 0.72}, BREACHED, 4e-5),
        (Rule("bias", 5), "bias", -5.5, {"upper": -4.5, "lower": -6.5}, OK, 0.16),
        (Rule("bias", 5), "bias", -8.0, {"upper": -7.0, "lower": -9.0}, BREACHED, 0),
        (Rule("bias", 5), "bias", 5.5, {"upper": 6.5, "lower": 4.5}, OK, 0.16),
        (Rule("null_rate", 0.05), "null_rate", 0.10, {"n": 50}, OK, 0.104),
        (Rule("null_rate", 0.05), "null_rate", 0.10, {"n": 500}, BREACHED, 5e-6),
        (Rule("null_rate", 0.0), "null_rate", 0.02, {"n": 50}, BREACHED, 0),
        (Rule("label_coverage", 0.9), "label_coverage", 0.86, {"n": 50}, OK, 0.23),
        (Rule("roc_auc", 0.7, warn=0.8), "roc_auc", 0.66, {"upper": 0.72, "lower": 0.60}, BREACHED, 0.096),
    ],
)
def test_a_value_must_be_beyond_what_chance_gives_at_its_rows(
    with_budget, make_signal, rule, name, value, more, status, p_value
):
    """One-sided p-values, of the normal or the binomial distribution, at the level 1 / 13."""
    (verdict,) = with_budget([rule], [make_signal(name, value, **more)])
    assert (verdict.status, verdict.recovered) == (status, False)
    if status is OK:
        level = level_of(ONE_A_QUARTER, WEEK)
        assert verdict.reason.startswith(f"at {verdict.signal.n:,} rows chance alone gives as much (p ")
        told = float(verdict.reason.partition("(p ")[2].partition(" ")[0])
        assert told == pytest.approx(p_value, rel=0.05)
        assert told > level
    elif rule.warn:
        assert (verdict.severity, verdict.limit) == (Severity.WARNING, 0.8)


def test_few_nulls_are_as_likely_as_scipy_says(with_budget, make_signal):
    (verdict,) = with_budget([Rule("null_rate", 0.05)], [make_signal("null_rate", 0.08, n=100)])
    assert f"(p {binom.sf(7, 100, 0.05):.2g} > " in verdict.reason


def test_rules_of_a_model_type_keep_to_four_alarms_a_year(judged, make_signal):
    unsure = make_signal("roc_auc", 0.66, upper=0.71, lower=0.61)
    assert [one.status for one in judged(Rule("roc_auc", 0.7), [unsure])] == [BREACHED]
    assert [one.status for one in judged(Rule("roc_auc", 0.7, default=True), [unsure])] == [BREACHED]
    many = [Rule("roc_auc", 0.7, default=True, id=f"rule {number}") for number in range(10)]
    assert {one.status for one in judged(many, [unsure])} == {OK}


def test_a_slow_decline_is_told_although_the_windows_before_were_nearly_as_bad(with_budget, make_signal):
    """What has an interval is tested against its limit, not against a history that sinks with it."""
    values = [0.8 - 0.005 * number for number in range(40)]
    signals = [
        make_signal("roc_auc", value, week_number=number, lower=value - 0.02, upper=value + 0.02)
        for number, value in enumerate(values)
    ]
    verdicts = with_budget([Rule("roc_auc", 0.7)], signals)
    first = next(number for number, one in enumerate(verdicts) if one.status is BREACHED)
    assert 0.66 < values[first] < 0.7
    assert {one.status for one in verdicts[first:]} == {BREACHED}


def test_an_automatic_limit_is_what_the_windows_before_make_usual(judged, make_signal):
    signals = history(make_signal, 0.72, 0.70, 0.71, 0.70, 0.72, 0.71, 0.60)
    verdicts = judged(Rule("roc_auc", nan), signals)
    assert [one.status for one in verdicts] == [UNKNOWN] * 5 + [OK, BREACHED]
    assert verdicts[0].reason == "what is usual is known after 5 windows"
    assert 0.6 < verdicts[-1].limit < 0.70
    assert verdicts[-1].rule.is_automatic


def test_an_automatic_limit_of_a_bias_has_two_sides(judged, make_signal):
    usual = (1.0, 1.1, 0.9, 1.0, 1.1, 0.9)
    for value in (9.0, -9.0):
        verdicts = judged(Rule("bias", nan), history(make_signal, *usual, value, name="bias"))
        assert [one.status for one in verdicts][5:] == [OK, BREACHED]


def test_a_quiet_year_keeps_to_its_budget(with_budget, make_signal, week):
    """Forty features and no drift at all: at most a few alarms in 49 weeks, where 5 % would give 98."""
    chance = np.random.default_rng(3)
    signals = []
    for number in range(49):
        for column in range(40):
            p_value = float(chance.random())
            place = {"column": f"c{column}", "week_number": number}
            signals += [
                make_signal("feature_drift:psi", 0.5, chance_level=0.01, **place),
                make_signal("feature_drift:ks_test", 0.4, p_value=p_value, **place),
            ]
    verdicts = with_budget([Rule("feature_drift", 0.2)], signals)
    assert len({one.window for one in verdicts if one.status is BREACHED}) <= 9


BUDGET = """
environments:
  dev:
    catalog: c
    schema: s
    monitoring:
      alerts:
        budget: {budget}
        rules:
          - {{metric: null_rate, threshold: {threshold}}}
"""


class TestTheConfig:
    def test_takes_a_budget_beside_the_rules(self, tmp_path):
        file = tmp_path / "config.yml"
        file.write_text(BUDGET.format(budget="1 per week", threshold="auto"))
        monitoring = load(file).monitor.monitoring
        assert monitoring.alarm_budget == AlarmBudget(1, WEEK)
        assert monitoring.rules[0].is_automatic

    @pytest.mark.parametrize(
        ("budget", "threshold", "sentence"),
        [
            ("sometimes", "0.1", r':8:9 .*alerts\.budget is "sometimes"; .* e\.g\. 1 per week'),
            ("1 per week", "3", r":10:\d+ .*alerts\.rules\.0\.threshold is 3; .* lies between 0 and 1"),
        ],
    )
    def test_says_where_it_is_wrong(self, tmp_path, budget, threshold, sentence):
        file = tmp_path / "config.yml"
        file.write_text(BUDGET.format(budget=budget, threshold=threshold))
        with pytest.raises(ConfigErrors, match=sentence):
            load(file)
