"""Rules that are edited or removed while an incident is open."""

from dataclasses import replace

import pytest

from lakemon_core.alerting.incidents import close_removed, step
from lakemon_core.domain.incident import IncidentStatus
from lakemon_core.domain.rule import Rule

RULE = Rule("null_rate", 0.3, id="nulls")


def told(events):
    return [event.transition.value for event in events if event.notify]


def seen(events):
    return [event.transition.value for event in events]


class TestAnEditedRule:
    LOOSER = replace(RULE, threshold=0.5)

    def test_keeps_the_incident_open(self, story, series):
        story.run(series("c"))
        assert told(story.run(series("c", first=1, rule=self.LOOSER))[1]) == []
        assert story.incident.episode == 1

    def test_judges_the_newest_window_again_and_says_why_it_closes(self, story, series):
        story.run(series("cc"))
        _, events = story.run(series("oo", rule=self.LOOSER))
        assert [(event.transition.value, event.reason, event.notify) for event in events] == [
            ("resolved", "rule_changed", True)
        ]

    def test_may_open_at_once(self, story, series):
        story.run(series("oo"))
        _, events = story.run(series("oc", rule=replace(RULE, threshold=0.1)))
        assert [(event.transition.value, event.reason, event.notify) for event in events] == [
            ("opened", "rule_changed", True)
        ]

    def test_is_looked_at_once_only(self, story, series):
        story.run(series("cc"))
        story.run(series("oo", rule=self.LOOSER))
        assert story.run(series("oo", rule=self.LOOSER)) == ([], [])

    def test_does_not_count_the_newest_window_twice(self, story, series):
        twice = replace(RULE, for_windows=(2, 2))
        story.run(series("oc", rule=twice))
        story.run(series("oc", rule=replace(twice, threshold=0.2)))
        assert (story.incident.status, story.incident.recent) == (IncidentStatus.PENDING, "ob")


class TestARemovedRule:
    @pytest.fixture
    def close(self, story, week):
        def run(rules, model="a.b.flights", environment="dev"):
            return close_removed(
                story.states, rules, model=model, environment=environment, run_id="r", now=week(50).start
            )

        return run

    def test_closes_its_incident_with_that_reason(self, story, series, close):
        story.run(series("c"))
        states, events = close([])
        assert [state.status for state in states] == [IncidentStatus.RESOLVED]
        assert [(event.reason, event.notify) for event in events] == [("rule_removed", True)]

    def test_leaves_others_alone(self, story, series, close):
        story.run(series("c"))
        assert close([RULE]) == ([], [])
        assert close([], model="a.b.other") == ([], [])
        assert close([], environment="prod") == ([], [])

    def test_leaves_what_is_not_open_alone(self, story, series, close):
        story.run(series("co"))
        assert close([]) == ([], [])

    def test_that_comes_back_opens_a_new_episode(self, story, series, close):
        story.run(series("c"))
        story.states = {state.fingerprint: state for state in close([])[0]}
        assert told(story.weekly(series("c", first=1))) == ["reopened"]
        assert story.incident.episode == 2


def test_a_step_that_changes_nothing_returns_the_same_object(verdict, week):
    state, _ = step(None, verdict("c", 0), run_id="r", now=week(50).start)
    assert step(state, verdict("c", 0), run_id="r", now=week(50).start) == (state, ())
    assert step(state, verdict("u", 1), run_id="r", now=week(50).start)[0] is state
