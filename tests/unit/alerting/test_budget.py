"""A budget of false alarms: levels, q-values, and what is usual for a series."""

from datetime import timedelta
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from lakemon_core.alerting.judging.budget import Usual, adjusted, level_of
from lakemon_core.alerting.rules import judge
from lakemon_core.config import load
from lakemon_core.domain.errors import ConfigErrors
from lakemon_core.domain.rule import AlarmBudget, Rule, Status
from lakemon_core.ports import QualityMetric

OK, BREACHED, UNKNOWN = Status.OK, Status.BREACHED, Status.UNKNOWN
WEEK = timedelta(weeks=1)
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
            metrics=[QualityMetric("roc_auc", higher_is_better=True, column="roc_auc_score")],
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


def test_without_a_budget_every_column_is_judged_alone(judged, features):
    assert {one.status for one in judged(Rule("feature_drift", 0.2), features(0.02, 0.5))} == {BREACHED}


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
