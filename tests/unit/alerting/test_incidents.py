from dataclasses import replace
from datetime import timedelta

import pytest

from lakemon_core.alerting.incidents import advance
from lakemon_core.domain.incident import IncidentStatus
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity

RULE = Rule("null_rate", 0.3, id="nulls")


def told(events):
    return [event.transition.value for event in events if event.notify]


def seen(events):
    return [event.transition.value for event in events]


@pytest.mark.parametrize(
    ("letters", "transitions", "status"),
    [
        ("", [], None),
        ("u", [], None),
        ("o", [], "ok"),
        ("n", [], "ok"),
        ("c", ["opened"], "open"),
        ("cc", ["opened"], "open"),
        ("co", ["opened", "resolved"], "resolved"),
        ("cn", ["opened"], "open"),
        ("cu", ["opened"], "open"),
        ("cuo", ["opened", "resolved"], "resolved"),
        ("cno", ["opened", "resolved"], "resolved"),
        ("coo", ["opened", "resolved"], "resolved"),
        ("coc", ["opened", "resolved", "reopened"], "open"),
        ("coco", ["opened", "resolved", "reopened", "resolved"], "resolved"),
        ("wc", ["opened", "escalated"], "open"),
        ("wcc", ["opened", "escalated"], "open"),
        ("wcwc", ["opened", "escalated"], "open"),
        ("cw", ["opened"], "open"),
        ("wcow", ["opened", "escalated", "resolved", "reopened"], "open"),
    ],
)
def test_one_window_is_enough_by_default(story, series, letters, transitions, status):
    assert told(story.weekly(series(letters))) == transitions
    assert [state.status.value for state in story.states.values()] == ([status] if status else [])


@pytest.mark.parametrize(
    ("wanted", "letters", "transitions", "status"),
    [
        ((2, 2), "c", [], "pending"),
        ((2, 2), "cc", ["opened"], "open"),
        ((2, 2), "coc", [], "pending"),
        ((2, 2), "cuc", ["opened"], "open"),
        ((2, 2), "cco", ["opened", "resolved"], "resolved"),
        ((2, 2), "ccoc", ["opened", "resolved"], "pending"),
        ((2, 2), "ccocc", ["opened", "resolved", "reopened"], "open"),
        ((2, 2), "co", [], "ok"),
        ((2, 3), "coc", ["opened"], "open"),
        ((2, 3), "cooc", [], "pending"),
        ((2, 3), "cco", ["opened"], "open"),
        ((2, 3), "ccoo", ["opened", "resolved"], "resolved"),
        ((2, 3), "ccooc", ["opened", "resolved"], "pending"),
        ((3, 3), "cccoccc", ["opened", "resolved", "reopened"], "open"),
    ],
)
def test_m_of_the_last_n_windows_must_breach(story, series, wanted, letters, transitions, status):
    rule = replace(RULE, for_windows=wanted)
    assert told(story.weekly(series(letters, rule=rule))) == transitions
    assert story.incident.status.value == status


def test_an_incident_knows_since_when_and_how_often(story, series, week):
    story.weekly(series("oucnc"))
    incident = story.incident
    assert incident.opened_at == week(2).start
    assert incident.head == week(4).end
    assert incident.evidence["breaches"] == 2
    assert (incident.value, incident.limit, incident.title) == (0.4, 0.3, "null rate of temp 0.4 > 0.3")


def test_the_evidence_is_what_the_newest_window_showed(verdict, week):
    whole = verdict("c", 0)
    signal = replace(whole.signal, p_value=0.0, chance_level=0.01, lower=0.3, baseline=0.1, table_version=7)
    whole = replace(whole, signal=signal, contributors=({"column": "wind", "value": 2.0},))
    (state,), _ = advance({}, [whole], "run", week(50).start)
    assert state.evidence == {
        "what": "null rate of temp",
        "metric": "null_rate",
        "statistic": "null_rate",
        "granularity": "1 week",
        "window_start": "2026-01-05T00:00:00+00:00",
        "window_end": "2026-01-12T00:00:00+00:00",
        "n": 1000,
        "baseline": 0.1,
        "lower": 0.3,
        "p_value": 0.0,
        "chance_level": 0.01,
        "table_version": 7,
        "method": "test:1",
        "contributors": [{"column": "wind", "value": 2.0}],
        "breaches": 1,
    }


def test_a_reopened_incident_counts_from_its_new_start(story, series, week):
    story.weekly(series("ccoc"))
    incident = story.incident
    assert (incident.episode, incident.opened_at, incident.evidence["breaches"]) == (2, week(3).start, 1)


def test_the_start_of_m_of_n_is_the_first_breach_that_counts(story, series, week):
    story.weekly(series("coocc", rule=replace(RULE, for_windows=(2, 3))))
    assert story.incident.opened_at == week(3).start


def test_a_breach_before_the_opening_counts_for_the_severity(story, series):
    story.weekly(series("cw", rule=replace(RULE, for_windows=(2, 2))))
    assert story.incident.severity is Severity.CRITICAL


def test_the_same_run_twice_changes_nothing(story, series):
    verdicts = series("ocnwuoc")
    story.run(verdicts)
    assert story.run(verdicts) == ([], [])


def test_older_windows_never_move_the_state(story, series):
    story.run(series("o", first=5))
    assert story.run(series("ccccc")) == ([], [])


def test_a_window_whose_labels_come_later_is_judged_when_they_come(story, series, week):
    story.run(series("ou"))
    assert story.incident.head == week(0).end
    assert told(story.run(series("oc"))[1]) == ["opened"]


def test_the_order_of_verdicts_does_not_matter(series, week):
    verdicts = series("coccwno")
    forward = advance({}, verdicts, "run", week(50).start)
    assert advance({}, verdicts[::-1], "run", week(50).start) == forward


def test_a_long_history_at_once_is_recorded_but_only_its_end_is_told(story, series):
    _, events = story.run(series("ocococccoc"))
    assert seen(events) == [
        "opened", "resolved", "reopened", "resolved", "reopened", "resolved", "reopened",
    ]  # fmt: skip
    assert told(events) == ["reopened"]
    assert events[-1].notify


def test_what_opened_and_resolved_inside_one_run_is_recorded_and_not_told(story, series):
    _, events = story.run(series("cco"))
    assert seen(events) == ["opened", "resolved"]
    assert told(events) == []


def test_the_event_that_is_told_carries_the_newest_state(story, series, week):
    _, events = story.run(series("owwc"))
    (event,) = [event for event in events if event.notify]
    assert event.transition == "opened"
    assert (event.incident.head, event.incident.severity) == (week(3).end, Severity.CRITICAL)


def test_an_incident_that_people_know_is_resolved_aloud_even_in_an_old_window(story, series):
    story.run(series("c"))
    assert told(story.run(series("coooo"))[1]) == ["resolved"]


def test_an_incident_that_people_know_ends_before_its_next_episode_is_told(story, series):
    story.run(series("c"))
    assert told(story.run(series("cococ"))[1]) == ["resolved", "reopened"]


def test_an_episode_that_came_and_went_after_a_known_one_is_not_told(story, series):
    story.run(series("c"))
    assert told(story.run(series("cocoo"))[1]) == ["resolved"]


def test_an_escalation_of_a_known_incident_is_told_once(story, series):
    story.run(series("w"))
    assert told(story.run(series("wwcnc"))[1]) == ["escalated"]


def test_series_do_not_disturb_each_other(story, series):
    story.run([*series("c", column="temp"), *series("o", column="wind")])
    _, events = story.run([*series("co", column="temp"), *series("oc", column="wind")])
    assert sorted((event.incident.column, event.transition.value) for event in events) == [
        ("temp", "resolved"),
        ("wind", "opened"),
    ]


def test_keys_are_the_same_in_every_run_and_unlike_for_unlike_transitions(series, week):
    weekly, states = [], {}
    for verdict in series("wcowc"):
        changed, events = advance(states, [verdict], "one run", week(50).start)
        states |= {state.fingerprint: state for state in changed}
        weekly += events
    _, at_once = advance({}, series("wcowc"), "another run", week(51).start)
    assert [event.key for event in weekly] == [event.key for event in at_once]
    assert [event.key for event in weekly] == [
        "print-of-temp.1.opened",
        "print-of-temp.1.escalated.critical",
        "print-of-temp.1.resolved",
        "print-of-temp.2.reopened",
        "print-of-temp.2.escalated.critical",
    ]


def test_an_acknowledged_incident_is_silent_until_it_gets_worse(story, series):
    story.run(series("w"))
    acknowledged = replace(story.incident, status=IncidentStatus.ACKNOWLEDGED)
    story.states = {acknowledged.fingerprint: acknowledged}
    assert told(story.weekly(series("w", first=1))) == []
    assert story.incident.status is IncidentStatus.ACKNOWLEDGED
    assert told(story.weekly(series("c", first=2))) == ["escalated"]
    assert story.incident.status is IncidentStatus.OPEN


def test_an_acknowledged_incident_resolves(story, series):
    story.run(series("w"))
    acknowledged = replace(story.incident, status=IncidentStatus.ACKNOWLEDGED)
    story.states = {acknowledged.fingerprint: acknowledged}
    assert told(story.weekly(series("o", first=1))) == ["resolved"]


@pytest.mark.parametrize(
    ("policy", "letters", "transitions", "status"),
    [
        ("keep", "cuu", ["opened"], "open"),
        ("ok", "u", [], "ok"),
        ("ok", "cu", ["opened"], "open"),
    ],
)
def test_missing_data_never_resolves(story, series, policy, letters, transitions, status):
    verdicts = series(letters, rule=replace(RULE, on_no_data=policy))
    assert told(story.weekly(verdicts)) == transitions
    assert story.incident.status.value == status


def test_signals_of_the_whole_table_are_judged_in_every_run(verdict, week):
    def at(letter, hours):
        now = week(50).start + timedelta(hours=hours)
        return replace(verdict(letter, 0), window=None), now

    states, transitions = {}, []
    for letter, hours in (("c", 0), ("c", 1), ("o", 2), ("c", 1)):
        one, now = at(letter, hours)
        changed, events = advance(states, [one], "run", now)
        states |= {state.fingerprint: state for state in changed}
        transitions += told(events)
    assert transitions == ["opened", "resolved", "reopened"]
