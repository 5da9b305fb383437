import json
from dataclasses import replace

import pytest
from fakes.pagerduty import KEY
from fakes.receiver import Reply
from hypothesis import given, settings
from hypothesis import strategies as st
from lakemon_pagerduty import PagerDutyConfig
from lakemon_pagerduty.events import events_of
from pydantic import ValidationError

from lakemon_core.domain.incident import DeliveryStatus, Transition
from lakemon_core.testing import WebSinkContract
from lakemon_core.testing.sinks import (
    AlertSinkContract,
    UnreachableSinkContract,
    hostile_evidence,
    hostile_notification,
    sample_attempt,
    sample_evidence,
    sample_notification,
)

ACCEPTED, PARTIAL, RETRY = DeliveryStatus.ACCEPTED, DeliveryStatus.PARTIAL, DeliveryStatus.RETRY
REJECTED = DeliveryStatus.REJECTED


class TestPagerDutySink(AlertSinkContract, UnreachableSinkContract):
    @pytest.fixture
    def sink(self, sink_at, pager):
        return sink_at(pager.url)

    @pytest.fixture
    def received(self, pager):
        return lambda: ["\n".join(texts(event)) for event in without_ends_of_tests(pager.events)]

    @pytest.fixture
    def unreachable(self, sink_at, free_port):
        return sink_at(f"https://127.0.0.1:{free_port}")


class TestPagerDutyOverHttp(WebSinkContract):
    @pytest.fixture
    def sink_to(self, sink_at):
        return sink_at


def without_ends_of_tests(events):
    tests = {event["dedup_key"] for event in events if event.get("payload", {}).get("group") == "test"}
    return [
        event for event in events if event["dedup_key"] not in tests or event["event_action"] != "resolve"
    ]


def texts(value):
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in texts(one)]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else [str(value)]


def send(sink, *transitions, targets=(), **changes):
    """Sends a message about one incident for each transition."""
    evidence = tuple(
        sample_evidence(incident=f"{number}.1", transition=transition)
        for number, transition in enumerate(transitions)
    )
    note = sample_notification(evidence=evidence, **changes)
    return sink.deliver(sink.render(note), sample_attempt(targets=targets))


OPENED, RESOLVED, ACKNOWLEDGED = Transition.OPENED, Transition.RESOLVED, Transition.ACKNOWLEDGED


def test_each_incident_is_an_alert_that_is_acknowledged_and_resolved_for_itself(sink_at, pager):
    sink = sink_at(pager.url)
    assert send(sink, OPENED, OPENED, OPENED).status is ACCEPTED
    assert pager.alerts == {"0.1": "triggered", "1.1": "triggered", "2.1": "triggered"}
    send(sink, RESOLVED, transition=RESOLVED)
    assert pager.alerts == {"1.1": "triggered", "2.1": "triggered"}
    note = sample_notification(evidence=(sample_evidence(incident="2.1", transition=ACKNOWLEDGED),))
    sink.deliver(sink.render(note), sample_attempt())
    assert pager.alerts == {"1.1": "triggered", "2.1": "acknowledged"}


@pytest.mark.parametrize("transition", [Transition.ESCALATED, Transition.REOPENED, Transition.REMINDED])
def test_what_goes_on_is_told_to_the_same_alert(sink_at, pager, transition):
    sink = sink_at(pager.url)
    send(sink, OPENED)
    send(sink, transition)
    assert [event["dedup_key"] for event in pager.events] == ["0.1", "0.1"]
    assert len(pager.alerts) == 1


def test_every_figure_stands_in_the_event(sink_at, pager):
    send(sink_at(pager.url), OPENED)
    (event,) = pager.events
    payload = event["payload"]
    assert payload["summary"] == "flight_delays dev: PSI of temp 3.24 > 0.2 since 2013-04-01"
    assert (payload["severity"], payload["component"]) == ("critical", "mlops_dev.flights.flight_delays")
    figures = payload["custom_details"]["figures"]
    assert (figures["value"], figures["limit"], figures["n"]) == (3.24, 0.2, 5812)
    assert payload["custom_details"]["commands"] == ["lakemon run monitoring_config.yml -e dev"]
    assert {"href": "https://wiki.example.com/drift?model=1&x=2", "text": "Runbook"} in event["links"]


def test_only_events_that_failed_are_sent_again(sink_at, pager):
    sink = sink_at(pager.url)
    pager.replies = [Reply(202), Reply(429, "", {"Retry-After": "9"})]
    first = send(sink, OPENED, OPENED, OPENED)
    assert (first.status, first.retry_after) == (PARTIAL, 9.0)
    assert [one.status for one in first.targets] == [ACCEPTED, RETRY, RETRY]
    assert len(pager.requests) == 2
    second = send(sink, OPENED, OPENED, OPENED, targets=("1.1", "2.1"))
    assert second.status is ACCEPTED
    assert set(pager.alerts) == {"1.1", "2.1"}


def test_a_test_leaves_no_alert_open(sink_at, pager):
    sink = sink_at(pager.url)
    note = sample_notification(transition=Transition.TEST, thread="test-1", evidence=())
    assert sink.deliver(sink.render(note), sample_attempt()).status is ACCEPTED
    assert [event["event_action"] for event in pager.events] == ["trigger", "resolve"]
    assert pager.alerts == {}


def test_an_event_that_is_refused_does_not_hold_up_the_others(sink_at, pager):
    pager.replies = [Reply(400, {"status": "invalid event"})]
    result = send(sink_at(pager.url), OPENED, OPENED)
    assert [one.status for one in result.targets] == [REJECTED, ACCEPTED]


def test_a_wrong_key_is_rejected_without_showing_it(sink_at, pager):
    sink = sink_at(pager.url)
    sink.setup.secrets.values["${secret:pager/key}"] = "wr0ngkey"
    result = send(sink, OPENED)
    assert (result.status, result.code) == (REJECTED, "400")
    assert "wr0ngkey" not in repr(result) + repr(sink.render(sample_notification()))


def test_many_incidents_wake_somebody_up_a_few_times_only_and_all_are_resolved():
    many = tuple(sample_evidence(incident=f"{number}.1") for number in range(300))
    assert len(events_of(sample_notification(evidence=many))) == 25
    over = tuple(replace(one, transition=RESOLVED) for one in many)
    assert len(events_of(sample_notification(evidence=over, transition=RESOLVED))) == 300


@settings(max_examples=50)
@given(st.text(max_size=2000), st.integers(0, 40))
def test_any_text_makes_events_within_the_limits(name, times):
    note = replace(
        hostile_notification(name), lines=(name,) * times, evidence=(hostile_evidence(name),) * times,
        facts={f"{number}{name}": name for number in range(times)},
    )  # fmt: skip
    for event in events_of(note):
        assert 0 < len(event["payload"]["summary"]) <= 1024
        assert 0 < len(event["dedup_key"]) <= 255
        assert len(json.dumps(event)) < 512_000


def test_a_flood_is_cut():
    note = hostile_notification("🌡" * 1000)
    for event in events_of(
        replace(note, lines=note.lines * 500, facts={f"{n}": "🌡" * 1000 for n in range(99)})
    ):
        assert len(json.dumps(event)) < 512_000


@pytest.mark.parametrize(
    ("region", "host"), [("us", "events.pagerduty.com"), ("eu", "events.eu.pagerduty.com")]
)
def test_each_region_has_its_door(sink_at, region, host):
    assert sink_at(None, region=region)._door == f"https://{host}"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"region": "asia"}, "'us' or 'eu'"),
        ({"routing_key": ""}, "at least 1 character"),
        ({"key": KEY}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(more, message):
    with pytest.raises(ValidationError, match=message):
        PagerDutyConfig.model_validate({"routing_key": "${env:KEY}"} | more)
