"""History is replayed: what rules would have told, and how many of it was right."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lakemon_core.alerting.backtest import KnownIncident, Score, replay, score, sweep
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity

RULE = Rule("null_rate", 0.3, id="nulls")


@pytest.fixture
def judge(make_signal, judged):
    """Judges rules on weekly null rates of `temp`."""

    def of(*values):
        signals = [
            make_signal("null_rate", value, column="temp", week_number=number)
            for number, value in enumerate(values)
        ]
        return lambda rules: judged(rules, signals)

    return of


def test_every_episode_is_one_alert_from_its_first_breach_to_its_end(judge, week):
    alerts = replay([RULE], judge(0.1, 0.4, 0.5, 0.1, 0.1, 0.6))
    assert [(one.since, one.told_at, one.until) for one in alerts] == [
        (week(1).start, week(1).end, week(3).end),
        (week(5).start, week(5).end, None),
    ]
    assert [(one.rule, one.column, one.severity) for one in alerts] == [
        ("nulls", "temp", Severity.CRITICAL)
    ] * 2
    assert alerts[0].title == "null rate of temp 0.4 > 0.3"


def test_each_window_is_a_run_of_its_own(judge):
    assert len(replay([RULE], judge(*[0.5, 0.1] * 6))) == 6


def test_m_of_n_is_replayed_as_it_would_have_been(judge, week):
    rule = replace(RULE, for_windows=(2, 3))
    (alert,) = replay([rule], judge(0.5, 0.1, 0.1, 0.5, 0.1, 0.5))
    assert (alert.since, alert.told_at) == (week(3).start, week(5).end)


def known(week, first, last, **more):
    return KnownIncident(week(first).start, week(last).end, **more)


def test_alerts_are_right_when_something_was_known_to_be_wrong_then(judge, week):
    alerts = replay([RULE], judge(0.1, 0.4, 0.1, 0.1, 0.5, 0.1))
    told = score(alerts, [known(week, 1, 1), known(week, 3, 3)])
    assert told == Score(alerts=2, right=1, known=2, found=1)
    assert (told.precision, told.recall) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("more", "right"),
    [({"rule": "nulls"}, 1), ({"rule": "other"}, 0), ({"column": "temp"}, 1), ({"column": "wind"}, 0)],
)
def test_a_known_incident_may_name_its_rule_and_column(judge, week, more, right):
    assert score(replay([RULE], judge(0.4)), [known(week, 0, 0, **more)]).right == right


def test_what_cannot_be_said_is_not_a_number(judge):
    assert score([], []).precision is None
    assert score(replay([RULE], judge(0.4)), []).recall is None


def test_a_sweep_shows_what_each_threshold_would_have_told(judge, week):
    history = judge(0.1, 0.4, 0.1, 0.25, 0.1, 0.6, 0.1)
    rule = replace(RULE, warn=0.01, recover=0.001)
    tried = sweep(rule, [0.2, 0.3, 0.5, 0.9], history, [known(week, 1, 1), known(week, 5, 5)])
    assert [(threshold, one.alerts, one.right, one.found) for threshold, one in tried] == [
        (0.2, 3, 2, 2), (0.3, 2, 2, 2), (0.5, 1, 1, 1), (0.9, 0, 0, 0),
    ]  # fmt: skip


def test_a_sweep_without_thresholds_takes_some_of_the_history(judge):
    tried = sweep(RULE, [], judge(*[number / 100 for number in range(50)]), [])
    thresholds = [threshold for threshold, _ in tried]
    assert thresholds == sorted(set(thresholds))
    assert len(thresholds) == 9
    assert 0 < thresholds[0] < thresholds[-1] < 0.49


def test_a_history_without_windows_tells_nothing(judged, make_signal):
    late = make_signal("freshness", 90.0, window=None)
    assert replay([Rule("freshness", 24)], lambda rules: judged(rules, [late])) == []
    assert sweep(Rule("null_rate", 1), [], lambda rules: judged(rules, []), []) == []


def test_a_known_incident_ends_before_an_alert_that_comes_later(judge, week):
    (alert,) = replay([RULE], judge(0.1, 0.1, 0.4))
    long_ago = KnownIncident(week(0).start, week(0).start + timedelta(days=1))
    assert not long_ago.explains(alert)
