import json
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes.receiver import Reply, eventually
from hypothesis import given
from hypothesis import strategies as st
from lakemon_alertmanager import AlertmanagerConfig
from lakemon_alertmanager.alerts import alerts_of
from pydantic import ValidationError

from lakemon_core.domain.incident import DeliveryStatus, Transition
from lakemon_core.domain.run import Severity
from lakemon_core.testing import WebSinkContract
from lakemon_core.testing.sinks import (
    HOSTILE,
    AlertSinkContract,
    UnreachableSinkContract,
    hostile_evidence,
    hostile_notification,
    sample_attempt,
    sample_evidence,
    sample_notification,
)

STATUS = {"versionInfo": {"version": "0.25.0"}}
OPENED, ESCALATED, RESOLVED = Transition.OPENED, Transition.ESCALATED, Transition.RESOLVED


class TestAlertmanagerSink(AlertSinkContract, UnreachableSinkContract):
    @pytest.fixture
    def sink(self, sink_at, receiver):
        receiver.answer = lambda request: Reply(200, STATUS if request.method == "GET" else "")
        return sink_at(receiver.url)

    @pytest.fixture
    def received(self, receiver):
        return lambda: ["\n".join(texts(one.json)) for one in receiver.requests if one.method == "POST"]

    @pytest.fixture
    def unreachable(self, sink_at, free_port):
        return sink_at(f"http://127.0.0.1:{free_port}")


class TestAlertmanagerOverHttp(WebSinkContract):
    @pytest.fixture
    def sink_to(self, sink_at):
        return sink_at


def texts(value):
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in texts(one)]
    return [text for one in value for text in texts(one)] if isinstance(value, list) else [str(value)]


def now():
    return datetime.now(UTC)


def send(sink, *incidents, transition=OPENED, severity=Severity.CRITICAL, **changes):
    evidence = tuple(
        sample_evidence(incident=name, column=name, transition=transition, severity=severity)
        for name in incidents
    )
    note = sample_notification(evidence=evidence, transition=transition, created_at=now(), **changes)
    return sink.deliver(sink.render(note), sample_attempt())


def firing(url):
    with urllib.request.urlopen(f"{url}/api/v2/alerts?active=true", timeout=5) as answer:
        return {alert["labels"]["incident"]: alert for alert in json.load(answer)}


def told(receiver):
    """(state, incidents in it that fire, those that ended) of every message Alertmanager sent on."""
    return [
        (one.json["status"], incidents(one.json, "firing"), incidents(one.json, "resolved"))
        for one in receiver.requests
    ]


def incidents(message, state):
    return {alert["labels"]["incident"] for alert in message["alerts"] if alert["status"] == state}


def test_a_real_alertmanager_fires_groups_and_resolves(sink_at, alertmanager, receiver):
    sink = sink_at(alertmanager)
    assert sink.check().ok, sink.check().detail
    assert send(sink, "a.1", "b.1").status is DeliveryStatus.DELIVERED
    assert eventually(lambda: told(receiver)) == [("firing", {"a.1", "b.1"}, set())]
    assert send(sink, "a.1", transition=RESOLVED).status is DeliveryStatus.DELIVERED
    eventually(lambda: len(told(receiver)) == 2)
    assert told(receiver)[1] == ("firing", {"b.1"}, {"a.1"})
    assert firing(alertmanager).keys() == {"b.1"}
    send(sink, "b.1", transition=RESOLVED)
    eventually(lambda: len(told(receiver)) == 3)
    assert told(receiver)[2] == ("resolved", set(), {"b.1"})


def test_an_open_incident_keeps_firing_and_a_repetition_is_the_same_alert(sink_at, alertmanager):
    sink = sink_at(alertmanager, fires_for_days=14)
    send(sink, "a.1")
    send(sink, "a.1", transition=Transition.REMINDED)
    (alert,) = eventually(lambda: firing(alertmanager)).values()
    assert datetime.fromisoformat(alert["endsAt"].replace("Z", "+00:00")) > now() + timedelta(days=13)
    assert alert["annotations"]["value"] == "3.24"
    assert alert["annotations"]["runbook_url"] == "https://wiki.example.com/drift?model=1&x=2"
    assert alert["generatorURL"] == "https://lakemon.example.com/report?model=1&x=2"


def test_what_becomes_more_severe_is_one_alert_still(sink_at, alertmanager):
    sink = sink_at(alertmanager)
    send(sink, "a.1", severity=Severity.WARNING)
    send(sink, "a.1", transition=ESCALATED, severity=Severity.CRITICAL)
    (alert,) = eventually(lambda: firing(alertmanager)).values()
    assert alert["labels"]["severity"] == "critical"


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_real_alertmanager_takes_every_name(sink_at, alertmanager, name):
    sink = sink_at(alertmanager)
    note = replace(
        hostile_notification(name), created_at=now(), evidence=(hostile_evidence(name), sample_evidence())
    )
    result = sink.deliver(sink.render(note), sample_attempt())
    assert result.status is DeliveryStatus.DELIVERED, result.detail


def test_a_test_message_ends_by_itself(sink_at):
    note = sample_notification(transition=Transition.TEST, evidence=())
    (alert,) = alerts_of(note, timedelta(days=30))
    assert datetime.fromisoformat(alert["endsAt"]) == note.created_at + timedelta(minutes=5)


@given(st.text(max_size=2000))
def test_any_text_makes_alerts_that_identify_themselves(name):
    for alert in alerts_of(hostile_notification(name), timedelta(days=1)):
        assert alert["labels"]["incident"] == "a1b2c3d4e5f60718.1"
        assert alert["startsAt"] < alert["endsAt"]
        assert all(0 < len(text) <= 1000 and text.isprintable() for text in alert["labels"].values())


def test_labels_stay_the_same_until_the_end():
    opened, ended = (
        alerts_of(
            sample_notification(evidence=(sample_evidence(transition=one, value=value),)), timedelta(days=1)
        )
        for one, value in ((OPENED, 3.24), (RESOLVED, 0.01))
    )
    assert opened[0]["labels"] == ended[0]["labels"]
    assert opened[0]["annotations"] != ended[0]["annotations"]


def test_a_wrong_answer_is_no_alertmanager(sink_at, receiver):
    assert sink_at(receiver.url).check().detail == "what answers there is no Alertmanager"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"url": "alertmanager:9093"}, "https://"),
        ({"fires_for_days": 0}, "greater than 0"),
        ({"urls": []}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_refused(more, message):
    with pytest.raises(ValidationError, match=message):
        AlertmanagerConfig.model_validate({"url": "http://alertmanager:9093"} | more)
