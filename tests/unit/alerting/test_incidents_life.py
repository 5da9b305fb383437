"""Silences, explanations, reminders, escalation by age, and incidents about the data itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lakemon_core.alerting.incidents import Watch, advance, close_removed
from lakemon_core.domain.figures import Kind
from lakemon_core.domain.incident import IncidentStatus
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity
from lakemon_core.domain.silence import Silence

RULE = Rule("null_rate", 0.3, id="nulls")
DAY = timedelta(days=1)


def told(events):
    return [event.transition.value for event in events if event.notify]


@pytest.fixture
def now(week):
    return week(50).start


@pytest.fixture
def silence(now):
    def of(days, **matches):
        return Silence("s1", now + days * DAY, "a migration", "ann", now, matches or {"rule": "nulls"})

    return of


class TestASilence:
    def test_records_the_opening_and_tells_nobody(self, story, series, silence):
        _, events = story.run(series("c"), silences=[silence(1)])
        assert [(event.transition.value, event.notify) for event in events] == [("opened", False)]
        assert events[0].reason == "silenced by ann until 2026-12-22: a migration"
        assert story.incident.status is IncidentStatus.OPEN

    def test_that_ends_lets_people_hear_of_what_still_stands_open(self, story, series, silence, now):
        story.run(series("cc"), silences=[silence(1)])
        assert told(story.run([], now=now + DAY, silences=[silence(1)])[1]) == ["opened"]
        assert story.run([], now=now + 2 * DAY, silences=[silence(1)]) == ([], [])

    def test_that_ends_says_nothing_of_what_is_over(self, story, series, silence, now):
        story.run(series("c"), silences=[silence(1)])
        assert told(story.run(series("o", first=1), silences=[silence(1)])[1]) == []
        assert story.run([], now=now + DAY) == ([], [])

    def test_made_after_the_opening_does_not_hide_the_end(self, story, series, silence):
        story.run(series("w"))
        assert told(story.run(series("c", first=1), silences=[silence(1)])[1]) == []
        assert told(story.run(series("o", first=2), silences=[silence(1)])[1]) == ["resolved"]

    def test_that_ends_tells_how_bad_it_got(self, story, series, silence, now):
        story.run(series("w"))
        story.run(series("c", first=1), silences=[silence(1)])
        _, events = story.run([], now=now + DAY, silences=[silence(1)])
        assert told(events) == ["escalated"]
        assert story.run([], now=now + DAY) == ([], [])

    @pytest.mark.parametrize(
        ("matches", "is_covered"),
        [
            ({"rule": "nulls"}, True),
            ({"rule": "others"}, False),
            ({"column": "temp", "severity": "critical"}, True),
            ({"column": "temp", "severity": "warning"}, False),
            ({"incident": "print-of-temp"}, True),
            ({"model": "a.b.flights", "model_version": "*", "slice": ""}, True),
            ({}, False),
        ],
    )
    def test_covers_what_it_names(self, story, series, silence, now, matches, is_covered):
        story.run(series("c"))
        one = replace(silence(1), matches=matches)
        assert one.covers(story.incident, now) is is_covered
        assert not one.covers(story.incident, now + DAY)


class TestExplanations:
    VOLUME = Rule("row_count", 100, id="volume", inhibits=("nulls",))

    @pytest.fixture
    def low_volume(self, verdict, make_signal):
        def of(letter, number):
            one = verdict(letter, number, rule=self.VOLUME, column=":table")
            signal = make_signal("row_count", 3.0, week_number=number)
            return replace(one, fingerprint="print-of-volume", signal=signal)

        return of

    def test_an_incident_that_another_explains_is_not_told(self, story, series, low_volume):
        rules = [RULE, self.VOLUME]
        _, events = story.run([*series("c"), low_volume("c", 0)], rules=rules)
        assert [event.incident.rule for event in events if event.notify] == ["volume"]
        (quiet,) = [event for event in events if not event.notify]
        assert quiet.reason == "explained by row count 3 > 0.3"

    def test_it_is_told_when_the_explanation_ends_and_it_still_stands_open(self, story, series, low_volume):
        rules = [RULE, self.VOLUME]
        story.run([*series("c"), low_volume("c", 0)], rules=rules)
        _, events = story.run([*series("c", first=1), low_volume("o", 1)], rules=rules)
        assert sorted((one.incident.rule, one.transition.value) for one in events if one.notify) == [
            ("nulls", "opened"),
            ("volume", "resolved"),
        ]

    def test_an_incident_of_another_model_explains_nothing(self, story, series, low_volume):
        other = replace(low_volume("c", 0), model="a.b.other")
        rules = [RULE, self.VOLUME]
        _, events = story.run([*series("c"), other], rules=rules)
        assert len(told(events)) == 2

    def test_a_table_without_data_explains_drift(self, story, verdict, make_signal, series):
        volume = verdict("c", 0, rule=Rule("row_count", 100), column=":table")
        late = replace(volume, kind=Kind.NO_DATA, fingerprint="no-data")
        signal = make_signal("feature_drift:psi", 0.9, column="temp")
        drift = replace(
            verdict("c", 0, rule=Rule("feature_drift", 0.2)), signal=signal, fingerprint="of-drift"
        )
        _, events = story.run([late, drift, *series("c")], rules=[])
        assert sorted(one.incident.fingerprint for one in events if one.notify) == [
            "no-data",
            "print-of-temp",
        ]


class TestTime:
    def test_an_open_incident_is_told_again_where_the_rule_says_so(self, story, series, now):
        rule = replace(RULE, renotify_after=2 * DAY)
        story.run(series("c", rule=rule), rules=[rule])
        days = [told(story.run([], now=now + number * DAY, rules=[rule])[1]) for number in range(1, 7)]
        assert days == [[], ["reminded"], [], ["reminded"], [], ["reminded"]]
        assert len({event.key for event in story.events}) == 4

    def test_an_acknowledged_one_is_not(self, story, series, now):
        rule = replace(RULE, renotify_after=DAY, escalate_after=DAY)
        story.run(series("w", rule=rule), rules=[rule])
        story.states = {
            name: replace(one, status=IncidentStatus.ACKNOWLEDGED) for name, one in story.states.items()
        }
        assert story.run([], now=now + 9 * DAY, rules=[rule]) == ([], [])

    def test_a_warning_that_nobody_acknowledges_becomes_critical(self, story, series, now):
        rule = replace(RULE, escalate_after=2 * DAY)
        story.run(series("w", rule=rule), rules=[rule])
        assert story.run([], now=now + DAY, rules=[rule]) == ([], [])
        _, events = story.run([], now=now + 2 * DAY, rules=[rule])
        assert [(event.transition.value, event.reason) for event in events] == [
            ("escalated", "nobody_acknowledged_it")
        ]
        assert events[0].notify
        assert story.incident.severity is Severity.CRITICAL
        assert story.run([], now=now + 9 * DAY, rules=[rule]) == ([], [])

    def test_incidents_of_other_models_are_left_alone(self, story, series, now):
        rule = replace(RULE, renotify_after=DAY)
        story.run(series("c", rule=rule), rules=[rule])
        watch = Watch("a.b.other", "dev", [rule])
        assert advance(story.states, [], "r", now + 9 * DAY, watch) == ([], [])


class TestTheDataItself:
    ALERT = replace(RULE, on_no_data="alert", on_error="alert")

    def kinds(self, story):
        return {(one.kind.value, one.status.value) for one in story.states.values()}

    def test_missing_data_is_an_incident_of_its_own_that_ends_when_data_is_back(self, story, series):
        assert told(story.weekly(series("ouuo", rule=self.ALERT))) == ["opened", "resolved"]
        assert self.kinds(story) == {("breach", "ok"), ("no_data", "resolved")}

    def test_failed_computing_is_another(self, story, series):
        assert told(story.weekly(series("ue", rule=self.ALERT))) == ["opened", "opened"]
        assert self.kinds(story) == {("no_data", "open"), ("error", "open")}

    def test_a_breach_stays_open_while_its_data_is_missing(self, story, series):
        assert told(story.weekly(series("cuc", rule=self.ALERT))) == ["opened", "opened", "resolved"]
        assert self.kinds(story) == {("breach", "open"), ("no_data", "resolved")}

    def test_missing_data_respects_m_of_n(self, story, series):
        rule = replace(self.ALERT, for_windows=(2, 2))
        assert told(story.weekly(series("uou", rule=rule))) == []
        assert told(story.weekly(series("uu", rule=rule, first=3))) == ["opened"]

    def test_labels_that_are_awaited_are_neither(self, story, series):
        assert story.weekly(series("lll", rule=self.ALERT)) == []

    def test_a_rule_that_does_not_ask_for_it_hears_nothing(self, story, series):
        assert story.weekly(series("ueue")) == []

    def test_it_is_never_worse_than_a_warning_and_says_what_is_missing(self, story, series):
        story.run(series("u", rule=self.ALERT))
        assert story.incident.severity is Severity.WARNING
        assert story.incident.title == "null rate of temp has no data: no labels yet"
        story.run(series("e", rule=self.ALERT, first=1))
        assert "null rate of temp could not be computed: no labels yet" in {
            one.title for one in story.states.values()
        }

    def test_a_rule_that_asks_no_longer_for_it_closes_it(self, story, series, now):
        story.run(series("cu", rule=self.ALERT))
        place = {"model": "a.b.flights", "environment": "dev", "run_id": "r", "now": now}
        assert close_removed(story.states, [self.ALERT], **place) == ([], [])
        (closed,), (event,) = close_removed(story.states, [RULE], **place)
        assert (closed.kind, event.reason) == (Kind.NO_DATA, "rule_removed")

    @pytest.mark.parametrize("missing", "ue")
    def test_it_ends_when_the_data_of_its_window_comes_late(self, story, series, missing):
        story.run(series("o" + missing, rule=self.ALERT))
        _, events = story.run(series("oo", rule=self.ALERT))
        assert [(event.transition.value, event.reason, event.notify) for event in events] == [
            ("resolved", "", True)
        ]
        assert story.run(series("oo", rule=self.ALERT)) == ([], [])

    def test_late_data_of_an_older_window_ends_nothing(self, story, series):
        story.run(series("uu", rule=self.ALERT))
        assert told(story.run(series("ou", rule=self.ALERT))[1]) == []

    def test_late_data_that_breaches_ends_it_and_opens_the_breach(self, story, series):
        story.run(series("u", rule=self.ALERT))
        _, events = story.run(series("c", rule=self.ALERT))
        assert sorted(event.transition.value for event in events) == ["opened", "resolved"]

    def test_healthy_series_leave_no_traces_of_other_kinds(self, story, series):
        story.weekly(series("ooco", rule=self.ALERT))
        assert len(story.states) == 1
